"""Calls on their way out: counted in the database, written into the logbook, and only then let go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import F

from contactsync.models import Call, DatabaseMark, Recipient, Run
from contactsync.sync import logbook
from contactsync.sync.guard.clearing import remember
from contactsync.sync.guard.findings import HeldBack, directory, found_at, held_back, now, unusable
from contactsync.sync.logbook import LogbookUnusable


@contextmanager
def leaving(owner: str) -> Iterator[list[Call]]:
    """A durable transaction that puts calls on the wire: the caller adds to the list those that it has claimed for `owner`.

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
        _write(*counted, calls, owner=owner)


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
        seen = logbook.highest(directory(), str(row.identity))
        found = found_at(row, before, seen, claimed=calls)
        if seen is None and found is None:  # begun before anything is counted, so that it is never missed afterwards
            logbook.append(directory(), str(row.identity), [{"mark": 0, "at": now()}])
    except LogbookUnusable as error:
        found = unusable(error, before)
    if found is not None:
        raise held_back(found)
    return str(row.identity), [{"mark": mark, **entry} for mark, entry in enumerate(entries, before + 1)]


def _entries(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """What the logbook keeps of each call: enough to find it and say what it was; no number and no text."""
    runs = Run.objects.filter(pk__in={call.run_id for call in calls})
    names = ("uuid", "account__name", "campaign_id", "campaign__title", "phonebook__title")
    facts = {pk: found for pk, *found in runs.values_list("pk", *names)}
    at = now()
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


def _write(identity: str, entries: Sequence[dict[str, Any]], calls: Sequence[Call], *, owner: str) -> None:
    try:
        logbook.append(directory(), identity, entries)
    except LogbookUnusable as error:
        _put_back(calls, owner)
        raise held_back(unusable(error, 0)) from error


def _put_back(calls: Sequence[Call], owner: str) -> None:
    """They are on record as on the wire, but have not left and will not; what is somebody else's by now stays as it is."""
    with transaction.atomic():
        ours = Call.objects.filter(pk__in=[call.pk for call in calls], state=Call.State.ON_WIRE, lease_owner=owner)
        keys = list(ours.select_for_update().values_list("pk", flat=True))
        Call.objects.filter(pk__in=keys).update(state=Call.State.PLANNED, lease_until=None, attempts=F("attempts") - 1)
        people = Recipient.objects.filter(call__in=keys, state=Recipient.State.ON_WIRE)
        people.update(state=Recipient.State.PLANNED)
