"""Background work of an undo: look through, undo, redo. Each may be called twice, or die, at any point."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext_noop

from contactsync.imports import undo_suppressed
from contactsync.imports.apply import lock_place
from contactsync.imports.lease import Lease, LeaseLost, claim
from contactsync.imports.undo import number_of_changes
from contactsync.imports.undo_apply import redo_rows, undo_rows
from contactsync.imports.undo_cases import Action
from contactsync.imports.undo_look import Found, look
from contactsync.models import Contact, ImportChange, ImportJob, ImportUndo, ImportUndoChange, Suppression
from contactsync.models.bulk import Inserter
from contactsync.models.listed import have_counted
from contactsync.models.reasons import reason
from contactsync.models.transitions import transition
from contactsync.sync.database import one_of_many

log = logging.getLogger(__name__)
State = ImportUndo.State
Redone = ImportUndoChange.Redone
CHUNK_ROWS = 1000
#: how often a chunk is tried when somebody else writes the same contacts in the same moment
ATTEMPTS = 5
INTERNAL = gettext_noop(
    "The work stopped at an error of the software (%(error)s) after %(rows)s contacts. What was done stays as it is; "
    "you can go on. If it happens again, tell your administrator."
)
INTERNAL_ON_LIST = gettext_noop(
    "The work stopped at an error of the software (%(error)s) after %(rows)s numbers. What was done stays as it is; "
    "you can go on. If it happens again, tell your administrator."
)
Rows = QuerySet[Any]
Work = Callable[[Sequence[Any]], dict[str, Counter[str]]]


def run_undo_work(undo_id: int) -> None:
    """Do what the undo waits for, from the first contact that is not committed yet; nothing when it rests or is taken."""
    state = State(ImportUndo.objects.values_list("state", flat=True).get(pk=undo_id))
    lease = claim(undo_id, state, model=ImportUndo) if state in WORK else None
    if lease is None:
        return
    try:
        WORK[state](lease, ImportUndo.objects.select_related("job").get(pk=undo_id))
    except LeaseLost:
        log.info("Undo %s was taken over; this worker leaves it.", undo_id)
    except Exception as error:
        undo = ImportUndo.objects.select_related("job").get(pk=undo_id)
        said = INTERNAL_ON_LIST if undo.job.is_suppression else INTERNAL
        lease.finish(State.FAILED, error=reason(said, error=type(error).__name__, rows=undo.done))
        raise


def _check(lease: Lease, undo: ImportUndo) -> None:
    if undo.position == 0:
        with transaction.atomic():
            ImportUndoChange.objects.filter(undo=undo).delete()
            lease.commit()
    have_counted(ImportChange, new=undo.total)
    changes = ImportChange.objects.filter(job=undo.job_id).exclude(kind=ImportChange.Kind.THERE)
    write = _write_number_cases if undo.job.is_suppression else _write_cases
    if _through(lease, undo, changes, lambda rows: write(undo, rows)):
        found = sum(undo.counts.get("cases", {}).values())
        agrees = found == changes.count() == number_of_changes(undo.job) == undo.total
        lease.finish(State.CHECKED, counts={**undo.counts, "balances": agrees}, error={})


def _write_cases(undo: ImportUndo, changes: Sequence[ImportChange]) -> dict[str, Counter[str]]:
    """Keep the case of each change. Counts the cases, and the contacts that later imports have changed, by import."""
    contacts = {row.pk: row for row in Contact.objects.filter(pk__in=[change.contact_id for change in changes])}
    found = look(changes, contacts)
    names = ("change", "contact", "phone", "name", "case", "facts")
    Inserter(ImportUndoChange, names, shared={"undo": undo.pk}).insert(
        (
            change.pk,
            change.contact_id,
            contact.phone if (contact := contacts.get(change.contact_id or 0)) else "",
            contact.full_name if contact else "",
            str(found[change.pk].case),
            found[change.pk].facts,
        )
        for change in changes
    )
    return _counted(found.values())


def _write_number_cases(undo: ImportUndo, changes: Sequence[ImportChange]) -> dict[str, Counter[str]]:
    """The same for numbers of the suppression list, with the reason where a contact has its name."""
    numbers = undo_suppressed.numbers_of(change.suppression_id for change in changes)
    found = undo_suppressed.look(undo.job, changes, numbers)
    told = {change.pk: (change.before or {}).get("set", {}) for change in changes}
    names = ("change", "suppression", "phone", "name", "case", "facts")
    Inserter(ImportUndoChange, names, shared={"undo": undo.pk}).insert(
        (
            change.pk,
            change.suppression_id,
            number.phone if (number := numbers.get(change.suppression_id or 0)) else told[change.pk].get("phone", ""),
            number.reason if number else told[change.pk].get("reason", ""),
            str(found[change.pk].case),
            found[change.pk].facts,
        )
        for change in changes
    )
    return _counted(found.values())


def _counted(found: Iterable[Found]) -> dict[str, Counter[str]]:
    cases, later = Counter[str](), Counter[str]()
    for each in found:
        cases[str(each.case)] += 1
        later.update(map(str, each.facts.get("imports", ())))
    return {"cases": cases, "imports": later}


def _undo(lease: Lease, undo: ImportUndo) -> None:
    rows = ImportUndoChange.objects.filter(undo=undo).select_related("change")
    work = undo_suppressed.undo_rows if undo.job.is_suppression else undo_rows
    if _through(lease, undo, rows, lambda chunk: {"actions": work(undo, chunk)}):
        counts = {**undo.counts, "balances": _undo_agrees(undo)}
        _finish(lease, undo, State.UNDONE, ImportJob.State.UNDONE, counts)


def _undo_agrees(undo: ImportUndo) -> bool:
    """Whether the counts are those of the rows, make up the import, and what was removed is gone."""
    counted = undo.counts.get("actions", {})
    gone = ImportUndoChange.objects.filter(undo=undo, action=Action.REMOVED)
    still_there = (
        Suppression.objects.filter(pk__in=gone.values("suppression_id")).exists()
        if undo.job.is_suppression
        else Contact.objects.filter(pk__in=gone.values("contact_id")).exists()
    )
    total = number_of_changes(undo.job)
    return sum(counted.values()) == total and counted == _grouped(undo, "action") and not still_there


def _grouped(undo: ImportUndo, field: str) -> dict[str, int]:
    rows = ImportUndoChange.objects.filter(undo=undo).exclude(**{field: ""}).order_by()
    return dict(rows.values_list(field).annotate(Count("pk")))


def _redo(lease: Lease, undo: ImportUndo) -> None:
    rows = ImportUndoChange.objects.filter(undo=undo, action__in=ImportUndoChange.CHANGING).select_related("change")
    work = undo_suppressed.redo_rows if undo.job.is_suppression else redo_rows
    if _through(lease, undo, rows, lambda chunk: {"redone": work(undo, chunk)}):
        counted = undo.counts.get("redone", {})
        agrees = sum(counted.values()) == undo.total and counted == _grouped(undo, "redone")
        _finish(lease, undo, State.REDONE, undo.job_state, {**undo.counts, "balances": agrees})


def _finish(lease: Lease, undo: ImportUndo, state: State, job_state: str, counts: Mapping[str, Any]) -> None:
    """The undo and its import end together, or, when somebody stopped it in the last moment, neither."""
    with transaction.atomic():
        if lease.finish(state, counts=counts, error={}):
            transition(ImportJob.objects.get(pk=undo.job_id), job_state, table=ImportJob.TRANSITIONS)
            # With the file erased before, nobody can redo this: what it has kept of contacts is erased as well.
            ImportJob.objects.filter(pk=undo.job_id).exclude(erased_at=None).update(keeps_rows=True)


def _through(lease: Lease, undo: ImportUndo, rows: Rows, work: Work) -> bool:
    """Work on all rows after the position, chunk by chunk; what the work counts is added up by name. False when stopped.

    `resumed_from` among the counts is how many were done before this worker began: its speed is told without them.
    """
    if undo.counts.get("resumed_from", 0) != undo.done:
        undo.counts = {**undo.counts, "resumed_from": undo.done}
        lease.commit(counts=undo.counts)
    while chunk := list(rows.filter(pk__gt=undo.position).order_by("pk")[:CHUNK_ROWS]):
        if not _one_chunk(lease, undo, chunk, work):
            lease.release()
            return False
    return True


def _one_chunk(lease: Lease, undo: ImportUndo, chunk: Sequence[Any], work: Work) -> bool:
    """One chunk, whole or not at all, looked up afresh when somebody else was at the same contacts. False when stopped."""
    position, done = chunk[-1].pk, undo.done + len(chunk)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with one_of_many():
                lock_place(undo.job)
                added = {name: Counter(undo.counts.get(name, {})) + more for name, more in work(chunk).items()}
                counts = {**undo.counts, **added}
                go_on = lease.commit(position=position, done=done, counts=counts)
            undo.position, undo.done, undo.counts = position, done, counts
            return go_on
        except (IntegrityError, OperationalError):
            if attempt == ATTEMPTS:
                raise
            log.info("Undo %s: contacts up to %s met another writer; trying again.", undo.pk, position)
    raise AssertionError("not reached")


WORK: dict[State, Callable[[Lease, ImportUndo], None]] = {
    State.CHECKING: _check,
    State.UNDOING: _undo,
    State.REDOING: _redo,
}
