"""What dead workers leave behind is decided by what it was."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from contactsync.models import Call, Campaign, ProviderAccount, Recipient, Run
from contactsync.sync import sweep
from tests.admin.flow_rows import make_run as make_push
from tests.factories import make_account, make_campaign
from tests.meanwhile import just_before

pytestmark = pytest.mark.django_db
PAST, FUTURE = timezone.now() - dt.timedelta(hours=1), timezone.now() + dt.timedelta(hours=1)


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_campaign(make_account())


def make_run(account: ProviderAccount, state: str, *, lease_until: dt.datetime | None = PAST, **fields: object) -> Run:
    return Run.objects.create(
        **{"kind": Run.Kind.SEND, "account": account, "state": state, "lease_until": lease_until, "lease_owner": "gone"}
        | fields
    )


def make_call(run: Run, operation: str, *, lease_until: dt.datetime | None = PAST, state: str = "on_wire") -> Call:
    return Call.objects.create(
        run=run,
        sequence=run.calls.count() + 1,
        operation=operation,
        state=state,
        lease_owner="gone",
        lease_until=lease_until,
    )


@pytest.mark.parametrize("state", ["planning", "queued", "running", "stopping"])
def test_a_run_whose_lease_ran_out_is_due(campaign: Campaign, state: str) -> None:
    run = make_run(campaign.account, state)
    assert sweep.expired_runs() == [run.pk]


@pytest.mark.parametrize("state", ["planned", "paused", "stopped", "finished", "attention", "failed", "discarded"])
def test_a_run_that_nobody_should_work_on_is_not_due(campaign: Campaign, state: str) -> None:
    make_run(campaign.account, state)
    assert sweep.expired_runs() == []


def test_a_run_that_is_held_is_not_due(campaign: Campaign) -> None:
    make_run(campaign.account, "running", lease_until=FUTURE)
    assert sweep.expired_runs() == []


def test_a_queued_run_without_a_lease_is_due_after_a_while(campaign: Campaign) -> None:
    run = make_run(campaign.account, "queued", lease_until=None, lease_owner="")
    assert sweep.expired_runs() == []
    Run.objects.update(created_at=PAST)
    assert sweep.expired_runs() == [run.pk]


def test_a_send_on_the_wire_becomes_unknown_with_its_recipients(campaign: Campaign) -> None:
    run = make_run(campaign.account, "running", campaign=campaign)
    call = make_call(run, "send_to_numbers")
    waiting = make_call(run, "send_to_numbers", state="planned")
    states = {}
    for number, (state, its_call) in enumerate([("on_wire", call), ("accepted", call), ("planned", waiting)]):
        row = Recipient.objects.create(campaign=campaign, phone=f"+9891200000{number:02}", state=state, call=its_call)
        states[state] = row
    sweep.expired_runs()
    call.refresh_from_db()
    waiting.refresh_from_db()
    assert (call.state, waiting.state) == (Call.State.UNKNOWN, Call.State.PLANNED)
    assert "not sent again" in call.error_text
    for before, after in (("on_wire", "unknown"), ("accepted", "accepted"), ("planned", "planned")):
        states[before].refresh_from_db()
        assert states[before].state == after
    assert states["on_wire"].error_text


def test_what_is_safe_to_repeat_is_planned_again_and_the_rest_is_looked_for(campaign: Campaign) -> None:
    run = make_run(campaign.account, "running")
    safe, unsafe = make_call(run, "create_contacts"), make_call(run, "create_phonebook")
    alive = make_call(run, "update_contact", lease_until=FUTURE)
    sweep.expired_runs()
    for call in (safe, unsafe, alive):
        call.refresh_from_db()
    assert (safe.state, unsafe.state, alive.state) == (Call.State.PLANNED, Call.State.UNKNOWN, Call.State.ON_WIRE)


def test_a_call_that_was_decided_and_taken_meanwhile_is_left_to_whoever_has_it(campaign: Campaign) -> None:
    call = make_call(make_run(campaign.account, "running"), "create_contacts")

    def another_sweep_and_another_worker() -> None:
        Call.objects.filter(pk=call.pk).update(lease_owner="another", lease_until=FUTURE)

    with just_before('^UPDATE "contactsync_call"', another_sweep_and_another_worker):
        sweep.expired_runs()
    call.refresh_from_db()
    assert (call.state, call.lease_owner, call.lease_until) == (Call.State.ON_WIRE, "another", FUTURE)


def test_one_mistake_leaves_unknown_what_its_worker_had_on_the_wire(campaign: Campaign) -> None:
    run = make_run(campaign.account, "running")
    mine, other = make_call(run, "create_contacts"), make_call(run, "create_contacts")
    Call.objects.filter(pk=mine.pk).update(lease_owner="me")
    sweep.abandon_calls(run, "me")
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.state, other.state) == (Call.State.UNKNOWN, Call.State.ON_WIRE)


CLOSED = ["paused", "stopped", "finished", "attention", "failed"]


@pytest.mark.parametrize("state", CLOSED)
def test_a_send_left_on_the_wire_is_decided_although_its_run_rests(campaign: Campaign, state: str) -> None:
    run = make_run(campaign.account, state, campaign=campaign)
    call = make_call(run, "send_to_numbers")
    person = Recipient.objects.create(campaign=campaign, phone="+989120000001", state="on_wire", call=call)
    assert sweep.expired_runs() == []
    assert sweep.recover_lost_calls() == [run]
    call.refresh_from_db()
    person.refresh_from_db()
    assert (call.state, person.state) == (Call.State.UNKNOWN, Recipient.State.UNKNOWN)
    assert sweep.recover_lost_calls() == []


def test_a_run_that_cannot_be_counted_takes_no_other_out_of_sight(campaign: Campaign) -> None:
    first, second = (make_run(campaign.account, "stopped") for _ in range(2))
    for run in (first, second):
        make_call(run, "send_to_numbers")

    def fail(run: Run) -> None:
        raise ValueError(run)

    with pytest.raises(ValueError, match=str(first)):
        sweep.recover_lost_calls(then=fail)
    counted: list[Run] = []
    sweep.recover_lost_calls(then=counted.append)
    assert counted == [second]


def test_the_counts_of_a_stopped_push_are_made_anew_with_its_lost_call(campaign: Campaign) -> None:
    run = make_run(campaign.account, "stopped", kind=Run.Kind.PUSH, plan={"create": 1, "contacts": 1})
    call = make_call(run, "create_contacts")
    run.items.create(phone="+989120000001", operation="create", call=call)
    assert [(lost.pk, lost.counts["not_attempted"]) for lost in sweep.recover_lost_calls()] == [(run.pk, 1)]
    call.refresh_from_db()
    run.refresh_from_db()
    assert call.state == Call.State.PLANNED
    assert run.counts["balances"]


def test_a_call_that_is_still_held_is_not_lost(campaign: Campaign) -> None:
    make_call(make_run(campaign.account, "stopped"), "send_to_numbers", lease_until=FUTURE)
    assert sweep.recover_lost_calls() == []


@pytest.mark.parametrize("operation", ["send_to_numbers", "update_contact"])
def test_a_call_whose_worker_makes_it_again_in_this_moment_is_left_alone(campaign: Campaign, operation: str) -> None:
    run = make_run(campaign.account, "running", campaign=campaign)
    call = make_call(run, operation)
    with just_before(r'^UPDATE "contactsync_call" SET "state"', lambda: Call.objects.update(lease_until=FUTURE)):
        sweep.recover_calls(run)
    call.refresh_from_db()
    assert (call.state, call.lease_until) == (Call.State.ON_WIRE, FUTURE)


def test_a_run_whose_worker_died_while_it_was_to_stop_is_counted_when_it_is_stopped(db: None) -> None:
    earlier = {"planned": 3, "done": 0, "pending": 3, "not_attempted": 3}
    run = make_push(items=3, state="stopping", lease_owner="gone", lease_until=PAST, counts=earlier)
    first = run.items.order_by("pk").first()
    assert first is not None
    run.items.filter(pk=first.pk).update(state="done")
    sweep.finish_stopping(run.pk)
    run.refresh_from_db()
    assert (run.state, run.counts["done"], run.counts["pending"]) == (Run.State.STOPPED, 1, 2)
