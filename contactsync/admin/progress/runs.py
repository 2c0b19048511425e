"""Runs of every kind."""

from __future__ import annotations

import datetime as dt

from django.db.models import TextChoices

from contactsync.admin.progress.bar import Attended, Progress, Rest, attended
from contactsync.admin.progress.counts import RUN_BUSY, item_counts, recipient_counts, with_noughts
from contactsync.models import Recipient, Run, RunItem


def of_run(run: Run) -> Progress:
    """Contacts (for a send: people) dealt with, of those planned."""
    work = attended(run, busy=run.state in RUN_BUSY)
    if run.kind == Run.Kind.REMOVE:  # one call, and nothing to count
        return Progress(run.state, work.label, run.state in RUN_BUSY, started_at=work.started_at)
    if run.kind == Run.Kind.BRING_IN:
        return _of_bringing_in(run, work)
    if run.kind == Run.Kind.PULL and run.state in RUN_BUSY:
        return _of_pulling(run, work)
    if run.state == Run.State.PLANNING:
        return _of_planning(run, work)
    states: type[TextChoices] = RunItem.State
    if run.kind == Run.Kind.SEND and run.campaign:
        states = Recipient.State
        counts = recipient_counts(run.campaign, sent_by=run)
        waiting = counts.get(Recipient.State.PLANNED, 0) + counts.get(Recipient.State.ON_WIRE, 0)
    else:
        counts = item_counts(run)
        waiting = counts.get(RunItem.State.PLANNED, 0)
    total = sum(counts.values())
    return Progress(
        state=run.state,
        label=work.label,
        running=run.state in RUN_BUSY,
        done=total - waiting,
        total=total,
        counts=with_noughts(counts, states) if run.state in RUN_BUSY else counts,
        started_at=_since(run, work),
        before=run.counts.get("resumed_from", 0),
        rests=rest_of_run(run) is not None,
    )


def _of_planning(run: Run, work: Attended) -> Progress:
    """Contacts compared so far, as the worker counts them; how many there are shows at the end."""
    done = run.counts.get("compared", 0)
    return Progress(run.state, work.label, True, done, started_at=work.started_at, rests=rest_of_run(run) is not None)


def _since(run: Run, work: Attended) -> dt.datetime | None:
    """When the worker of now began: a pause before that is no part of its speed."""
    resumed_at = run.counts.get("resumed_at")
    return dt.datetime.fromisoformat(resumed_at) if resumed_at and work.started_at else work.started_at


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
        started_at=_since(run, work),
    )


def _of_bringing_in(run: Run, work: Attended) -> Progress:
    """Contacts brought in or found impossible, of those there; the run counts them itself. First they are read."""
    if "read" in run.counts:
        done, total = run.counts["read"], run.counts["there"] or None
        return Progress(run.state, work.label, run.state in RUN_BUSY, done, total, {}, _since(run, work))
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
