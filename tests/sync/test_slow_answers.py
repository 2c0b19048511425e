"""A provider that carries a request out after its answer was given up: nothing is made twice by looking for it too early."""

from __future__ import annotations

import time

import pytest

from contactsync.models import Call, Phonebook, ProviderAccount, Run
from contactsync.sync import line, shutdown
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import push
from tests.sync.sides import SIDES, Side

pytestmark = pytest.mark.django_db
TITLE = "Newsletter of the town"
QUICK = {"connect_timeout": 1, "read_timeout": 1}
SLOW = 1.5  # seconds: longer than the answer is waited for


@pytest.fixture(autouse=True)
def time_really_passes(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    monkeypatch.setattr(line, "wait", shutdown.wait)


@pytest.fixture(params=sorted(SIDES))
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    made: Side = SIDES[request.param](sandbox)
    return made


def quick_account(side: Side) -> ProviderAccount:
    account = side.account()
    account.settings = dict(QUICK)
    account.save()
    return account


def test_contacts_that_come_there_late_are_there_once(side: Side) -> None:
    side.prepare(TITLE)
    book = make_phonebook(quick_account(side), title=TITLE)
    make_contact(book, side.phone(1), first_name="Sara", last_name="There")
    met = side.sandbox.fault("latency", side.create_path, seconds=SLOW)
    run = push(book)
    time.sleep(SLOW)  # by now the first request was carried out, too
    assert (met.hits, run.state) == (1, Run.State.FINISHED), run.error
    assert side.people(TITLE) == {side.phone(1): ("Sara There", "")}


@pytest.mark.parametrize("path", ["POST /api/phonebooks$", "POST /api/phonebooks/options$"])
def test_a_phonebook_and_an_option_that_come_there_late_are_there_once(sandbox: SandboxServer, path: str) -> None:
    account = quick_account(SIDES["ippanel"](sandbox))
    book: Phonebook = make_phonebook(account, title=TITLE, options=(make_option(account, "city"),))
    met = sandbox.fault("latency", path, seconds=SLOW)
    run = push(book)
    time.sleep(SLOW)  # by now the first request was carried out, too
    assert (met.hits, run.state) == (1, Run.State.FINISHED), run.error
    state = sandbox.state("ippanel")
    assert [there.title for there in state.phonebooks.values()] == [TITLE]
    assert [there.title for there in state.options.values()] == ["city"]
    assert not Call.objects.filter(state=Call.State.UNKNOWN).exists()
