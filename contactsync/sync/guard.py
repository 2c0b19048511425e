"""Notices that this database is older than what has left for the providers, and lets nothing out until a person has compared.

Somebody may restore yesterday's backup although calls of today have left: what the database then calls planned would go
out twice. So every call is counted in the database, in the transaction that puts it on the wire, and then told to the
logbook, a file outside the database, before its first byte. Both ends move with every claim; nothing is reserved ahead,
because a backup taken within a reserved block could not be told from a worker that was killed within it.

    killed after the commit, before the line: the logbook is behind, no call has left, nothing is noticed, nothing is lost
    killed after the line:                    both are equal; the sweep calls the call unknown
    database restored to before the claim:    the logbook is ahead, and calls are held back

Where each machine has a logbook of its own, the first that notices says so in the database, for all of them.
"""

from __future__ import annotations

import datetime as dt
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.models import Call, Clearance, DatabaseMark, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.sync import logbook
from contactsync.sync.logbook import LogbookUnusable
from providers.exceptions import ProviderError

logger = logging.getLogger(__name__)

MOST_KEPT = 2_000  # calls of which the database keeps what a logbook told

OLDER = gettext_noop(
    "This database is older than what has gone out. Calls it knows: %(known)s; calls that had left by %(time)s: %(left)s. "
    "Probably a backup was restored. Nothing is sent or pushed until a person has compared on the page “Restored database”."
)
NO_LOGBOOK = gettext_noop(
    "This machine (%(machine)s) has no log of the calls of this database (calls it knows: %(known)s). It may be a copy, a "
    "backup restored on another machine, or a new machine. Nothing is sent or pushed from here until a person has looked at the "
    "page “Restored database”."
)
CORRUPT = gettext_noop(
    "The log of the calls that left, %(path)s, is damaged (%(why)s), so it is not known whether this database is the newest. "
    "Nothing is sent or pushed until a person has looked at the page “Restored database”."
)
UNUSABLE = gettext_noop(
    "The log of the calls that left, %(path)s, cannot be used: %(why)s. Nothing is sent or pushed without it. "
    "Correct the directory (LOGBOOK_DIR) or its rights, then continue."
)


class HeldBack(ProviderError):
    """No call may leave now, for any account. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What stands against letting calls go out. `clearable`: a person's word is enough; else something has to be mended."""

    message: str
    params: dict[str, Any]
    known: int
    left: int
    clearable: bool = True
    lost: dict[str, Any] = field(default_factory=dict)  # calls, machine and time, where a logbook is ahead

    @property
    def why(self) -> dict[str, Any]:
        return reason(self.message, **self.params)


@contextmanager
def leaving() -> Iterator[list[Call]]:
    """A durable transaction that puts calls on the wire: the caller adds to the list those that it has claimed.

    Once it is left, they are counted and in the logbook. Raises `HeldBack`, and then no call is on the wire.
    """
    calls: list[Call] = []
    try:
        with transaction.atomic(durable=True):
            yield calls
            counted = _count(calls) if calls else None
    except HeldBack:
        remember()
        raise
    if counted is not None:
        _write(*counted, calls)


def finding() -> Finding | None:
    """Why calls are held back now, as far as this machine can tell; None when they may go out. Writes nothing."""
    directory = _directory()
    row = DatabaseMark.objects.filter(pk=DatabaseMark.ONLY).first()
    if row is None:
        return _unwritable(0)
    try:  # before the row: whatever the logbook has then, the row has counted
        seen = logbook.highest(directory, str(row.identity))
        row.refresh_from_db()
        return _found(row, row.mark, seen) or _unwritable(row.mark)
    except LogbookUnusable as unusable:
        return _unusable(unusable, row.mark)


def why_held_back() -> dict[str, Any]:
    """The reason to show where a send or a push would begin; empty when calls may go out."""
    found = finding()
    return found.why if found else {}


def remember() -> None:
    """Put into the database what the logbook of this machine has and the database does not, so that all machines hold back."""
    row = DatabaseMark.objects.filter(pk=DatabaseMark.ONLY).first()
    if row is None:
        return
    try:
        seen = logbook.highest(_directory(), str(row.identity)) or 0
        if seen <= max(row.mark, row.lost_mark):
            return
        calls = logbook.entries_after(_directory(), str(row.identity), row.mark)
    except LogbookUnusable as unusable:
        logger.error("%s", unusable)
        return
    lost = {"machine": socket.gethostname(), "calls": calls[-MOST_KEPT:], "count": len(calls)}
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
        seen = logbook.highest(_directory(), str(row.identity))
        if seen is not None and seen < row.mark:
            logbook.append(_directory(), str(row.identity), [{"mark": row.mark, "at": _now()}])
    except LogbookUnusable as unusable:
        logger.error("%s", unusable)


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
    directory, identity = _directory(), str(row.identity)
    try:
        logbook.put_aside(directory, identity)
        seen = logbook.highest(directory, identity)
        if seen is None or seen < row.mark:
            logbook.append(directory, identity, [{"mark": row.mark, "at": _now()}])
    except LogbookUnusable as unusable:
        raise _held_back(_unusable(unusable, row.mark)) from unusable


def moment(time: dt.datetime) -> str:
    """A time for a stored sentence, kept in its order on pages that are written from the right."""
    return isolated(timezone.localtime(time).strftime("%Y-%m-%d %H:%M"))


def isolated(text: str) -> str:
    """A piece that is written from the left, also on pages that are written from the right."""
    return f"\u2066{text}\u2069"


def _directory() -> Path:
    return Path(settings.LOGBOOK_DIR)


def _now() -> str:
    return timezone.now().isoformat(timespec="seconds")


def _count(calls: Sequence[Call]) -> tuple[str, list[dict[str, Any]]]:
    """Count them in the database: the last thing in the transaction, because everybody waits for this row."""
    only = DatabaseMark.objects.filter(pk=DatabaseMark.ONLY)
    entries = _entries(calls)
    if not only.update(mark=F("mark") + len(calls)):
        DatabaseMark.objects.bulk_create([DatabaseMark(pk=DatabaseMark.ONLY)], ignore_conflicts=True)
        only.update(mark=F("mark") + len(calls))
    row = only.get()
    before = row.mark - len(calls)
    try:
        seen = logbook.highest(_directory(), str(row.identity))
        found = _found(row, before, seen, claimed=calls)
        if seen is None and found is None:  # begun before anything is counted, so that it is never missed afterwards
            logbook.append(_directory(), str(row.identity), [{"mark": 0, "at": _now()}])
    except LogbookUnusable as unusable:
        found = _unusable(unusable, before)
    if found is not None:
        raise _held_back(found)
    return str(row.identity), [{"mark": mark, **entry} for mark, entry in enumerate(entries, before + 1)]


def _found(row: DatabaseMark, known: int, seen: int | None, *, claimed: Sequence[Call] = ()) -> Finding | None:
    left = max(row.lost_mark, seen or 0)
    if left > known:
        lost = row.lost if row.lost_mark >= (seen or 0) else _lost_here(row, known)
        at = str((lost.get("calls") or [{}])[-1].get("at", ""))
        time = moment(dt.datetime.fromisoformat(at)) if at else "–"
        return Finding(OLDER, {"known": known, "left": left, "time": time}, known, left, lost=lost)
    if seen is None and (known or _is_of_another_time(claimed)):
        return Finding(NO_LOGBOOK, {"machine": isolated(socket.gethostname()), "known": known}, known, known)
    return None


def _is_of_another_time(claimed: Sequence[Call]) -> bool:
    """Whether this is a database from before there were marks, on a machine that has kept a logbook since then."""
    earlier = Call.objects.exclude(started_at=None).exclude(pk__in=[call.pk for call in claimed])
    return logbook.is_kept(_directory()) and earlier.exists()


def _lost_here(row: DatabaseMark, known: int) -> dict[str, Any]:
    calls = logbook.entries_after(_directory(), str(row.identity), known)
    return {"machine": socket.gethostname(), "calls": calls[-MOST_KEPT:], "count": len(calls)}


def _unusable(unusable: LogbookUnusable, known: int) -> Finding:
    params = {"path": isolated(str(unusable.path)), "why": isolated(unusable.why)}
    return Finding(CORRUPT if unusable.is_corrupt else UNUSABLE, params, known, known, clearable=unusable.is_corrupt)


def _unwritable(known: int) -> Finding | None:
    why = logbook.why_unwritable(_directory())
    return _unusable(LogbookUnusable(_directory(), why), known) if why else None


def _held_back(found: Finding) -> HeldBack:
    return HeldBack(found.message, params=found.params)


def _entries(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """What the logbook keeps of each call: enough to find it and say what it was; no number and no text."""
    runs = Run.objects.filter(pk__in={call.run_id for call in calls})
    names = ("uuid", "account__name", "campaign_id", "campaign__title", "phonebook__title")
    facts = {pk: found for pk, *found in runs.values_list("pk", *names)}
    at = _now()
    entries = []
    for call in calls:
        run, account, campaign, title, book = facts[call.run_id]
        entries.append(
            {
                "at": at,
                "call": str(call.uuid),
                "run": str(run),
                "sequence": call.sequence,
                "operation": call.operation,
                "items": call.item_count,
                "account": account,
                "campaign": campaign,
                "about": title or book or "",
            }
        )
    return entries


def _write(identity: str, entries: Sequence[dict[str, Any]], calls: Sequence[Call]) -> None:
    try:
        logbook.append(_directory(), identity, entries)
    except LogbookUnusable as unusable:
        _put_back(calls)
        raise _held_back(_unusable(unusable, 0)) from unusable


def _put_back(calls: Sequence[Call]) -> None:
    """They are on record as on the wire, but have not left and will not."""
    keys = [call.pk for call in calls]
    with transaction.atomic():
        claimed = Call.objects.filter(pk__in=keys, state=Call.State.ON_WIRE)
        Recipient.objects.filter(call__in=claimed, state=Recipient.State.ON_WIRE).update(state=Recipient.State.PLANNED)
        claimed.update(state=Call.State.PLANNED, lease_until=None, attempts=F("attempts") - 1)
