"""Looking for contacts at the provider: as few reads as its abilities allow."""

from __future__ import annotations

import datetime as dt

import pytest

from contactsync.models.fields import Credentials
from contactsync.sync.line import Line
from contactsync.sync.remote import Finder
from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY, make_account, make_phonebook

PHONES = [f"+49152000000{number:02d}" for number in range(12)]


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", [1, 3, 12])
def test_where_a_provider_cannot_search_one_listing_finds_everybody(sandbox: SandboxServer, wanted: int) -> None:
    state = sandbox.state("lox24")
    group = state.add_group("Newsletter")
    for phone in PHONES[1:]:
        state.add_phone(group, phone)
    credentials = Credentials.seal({"client_id": state.client_id, "api_key": SANDBOX_KEY})
    account = make_account(provider="lox24", base_url=sandbox.url("lox24"), credentials=credentials)
    phonebook = make_phonebook(account, title="Newsletter", remote_id=str(group.id))
    with Line(account) as line:
        finder = Finder(line, phonebook, created_since=dt.datetime.now(dt.UTC))
        assert sorted(finder.find(PHONES[:wanted])) == PHONES[1:wanted]
        assert sorted(finder.find(PHONES[:wanted])) == PHONES[1:wanted]
    assert [request.path for request in sandbox.requests] == [f"/groups/{group.id}/phones"]
