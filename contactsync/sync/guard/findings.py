"""Why calls are held back now, as far as this machine can tell."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.models import Call, DatabaseMark
from contactsync.models.reasons import reason
from contactsync.sync import logbook
from contactsync.sync.logbook import LogbookUnusable
from contactsync.text import left_to_right
from providers.exceptions import ProviderError

MOST_KEPT = 2_000  # calls of which the database keeps what a logbook told

OLDER = gettext_noop(
    "This database is older than what has gone out. Calls that left and that it does not know as made: %(calls)s, the last "
    "at %(time)s. Probably a backup was restored. Nothing is sent or pushed until a person has compared on the page “Restored "
    "database”."
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


def finding() -> Finding | None:
    """Why calls are held back now, as far as this machine can tell; None when they may go out. Writes nothing."""
    row = DatabaseMark.objects.filter(pk=DatabaseMark.ONLY).first()
    if row is None:
        return _unwritable(0)
    try:  # before the row: whatever the logbook has then, the row has counted
        seen = logbook.highest(directory(), str(row.identity))
        row.refresh_from_db()
        return found_at(row, row.mark, seen) or _unwritable(row.mark)
    except LogbookUnusable as error:
        return unusable(error, row.mark)


def why_held_back() -> dict[str, Any]:
    """The reason to show where a send or a push would begin; empty when calls may go out."""
    found = finding()
    return found.why if found else {}


def moment(time: dt.datetime) -> str:
    """A time for a stored sentence, kept in its order on pages that are written from the right."""
    return left_to_right(timezone.localtime(time).strftime("%Y-%m-%d %H:%M"))


def directory() -> Path:
    """Where the logbook lies."""
    return Path(settings.LOGBOOK_DIR)


def now() -> str:
    """This moment, as the logbook writes it."""
    return timezone.now().isoformat(timespec="seconds")


def found_at(row: DatabaseMark, known: int, seen: int | None, *, claimed: Sequence[Call] = ()) -> Finding | None:
    """What the marks say when the database knows `known` calls and the logbook has seen `seen` (None: there is none)."""
    left = max(row.lost_mark, seen or 0)
    if left > known:
        lost = row.lost if row.lost_mark >= (seen or 0) else lost_here(row, known)
        at = str((lost.get("calls") or [{}])[-1].get("at", ""))
        time = moment(dt.datetime.fromisoformat(at)) if at else "–"
        return Finding(OLDER, {"calls": lost.get("count") or left - known, "time": time}, known, left, lost=lost)
    if seen is None and (known or _is_of_another_time(claimed)):
        params = {"machine": left_to_right(socket.gethostname()), "known": _earlier(claimed).count()}
        return Finding(NO_LOGBOOK, params, known, known)
    return None


def _is_of_another_time(claimed: Sequence[Call]) -> bool:
    """Whether this is a database from before there were marks, on a machine that has kept a logbook since then."""
    return logbook.is_kept(directory()) and _earlier(claimed).exists()


def _earlier(claimed: Sequence[Call]) -> QuerySet[Call]:
    """The calls that have left before these."""
    return Call.objects.exclude(started_at=None).exclude(pk__in=[call.pk for call in claimed])


def lost_here(row: DatabaseMark, known: int) -> dict[str, Any]:
    """What the logbook of this machine has beyond the calls the database knows; one tried several times is one call. Raises `LogbookUnusable`."""
    entries = logbook.entries_after(directory(), str(row.identity), known)
    count = len({entry["call"] for entry in entries})
    return {"machine": socket.gethostname(), "calls": entries[-MOST_KEPT:], "count": count}


def unusable(error: LogbookUnusable, known: int) -> Finding:
    """A logbook that cannot be read or written. A person's word is enough for a damaged one, which is then put aside."""
    params = {"path": left_to_right(str(error.path)), "why": left_to_right(error.why)}
    return Finding(CORRUPT if error.is_corrupt else UNUSABLE, params, known, known, clearable=error.is_corrupt)


def _unwritable(known: int) -> Finding | None:
    why = logbook.why_unwritable(directory())
    return unusable(LogbookUnusable(directory(), why), known) if why else None


def held_back(found: Finding) -> HeldBack:
    """The error that says so."""
    return HeldBack(found.message, params=found.params)
