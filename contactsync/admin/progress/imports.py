"""Imports and their undos."""

from __future__ import annotations

from contactsync.admin.progress.bar import Progress, attended
from contactsync.models import ImportJob, ImportUndo, Run

UNDO_BUSY = frozenset({ImportUndo.State.CHECKING, ImportUndo.State.UNDOING, ImportUndo.State.REDOING})


def of_import(job: ImportJob) -> Progress:
    """Rows read of the rows in the file."""
    running = job.state in {ImportJob.State.CHECKING, ImportJob.State.APPLYING} or job.is_ending
    counts = job.checked_counts if job.state == ImportJob.State.CHECKING else job.counts
    work = attended(job, busy=running)
    return Progress(
        state=Run.State.STOPPING if job.is_ending else job.state,
        label=str(Run.State.STOPPING.label) if job.is_ending else work.label,
        running=running,
        done=job.position,
        total=job.total_rows,
        counts={name: count for name, count in counts.items() if type(count) is int},
        started_at=work.started_at,
        before=counts.get("resumed_from", 0),
    )


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
        before=undo.counts.get("resumed_from", 0),
    )
