"""What people may do with a run, and when it is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import translation

from contactsync.models import ProviderAccount, Run
from contactsync.sync import executor, lifecycle, planner
from contactsync.sync.leases import GRACE
from tests.factories import make_contact, make_phonebook, make_user
from tests.sync.conftest import carry_out, plan_push, push

pytestmark = pytest.mark.django_db
State = Run.State


@pytest.fixture
def run(account: ProviderAccount) -> Run:
    book = make_phonebook(account)
    make_contact(book)
    return plan_push(book)


def test_it_is_on_record_who_planned_and_who_approved(account: ProviderAccount) -> None:
    planner_user, approver = make_user(), make_user()
    run = planner.create_push_run(make_phonebook(account), user=planner_user)
    planner.plan(run.pk)
    run.refresh_from_db()
    executor.approve(run, user=approver)
    run.refresh_from_db()
    assert (run.created_by, run.approved_by) == (planner_user, approver)


def test_an_approved_run_is_woken_again_when_its_worker_does_not_come(run: Run) -> None:
    executor.approve(run)
    run.refresh_from_db()
    assert run.lease_owner == ""
    assert run.lease_until is not None
    assert run.lease_until - run.created_at <= GRACE * 2


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (State.PLANNING, {"discard"}),
        (State.PLANNED, {"approve", "discard"}),
        (State.QUEUED, {"stop"}),
        (State.RUNNING, {"stop"}),
        (State.STOPPING, set()),
        (State.STOPPED, {"resume"}),
        (State.PAUSED, {"resume", "stop"}),
        (State.FINISHED, set()),
        (State.ATTENTION, set()),
        (State.FAILED, {"discard"}),
        (State.DISCARDED, set()),
    ],
)
def test_each_step_is_possible_only_from_its_states(run: Run, state: str, allowed: set[str]) -> None:
    for step in (executor.approve, executor.resume, executor.stop, executor.discard):
        Run.objects.filter(pk=run.pk).update(state=state, lease_owner="")
        run.refresh_from_db()
        if step.__name__ in allowed:
            step(run)
            run.refresh_from_db()
            assert run.state != state
        else:
            with pytest.raises(executor.RunRefused):
                step(run)
            run.refresh_from_db()
            assert run.state == state


def test_a_refusal_says_what_state_the_run_is_in(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state=State.FINISHED)
    with translation.override("en"), pytest.raises(executor.RunRefused, match="“finished”"):
        executor.approve(run)


def test_a_queued_run_stops_at_once_and_makes_no_call(run: Run) -> None:
    executor.approve(run)
    executor.stop(run)
    run.refresh_from_db()
    assert run.state == State.STOPPED
    carry_out(run)
    assert run.state == State.STOPPED
    executor.resume(run)
    assert carry_out(run).state == State.FINISHED


def test_a_discarded_plan_is_not_carried_out(run: Run) -> None:
    executor.discard(run)
    assert carry_out(run).state == State.DISCARDED
    assert set(run.calls.values_list("state", flat=True)) == {"planned"}


def test_a_run_that_ended_is_not_carried_out_again(run: Run) -> None:
    executor.approve(run)
    carry_out(run)
    finished_at = run.finished_at
    carry_out(run)
    assert (run.state, run.finished_at) == (State.FINISHED, finished_at)


def test_discarding_while_the_plan_is_made_wins(account: ProviderAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    book = make_phonebook(account)
    make_contact(book)
    run = planner.create_push_run(book)
    plan_setup = planner.plan_setup

    def discard_meanwhile(*args: object) -> object:
        executor.discard(Run.objects.get(pk=run.pk))
        return plan_setup(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(planner, "plan_setup", discard_meanwhile)
    planner.plan(run.pk)
    run.refresh_from_db()
    assert run.state == State.DISCARDED


def test_a_run_whose_phonebook_is_gone_ends_with_that_reason(account: ProviderAccount) -> None:
    book = make_phonebook(account)
    run = plan_push(book)
    executor.approve(run)
    Run.objects.update(phonebook=None)
    assert carry_out(run).state == State.FAILED
    assert "does not exist any more" in run.error_text


def test_only_runs_of_this_package_are_carried_out_here(account: ProviderAccount) -> None:
    run = Run.objects.create(kind=Run.Kind.SEND, account=account, state=State.QUEUED)
    with pytest.raises(ValueError, match="is a send"):
        executor.execute(run.pk)


def test_an_empty_phonebook_is_pushed_too(account: ProviderAccount) -> None:
    run = push(make_phonebook(account))
    assert (run.state, run.plan["phonebook"], run.counts["balances"]) == (State.FINISHED, "create", True)


def test_who_has_looked_at_a_run_that_needs_it_is_on_record_and_the_run_is_closed(run: Run) -> None:
    looker = make_user()
    Run.objects.update(state=State.ATTENTION, counts={"failed": 1})
    run.refresh_from_db()
    lifecycle.acknowledge(run, user=looker)
    run.refresh_from_db()
    assert (run.state, run.plan["acknowledged_by"], run.counts) == (State.FINISHED, looker.username, {"failed": 1})
    assert run.plan["create"] == 1


@pytest.mark.parametrize("state", sorted(set(State) - {State.ATTENTION}))
def test_only_a_run_that_needs_a_decision_can_be_acknowledged(run: Run, state: str) -> None:
    Run.objects.update(state=state)
    run.refresh_from_db()
    with pytest.raises(executor.RunRefused):
        lifecycle.acknowledge(run, user=None)


def test_a_send_is_not_acknowledged_as_a_whole(account: ProviderAccount) -> None:
    run = Run.objects.create(kind=Run.Kind.SEND, account=account, state=State.ATTENTION)
    with pytest.raises(executor.RunRefused, match="campaign"):
        lifecycle.acknowledge(run, user=None)


@pytest.mark.parametrize("step", [executor.stop, executor.discard])
def test_a_run_that_paused_before_its_plan_was_whole_is_discarded(run: Run, step: Callable[[Run], Run]) -> None:
    Run.objects.update(state=State.PAUSED, plan_hash="")
    run.refresh_from_db()
    step(run)
    run.refresh_from_db()
    assert run.state == State.DISCARDED
