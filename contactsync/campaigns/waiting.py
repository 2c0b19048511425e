"""Campaigns that wait here for their time, because the provider cannot schedule.

The run of such a campaign is queued, and its lease ends at the time: the sweep that finds runs nobody works on starts it
then. Nothing of it is known to anybody else, so that taking it back is certain.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.counts import add_to_summary, equation
from contactsync.campaigns.settle import leave_unsent, lock
from contactsync.models import Campaign, Run
from contactsync.models.reasons import reason
from contactsync.models.transitions import TransitionRefused, transition
from contactsync.sync import leases

TOO_LATE = dt.timedelta(hours=1)  # a campaign that could not start for longer than this may no longer be wanted

_CANCELLED = reason(gettext_noop("Not sent: the campaign was cancelled before its time."))


def begin_if_due(run_id: int) -> None:
    """Let the campaign of this run be sent when its time has come; else nothing changes."""
    now = timezone.now()
    Campaign.objects.filter(runs=run_id, state=Campaign.State.WAITING, scheduled_for__lte=now).update(
        state=Campaign.State.SENDING
    )


def begin_late(campaign: Campaign, *, by: str) -> Run | None:
    """Let a campaign go on a person's word whose time has come while nothing here was running; None when it does not wait for that."""
    due = Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.WAITING, scheduled_for__lte=timezone.now())
    if not due.exists():
        return None
    transition(campaign, Campaign.State.SENDING, table=_FROM_WAITING, error={})
    run = Run.objects.get(campaign=campaign, kind=Run.Kind.SEND, state=Run.State.QUEUED)
    run.plan = {**run.plan, "resumed_by": by}  # however late it is, nobody is asked again
    Run.objects.filter(pk=run.pk, state=Run.State.QUEUED).update(plan=run.plan, **leases.waiting())
    return run


def missed(run: Run) -> dict[str, Any]:
    """Why a person should be asked before this run starts, because its time is long past; empty when it may go."""
    begins_at = run.plan.get("begins_at")
    if not begins_at or run.plan.get("resumed_by"):
        return {}
    late = (run.started_at or timezone.now()) - dt.datetime.fromisoformat(begins_at)
    if late <= TOO_LATE:
        return {}
    return reason(
        gettext_noop(
            "Its time had passed %(minutes)s minutes before it could start, because nothing was running here. "
            "Nothing was sent. Press “Continue” to send it now, or stop it."
        ),
        minutes=int(late / dt.timedelta(minutes=1)),
    )


def cancel_waiting(campaign: Campaign) -> Campaign:
    """Take back a campaign that waits here. Raises `TransitionRefused` when it does not (any more)."""
    with transaction.atomic():
        run = Run.objects.filter(campaign=campaign, kind=Run.Kind.SEND, state=Run.State.QUEUED).first()
        if run is None:
            raise TransitionRefused(f"Campaign {campaign.pk} has no run that waits.")
        lock(run)
        now = timezone.now()
        transition(campaign, Campaign.State.CANCELLED, table=_FROM_WAITING, error={}, finished_at=now)
        leave_unsent(run, _CANCELLED)
        transition(run, Run.State.STOPPING, table=Run.TRANSITIONS)
        sums = equation(campaign).as_counts
        release: dict[str, Any] = {"lease_owner": "", "lease_until": None, "finished_at": now}
        transition(run, Run.State.STOPPED, table=Run.TRANSITIONS, counts=sums, error=_CANCELLED, **release)
        add_to_summary(campaign, sent=sums)
    return campaign


_FROM_WAITING = {
    Campaign.State.CANCELLED: frozenset({Campaign.State.WAITING}),
    Campaign.State.SENDING: frozenset({Campaign.State.WAITING}),
}
