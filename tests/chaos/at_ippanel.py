"""One company at IPPanel with a campaign of three calls and a phonebook with everything to do; and things that happen at a statement."""

from __future__ import annotations

import dataclasses
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from contactsync.models import Campaign, Contact, Phonebook, ProviderAccount, Run
from contactsync.sync import executor, lifecycle, line
from contactsync.sync.connect import Operation
from providers.backends.ippanel import IPPanel
from providers.sandbox import SandboxServer
from tests.campaigns.conftest import campaign_to, prepare, received
from tests.chaos.recovery import mend_account, sweep_up
from tests.factories import make_account, make_contact, make_phonebook, make_user
from tests.sync.conftest import local_contacts, plan_push, remote_contacts

EVERY = int(os.environ.get("CHAOS_EVERY", "41"))  # of the points at which something may happen, every so many are tried
PHONES = [f"+98912000001{number}" for number in range(3)]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "wait", lambda seconds: None)


@pytest.fixture
def user(db: None) -> User:
    return make_user()


@pytest.fixture
def account(db: None, sandbox: SandboxServer) -> ProviderAccount:
    return make_account(base_url=sandbox.url("ippanel"), settings={"read_timeout": 1, "batch_size": 2})


@pytest.fixture
def one_text_per_call(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = IPPanel.capabilities
    without = dataclasses.replace(limits, operations=limits.operations - {Operation.SEND_TEXTS})
    monkeypatch.setattr(IPPanel, "capabilities", without)


def make_ready(account: ProviderAccount, user: User, message: str = "Hi {first_name}") -> Campaign:
    """Three people, three texts; with `one_text_per_call` that takes three calls."""
    book = make_phonebook(account)
    for phone in PHONES:
        make_contact(book, phone, first_name=phone[-1])
    return prepare(campaign_to(account, book, message=message), user)


@pytest.fixture
def campaign(account: ProviderAccount, user: User, one_text_per_call: None) -> Campaign:
    return make_ready(account, user)


def make_book(sandbox: SandboxServer, account: ProviderAccount, title: str = "book") -> Phonebook:
    """Four to add, one to change, one to delete."""
    state = sandbox.state("ippanel")
    there = state.add_phonebook(title)
    book = make_phonebook(account, title=title, remote_id=str(there.id))
    for _ in range(4):
        make_contact(book, first_name="new")
    for name in ("changed", "deleted"):
        contact = make_contact(book)
        remote = state.add_contact(there, contact.phone, name="before")
        fields: dict[str, Any] = {"pushed_payload": {"phone": contact.phone, "first_name": "before"}}
        if name == "deleted":
            fields["deleted_at"] = timezone.now()
        Contact.objects.filter(pk=contact.pk).update(
            first_name=name, remote_id=str(remote.id), sync_state=Contact.SyncState.CHANGED, **fields
        )
    return book


@pytest.fixture
def book(account: ProviderAccount, sandbox: SandboxServer) -> Phonebook:
    return make_book(sandbox, account)


def every_point(chance: random.Random) -> Iterator[int]:
    """The statements at which something happens, one in each try."""
    yield from range(1 + chance.randrange(EVERY), 2000, EVERY)


class Killed(BaseException):
    """As good as a `kill -9`: nothing in the code may catch it."""


class Events:
    """Counts statements, and lets something happen at the n-th."""

    def __init__(self, at: int, happen: Callable[[], None]) -> None:
        self.at, self.happen, self.seen = at, happen, 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.seen += 1
        if self.seen == self.at:
            self.happen()
        return execute(sql, params, many, context)

    @property
    def happened(self) -> bool:
        return self.seen >= self.at


def was_sent(sandbox: SandboxServer) -> Callable[[str], bool]:
    """What a person sees in the provider's panel."""
    return lambda phone: bool(received(sandbox).get(phone))


def assert_everybody_got_one(sandbox: SandboxServer) -> None:
    got = received(sandbox)
    assert {phone: len(texts) for phone, texts in got.items()} == dict.fromkeys(PHONES, 1)


def finish_push(sandbox: SandboxServer, book: Phonebook, run: Run) -> None:
    """Sweeps, and whatever a person has to do: resume, or push again. Then both sides are the same."""
    for _ in range(6):
        sweep_up()
        run.refresh_from_db()
        if run.state == Run.State.FINISHED:
            break
        assert run.error_text or run.counts or run.state == Run.State.STOPPED, "it stands still and does not say why"
        mend_account(book.account, None)
        if run.state in {Run.State.PAUSED, Run.State.STOPPED}:
            lifecycle.resume(run)
        else:
            run = plan_push(book)
            lifecycle.approve(run)
        executor.execute(run.pk)
    assert run.state == Run.State.FINISHED, (run.error_text, run.counts)
    assert remote_contacts(sandbox, book.title) == local_contacts(book)
    assert plan_push(book).plan["calls"] == 0
