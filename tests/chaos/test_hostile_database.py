"""The database is locked, hangs up or is full, at any statement. What is not written was not begun or is not known; it is never made again."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, connection

from contactsync.campaigns import dispatch
from contactsync.management.commands import worker
from contactsync.models import Call, Campaign, ProviderAccount, Recipient, Run
from contactsync.sync import executor, ledger, lifecycle
from providers.sandbox import SandboxServer
from tests.campaigns.conftest import approve, received, states
from tests.chaos import at_ippanel
from tests.chaos.at_ippanel import (
    Events,
    assert_everybody_got_one,
    every_point,
    finish_push,
    make_book,
    make_ready,
    was_sent,
)
from tests.chaos.recovery import finish_campaign, sweep_up
from tests.sync.conftest import plan_push

pytestmark = pytest.mark.django_db(transaction=True)
account, user, campaign = at_ippanel.account, at_ippanel.user, at_ippanel.campaign
no_waiting, one_text_per_call = at_ippanel.no_waiting, at_ippanel.one_text_per_call

is_sqlite = connection.vendor == "sqlite"
only_sqlite = pytest.mark.skipif(not is_sqlite, reason="only an SQLite file can be made full here")
only_postgresql = pytest.mark.skipif(is_sqlite, reason="SQLite has no server that could close the connection")


def own_parameters() -> dict[str, Any]:
    """How to connect to the same database once more."""
    known = connection.get_connection_params()
    return {name: known[name] for name in ("host", "port", "dbname", "user", "password") if known.get(name)}


class Locked:
    """Somebody else writes, and takes long over it."""

    def __init__(self) -> None:
        self._other: Any = None

    def hold(self) -> None:
        if connection.in_atomic_block:  # what this connection holds, nobody else can
            return
        if is_sqlite:
            self._other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
            self._other.execute("BEGIN IMMEDIATE")
        else:
            self._other = psycopg.connect(**own_parameters())
            self._other.execute("LOCK TABLE contactsync_call, contactsync_run, contactsync_recipient IN EXCLUSIVE MODE")

    def let_go(self) -> None:
        if self._other is not None:
            self._other.close()
            self._other = None


@contextmanager
def impatient() -> Iterator[None]:
    """Every connection made meanwhile waits for a lock for a moment only."""
    known = connection.settings_dict["OPTIONS"]
    hurry = {"timeout": 0.01} if is_sqlite else {"options": f"{known['options']} -c lock_timeout=10ms"}
    connection.close()
    connection.settings_dict["OPTIONS"] = {**known, **hurry}
    yield
    connection.close()
    connection.settings_dict["OPTIONS"] = known


def hang_up() -> None:
    """The database ends this connection, as when it is restarted."""
    with psycopg.connect(**own_parameters(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])


def in_trouble(work: Callable[[], None], *events: Events) -> None:
    """Do the work; an error of the database ends it, as it ends the task of a worker."""
    with ExitStack() as stack:
        for event in events:
            stack.enter_context(connection.execute_wrapper(event))
        with suppress(OperationalError, InterfaceError):
            work()
    connection.close_if_unusable_or_obsolete()


@contextmanager
def locked_at(point: int, *, lasting: bool) -> Iterator[tuple[Events, ...]]:
    """From the n-th statement on; `lasting`: until the work has ended."""
    lock = Locked()
    held, released = Events(point, lock.hold), Events(point + 1, lambda: None if lasting else lock.let_go())
    with impatient():
        try:
            yield held, released
        finally:
            lock.let_go()


@contextmanager
def hung_up_at(point: int) -> Iterator[tuple[Events, ...]]:
    yield (Events(point, hang_up),)


TROUBLES: dict[str, Callable[[int], Any]] = {
    "locked for a moment": lambda point: locked_at(point, lasting=False),
    "locked to the end": lambda point: locked_at(point, lasting=True),
} | ({} if is_sqlite else {"hung up": hung_up_at})


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("at_once", [1, 3])
def test_at_any_statement_of_a_send(
    account: ProviderAccount,
    user: User,
    sandbox: SandboxServer,
    one_text_per_call: None,
    trouble: str,
    at_once: int,
    chance: random.Random,
) -> None:
    account.settings["concurrency"] = at_once
    account.save()
    for point in every_point(chance):
        sandbox.reset()
        campaign = make_ready(account, user)
        run = approve(campaign, user)
        with TROUBLES[trouble](point) as events:
            in_trouble(lambda run=run: dispatch.execute(run.pk), *events)
        finish_campaign(campaign, user, was_sent(sandbox))
        assert_everybody_got_one(sandbox)
        if not events[0].happened:
            break
    assert point > 30


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("at_once", [1, 3])
def test_at_any_statement_of_a_push(
    account: ProviderAccount, sandbox: SandboxServer, trouble: str, at_once: int, chance: random.Random
) -> None:
    account.settings["concurrency"] = at_once
    account.save()
    for point in every_point(chance):
        book = make_book(sandbox, account, f"book {point}")
        run = plan_push(book)
        lifecycle.approve(run)
        with TROUBLES[trouble](point) as events:
            in_trouble(lambda run=run: executor.execute(run.pk), *events)
        finish_push(sandbox, book, run)
        if not events[0].happened:
            break
    assert point > 30


class TestTheAnswerCannotBeWritten:
    """The message has gone out. Its call is accepted once that is written, else not known; it is never planned again."""

    @pytest.fixture
    def at_the_answer(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
        """Let something happen when the first answer has come."""

        def arrange(happen: Callable[[], None]) -> None:
            make, came = ledger.make, []

            def then(*args: Any, **kwargs: Any) -> Any:
                performed = make(*args, **kwargs)
                came.append(performed)
                if len(came) == 1:
                    happen()
                return performed

            monkeypatch.setattr(ledger, "make", then)

        return arrange

    @pytest.fixture
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """What was waited for the database."""
        waited: list[float] = []
        monkeypatch.setattr("contactsync.sync.line.wait", waited.append)
        return waited

    def test_a_lock_that_goes_away_costs_nothing(
        self, campaign: Campaign, user: User, sandbox: SandboxServer, at_the_answer: Any, monkeypatch: Any
    ) -> None:
        lock = Locked()
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                lock.let_go()

        monkeypatch.setattr("contactsync.sync.line.wait", wait)
        run = approve(campaign, user)
        at_the_answer(lock.hold)
        with impatient():
            dispatch.execute(run.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SENT
        assert waits == list(ledger.PAUSES_BEFORE_WRITING_AGAIN[:2])
        assert_everybody_got_one(sandbox)

    @only_postgresql
    def test_a_connection_that_is_cut_costs_nothing(
        self, campaign: Campaign, user: User, sandbox: SandboxServer, at_the_answer: Any, waits: list[float]
    ) -> None:
        run = approve(campaign, user)
        at_the_answer(hang_up)
        dispatch.execute(run.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SENT
        assert waits == [ledger.PAUSES_BEFORE_WRITING_AGAIN[0]]
        assert_everybody_got_one(sandbox)

    def test_a_lock_that_stays_leaves_it_unknown(
        self, campaign: Campaign, user: User, sandbox: SandboxServer, at_the_answer: Any, waits: list[float]
    ) -> None:
        lock = Locked()
        run = approve(campaign, user)
        at_the_answer(lock.hold)
        with impatient():
            in_trouble(lambda: dispatch.execute(run.pk))
            assert waits == list(ledger.PAUSES_BEFORE_WRITING_AGAIN)
            assert Call.objects.filter(state=Call.State.ON_WIRE).count() == 1
            lock.let_go()
        sweep_up()
        assert sorted(states(campaign).values()).count(Recipient.State.UNKNOWN) == 1
        finish_campaign(campaign, user, was_sent(sandbox))
        assert_everybody_got_one(sandbox)

    @only_sqlite
    def test_a_full_disk_leaves_it_unknown(
        self,
        account: ProviderAccount,
        user: User,
        sandbox: SandboxServer,
        one_text_per_call: None,
        at_the_answer: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        waits: list[float] = []
        campaign = make_ready(account, user, message="Hi {first_name}, " + "سلام " * 150)  # more than fits in between
        run = approve(campaign, user)

        def fill(*, first: str = "VACUUM") -> None:
            with connection.cursor() as cursor:
                cursor.execute(first)
                (pages,) = cursor.execute("PRAGMA page_count").fetchone()
                cursor.execute(f"PRAGMA max_page_count = {pages}")

        def wait(seconds: float) -> None:
            waits.append(seconds)
            fill(first="SELECT 1")  # a new connection knows nothing of it

        monkeypatch.setattr("contactsync.sync.line.wait", wait)
        at_the_answer(fill)
        try:
            in_trouble(lambda: dispatch.execute(run.pk))
            assert waits == list(ledger.PAUSES_BEFORE_WRITING_AGAIN)
            written = Call.objects.filter(state=Call.State.ACCEPTED).count()  # some may still have found room
        finally:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA max_page_count = 1073741823")
        assert len(received(sandbox)) == written + 1
        sweep_up()
        assert sorted(states(campaign).values()).count(Recipient.State.UNKNOWN) == 1
        finish_campaign(campaign, user, was_sent(sandbox))
        assert_everybody_got_one(sandbox)


def test_the_worker_outlives_its_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart of the database takes seconds; without a worker nothing would go on until somebody sees it."""
    waits: list[float] = []
    rounds: list[str] = []

    def one_round(self: Any) -> None:
        rounds.append("round")
        if len(rounds) < 3:
            raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(worker.db_worker.Worker, "run", one_round)
    monkeypatch.setattr(worker, "wait", waits.append)
    made = worker.Worker.__new__(worker.Worker)
    made.running, made.batch = True, False
    made.run()
    assert (len(rounds), waits) == (3, [worker.SWEEP_SECONDS] * 2)
    assert Run.objects.count() == 0  # and this connection is of use again
