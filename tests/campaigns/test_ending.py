"""A process that is to end leaves what it is at, and the next worker finds it at once."""

from __future__ import annotations

import datetime as dt
import importlib
import threading
from types import SimpleNamespace

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.utils import timezone

from contactsync import tasks
from contactsync.campaigns import audience, calls, cancel, dispatch, lease, lifecycle, reports
from contactsync.campaigns.problems import CampaignProblem
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import executor, leases, ledger, planner, shutdown
from contactsync.sync import lifecycle as runs
from contactsync.sync.sweep import expired_runs
from tests.campaigns.conftest import approve, campaign_to, prepare, received, send
from tests.factories import make_campaign, make_contact, make_phonebook
from tests.meanwhile import just_before
from tests.sync.test_killed import EVERY, Bomb, Killed, armed, first_fuse

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("one_text_per_call")]
PHONES = [f"+98912000000{index}" for index in range(3)]


@pytest.fixture(autouse=True)
def life(monkeypatch):
    """Begins another process, which nobody has asked to end."""

    def begin():
        monkeypatch.setattr(shutdown, "_asked", threading.Event())

    begin()
    return begin


@pytest.fixture
def book(account):
    book = make_phonebook(account)
    for phone in PHONES:
        make_contact(book, phone, first_name=phone[-1])
    return book


def test_a_preparation_begins_anew(account, book, user, life):
    campaign = campaign_to(account, book, message="{first_name}")
    lifecycle.begin_prepare(campaign, user=user)
    with just_before(r'^INSERT INTO "contactsync_call"', shutdown.ask):
        audience.freeze(campaign.pk)
        assert audience.abandoned() == []  # its calls were planned in one go
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PREPARED

    lifecycle.back_to_draft(campaign)
    lifecycle.begin_prepare(campaign, user=user)
    audience.freeze(campaign.pk)
    assert audience.abandoned() == [campaign.pk]
    life()
    audience.freeze(campaign.pk)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.recipients.count()) == (Campaign.State.PREPARED, 3)


def test_the_plan_of_a_push_begins_anew(account, book, user, life):
    run = runs.create_push_run(book, user=user)
    shutdown.ask()
    planner.plan(run.pk)
    run.refresh_from_db()
    assert (run.state, run.lease_owner) == (Run.State.PLANNING, "")
    assert expired_runs() == [run.pk]
    life()
    executor.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.items.count()) == (Run.State.PLANNED, 3)


def test_a_run_for_the_rest_whose_calls_are_not_planned_yet_is_left_with_its_people(
    account, book, user, sandbox, life, monkeypatch
):
    campaign = prepare(campaign_to(account, book, message="{first_name}"), user)
    lifecycle.stop(approve(campaign, user).campaign)
    campaign.refresh_from_db()
    run = lifecycle.resume(campaign, user=user)
    monkeypatch.setattr(calls, "CALLS_AT_A_TIME", 1)
    with just_before(r'^INSERT INTO "contactsync_call"', shutdown.ask):
        dispatch.execute(run.pk)
    campaign.refresh_from_db()
    assert (campaign.state, run.calls.count()) == (Campaign.State.SENDING, 0)
    assert set(campaign.recipients.values_list("state", flat=True)) == {Recipient.State.PLANNED}
    assert expired_runs() == [run.pk]
    life()
    dispatch.execute(run.pk)
    assert {phone: len(texts) for phone, texts in received(sandbox).items()} == dict.fromkeys(PHONES, 1)


def test_reports_are_read_on_later_and_nothing_counts_as_final(account, book, user, sandbox, life):
    campaign = campaign_to(account, book, message="{first_name}")
    send(campaign, user)
    sandbox.advance(3600)
    shutdown.ask()
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    assert sandbox.requests_to("GET /api/report") == []
    assert (campaign.summary["report"]["final"], campaign.summary["report"]["error"]) == (False, {})
    life()
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.summary["report"]["final"]


def test_cancelling_is_interrupted_says_so_and_is_made_up_for(account, book, user, sandbox, life, run_tasks):
    campaign = campaign_to(account, book, message="{first_name}", scheduled_for=timezone.now() + dt.timedelta(hours=5))
    send(campaign, user)
    with (
        just_before(r'^INSERT INTO "contactsync_call"', shutdown.ask, nth=2),
        pytest.raises(TransitionRefused, match="to end"),
    ):
        cancel.cancel(campaign)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SCHEDULED
    assert "again by itself" in campaign.error_text
    assert not Call.objects.filter(state__in=[Call.State.PLANNED, Call.State.ON_WIRE]).exists()
    life()
    assert tasks.sweep() == 1
    campaign.refresh_from_db()
    assert "again by itself" in campaign.error_text
    run_tasks()
    campaign.refresh_from_db()
    assert (campaign.state, campaign.error) == (Campaign.State.CANCELLED, {})


def test_a_lost_wake_up_call_for_a_cancellation_is_made_again_and_a_clock_set_back_does_not_delay_it(
    account, book, user, sandbox, monkeypatch
):
    later = timezone.now() + dt.timedelta(hours=5)
    campaign = campaign_to(account, book, message="{first_name}", scheduled_for=later)
    send(campaign, user)
    with pytest.raises(Killed), armed(Bomb(2), monkeypatch):
        cancel.cancel(campaign)
    with time_machine.travel(timezone.now() + dt.timedelta(hours=3)):
        assert cancel.interrupted() == [campaign.pk]
        assert leases.await_worker(Campaign.objects.filter(pk=campaign.pk))  # and nobody came
        assert cancel.interrupted() == []
    with time_machine.travel(timezone.now() + dt.timedelta(hours=3) + leases.WAKE_AGAIN):
        assert cancel.interrupted() == [campaign.pk]
    assert cancel.interrupted() == []
    lease.mend()
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=1)):
        assert cancel.interrupted() == [campaign.pk]


def test_killed_anywhere_in_a_cancellation_the_sweep_has_it_cancelled(
    account, book, user, sandbox, monkeypatch, run_tasks
):
    """Nobody presses the button again for a campaign that counts as being cancelled, and it would go out at its time."""
    fuse = first_fuse() - EVERY
    while True:
        fuse += EVERY
        later = timezone.now() + dt.timedelta(hours=5)
        campaign = campaign_to(account, book, message=f"{{first_name}} {fuse}", scheduled_for=later)
        send(campaign, user)
        bomb = Bomb(fuse)
        try:
            with armed(bomb, monkeypatch):
                cancel.cancel(campaign)
        except Killed:
            assert cancel.interrupted() == []  # it may be at work still
            past = timezone.now() - dt.timedelta(seconds=1)
            Campaign.objects.exclude(lease_until=None).update(lease_until=past)
            assert tasks.sweep() == (fuse > 1)  # at 1 it had not begun
            assert tasks.sweep() == 0
            run_tasks()
        campaign.refresh_from_db()
        assert campaign.state == (Campaign.State.CANCELLED if fuse > 1 else Campaign.State.SCHEDULED), fuse
        assert (campaign.lease_owner, campaign.error) == ("", {})
        if fuse > 1:
            assert set(campaign.recipients.values_list("delivery", flat=True)) == {Recipient.Delivery.CANCELLED}
        if bomb.events < fuse:
            break
    assert bomb.events > 10


def test_whoever_goes_on_after_an_interrupted_cancellation_does_not_have_it_cancelled(
    account, book, user, sandbox, monkeypatch
):
    later = timezone.now() + dt.timedelta(hours=5)
    campaign = campaign_to(account, book, message="{first_name}", scheduled_for=later)
    run, make = approve(prepare(campaign, user), user), ledger.make

    def make_and_stop(*args):
        monkeypatch.setattr(ledger, "make", make)
        lifecycle.stop(Campaign.objects.get())
        return make(*args)

    monkeypatch.setattr(ledger, "make", make_and_stop)
    dispatch.execute(run.pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.STOPPED
    with pytest.raises(Killed), armed(Bomb(2), monkeypatch):
        cancel.cancel(campaign)
    dispatch.execute(lifecycle.resume(campaign, user=user).pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SCHEDULED
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1)):
        assert cancel.interrupted() == []


def test_a_cancellation_that_an_earlier_version_left_is_somebody_s_to_ask_for_again_unless_it_was_gone_on_with(
    account, user
):
    now = timezone.now()
    left = {
        "account": account,
        "state": Campaign.State.SCHEDULED,
        "scheduled_for": now + dt.timedelta(hours=5),
        "lease_until": now - dt.timedelta(hours=1),
    }
    killed, resumed = (make_campaign(**left, lease_owner="long gone") for _ in range(2))
    Run.objects.create(kind=Run.Kind.SEND, account=account, campaign=resumed)
    told = make_campaign(**left, error=cancel.INTERRUPTED)
    due = make_campaign(**{**left, "state": Campaign.State.ATTENTION, "scheduled_for": now}, lease_owner="long gone")
    assert len(cancel.interrupted()) == 4
    migration = importlib.import_module("contactsync.migrations.0009_changes_without_constraint")
    migration.leave_old_cancellations(apps, SimpleNamespace(connection=connection))
    assert cancel.interrupted() == []
    rows = dict(Campaign.objects.filter(lease_owner="", lease_until=None).values_list("pk", "error"))
    assert rows == {killed.pk: cancel.INTERRUPTED, resumed.pk: {}, told.pk: cancel.INTERRUPTED, due.pk: {}}


def test_a_cancellation_that_meets_an_error_of_ours_is_not_tried_again_by_itself(
    account, book, user, monkeypatch, run_tasks
):
    later = timezone.now() + dt.timedelta(hours=5)
    campaign = campaign_to(account, book, message="{first_name}", scheduled_for=later)
    send(campaign, user)

    def break_down(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(cancel, "_cancel_all", break_down)
    with pytest.raises(ZeroDivisionError):
        cancel.cancel(campaign)
    campaign.refresh_from_db()
    assert "Cancel it again" in campaign.error_text
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1)):
        assert cancel.interrupted() == []


def test_a_preparation_that_was_taken_over_is_not_failed_by_whoever_had_it(account, book, user, monkeypatch):
    campaign = campaign_to(account, book, message="{first_name}")
    lifecycle.begin_prepare(campaign, user=user)

    def too_late(campaign, lease):
        Campaign.objects.update(lease_owner="another")
        raise CampaignProblem([reason("The provider is out of reach.")])

    monkeypatch.setattr(audience, "_freeze", too_late)
    audience.freeze(campaign.pk)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.lease_owner) == (Campaign.State.PREPARING, "another")
