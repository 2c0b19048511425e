"""The undo of a file that went onto the suppression list, chunk by chunk, and its redo. Within the caller's transaction.

Only what the file has added is taken off, and only where nobody else has a word in it since.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.utils.dateparse import parse_datetime

from contactsync.imports.undo_cases import Action, Case, Choice, choice_of
from contactsync.imports.undo_look import NAMED, Found
from contactsync.models import ImportChange, ImportJob, ImportUndo, ImportUndoChange, InboundMessage, Suppression
from contactsync.models.bulk import Inserter, update_rows

Redone = ImportUndoChange.Redone


def numbers_of(keys: Iterable[int | None], *, lock: bool = False) -> dict[int, Suppression]:
    """The suppressed numbers with these ids; with `lock` they stay as they are until the transaction ends."""
    found = Suppression.objects.filter(pk__in=[key for key in keys if key]).order_by("pk")
    return {row.pk: row for row in (found.select_for_update() if lock else found)}


def look(job: ImportJob, changes: Sequence[ImportChange], numbers: Mapping[int, Suppression]) -> dict[int, Found]:
    """The case of each change, by its id. `numbers` holds those that are still on the list."""
    later = _later_files(job, list(numbers))
    asked = _asked_since(job, [number.phone for number in numbers.values()])
    return {change.pk: _look(change, numbers.get(change.suppression_id or 0), later, asked) for change in changes}


def _look(
    change: ImportChange, number: Suppression | None, later: Mapping[int, list[int]], asked: Collection[str]
) -> Found:
    if number is None:
        return Found(Case.DELETED, {})
    told = (change.before or {}).get("set", {})
    edited = [name for name in ("phone", "reason") if getattr(number, name) != told.get(name)]
    facts: dict[str, Any] = {"seen": sorted(edited)}
    if edited:
        facts["fields"] = edited
    if files := later.get(number.pk):
        facts["imports"] = files[:NAMED]
    if number.phone in asked:
        return Found(Case.CREATED_ASKED, facts)
    if files:
        return Found(Case.CREATED_NAMED, facts)
    return Found(Case.CREATED_EDITED if edited else Case.CREATED, facts)


def _later_files(job: ImportJob, keys: Sequence[int]) -> dict[int, list[int]]:
    """Imports that found these numbers on the list, newest first, and that still stand."""
    rows = ImportChange.objects.filter(suppression__in=keys, kind=ImportChange.Kind.THERE).exclude(job=job)
    found: dict[int, list[int]] = defaultdict(list)
    standing = rows.exclude(job__state=ImportJob.State.UNDONE).order_by("-pk")
    for key, other in standing.values_list("suppression_id", "job_id"):
        found[key or 0].append(other)
    return dict(found)


def _asked_since(job: ImportJob, phones: Sequence[str]) -> set[str]:
    """Numbers whose owners have asked for no more messages since the upload: they are on the list in their own right."""
    replies = InboundMessage.objects.filter(phone__in=phones, is_opt_out=True, received_at__gte=job.created_at)
    return set(replies.values_list("phone", flat=True))


def undo_rows(undo: ImportUndo, rows: Sequence[ImportUndoChange]) -> Counter[str]:
    """Do with each number what was chosen for its case. Returns how often what was done."""
    numbers = numbers_of((row.suppression_id for row in rows), lock=True)
    found = look(undo.job, [row.change for row in rows], numbers)
    for row in rows:
        number, now = numbers.get(row.suppression_id or 0), found[row.change_id]
        row.before, row.links = None, {}
        if number is None:
            row.action = Action.LEFT
        elif (now.case, now.seen) != (row.case, row.facts.get("seen")):
            row.action = Action.MOVED
        elif choice_of(undo.choices, row.case) is Choice.REMOVE:
            row.action, row.before = Action.REMOVED, _image(number)
        else:
            row.action = Action.KEPT
    gone = [row.suppression_id or 0 for row in rows if row.action == Action.REMOVED]
    Suppression.objects.filter(pk__in=gone).delete()
    done = [(row.pk, row.action, row.before, row.links) for row in rows]
    update_rows(ImportUndoChange, ["action", "before", "links"], done)
    return Counter(str(row.action) for row in rows)


def redo_rows(undo: ImportUndo, rows: Sequence[ImportUndoChange]) -> Counter[str]:
    """Put the numbers back that the undo has taken off, as they were. Returns how often what was done."""
    images = {row.pk: row.before or {} for row in rows}
    phones = [image["phone"] for image in images.values()]
    taken = set(Suppression.objects.filter(phone__in=phones).values_list("phone", flat=True))
    back = []
    for row in rows:
        image = images[row.pk]
        row.redone = Redone.LISTED if image["phone"] in taken else Redone.DONE
        if row.redone == Redone.DONE:
            since = parse_datetime(image["since"])
            back.append((row.suppression_id, image["phone"], image["reason"], image["source"], since))
    Inserter(Suppression, ("id", "phone", "reason", "source", "since"), shared={}).insert(back)
    update_rows(ImportUndoChange, ["redone"], [(row.pk, row.redone) for row in rows])
    return Counter(str(row.redone) for row in rows)


def _image(number: Suppression) -> dict[str, str]:
    return {
        "phone": number.phone,
        "reason": number.reason,
        "source": number.source,
        "since": number.since.isoformat(),
    }
