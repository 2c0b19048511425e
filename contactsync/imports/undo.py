"""What people do with the undo of an import: have it looked through, undo, stop, go on, redo. Nothing here reads all rows or enqueues."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contactsync.imports.undo_cases import OFFERS
from contactsync.models import ImportJob, ImportUndo, ImportUndoChange
from contactsync.models.transitions import StepRefused, TransitionRefused, transition

logger = logging.getLogger(__name__)
State = ImportUndo.State
JobState = ImportJob.State
#: imports that may be undone, once something of them was written
UNDOABLE = ImportJob.TRANSITIONS[JobState.UNDOING]
RESTING = frozenset({State.STOPPED, State.FAILED})


def number_of_changes(job: ImportJob) -> int:
    """How many contacts the import has created and updated, or how many numbers it has put on the suppression list."""
    return int(job.counts.get("created", 0)) + int(job.counts.get("updated", 0))


def can_be_undone(job: ImportJob) -> bool:
    """Whether there is something to undo, and nobody works on the import."""
    return job.state in UNDOABLE and number_of_changes(job) > 0


def undo_of(job: ImportJob) -> ImportUndo | None:
    """The undo that is open for the import, else the last one."""
    undos = ImportUndo.objects.filter(job=job)
    return undos.exclude(state=State.REDONE).first() or undos.first()


def can_go_on(undo: ImportUndo) -> bool:
    """Whether the work that was stopped can go on where it ended."""
    return undo.state in RESTING


def can_be_redone(undo: ImportUndo) -> bool:
    """Whether the undo has changed something that is not redone yet, and rests; and whether that is still kept."""
    if undo.job.erased_at is not None:
        return False
    return undo.state == State.UNDONE or (undo.state in RESTING and undo.work == State.UNDOING)


def begin_check(job: ImportJob, *, user: User | None) -> ImportUndo:
    """Let somebody look what the undo would do; also anew. Raises `StepRefused`, `TransitionRefused`."""
    job.refresh_from_db(fields=["state", "counts", "position"])
    if job.state in UNDOABLE and not number_of_changes(job):
        raise StepRefused(
            _("This import has put no number on the suppression list, so there is nothing to undo.")
            if job.is_suppression
            else _("This import has changed no contact, so there is nothing to undo.")
        )
    if job.state not in UNDOABLE:
        raise TransitionRefused(f"Import {job.pk} cannot be undone: it is {job.state}.")
    seen: dict[str, Any] = {
        "job_state": job.state,
        "job_position": job.position,
        "work": State.CHECKING,
        "choices": {},
        "counts": {},
        "position": 0,
        "done": 0,
        "total": number_of_changes(job),
        "error": {},
        "started_at": timezone.now(),
        "finished_at": None,
    }
    undo = ImportUndo.objects.filter(job=job).exclude(state=State.REDONE).first()
    if undo is not None:
        return transition(undo, State.CHECKING, table=ImportUndo.TRANSITIONS, **seen)
    try:
        with transaction.atomic():
            return ImportUndo.objects.create(job=job, created_by=user, **seen)
    except IntegrityError as error:
        raise TransitionRefused(f"Import {job.pk} is being looked through already.") from error


def begin_undo(undo: ImportUndo, choices: Mapping[str, str], *, user: User | None) -> ImportUndo:
    """Undo what was shown, as chosen for each case. Raises `StepRefused`, `TransitionRefused`."""
    for case, choice in choices.items():
        if choice not in OFFERS.get(case, ()):
            raise StepRefused(_("“%(choice)s” cannot be chosen there. Choose again.") % {"choice": choice})
    with transaction.atomic():
        job = ImportJob.objects.select_for_update().get(pk=undo.job_id)
        if (job.state, job.position) != (undo.job_state, undo.job_position):
            raise StepRefused(_("The import has gone on since it was looked through. Look again, then undo."))
        table = {State.UNDOING: frozenset({State.CHECKED})}
        _begin(undo, State.UNDOING, table, user, choices=dict(choices), position=0, done=0, created_by=user)
        transition(job, JobState.UNDOING, table=ImportJob.TRANSITIONS)
    return undo


def begin_redo(undo: ImportUndo, *, user: User | None) -> ImportUndo:
    """Make the contacts again what they were before the undo. Raises `TransitionRefused`."""
    with transaction.atomic():
        undo.refresh_from_db()
        if not can_be_redone(undo):
            raise TransitionRefused(f"Undo {undo.pk} cannot be redone: it is {undo.state}.")
        actions = undo.counts.get("actions", {})
        total = sum(actions.get(action, 0) for action in ImportUndoChange.CHANGING)
        table = {State.REDOING: frozenset({undo.state})}
        _begin(undo, State.REDOING, table, user, position=0, done=0, total=total)
        transition(ImportJob.objects.get(pk=undo.job_id), JobState.REDOING, table=ImportJob.TRANSITIONS)
    return undo


def go_on(undo: ImportUndo, *, user: User | None) -> ImportUndo:
    """Go on where the work was stopped, or has failed. Raises `TransitionRefused`."""
    undo.refresh_from_db()
    return _begin(undo, State(undo.work), {State(undo.work): RESTING}, user)


def _begin(
    undo: ImportUndo, state: State, table: Mapping[Any, frozenset[Any]], user: User | None, **changes: Any
) -> ImportUndo:
    begun: dict[str, Any] = {"work": state, "started_at": timezone.now(), "finished_at": None, "error": {}}
    transition(undo, state, table=table, **begun, **changes)
    logger.info("Undo %s of import %s: %s, asked for by %s.", undo.pk, undo.job_id, state, user or "a command")
    return undo


def stop(undo: ImportUndo) -> None:
    """Ask the worker to end after the contacts in hand. Raises `TransitionRefused` when nothing is running."""
    transition(undo, State.STOPPED, table=ImportUndo.TRANSITIONS, finished_at=timezone.now())
