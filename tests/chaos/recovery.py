"""What happens after trouble: leases run out, the sweep comes by, and a person does what the screens ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from contactsync import work
from contactsync.campaigns import dispatch, reports
from contactsync.campaigns.settle import settle_again
from contactsync.models import Call, Campaign, ProviderAccount, Recipient, Run
from contactsync.sync import executor, sweep
from contactsync.sync.connect import SENDS

ROUNDS = 12  # of sweeps; far more than any trouble needs
AT_REST = {
    Campaign.State.SENT,
    Campaign.State.ATTENTION,
    Campaign.State.PAUSED,
    Campaign.State.STOPPED,
    Campaign.State.SCHEDULED,
    Campaign.State.FAILED,
    Campaign.State.CANCELLED,
}


def runs_are_given_up() -> None:
    """So much time passes that a run may be taken over, and not so much that its calls are decided."""
    past = timezone.now() - dt.timedelta(seconds=1)
    Run.objects.exclude(lease_until=None).exclude(campaign__state=Campaign.State.WAITING).update(lease_until=past)


def earlier_calls_are_given_up(call: Call) -> None:
    """What others have left on the wire is decided while this call is under way."""
    Call.objects.exclude(pk=call.pk).exclude(lease_until=None).update(
        lease_until=timezone.now() - dt.timedelta(seconds=1)
    )
    for run in sweep.recover_lost_calls():
        if run.kind == Run.Kind.SEND:
            settle_again(run)


def time_passes() -> None:
    """More than any lease or pause lasts."""
    runs_are_given_up()
    past = timezone.now() - dt.timedelta(seconds=1)
    Campaign.objects.exclude(lease_until=None).update(lease_until=past)
    Call.objects.exclude(lease_until=None).update(lease_until=past)
    Call.objects.exclude(not_before=None).update(not_before=past)


def execute(run_id: int) -> None:
    """As `tasks.execute_run`, in this process."""
    kind = Run.objects.values_list("kind", flat=True).get(pk=run_id)
    (dispatch if kind == Run.Kind.SEND else executor).execute(run_id)


def sweep_up() -> None:
    """Sweep by sweep, until nothing is left that a worker could do."""
    for _ in range(ROUNDS):
        time_passes()
        for run in sweep.recover_lost_calls():
            if run.kind == Run.Kind.SEND:
                settle_again(run)
        due = sweep.expired_runs()
        if not due:
            return
        for run_id in due:
            execute(run_id)
    raise AssertionError(f"still not at rest after {ROUNDS} sweeps: {list(Run.objects.filter(pk__in=due).values())}")


def mend_account(account: ProviderAccount, user: User | None) -> None:
    """A person tests the connection of an account that was stopped."""
    account.refresh_from_db()
    if account.is_stopped:
        work.check_account(account)
        assert account.state == ProviderAccount.State.READY, account.state_reason_text


def decide_unknown(campaign: Campaign, user: User, was_sent: Callable[[str], bool]) -> int:
    """A person looks at the provider's side for each unknown send, and says what is true. Returns how many were decided."""
    unknown = Call.objects.filter(run__campaign=campaign, state=Call.State.UNKNOWN, operation__in=SENDS)
    for call in unknown:
        seen = {was_sent(phone) for phone in call.recipients.values_list("phone", flat=True)}
        assert len(seen) == 1, "a call was carried out in part"
        reports.resolve_unknown(call, sent=seen.pop(), user=user)
    return len(unknown)


def finish_campaign(campaign: Campaign, user: User, was_sent: Callable[[str], bool]) -> None:
    """All that people have to do until the campaign is sent: mend the account, decide what is not known, resume."""
    for _ in range(ROUNDS):
        sweep_up()
        campaign.refresh_from_db()
        assert campaign.state in AT_REST, campaign.state
        assert_books_are_true(campaign)
        if campaign.state in {Campaign.State.SENT, Campaign.State.FAILED}:
            return
        mend_account(campaign.account, user)
        decide_unknown(campaign, user, was_sent)
        campaign.refresh_from_db()
        if campaign.state != Campaign.State.SENT:
            dispatch.execute(work.resume_campaign(campaign, user=user).pk)
    raise AssertionError(f"not sent after {ROUNDS} tries: {campaign.state} {campaign.error_text}")


def assert_books_are_true(campaign: Campaign) -> None:
    """What holds at any time between two steps of the work."""
    campaign = Campaign.objects.get(pk=campaign.pk)
    sums = reports.equation(campaign)
    assert sums.balances, sums
    # Every recipient says the same as the call that carried it.
    for state in (Recipient.State.ACCEPTED, Recipient.State.UNKNOWN, Recipient.State.ON_WIRE):
        people = Recipient.objects.filter(campaign=campaign, state=state)
        assert not people.exclude(call__state=state).exists(), state
    open_calls = Call.objects.filter(Q(state=Call.State.ON_WIRE) | Q(state=Call.State.UNKNOWN), run__campaign=campaign)
    lost = Recipient.objects.filter(call__in=open_calls, state__in=[Recipient.State.PLANNED, Recipient.State.NOT_SENT])
    assert not lost.exists(), "somebody whose message may be out could be written to again"
    carried = [
        number
        for call in Call.objects.filter(run__campaign=campaign, state=Call.State.ACCEPTED, operation__in=SENDS)
        for number in numbers_of(call)
    ]
    assert len(set(carried)) == len(carried), "a number is in two accepted calls"


def numbers_of(call: Call) -> list[str]:
    """The numbers a call names; none where it names phonebooks."""
    return [*call.target.get("numbers", ()), *(n for one in call.target.get("texts", ()) for n in one["numbers"])]
