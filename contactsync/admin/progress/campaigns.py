"""Campaigns: their preparation, their sending, and what the provider was asked about them."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contactsync.admin.progress.bar import Attended, Progress, Rest, attended
from contactsync.admin.progress.counts import recipient_counts, with_noughts
from contactsync.admin.progress.runs import rest_of_run
from contactsync.campaigns.cancel import CANCELLABLE
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.sync.connect import Operation

CAMPAIGN_BUSY = frozenset({Campaign.State.PREPARING, Campaign.State.SENDING, Campaign.State.STOPPING})


def of_campaign(campaign: Campaign) -> Progress:
    """People dealt with, of those who are to get the message."""
    if campaign.state == Campaign.State.PREPARING:
        return _of_preparing(campaign)
    sending = campaign.state in CAMPAIGN_BUSY
    sent_by = _sends(campaign).first() if sending else None
    work = _attended(campaign, sent_by)
    counts = recipient_counts(campaign, sent_by=sent_by)
    total = sum(counts.values())
    waiting = counts.get(Recipient.State.PLANNED, 0) + counts.get(Recipient.State.ON_WIRE, 0)
    return Progress(
        state=campaign.state,
        label=work.label,
        running=campaign.state in CAMPAIGN_BUSY,
        done=total - waiting,
        total=total,
        counts=with_noughts(counts, Recipient.State) if sending else counts,
        started_at=work.started_at,
        before=_settled_before(campaign, sent_by) if sent_by else 0,
        rests=_rest_of_campaign(campaign, sent_by) is not None,
    )


def _attended(campaign: Campaign, sent_by: Run | None) -> Attended:
    """Whether somebody works on the run that sends it; in the words of the campaign when somebody does."""
    label = str(campaign.get_state_display())
    if sent_by is None:
        return Attended(label, campaign.started_at)
    work = attended(sent_by, busy=True)
    return Attended(label, work.started_at) if work.label == sent_by.get_state_display() else work


def _of_preparing(campaign: Campaign) -> Progress:
    """Contacts looked at so far, as the worker counts them; how many there are shows at the end."""
    return Progress(
        state=campaign.state,
        label=attended(campaign, busy=True).label,
        running=True,
        done=campaign.summary.get("looked_at", 0),
        rests=_rest_of_campaign(campaign, None) is not None,
    )


def _settled_before(campaign: Campaign, sent_by: Run) -> int:
    """People dealt with by the send that was stopped before this one, as it counted them at its end."""
    earlier = campaign.runs.filter(kind=Run.Kind.SEND, pk__lt=sent_by.pk, started_at__isnull=False).first()
    counts = earlier.counts if earlier else {}
    return sum(counts.get(state, 0) for state in ("accepted", "refused", "unknown"))


def rest_of_campaign(campaign: Campaign) -> Rest | None:
    """The same of a campaign: of its preparation, or of the run that sends it."""
    return _rest_of_campaign(campaign, _sends(campaign).first())


def _rest_of_campaign(campaign: Campaign, sent_by: Run | None) -> Rest | None:
    if campaign.state == Campaign.State.PREPARING:
        return Rest(campaign.error_text, campaign.lease_until) if campaign.error else None
    return rest_of_run(sent_by) if sent_by and sent_by.state == Run.State.RUNNING else None


def _sends(campaign: Campaign) -> QuerySet[Run]:
    """The run that sends it now, or is about to; there is at most one."""
    return campaign.runs.filter(kind=Run.Kind.SEND, state__in=[Run.State.QUEUED, Run.State.RUNNING, Run.State.STOPPING])


NEAR = dt.timedelta(minutes=10)
ANSWERED_WITHIN = dt.timedelta(minutes=2)


def of_waiting(campaign: Campaign) -> Progress:
    """Whether a campaign that waits here is about to begin."""
    when = campaign.scheduled_for
    near = campaign.state == Campaign.State.WAITING and when is not None and when - timezone.now() < NEAR
    return Progress(state=campaign.state, label=campaign.get_state_display(), running=near)


def cancel_mark() -> str:
    """When the provider was asked to cancel."""
    return str(timezone.now().timestamp())


def of_cancellation(campaign: Campaign, mark: str) -> Progress:
    """Whether the provider has answered the cancellation asked for at `mark`: cancelled, or why not."""
    try:
        asked_at = dt.datetime.fromtimestamp(float(mark), tz=dt.UTC)
    except (ValueError, OverflowError, OSError):
        return Progress(state="answered", label="", running=False)
    calls = Call.objects.filter(run__campaign=campaign, operation=Operation.CANCEL_SEND, finished_at__gte=asked_at)
    refused = campaign.state == Campaign.State.SCHEDULED and bool(campaign.error)
    ended = campaign.state not in CANCELLABLE or refused or (calls.exists() and not campaign.lease_owner)
    if ended or timezone.now() - asked_at > ANSWERED_WITHIN:
        return Progress(state="answered", label="", running=False)
    return Progress(state="asking", label=_("The provider is being asked to cancel."), running=True)


def report_mark(campaign: Campaign) -> str:
    """Changes with each reading of the delivery report."""
    return str(campaign.reported_at.timestamp()) if campaign.reported_at else "0"


def of_report(campaign: Campaign, mark: str) -> Progress:
    """Whether the report has been read since `mark` was taken."""
    if report_mark(campaign) != mark:
        return Progress(state="read", label=_("The report has been read."), running=False)
    return Progress(state="reading", label=_("The report is being read."), running=True)
