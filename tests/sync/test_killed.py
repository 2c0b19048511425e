"""A worker may be killed at any write and around any request: the next one finishes the work, and nothing is doubled.

Each run of these tests tries every fifth point, from a first one that the printed seed decides. KILL_EVERY=1 tries all,
KILL_SEED=… the same ones again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from contactsync.models import Call, Contact, Phonebook, ProviderAccount, Run
from contactsync.sync import executor, ledger, lifecycle, planner, sweep
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, expire_leases, local_contacts, plan_push, remote_contacts

pytestmark = pytest.mark.django_db(transaction=True)
EVERY = int(os.environ.get("KILL_EVERY", "5"))
SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10_000))
WRITES = ("INSERT", "UPDATE", "DELETE")


class Killed(BaseException):
    """`kill -9`, as far as a test can do it: nothing in the code may catch it."""


class Bomb:
    """Goes off at the n-th event; an event is a write to the database, or either end of a remote call."""

    def __init__(self, fuse: int) -> None:
        self.fuse = fuse
        self.events = 0

    def tick(self) -> None:
        self.events += 1
        if self.events == self.fuse:
            raise Killed

    def on_query(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(WRITES):
            self.tick()
        return execute(sql, params, many, context)


def first_fuse() -> int:
    """The first point to be killed at; the others follow in steps of `EVERY`."""
    print(f"KILL_EVERY={EVERY} KILL_SEED={SEED}")  # noqa: T201 - pytest shows it with a failure
    return 1 + SEED % EVERY


@contextmanager
def armed(bomb: Bomb, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    make = ledger.make

    def around_the_call(*args: Any) -> Any:
        bomb.tick()
        performed = make(*args)
        bomb.tick()
        return performed

    with monkeypatch.context() as patch, connection.execute_wrapper(bomb.on_query):
        patch.setattr(ledger, "make", around_the_call)
        yield


def a_phonebook_with_everything_to_do(sandbox: SandboxServer, account: ProviderAccount, title: str) -> Phonebook:
    """A new option, three creates in two calls of which one number is there by then, an update, an adoption, a deletion."""
    state = sandbox.state("ippanel")
    remote = state.add_phonebook(title)
    option = make_option(account, f"option of {title}")
    book = make_phonebook(account, options=(option,), title=title, remote_id=str(remote.id))
    for position in range(3):
        make_contact(book, first_name=f"new {position}", options={str(option.pk): f"value {position}"})
    for name in ("changed", "deleted"):
        contact = make_contact(book)
        there = state.add_contact(remote, contact.phone, name="before")
        fields: dict[str, Any] = {"pushed_payload": {"phone": contact.phone, "first_name": "before"}}
        if name == "deleted":
            fields["deleted_at"] = timezone.now()
        Contact.objects.filter(pk=contact.pk).update(
            first_name=name, remote_id=str(there.id), sync_state=Contact.SyncState.CHANGED, **fields
        )
    adopted = make_contact(book)
    state.add_contact(remote, adopted.phone)
    return book


def recover(run: Run) -> None:
    """What the sweep does from time to time, until nothing is left to wake."""
    for _ in range(5):
        expire_leases()
        due = sweep.expired_runs()
        if not due:
            break
        for run_id in due:
            executor.execute(run_id)
    run.refresh_from_db()


def assert_everything_is_done(sandbox: SandboxServer, book: Phonebook, run: Run) -> None:
    assert run.state == Run.State.FINISHED, (
        run.state,
        run.error_text,
        list(run.items.values("phone", "state", "error")),
    )
    assert run.counts["balances"]
    assert remote_contacts(sandbox, book.title) == local_contacts(book)
    state = sandbox.state("ippanel")
    titles = [option.title for option in state.options.values()]
    assert len(titles) == len(set(titles))
    for contact in book.contacts.all():
        assert contact.sync_state == Contact.SyncState.SYNCED
        there = state.contact(state.phonebook(book.title), contact.phone)
        assert list(there.options.values()) == list(contact.options.values())
    assert not book.contacts.exclude(deleted_at=None).exists()
    assert not Call.objects.filter(state=Call.State.ON_WIRE).exists()


@pytest.mark.parametrize(("at_once", "most_events"), [(1, 40), (3, 35)])
def test_killed_anywhere_in_a_push_the_next_worker_finishes(
    sandbox: SandboxServer, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch, at_once: int, most_events: int
) -> None:
    account.settings.update(batch_size=2, concurrency=at_once)
    account.save()
    fuse = first_fuse() - EVERY
    while True:
        fuse += EVERY
        book = a_phonebook_with_everything_to_do(sandbox, account, f"book {fuse}")
        run = plan_push(book)
        assert run.plan["calls"] == 6
        lifecycle.approve(run)
        bomb = Bomb(fuse)
        try:
            with armed(bomb, monkeypatch):
                executor.execute(run.pk)
        except Killed:
            recover(run)
            assert_everything_is_done(sandbox, book, run)
        else:
            break
    assert bomb.events > most_events  # it went off at every `EVERY`th of these


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("lost", ["create_contacts", "create_phonebook"])
def test_killed_anywhere_while_it_finds_out_what_came_of_a_call_no_call_stays_unknown(
    sandbox: SandboxServer, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch, lost: str, arrived: bool
) -> None:
    state, fuse = sandbox.state("ippanel"), 0
    while True:
        fuse += 1
        there = state.add_phonebook(f"book {fuse}") if lost == "create_contacts" else None
        book = make_phonebook(account, title=f"book {fuse}", remote_id=str(there.id) if there else "")
        contact = make_contact(book)
        run = plan_push(book)
        lifecycle.approve(run)
        calls = run.calls.filter(operation=lost)
        assert calls.update(state=Call.State.UNKNOWN, started_at=timezone.now(), finished_at=timezone.now()) == 1
        if arrived and there:
            state.add_contact(there, contact.phone)
        elif arrived:
            state.add_phonebook(book.title)
        bomb = Bomb(fuse)
        try:
            with armed(bomb, monkeypatch):
                executor.execute(run.pk)
        except Killed:
            recover(run)
        run.refresh_from_db()
        assert run.state == Run.State.FINISHED, (run.error_text, fuse)
        assert not run.calls.filter(state=Call.State.UNKNOWN).exists(), f"killed at event {fuse}"
        assert remote_contacts(sandbox, book.title) == local_contacts(book)
        if bomb.events < fuse:
            break
    assert bomb.events > 5


def test_killed_anywhere_while_planning_the_plan_is_made_anew_and_is_the_same(
    sandbox: SandboxServer, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.settings["batch_size"] = 2
    account.save()
    book = a_phonebook_with_everything_to_do(sandbox, account, "book")
    wanted = plan_push(book)
    fuse = first_fuse() - EVERY
    while True:
        fuse += EVERY
        run = planner.create_push_run(book)
        bomb = Bomb(fuse)
        try:
            with armed(bomb, monkeypatch):
                planner.plan(run.pk)
        except Killed:
            recover(run)
        run.refresh_from_db()
        assert (run.state, run.plan, run.plan_hash) == (Run.State.PLANNED, wanted.plan, wanted.plan_hash)
        assert run.items.count() == wanted.items.count()
        if bomb.events < fuse:
            break
    assert bomb.events > 5


def test_a_worker_that_was_only_slow_cannot_write_over_its_successor(
    sandbox: SandboxServer, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = make_phonebook(account)
    make_contact(book)
    run = plan_push(book)
    lifecycle.approve(run)
    make = ledger.make
    calls: list[int] = []

    def overtaken(call: Call, *args: Any) -> Any:
        performed = make(call, *args)
        if call.operation == "create_contacts" and not calls:
            calls.append(call.pk)
            recover(run)
        return performed

    monkeypatch.setattr(ledger, "make", overtaken)
    executor.execute(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert run.counts["balances"]
    assert remote_contacts(sandbox, book.title) == local_contacts(book)


def test_a_run_that_was_asked_to_stop_when_its_worker_died_is_stopped(
    sandbox: SandboxServer, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = make_phonebook(account)
    make_contact(book)
    run = plan_push(book)
    lifecycle.approve(run)
    with pytest.raises(Killed), armed(Bomb(4), monkeypatch):
        executor.execute(run.pk)
    run.refresh_from_db()
    lifecycle.stop(run)
    assert run.state == Run.State.STOPPING
    recover(run)
    assert run.state == Run.State.STOPPED
    lifecycle.resume(run)
    assert carry_out(run).state == Run.State.FINISHED
