"""What a person may ask of a campaign. Each step is one guarded change of state: two clicks cannot both win.

Nothing here sends; the caller wakes a worker after the transaction is committed. All functions raise
`TransitionRefused` when the campaign is in another state, and `CampaignProblem` when something
stands in the way that the person can mend.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.audience import forget
from contactsync.campaigns.calls import create_run
from contactsync.campaigns.cancel import cancel
from contactsync.campaigns.counts import add_to_summary, equation
from contactsync.campaigns.lease import DURATION
from contactsync.campaigns.left_out import leave_out, to_leave_out
from contactsync.campaigns.problems import (
    CampaignProblem,
    account_problems,
    is_scheduled_here,
    is_too_late,
    problems,
    schedule_problems,
)
from contactsync.campaigns.resolve import hear_late_answers
from contactsync.campaigns.settle import close_runs, handed_over, resumable_refusals, settle
from contactsync.campaigns.waiting import begin_late
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.models.transitions import TransitionRefused, transition
from contactsync.sync import leases
from contactsync.sync.connect import Operation

__all__ = ["back_to_draft", "begin_prepare", "begin_send", "cancel", "leave_unsent", "resume", "stop"]

_RESUMABLE = (Campaign.State.PAUSED, Campaign.State.STOPPED, Campaign.State.ATTENTION)
_GONE_OUT = (Recipient.State.ON_WIRE, Recipient.State.ACCEPTED, Recipient.State.UNKNOWN)


@contextmanager
def _all_or_nothing(campaign: Campaign) -> Iterator[None]:
    """One transaction; when the step is refused, the campaign in memory is again as the row is."""
    try:
        with transaction.atomic():
            yield
    except (CampaignProblem, TransitionRefused):
        campaign.refresh_from_db()
        raise


@contextmanager
def _late_answers_heard(campaign: Campaign) -> Iterator[None]:
    """The same, once the answers are heard that came when a worker had been given up and was killed before it could say so."""
    hear_late_answers(campaign)
    with _all_or_nothing(campaign):
        yield


def begin_prepare(campaign: Campaign, *, user: User | None) -> Campaign:
    """Let the audience be frozen in the background (`audience.freeze`). Raises `CampaignProblem` with everything found wrong."""
    if found := problems(campaign):
        raise CampaignProblem(found)
    return transition(
        campaign,
        Campaign.State.PREPARING,
        table=Campaign.TRANSITIONS,
        summary={"prepared_by": user.get_username()} if user else {},
        error={},
        audience_hash="",
        lease_owner="",
        lease_until=timezone.now() + DURATION,
    )


def back_to_draft(campaign: Campaign) -> Campaign:
    """Take back a preparation, or a campaign of which nothing went out: the frozen audience is deleted."""
    with _all_or_nothing(campaign):
        transition(
            campaign,
            Campaign.State.DRAFT,
            table=Campaign.TRANSITIONS,
            summary={},
            error={},
            audience_hash="",
            prepared_at=None,
            lease_owner="",
            lease_until=None,
        )
        if Recipient.objects.filter(campaign=campaign, state__in=_GONE_OUT).exists():
            raise TransitionRefused(f"Campaign {campaign.pk} has recipients it may have been sent to.")
        forget(campaign)
    return campaign


def begin_send(campaign: Campaign, *, user: User | None, audience_hash: str, command: str = "") -> Run:
    """Approve exactly the audience with this hash. The returned run waits for a worker (`dispatch.execute`), or for
    the campaign's time where the provider cannot schedule.

    `user`, or the name of the `command` line that asks, goes on record; one of them is required.
    """
    if user is None and not command:
        raise ValueError("Who sends must be on record: a user or the name of a command.")
    with _all_or_nothing(campaign):
        state = Campaign.State.WAITING if is_scheduled_here(campaign) else Campaign.State.SENDING
        transition(campaign, state, table=_FROM_PREPARED, sent_by=user, started_at=timezone.now(), error={})
        if found := _send_problems(campaign, audience_hash):
            raise CampaignProblem(found)
        run = Run.objects.filter(campaign=campaign, state=Run.State.PLANNED, plan_hash=audience_hash).first()
        if run is None:
            raise CampaignProblem(
                [reason(gettext_noop("The plan of this send was discarded. Prepare the campaign again."))]
            )
        by = user.get_username() if user else command
        people = campaign.summary["recipients"]
        changes: dict[str, Any] = {"approved_by": user, "plan": {**run.plan, "approved_by": by}}
        changes["counts"] = {"recipients": people, "planned": people}
        if state == Campaign.State.WAITING:
            changes["lease_until"] = campaign.scheduled_for
        return _queue(run, **changes)


def _queue(run: Run, **changes: Any) -> Run:
    return transition(run, Run.State.QUEUED, table=Run.TRANSITIONS, **{**leases.waiting(), **changes})


_FROM_PREPARED = {
    Campaign.State.SENDING: frozenset({Campaign.State.PREPARED}),
    Campaign.State.WAITING: frozenset({Campaign.State.PREPARED}),
}


def _send_problems(campaign: Campaign, audience_hash: str) -> list[dict[str, Any]]:
    campaign.refresh_from_db()
    if not audience_hash or campaign.audience_hash != audience_hash:
        return [
            reason(
                gettext_noop(
                    "This is not the audience that was shown to you. Look at the campaign again, then confirm."
                )
            )
        ]
    if not campaign.summary.get("recipients"):
        return [reason(gettext_noop("Nobody is left to send to. Look at who is left out and why."))]
    if not campaign.summary.get("balances"):
        return [reason(gettext_noop("The numbers of this audience do not add up. Prepare the campaign again."))]
    found = [*account_problems(campaign.account), *schedule_problems(campaign)]
    if changed := to_leave_out(_rest(campaign)).count():
        found.append(
            reason(
                gettext_noop(
                    "People to be left out since the campaign was prepared (suppressed or deleted): %(people)s. "
                    "Go back to the draft and prepare it again."
                ),
                people=changed,
            )
        )
    return found


def _rest(campaign: Campaign) -> QuerySet[Recipient]:
    """Who has not been sent to."""
    waiting = [Recipient.State.PLANNED, Recipient.State.NOT_SENT]
    return Recipient.objects.filter(campaign=campaign, state__in=waiting)


def stop(campaign: Campaign) -> Campaign:
    """Stop at once: a worker ends after the call it is in; where none is at work the rest is `not_sent` right away."""
    with transaction.atomic():
        transition(campaign, Campaign.State.STOPPING, table=Campaign.TRANSITIONS)
        runs = Run.objects.filter(campaign=campaign, kind=Run.Kind.SEND)
        resting = Q(state=Run.State.RUNNING, lease_owner="") & ~Q(calls__state=Call.State.ON_WIRE)
        at_rest = runs.filter(Q(state__in=[Run.State.QUEUED, Run.State.PAUSED]) | resting)
        idle = at_rest.first()
        if idle and at_rest.filter(pk=idle.pk, state=idle.state).update(state=Run.State.STOPPING):
            settle(idle)
            campaign.refresh_from_db()
        else:
            runs.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING]).update(state=Run.State.STOPPING)
    return campaign


def leave_unsent(campaign: Campaign, *, user: User) -> Campaign:
    """Leave it so: whoever was not sent to, or was refused, is not going to be, and the report counts as looked at.

    A campaign of which the provider has something is handed over then; of which it has nothing, cancelled.
    Raises `CampaignProblem` while the outcome of a call is not known.
    """
    with _late_answers_heard(campaign):
        row = Campaign.objects.select_for_update().get(pk=campaign.pk)
        if row.state not in (Campaign.State.ATTENTION, Campaign.State.STOPPED):
            raise TransitionRefused(f"Campaign {campaign.pk} does not wait for a decision.")
        sums = equation(row)
        if sums.unknown or sums.on_wire or sums.planned:
            raise CampaignProblem(
                [reason(gettext_noop("The outcome of some messages is not known. Look at the call and decide first."))]
            )
        state = handed_over(row) if sums.accepted else Campaign.State.CANCELLED
        transition(campaign, state, table=Campaign.TRANSITIONS, error={}, lease_owner="", lease_until=None)
        close_runs(campaign)
        report = row.summary.get("report") or {}
        looked_at = [report.get("unexpected", 0), report.get("unreported", 0)]
        add_to_summary(campaign, left_so=looked_at, left_so_by=user.get_username())
    return campaign


def resume(campaign: Campaign, *, user: User | None, at_once: bool = False, command: str = "") -> Run:
    """Go on with those who were not sent to; never with anyone whose outcome is unknown.

    A paused run goes on as it is; after a stop or a decision a new run is planned for the rest. People
    suppressed or deleted meanwhile are left out. Those whom a refused call to a phonebook was for are sent to by
    number, and those of a refused call with several texts text by text. When the provider would not keep the rest for the
    scheduled time any more, `at_once` sends it now. A campaign that waits here goes on once its time has come.
    """
    if user is None and not command:
        raise ValueError("Who sends must be on record: a user or the name of a command.")
    by = user.get_username() if user else command
    with _late_answers_heard(campaign):
        if run := begin_late(campaign, by=by):
            if found := account_problems(campaign.account):
                raise CampaignProblem(found)
            return run
        # Locked: somebody may be stopping it in this moment, and then no run is paused any more.
        paused = Campaign.objects.select_for_update().get(pk=campaign.pk).state == Campaign.State.PAUSED
        # A cancellation that was interrupted shall not be made up for any more.
        changes: dict[str, Any] = {"error": {}, "finished_at": None, "lease_owner": "", "lease_until": None}
        transition(campaign, Campaign.State.SENDING, table=_FROM_RESUMABLE, **changes)
        campaign.refresh_from_db()
        # What waited here for its time goes on now in any case: a person has just said so.
        is_here = is_scheduled_here(campaign)
        at_once = at_once and not is_here
        if at_once and is_too_late(campaign):
            campaign.scheduled_for = None
            campaign.save(update_fields=["scheduled_for"])
        late = [] if is_here else schedule_problems(campaign)
        if found := [*account_problems(campaign.account), *late]:
            raise CampaignProblem(found)
        left_out = leave_out(campaign, _rest(campaign)) + leave_out(campaign, resumable_refusals(campaign))
        if paused and not left_out and not at_once:
            run = Run.objects.get(campaign=campaign, kind=Run.Kind.SEND, state=Run.State.PAUSED)
            run.calls.filter(state=Call.State.PLANNED).update(not_before=None)
            return _queue(run, error={}, plan={**run.plan, "resumed_by": by, "resumed": True})
        return _run_for_the_rest(campaign, user=user, by=by, left_out=left_out, resumed=paused)


_NOBODY_LEFT = gettext_noop("Nobody is left to send to.")
_ALL_LEFT_OUT = gettext_noop(
    "Nobody is left to send to: those who were not sent to have been suppressed or deleted since, so they are left out "
    "(people: %(people)s). Stop the campaign, or leave it so."
)
_FROM_RESUMABLE = {Campaign.State.SENDING: frozenset(_RESUMABLE)}


def _run_for_the_rest(campaign: Campaign, *, user: User | None, by: str, left_out: int, resumed: bool) -> Run:
    """A new run; the worker plans its calls. What an earlier run still had planned is taken over.

    Raises `CampaignProblem` when nobody is left beside the `left_out`.
    """
    # By number: a contact id that was sure when the campaign was prepared may belong to somebody else by now.
    again: dict[str, Any] = {"state": Recipient.State.PLANNED, "call": None, "error": {}, "remote_id": ""}
    refused = resumable_refusals(campaign)
    one_by_one = refused.filter(call__operation=Operation.SEND_TEXTS).exists()
    rest = _rest(campaign).update(**again)
    rest += refused.update(**again)
    if not rest:
        raise CampaignProblem([reason(_ALL_LEFT_OUT, people=left_out) if left_out else reason(_NOBODY_LEFT)])
    for old in Run.objects.filter(campaign=campaign, kind=Run.Kind.SEND, state=Run.State.PAUSED):
        old.calls.filter(state=Call.State.PLANNED).update(state=Call.State.NOT_SENT)
        transition(old, Run.State.STOPPED, table=Run.TRANSITIONS, finished_at=timezone.now())
    run = create_run(campaign, audience_hash=campaign.audience_hash, created_by=user)
    plan = {**run.plan, "begins_at": "", "one_by_one": one_by_one, "approved_by": by, "resumed": resumed}
    return _queue(run, approved_by=user, plan=plan, counts=equation(campaign).as_counts)
