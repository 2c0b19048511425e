"""A stop of a push is felt within a second by a worker that waits: for its turn, or between two attempts."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection

from contactsync.models import Call, Phonebook, ProviderAccount, Run
from contactsync.sync import ledger, lifecycle, line, pace, shutdown
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_phonebook
from tests.sync.conftest import carry_out, plan_push

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "POST /api/phonebooks/numbers/add-list-new"
LONG = 18.0  # seconds that are waited for without a stop
SOON = 6.0  # seconds on a busy machine
AFTER = 0.3  # seconds into the wait


@pytest.fixture(autouse=True)
def real_waits(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "wait", shutdown.wait)


@pytest.fixture(params=[1, 3], ids="at once: {}".format)
def book(request: pytest.FixtureRequest, account: ProviderAccount) -> Phonebook:
    account.settings |= {"batch_size": 1, "concurrency": request.param}
    account.save()
    book = make_phonebook(account)
    for number in range(4):
        make_contact(book, first_name=f"No. {number}")
    return book


def seconds_to_stop(book: Phonebook, monkeypatch: pytest.MonkeyPatch, happen: Any = lambda: None) -> tuple[float, Run]:
    """From the stop, a moment after the first creating call was begun, to the end of the work. `happen`s before that call."""
    run = lifecycle.approve(plan_push(book))
    make, asked, begun = ledger.make, [], threading.Lock()

    def stop() -> None:
        lifecycle.stop(Run.objects.get(pk=run.pk))
        asked.append(time.monotonic())
        connection.close()

    def watched(call: Call, *args: Any) -> Any:
        if call.operation == "create_contacts" and begun.acquire(blocking=False):
            happen()
            threading.Timer(AFTER, stop).start()
        return make(call, *args)

    monkeypatch.setattr(ledger, "make", watched)
    carry_out(run)
    return time.monotonic() - asked[0], run


def test_while_a_request_waits_for_its_turn(
    book: Phonebook, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = book.account
    account.settings |= {"requests_per_second": 5}
    account.save()

    def told_to_wait() -> None:
        pace.DatabasePacer(f"account:{account.pk}", per_second=5).blocked(LONG)
        if threading.current_thread() is not threading.main_thread():
            connection.close()

    seconds, run = seconds_to_stop(book, monkeypatch, told_to_wait)
    assert seconds < SOON
    assert (run.state, run.counts["pending"]) == (Run.State.STOPPED, 4)
    assert sandbox.requests_to(ADD) == []


def test_between_two_attempts(book: Phonebook, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.fault("status_429", ADD, times=0, seconds=LONG)
    seconds, run = seconds_to_stop(book, monkeypatch)
    assert seconds < SOON
    assert (run.state, run.counts["pending"]) == (Run.State.STOPPED, 4)
    assert not run.calls.filter(state__in=[Call.State.ON_WIRE, Call.State.UNKNOWN]).exists()


def test_while_the_provider_does_not_answer_nothing_else_begins(
    book: Phonebook, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on the wire is waited for, as long as an answer may take, and is not known when none comes."""
    sandbox.fault("hang", ADD, times=0, seconds=LONG, processed=False)
    monkeypatch.setattr(ledger, "judge", lambda error, **_: ledger.Verdict.UNKNOWN)
    seconds, run = seconds_to_stop(book, monkeypatch)
    assert seconds < SOON
    assert run.state == Run.State.STOPPED
    left = len(sandbox.requests_to(ADD))
    assert left <= int(book.account.settings["concurrency"])
    assert (run.counts["unknown"], run.counts["pending"]) == (left, 4 - left)
