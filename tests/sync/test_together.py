"""Several calls of a run on the wire at once: as many as the account may have, each on record before, and none twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from contactsync.models import Call, Phonebook, ProviderAccount, RequestPace, Run
from contactsync.sync import crew, executor, group_ledger, ledger, lifecycle, shutdown
from contactsync.sync.crew import Crew
from contactsync.sync.jobs import Job
from contactsync.sync.leases import LEASE
from contactsync.sync.policy import Verdict
from contactsync.sync.steps import Steps, nothing
from contactsync.sync.worker import MOST_UNKNOWN
from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY, make_contact, make_phonebook
from tests.sync.conftest import assert_in_step, carry_out, expire_leases, plan_push, remote_contacts
from tests.sync.sides import SIDES
from tests.sync.test_killed import recover

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "POST /api/phonebooks/numbers/add-list-new"


@pytest.fixture(autouse=True)
def nobody_asks_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "_asked", threading.Event())


@pytest.fixture
def book(account: ProviderAccount) -> Phonebook:
    account.settings.update(batch_size=1, concurrency=3)
    account.save()
    book = make_phonebook(account)
    for number in range(12):
        make_contact(book, first_name=f"No. {number}")
    return book


def approved(book: Phonebook) -> Run:
    run = plan_push(book)
    lifecycle.approve(run)
    return run


def around_creates(monkeypatch: pytest.MonkeyPatch, before: Callable[[Call, int], Any]) -> list[int]:
    """`before` happens in the thread of each creating call just before it is made; gets the call and its number from 1."""
    make, begun, lock = ledger.make, [], threading.Lock()

    def watched(call: Call, *args: Any) -> Any:
        if call.operation == "create_contacts":
            with lock:
                begun.append(call.pk)
                number = len(begun)
            before(call, number)
        return make(call, *args)

    monkeypatch.setattr(ledger, "make", watched)
    return begun


def times_sent(sandbox: SandboxServer) -> set[int]:
    sent = Counter(row["number"] for request in sandbox.requests_to(ADD) for row in request.json["list"])
    return set(sent.values())


def test_as_many_at_once_as_the_account_may_have_and_every_number_once(
    sandbox: SandboxServer, book: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = threading.Barrier(3)
    around_creates(monkeypatch, lambda call, number: full.wait(timeout=10))  # three together, or it breaks
    run = carry_out(approved(book))
    assert run.state == Run.State.FINISHED, run.error_text
    assert_in_step(sandbox, book)
    assert times_sent(sandbox) == {1}
    assert set(run.calls.values_list("attempts", flat=True)) == {1}


def test_each_call_is_on_record_before_its_first_byte(book: Phonebook, monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[tuple[str, bool]] = []

    def look(call: Call, number: int) -> None:
        row = Call.objects.get(pk=call.pk)  # over a connection of this thread: what is committed
        states.append((row.state, row.lease_until is not None))
        connection.close()

    around_creates(monkeypatch, look)
    carry_out(approved(book))
    assert states == [(Call.State.ON_WIRE, True)] * 12


def test_a_stop_begins_nothing_more_and_keeps_what_was_on_the_wire(
    sandbox: SandboxServer, book: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = approved(book)
    asked = threading.Event()

    def stop(call: Call, number: int) -> None:
        if number == 1:
            lifecycle.stop(Run.objects.get(pk=run.pk))
            connection.close()
            asked.set()
        asked.wait(timeout=10)

    begun = around_creates(monkeypatch, stop)
    carry_out(run)
    assert run.state == Run.State.STOPPED
    assert len(begun) <= 6  # on the wire, and ready beside them
    accepted = run.calls.filter(state=Call.State.ACCEPTED, operation="create_contacts").count()
    assert accepted, "the provider names nobody it has added, so that all of them are read back when the run goes on"
    assert (run.counts["done"], run.counts["pending"]) == (accepted, 12 - accepted)
    assert run.counts["balances"]
    assert not run.calls.filter(state=Call.State.ON_WIRE).exists()
    lifecycle.resume(run)
    assert carry_out(run).state == Run.State.FINISHED
    assert_in_step(sandbox, book)
    assert times_sent(sandbox) == {1}


def test_a_stop_tells_whose_call_was_lost_from_who_waits(
    sandbox: SandboxServer, book: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is looked for when the run goes on is not one that did not leave."""
    monkeypatch.setattr(ledger, "judge", lambda error, **_: Verdict.UNKNOWN)
    run = approved(book)
    sandbox.fault("reset_after", ADD)

    def stop(call: Call, number: int) -> None:
        if number == 1:
            lifecycle.stop(Run.objects.get(pk=run.pk))
            connection.close()

    around_creates(monkeypatch, stop)
    carry_out(run)
    assert run.state == Run.State.STOPPED
    lost = run.calls.get(state=Call.State.UNKNOWN)
    assert run.counts["unknown"] == 1
    assert run.items.get(call=lost).state == "planned"  # it is looked for when the run goes on
    assert run.counts["done"] + run.counts["unknown"] + run.counts["pending"] == 12
    lifecycle.resume(run)
    assert carry_out(run).state == Run.State.FINISHED
    assert_in_step(sandbox, book)


def test_a_process_that_is_to_end_leaves_the_rest_to_the_next(
    sandbox: SandboxServer, book: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = approved(book)
    begun = around_creates(monkeypatch, lambda call, number: shutdown.ask() if number == 1 else None)
    carry_out(run)
    assert run.state == Run.State.RUNNING
    assert (run.lease_owner, len(begun) < 12) == ("", True)
    assert not run.calls.filter(state__in=[Call.State.ON_WIRE, Call.State.UNKNOWN]).exists()
    monkeypatch.setattr(shutdown, "_asked", threading.Event())
    recover(run)
    assert run.state == Run.State.FINISHED
    assert_in_step(sandbox, book)
    assert times_sent(sandbox) == {1}


def test_a_group_that_cannot_be_written_is_written_one_by_one(
    sandbox: SandboxServer, book: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, results: Any) -> bool:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(group_ledger.GroupLedger, "_record_group", fail)
    assert carry_out(approved(book)).state == Run.State.FINISHED
    assert_in_step(sandbox, book)
    assert times_sent(sandbox) == {1}


def test_an_outcome_that_cannot_be_written_takes_no_other_with_it(
    book: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = approved(book)
    broken = run.calls.filter(operation="create_contacts").order_by("sequence")[1]
    keep = group_ledger.changes_after

    def fail_for_one(call: Call, *args: Any) -> Any:
        if call.pk == broken.pk:
            raise RuntimeError("cannot be written")
        return keep(call, *args)

    monkeypatch.setattr(group_ledger, "changes_after", fail_for_one)
    monkeypatch.setattr(ledger, "changes_after", fail_for_one)
    with pytest.raises(RuntimeError, match="cannot be written"):
        executor.execute(run.pk)
    states = Counter(run.calls.filter(operation="create_contacts").values_list("state", flat=True))
    assert states[Call.State.UNKNOWN] == 1
    assert not states[Call.State.ON_WIRE]
    assert states[Call.State.ACCEPTED] >= 2


def test_a_call_that_breaks_its_thread_ends_the_work_and_loses_no_other_outcome(
    sandbox: SandboxServer, book: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = approved(book)

    def break_down(call: Call, number: int) -> None:
        if number in {2, 4, 5}:  # as many as there are threads
            raise MemoryError

    around_creates(monkeypatch, break_down)
    with pytest.raises(RuntimeError, match="broke down"):
        executor.execute(run.pk)
    states = Counter(run.calls.filter(operation="create_contacts").values_list("state", flat=True))
    assert states[Call.State.ACCEPTED] == len(sandbox.requests_to(ADD))
    assert not states[Call.State.ON_WIRE]
    run.refresh_from_db()
    assert run.state == Run.State.FAILED


def test_a_worker_that_was_only_slow_leaves_its_calls_to_its_successor(
    sandbox: SandboxServer, book: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = approved(book)
    taken = threading.Lock()

    def overtaken(call: Call, number: int) -> None:
        if taken.acquire(blocking=False):
            expire_leases()
            connection.close()

    around_creates(monkeypatch, overtaken)
    executor.execute(run.pk)
    recover(run)
    assert run.state == Run.State.FINISHED, run.error_text
    assert run.counts["balances"]
    assert_in_step(sandbox, book)


def test_too_many_requests_hold_all_of_them_back(sandbox: SandboxServer, book: Phonebook, waits: list[float]) -> None:
    sandbox.fault("status_429", provider="ippanel", path="POST /v1/api/phonebooks/numbers/add-list-new", times=2)
    assert carry_out(approved(book)).state == Run.State.FINISHED
    assert_in_step(sandbox, book)


def test_a_refused_key_ends_it_for_all_of_them(
    sandbox: SandboxServer, account: ProviderAccount, book: Phonebook
) -> None:
    run = approved(book)
    sandbox.fault("status_401", provider="ippanel", path="POST /v1/api/phonebooks/numbers/add-list-new", times=0)
    carry_out(run)
    account.refresh_from_db()
    assert (run.state, account.state) == (Run.State.PAUSED, ProviderAccount.State.REFUSED)
    assert not run.calls.filter(state__in=[Call.State.ON_WIRE, Call.State.UNKNOWN]).exists()
    assert remote_contacts(sandbox, book.title) == {}


def test_calls_without_an_answer_in_a_row_pause_the_run(sandbox: SandboxServer) -> None:
    side = SIDES["lox24"](sandbox)
    account = side.account()
    account.settings.update(concurrency=3, batch_size=1)
    account.save()
    book = make_phonebook(account, title="book")
    for number in range(30):
        make_contact(book, side.phone(number))
    run = approved(book)
    around = "POST /groups/"
    sandbox.fault("status_500", provider="lox24", path=around, times=0, processed=True)
    carry_out(run)
    sandbox.faults.clear()
    assert run.state == Run.State.PAUSED, run.calls.values("operation", "state", "error")
    unknown = run.calls.filter(operation="create_contacts", state=Call.State.UNKNOWN).count()
    assert MOST_UNKNOWN <= unknown <= MOST_UNKNOWN + 6  # with those that were on the wire or ready
    lifecycle.resume(run)
    assert carry_out(run).state == Run.State.FINISHED
    assert len(side.people("book")) == 30


@pytest.mark.parametrize("slug", ["ippanel", "lox24"])
def test_the_pace_of_the_account_is_kept_by_all_of_them(sandbox: SandboxServer, slug: str) -> None:
    account = SIDES[slug](sandbox).account()
    account.settings.update(concurrency=3, requests_per_second=20, batch_size=1)
    account.save()
    book = make_phonebook(account)
    for number in range(6):
        make_contact(book, SIDES[slug].number.format(number))
    run = approved(book)
    began = time.monotonic()
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    assert time.monotonic() - began >= 5 / 20
    assert RequestPace.objects.get(key=f"account:{account.pk}").next_at > 0
    assert SANDBOX_KEY not in str(list(run.calls.values()))


def test_runs_of_one_account_share_what_it_may_have(book: Phonebook, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_phonebook(book.account)
    make_contact(other)
    at_work = approved(other)
    Run.objects.filter(pk=at_work.pk).update(
        state=Run.State.RUNNING, lease_owner="other", lease_until=timezone.now() + LEASE
    )
    active, most, lock = [0], [0], threading.Lock()
    make = ledger.make

    def counted(call: Call, *args: Any) -> Any:
        with lock:
            active[0] += 1
            most[0] = max(most[0], active[0])
        try:
            return make(call, *args)
        finally:
            with lock:
                active[0] -= 1

    monkeypatch.setattr(ledger, "make", counted)
    carry_out(approved(book))
    assert most == [1]


def test_what_was_not_begun_is_not_put_back_where_it_is_somebody_elses_by_now(account: ProviderAccount) -> None:
    run = Run.objects.create(kind=Run.Kind.PUSH, account=account, state=Run.State.RUNNING)
    calls = [
        Call.objects.create(
            run=run, sequence=n, operation="update_contact", state=Call.State.ON_WIRE, lease_owner=owner, attempts=1
        )
        for n, owner in enumerate(("me", "another"))
    ]
    holder: Any = SimpleNamespace(run=run, owner="me")
    books = group_ledger.GroupLedger(holder, Steps(prepare=lambda calls: [], keep=nothing))
    books.put_back([Job(call, nothing) for call in calls])
    assert list(run.calls.order_by("sequence").values_list("state", "attempts")) == [("planned", 0), ("on_wire", 1)]


@pytest.mark.parametrize("why", ["nothing more is to be begun", "it waited for a thread too long"])
def test_what_no_thread_has_begun_comes_back_as_not_begun(
    account: ProviderAccount, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(provider: object) -> None:
        begun.set()
        assert go.wait(30)

    first, second = (Job(Call(operation="update_contact"), slow) for _ in range(2))
    results = []
    with Crew(account, 1, most_unknown=5) as threads:
        threads.hire(1)
        threads.give(first)
        assert begun.wait(30)
        threads.give(second)
        if why == "nothing more is to be begun":
            threads.begin_nothing_more()
        else:
            monkeypatch.setattr(crew, "LONGEST_IN_QUEUE", -1.0)
        go.set()
        while threads.in_hand:
            results += threads.collect(1.0)
    assert [(result.job, result.performed is None) for result in results] == [(first, False), (second, True)]
