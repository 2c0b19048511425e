"""What people may do with a run, and when it is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone, translation

from contactsync.models import Contact, ProviderAccount, Run
from contactsync.sync import chunks, draft, executor, leases, lifecycle, planner
from contactsync.sync.leases import GRACE
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_phonebook, make_user
from tests.meanwhile import HAND_BACK, LOOK_AT_ACCOUNT, just_before
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
    lifecycle.approve(run, user=approver)
    run.refresh_from_db()
    assert (run.created_by, run.approved_by) == (planner_user, approver)


def test_a_run_tells_while_it_is_planned_how_many_contacts_were_compared(
    account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = make_phonebook(account)
    for _ in range(3):
        make_contact(book)
    told: list[int] = []
    heartbeat = draft.Draft.heartbeat

    def look(self: draft.Draft) -> None:
        heartbeat(self)
        told.append(Run.objects.get().counts["compared"])

    monkeypatch.setattr(chunks, "CHUNK", 2)
    monkeypatch.setattr(draft.Draft, "heartbeat", look)
    assert plan_push(book).counts == {}
    assert told == [2, 3]


def test_an_approved_run_is_woken_again_when_its_worker_does_not_come(run: Run) -> None:
    lifecycle.approve(run)
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
    for step in (lifecycle.approve, lifecycle.resume, lifecycle.stop, lifecycle.discard):
        Run.objects.filter(pk=run.pk).update(state=state, lease_owner="")
        run.refresh_from_db()
        if step.__name__ in allowed:
            step(run)
            run.refresh_from_db()
            assert run.state != state
        else:
            with pytest.raises(lifecycle.RunRefused):
                step(run)
            run.refresh_from_db()
            assert run.state == state


def test_a_refusal_says_what_state_the_run_is_in(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state=State.FINISHED)
    with translation.override("en"), pytest.raises(lifecycle.RunRefused, match="“finished”"):
        lifecycle.approve(run)


def test_a_queued_run_stops_at_once_and_makes_no_call(run: Run) -> None:
    lifecycle.approve(run)
    lifecycle.stop(run)
    run.refresh_from_db()
    assert run.state == State.STOPPED
    carry_out(run)
    assert run.state == State.STOPPED
    lifecycle.resume(run)
    assert carry_out(run).state == State.FINISHED


def test_a_discarded_plan_is_not_carried_out(run: Run) -> None:
    lifecycle.discard(run)
    assert carry_out(run).state == State.DISCARDED
    assert set(run.calls.values_list("state", flat=True)) == {"planned"}


def test_a_run_that_ended_is_not_carried_out_again(run: Run) -> None:
    lifecycle.approve(run)
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
        lifecycle.discard(Run.objects.get(pk=run.pk))
        return plan_setup(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(planner, "plan_setup", discard_meanwhile)
    planner.plan(run.pk)
    run.refresh_from_db()
    assert run.state == State.DISCARDED


def test_a_run_whose_phonebook_is_gone_ends_with_that_reason(account: ProviderAccount) -> None:
    book = make_phonebook(account)
    run = plan_push(book)
    lifecycle.approve(run)
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
    with pytest.raises(lifecycle.RunRefused):
        lifecycle.acknowledge(run, user=None)


def test_a_send_is_not_acknowledged_as_a_whole(account: ProviderAccount) -> None:
    run = Run.objects.create(kind=Run.Kind.SEND, account=account, state=State.ATTENTION)
    with pytest.raises(lifecycle.RunRefused, match="campaign"):
        lifecycle.acknowledge(run, user=None)


@pytest.mark.parametrize("step", [lifecycle.stop, lifecycle.discard])
def test_a_run_that_paused_before_its_plan_was_whole_is_discarded(run: Run, step: Callable[[Run], Run]) -> None:
    Run.objects.update(state=State.PAUSED, plan_hash="")
    run.refresh_from_db()
    step(run)
    run.refresh_from_db()
    assert run.state == State.DISCARDED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_stop_in_the_moment_a_call_is_put_on_the_wire_keeps_it_here(
    account: ProviderAccount, sandbox: SandboxServer, concurrency: int
) -> None:
    account.settings["concurrency"] = concurrency
    account.save()
    book = make_phonebook(account)
    make_contact(book)
    push(book)
    Contact.objects.update(first_name="Sara", payload_hash="changed")
    run = plan_push(book)
    lifecycle.approve(run)
    before = len(sandbox.requests)
    with just_before(LOOK_AT_ACCOUNT, lambda: lifecycle.stop(Run.objects.get(pk=run.pk)), nth=2):
        carry_out(run)
    assert run.state == State.STOPPED
    assert [request.method for request in sandbox.requests[before:]] == ["GET"] * (len(sandbox.requests) - before)
    assert not run.calls.exclude(state="planned").exists()


def test_a_run_that_somebody_holds_is_nobody_elses_until_the_lease_is_over(run: Run) -> None:
    lifecycle.approve(run)
    going = {State.QUEUED, State.RUNNING}
    assert leases.claim(run.pk, "one", states=going, to=State.RUNNING) is not None
    assert leases.claim(run.pk, "another", states=going, to=State.RUNNING) is None
    Run.objects.update(lease_until=timezone.now() - leases.GRACE)
    assert leases.claim(run.pk, "another", states=going, to=State.RUNNING) is not None


@pytest.mark.django_db(transaction=True)
def test_a_stop_in_the_moment_a_run_is_left_to_rest_does_not_wait_for_the_rest_to_end(
    account: ProviderAccount, sandbox: SandboxServer, run: Run
) -> None:
    lifecycle.approve(run)
    sandbox.fault("status_429", times=0, seconds=600)
    with just_before(HAND_BACK, lambda: lifecycle.stop(Run.objects.get(pk=run.pk))):
        carry_out(run)
    assert (run.state, run.lease_owner, run.counts["balances"]) == (State.STOPPED, "", True)


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_is_replaced_in_the_moment_it_is_left_to_rest_says_that_it_was_replaced(
    account: ProviderAccount, sandbox: SandboxServer
) -> None:
    book = make_phonebook(account)
    sandbox.fault("status_429", times=0, seconds=600)
    run = planner.create_push_run(book)
    with just_before(HAND_BACK, lambda: lifecycle.replace_plans(book)):
        planner.plan(run.pk)
    run.refresh_from_db()
    assert run.state == State.DISCARDED
    assert "A newer plan" in run.error_text
