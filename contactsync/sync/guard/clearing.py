"""What is known of calls that left: told to the other machines, and cleared by a person."""

from __future__ import annotations

import logging

from contactsync.models import Clearance, DatabaseMark
from contactsync.sync import logbook
from contactsync.sync.guard.findings import Finding, directory, held_back, lost_here, now, unusable
from contactsync.sync.logbook import LogbookUnusable

logger = logging.getLogger(__name__)


def remember() -> None:
    """Put into the database what the logbook of this machine has and the database does not, so that all machines hold back."""
    row = DatabaseMark.objects.filter(pk=DatabaseMark.ONLY).first()
    if row is None:
        return
    try:
        seen = logbook.highest(directory(), str(row.identity)) or 0
        if seen <= max(row.mark, row.lost_mark):
            return
        lost = lost_here(row, row.mark)
    except LogbookUnusable as error:
        logger.error("%s", error)
        return
    kept = DatabaseMark.objects.filter(pk=row.pk, mark=row.mark, lost_mark__lt=seen).update(lost_mark=seen, lost=lost)
    if kept:
        logger.critical("The database is older than what has gone out: it knows %s calls, %s had left.", row.mark, seen)


def look() -> None:
    """What every machine does from time to time: say what its logbook is ahead of, and note what others have counted."""
    remember()
    row = DatabaseMark.objects.filter(pk=DatabaseMark.ONLY).first()
    if row is None or row.lost_mark > row.mark:
        return
    try:
        seen = logbook.highest(directory(), str(row.identity))
        if seen is not None and seen < row.mark:
            logbook.append(directory(), str(row.identity), [{"mark": row.mark, "at": now()}])
    except LogbookUnusable as error:
        logger.error("%s", error)


def clear(found: Finding, *, by: str, note: str) -> Clearance:
    """Put a person's word on record, within the caller's transaction: what the database knows counts as the newest from here on.

    The caller calls `begin_anew` once that is committed.
    """
    row = DatabaseMark.objects.select_for_update().get(pk=DatabaseMark.ONLY)
    mark = max(row.mark, found.left)
    DatabaseMark.objects.filter(pk=row.pk).update(mark=mark, lost_mark=0, lost={})
    return Clearance.objects.create(
        cleared_by=by[:150], note=note, why=found.why, mark_before=row.mark, mark_after=mark, lost=found.lost
    )


def begin_anew() -> None:
    """Have a usable logbook on this machine: a damaged one is put aside, a missing one begun. Raises `HeldBack`."""
    row = DatabaseMark.objects.get(pk=DatabaseMark.ONLY)
    place, identity = directory(), str(row.identity)
    try:
        logbook.put_aside(place, identity)
        seen = logbook.highest(place, identity)
        if seen is None or seen < row.mark:
            logbook.append(place, identity, [{"mark": row.mark, "at": now()}])
    except LogbookUnusable as error:
        raise held_back(unusable(error, row.mark)) from error
