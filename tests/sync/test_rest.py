"""A provider that wants fewer requests makes a run wait, also one that is still being planned; nothing fails and nobody is asked."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from contactsync.admin import progress
from contactsync.models import Phonebook, ProviderAccount, Run
from contactsync.sync import lifecycle, planner
from contactsync.sync.policy import LONGEST_PAUSE, is_held_back, rest_after
from contactsync.sync.sweep import expired_runs
from providers.exceptions import NotSent, Throttled
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_phonebook
from tests.sync.conftest import assert_in_step, carry_out, expire_leases, plan_push

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phonebook(account: ProviderAccount) -> Phonebook:
    book = make_phonebook(account)
    for index in range(3):
        make_contact(book, f"+98912000000{index}")
    return book


def test_a_block_while_planning_waits_and_then_plans(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    sandbox.fault("status_429", times=0, seconds=600)
    run = plan_push(phonebook)
    assert run.state == Run.State.PLANNING
    assert run.lease_owner == ""
    assert run.lease_until is not None
    assert dt.timedelta(minutes=9) < run.lease_until - timezone.now() <= dt.timedelta(minutes=10)
    rest = progress.rest_of_run(run)
    assert rest is not None
    assert rest.until == run.lease_until
    assert expired_runs() == []

    sandbox.faults.clear()
    expire_leases()
    assert expired_runs() == [run.pk]
    carry_out(run)  # what the sweep enqueues plans it
    assert run.state == Run.State.PLANNED
    assert (run.plan["create"], run.error, progress.rest_of_run(run)) == (3, {}, None)
    lifecycle.approve(run)
    assert carry_out(run).state == Run.State.FINISHED
    assert_in_step(sandbox, phonebook)


def test_a_plan_that_waits_can_be_discarded(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    sandbox.fault("status_429", times=0, seconds=600)
    run = plan_push(phonebook)
    lifecycle.discard(run)
    expire_leases()
    assert expired_runs() == []


def test_a_block_while_pulling_waits(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    run = plan_push(phonebook)
    lifecycle.approve(run)
    carry_out(run)
    pull = planner.create_pull_run(phonebook)
    sandbox.fault("status_429", times=0)
    carry_out(pull)
    assert pull.state == Run.State.RUNNING
    assert progress.rest_of_run(pull) is not None
    sandbox.faults.clear()
    expire_leases()
    assert carry_out(pull).state == Run.State.FINISHED
    assert pull.error == {}


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Throttled("x", retry_after=90.0), 90.0),
        (Throttled("x"), LONGEST_PAUSE),
        (Throttled("x", status=None, retry_after=-1.0), 0.0),
        (NotSent("x"), None),
    ],
)
def test_how_long_work_rests(error: NotSent | Throttled, seconds: float | None) -> None:
    assert rest_after(error) == (None if seconds is None else dt.timedelta(seconds=seconds))


def test_only_our_own_pace_holds_back() -> None:
    assert is_held_back(Throttled("x", status=None))
    assert not is_held_back(Throttled("x", status=429))
    assert not is_held_back(None)
