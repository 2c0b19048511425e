"""Whoever unsubscribed at the provider gets nothing, also when it was not known here before."""

from __future__ import annotations

import pytest

from contactsync.models import Suppression
from contactsync.models.reasons import describe
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import campaign_to, excluded, prepare, send, states

LOX24 = COMPANIES[2]


@pytest.fixture
def account(db, sandbox):
    return LOX24.account(sandbox)


@pytest.mark.parametrize("message", ["Sale", "Hello {first_name}"], ids=["group", "personal"])
def test_who_unsubscribed_by_a_link_is_left_out(account, user, sandbox, message):
    first, second, third = phones = LOX24.phones(3)
    book = LOX24.book(account, sandbox, phones)
    sandbox.state("lox24").unsubscribe(second)
    campaign = campaign_to(account, book, message=message)
    send(campaign, user)
    assert excluded(campaign) == {second: "opted_out"}
    assert set(states(campaign)) == {first, third}
    assert LOX24.messages_to(sandbox, second) == []
    assert Suppression.objects.get().source == Suppression.Source.PROVIDER


def test_a_list_that_cannot_be_read_is_a_warning(account, user, sandbox):
    book = LOX24.book(account, sandbox, LOX24.phones(1))
    sandbox.fault("status_422", "GET /blocked_numbers")
    campaign = prepare(campaign_to(account, book, message="Sale"), user)
    assert "could not be read" in " ".join(describe(warning) for warning in campaign.summary["warnings"])
