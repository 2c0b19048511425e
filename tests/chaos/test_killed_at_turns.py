"""A worker is killed at any write of a send that takes a turn: it is stopped, paused, told to wait, begins at its time, goes on.

Each story is told again and again, with the kill a few writes later (`KILL_EVERY`, `KILL_SEED`). In the end everybody
has the message once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from contactsync.campaigns import dispatch, lifecycle
from contactsync.models import Campaign, ProviderAccount, Run
from contactsync.sync import ledger, line
from providers.sandbox import SandboxServer
from tests.campaigns.companies import COMPANIES, Company
from tests.campaigns.conftest import approve, campaign_to, prepare
from tests.chaos.recovery import assert_books_are_true, finish_campaign
from tests.factories import make_user
from tests.sync.test_killed import EVERY, Bomb, Killed, armed, first_fuse

pytestmark = pytest.mark.django_db(transaction=True)
ATOM: Company = next(company for company in COMPANIES if company.slug == "atomtelecom")  # one call for each person
PHONES = ATOM.phones(3)
LATER = dt.timedelta(hours=3)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "wait", lambda seconds: None)


@contextmanager
def is_stopped(run: Run, sandbox: SandboxServer, user: User) -> Iterator[Run]:
    """By a person, while the second call is made."""
    make, made = ledger.make, []

    def watched(*args: Any) -> Any:
        made.append(args)
        if len(made) == 2:
            lifecycle.stop(Campaign.objects.get(runs=run))
            connection.close()  # perhaps one of this thread alone
        return make(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "make", watched)
        yield run


@contextmanager
def is_paused(run: Run, sandbox: SandboxServer, user: User) -> Iterator[Run]:
    """By a key that is refused at the second call."""
    sandbox.fault("status_401", ATOM.send_path, skip=1)
    yield run


@contextmanager
def has_to_wait(run: Run, sandbox: SandboxServer, user: User) -> Iterator[Run]:
    """The provider asks for more patience than a worker has."""
    sandbox.fault("status_429", ATOM.send_path, skip=1, seconds=3000)
    yield run


@contextmanager
def is_lost(run: Run, sandbox: SandboxServer, user: User) -> Iterator[Run]:
    """Nobody knows what became of the second call."""
    sandbox.fault("reset_after", ATOM.send_path, skip=1)
    yield run


@contextmanager
def goes_on(run: Run, sandbox: SandboxServer, user: User) -> Iterator[Run]:
    """After a stop, by a run whose calls its worker plans."""
    campaign = Campaign.objects.get(runs=run)
    lifecycle.stop(campaign)
    yield lifecycle.resume(campaign, user=user)


@contextmanager
def begins_at_its_time(run: Run, sandbox: SandboxServer, user: User) -> Iterator[Run]:
    """It waits here, because the provider cannot schedule."""
    with time_machine.travel(timezone.now() + LATER + dt.timedelta(minutes=1)):
        yield run


TURNS: list[Callable[..., Any]] = [is_stopped, is_paused, has_to_wait, is_lost, goes_on, begins_at_its_time]


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.__name__)
def test_killed_anywhere_in_a_send_that(
    turn: Callable[..., Any], concurrency: int, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fuse, user = first_fuse() - EVERY, make_user()
    while True:
        fuse += EVERY
        sandbox.reset()
        account = ATOM.account(sandbox)
        account.settings |= {"concurrency": concurrency}
        account.save()
        bomb = Bomb(fuse)
        with ExitStack() as stack:
            run = stack.enter_context(turn(approved(account, sandbox, user, turn), sandbox, user))
            try:
                with armed(bomb, monkeypatch):
                    dispatch.execute(run.pk)
            except Killed:
                sandbox.faults.clear()
            campaign = Campaign.objects.get(runs=run)
            assert_books_are_true(campaign)
            finish_campaign(campaign, user, lambda phone: bool(ATOM.messages_to(sandbox, phone)))
        assert {phone: len(ATOM.messages_to(sandbox, phone)) for phone in PHONES} == dict.fromkeys(PHONES, 1), fuse
        if bomb.events < fuse:
            break
    assert bomb.events > 8


def approved(account: ProviderAccount, sandbox: SandboxServer, user: User, turn: Callable[..., Any]) -> Run:
    book = ATOM.book(account, sandbox, PHONES)
    later = timezone.now() + LATER if turn is begins_at_its_time else None
    return approve(prepare(campaign_to(account, book, message="{first_name}", scheduled_for=later), user), user)
