"""How far long work has come: for the bar on the page, and for the script that moves it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet
from django.http import JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync.admin.common import COUNTED
from contactsync.campaigns.cancel import CANCELLABLE
from contactsync.models import Call, Campaign, ImportJob, ImportUndo, Recipient, Run, RunItem
from contactsync.sync.connect import Operation
from contactsync.templatetags.contactsync import number

FIRST_SECONDS = 2.0  # before that, a speed says nothing
SLOWEST_SAID = 0.1  # per second; below that only the time left is said


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` (None: not known yet), in a state that a script can compare."""

    state: str
    label: str
    running: bool
    done: int = 0
    total: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    started_at: dt.datetime | None = None
    rests: bool = False  # it waits by itself, and the page says for what

    def line(self) -> str:
        """“1,200 of 5,000 · 310 per second · about 12 seconds left”."""
        if self.total is None:
            return number(self.done) if self.done else str(self.label)
        words = [_("%(done)s of %(total)s") % {"done": number(self.done), "total": number(self.total)}]
        seconds = (timezone.now() - self.started_at).total_seconds() if self.started_at else 0.0
        if self.running and self.done and seconds >= FIRST_SECONDS:
            speed = self.done / seconds
            if speed >= SLOWEST_SAID:
                words.append(_("%(speed)s per second") % {"speed": number(round(speed, 1 if speed < 10 else None))})
            words.append(time_left((self.total - self.done) / speed))
        return " · ".join(words)

    def answer(self) -> JsonResponse:
        """What the script on the page asks for every second."""
        return JsonResponse(
            {
                "state": self.state,
                "label": str(self.label),
                "running": self.running,
                "rests": self.rests,
                "done": self.done,
                "total": self.total,
                "line": self.line(),
                "counts": {name: number(count) for name, count in self.counts.items()},
            }
        )


@dataclass(frozen=True, slots=True)
class Rest:
    """Why work that goes on by itself waits, and until when."""

    why: str
    until: dt.datetime | None


def time_left(seconds: float) -> str:
    """“about 3 minutes left”."""
    whole = max(1, round(seconds))
    if whole < 90:
        return ngettext("about %(count)d second left", "about %(count)d seconds left", whole) % {"count": whole}
    minutes = round(whole / 60)
    if minutes < 90:
        return ngettext("about %(count)d minute left", "about %(count)d minutes left", minutes) % {"count": minutes}
    hours = round(minutes / 60)
    return ngettext("about %(count)d hour left", "about %(count)d hours left", hours) % {"count": hours}


@dataclass(frozen=True, slots=True)
class Attended:
    """Whether somebody works on a row with a lease: its `label` says so, and there is no speed while nobody does."""

    label: str
    started_at: dt.datetime | None


def attended(row: ImportJob | ImportUndo | Run | Campaign, *, busy: bool) -> Attended:
    """Work that nobody has taken up yet waits; work whose lease ran out was left by a worker that is gone."""
    label = str(row.get_state_display())
    if not busy or row.error:  # with an error it rests, and the page says why and until when
        return Attended(label, row.started_at)
    if not row.lease_owner:
        return Attended(_("waiting for its turn"), None)
    if row.lease_until is not None and row.lease_until < timezone.now():
        return Attended(_("its worker has stopped; another goes on within two minutes"), None)
    return Attended(label, row.started_at)


def of_import(job: ImportJob) -> Progress:
    """Rows read of the rows in the file."""
    running = job.state in {ImportJob.State.CHECKING, ImportJob.State.APPLYING}
    counts = job.checked_counts if job.state == ImportJob.State.CHECKING else job.counts
    work = attended(job, busy=running)
    return Progress(
        state=job.state,
        label=work.label,
        running=running,
        done=job.position,
        total=job.total_rows,
        counts={name: count for name, count in counts.items() if type(count) is int},
        started_at=work.started_at,
    )


UNDO_BUSY = frozenset({ImportUndo.State.CHECKING, ImportUndo.State.UNDOING, ImportUndo.State.REDOING})


def of_undo(undo: ImportUndo) -> Progress:
    """Contacts dealt with, of those that the import has changed (for a redo: the undo)."""
    busy = undo.state in UNDO_BUSY
    work = attended(undo, busy=busy)
    return Progress(
        state=undo.state,
        label=work.label,
        running=busy,
        done=undo.done,
        total=undo.total,
        started_at=work.started_at,
    )


RUN_BUSY = frozenset({Run.State.PLANNING, Run.State.QUEUED, Run.State.RUNNING, Run.State.STOPPING})


def of_run(run: Run) -> Progress:
    """Contacts (for a send: people) dealt with, of those planned."""
    work = attended(run, busy=run.state in RUN_BUSY)
    if run.kind == Run.Kind.REMOVE:  # one call, and nothing to count
        return Progress(run.state, work.label, run.state in RUN_BUSY, started_at=work.started_at)
    if run.kind == Run.Kind.BRING_IN:
        return _of_bringing_in(run, work)
    if run.kind == Run.Kind.PULL and run.state in RUN_BUSY:
        return _of_pulling(run, work)
    if run.kind == Run.Kind.SEND and run.campaign_id:
        counts = recipient_counts(run.campaign_id, sent_by=run)
        waiting = counts.get(Recipient.State.PLANNED, 0) + counts.get(Recipient.State.ON_WIRE, 0)
    else:
        counts = item_counts(run)
        waiting = counts.get(RunItem.State.PLANNED, 0)
    total = sum(counts.values())
    planning = run.state == Run.State.PLANNING
    return Progress(
        state=run.state,
        label=work.label,
        running=run.state in RUN_BUSY,
        done=total if planning else total - waiting,
        total=None if planning else total,
        counts=counts,
        started_at=work.started_at,
        rests=rest_of_run(run) is not None,
    )


def _of_pulling(run: Run, work: Attended) -> Progress:
    """Contacts read there and then looked at here, of all on both sides; the run counts them itself."""
    read, there = run.counts.get("read", 0), run.counts.get("there", 0)
    return Progress(
        state=run.state,
        label=work.label,
        running=True,
        done=read + run.counts.get("compared", 0),
        total=there + run.counts.get("here", 0) if there or not read else None,  # not every provider counts
        counts=item_counts(run),
        started_at=work.started_at,
    )


def _of_bringing_in(run: Run, work: Attended) -> Progress:
    """Contacts brought in or found impossible, of those there; the run counts them itself. First they are read."""
    if "read" in run.counts:
        done, total = run.counts["read"], run.counts["there"] or None
        return Progress(run.state, work.label, run.state in RUN_BUSY, done, total, {}, work.started_at)
    waits = run.state in Run.OPEN_STATES or run.state == Run.State.STOPPED
    left = RunItem.State.PLANNED if waits else RunItem.State.NOT_ATTEMPTED
    names = {RunItem.State.DONE: "done", RunItem.State.FAILED: "failed", left: "not_attempted"}
    counts = {str(state): run.counts.get(name, 0) for state, name in names.items()}
    return Progress(
        state=run.state,
        label=work.label,
        running=run.state in RUN_BUSY,
        done=counts[RunItem.State.DONE] + counts[RunItem.State.FAILED],
        total=run.counts.get("contacts"),
        counts=counts,
        started_at=work.started_at,
    )


def rest_of_run(run: Run) -> Rest | None:
    """What the run waits for by itself; None when somebody works on it, or a person is awaited."""
    return Rest(run.error_text, run.lease_until) if run.error and run.state in RUN_BUSY else None


def rest_of_campaign(campaign: Campaign) -> Rest | None:
    """The same of a campaign: of its preparation, or of the run that sends it."""
    return _rest_of_campaign(campaign, _sends(campaign).first())


def _rest_of_campaign(campaign: Campaign, sent_by: Run | None) -> Rest | None:
    if campaign.state == Campaign.State.PREPARING:
        return Rest(campaign.error_text, campaign.lease_until) if campaign.error else None
    return rest_of_run(sent_by) if sent_by and sent_by.state == Run.State.RUNNING else None


def _sends(campaign: Campaign) -> QuerySet[Run]:
    """The run that sends it now; there is at most one."""
    return campaign.runs.filter(kind=Run.Kind.SEND, state__in=[Run.State.RUNNING, Run.State.STOPPING])


CAMPAIGN_BUSY = frozenset({Campaign.State.PREPARING, Campaign.State.SENDING, Campaign.State.STOPPING})


def of_campaign(campaign: Campaign) -> Progress:
    """People dealt with, of those who are to get the message."""
    preparing = campaign.state == Campaign.State.PREPARING
    sent_by = _sends(campaign).first() if campaign.state in CAMPAIGN_BUSY and not preparing else None
    counts = recipient_counts(campaign.pk, sent_by=sent_by)
    total = sum(counts.values())
    waiting = counts.get(Recipient.State.PLANNED, 0) + counts.get(Recipient.State.ON_WIRE, 0)
    return Progress(
        state=campaign.state,
        label=attended(campaign, busy=True).label if preparing else campaign.get_state_display(),
        running=campaign.state in CAMPAIGN_BUSY,
        done=total if preparing else total - waiting,
        total=None if preparing else total,
        counts=counts,
        started_at=campaign.started_at,
        rests=_rest_of_campaign(campaign, sent_by) is not None,
    )


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


def item_counts(run: Run) -> dict[str, int]:
    """Items that the run carries out, by state. What is not possible was never planned.

    Of many, as the run itself has counted them last: to count a million takes longer than to show the page.
    """
    if run.counts.get("planned", 0) > COUNTED and "pending" in run.counts:
        states, pending = RunItem.State, run.counts["pending"]
        counted = {state: run.counts[state] for state in (states.DONE, states.FAILED, states.UNKNOWN)}
        counted |= {states.PLANNED: pending, states.NOT_ATTEMPTED: run.counts["not_attempted"] - pending}
        return {str(state): number for state, number in counted.items() if number}
    rows = run.items.exclude(operation=RunItem.Operation.CANNOT).order_by().values_list("state").annotate(Count("id"))
    return dict(rows)


def recipient_counts(campaign_id: int, *, sent_by: Run | None = None) -> dict[str, int]:
    """People in the audience, by state, without those left out.

    Of very many, those that the run that sends to them now has counted a moment ago.
    """
    if sent_by is not None and sent_by.state in RUN_BUSY and sent_by.counts.get("recipients", 0) > COUNTED:
        return {state: sent_by.counts[state] for state in Recipient.State.values if sent_by.counts.get(state)}
    rows = (
        Recipient.objects.filter(campaign_id=campaign_id)
        .exclude(state=Recipient.State.EXCLUDED)
        .order_by()
        .values_list("state")
        .annotate(Count("id"))
    )
    return dict(rows)
