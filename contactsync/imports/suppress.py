"""A file that goes onto the suppression list: verdicts on its rows, and the only place of the package that writes the list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils import timezone

from contactsync.imports.judged import Judged
from contactsync.imports.settle import Outcome, Verdict, left_out
from contactsync.models import ImportChange, ImportJob, Suppression
from contactsync.models.bulk import Inserter, next_ids
from contactsync.models.listed import among

Source = Suppression.Source


def told_of(rows: Sequence[Judged]) -> dict[str, tuple[Any, ...]]:
    """What each usable row says, by number: what the real run must find again."""
    return {
        judged.phone: (f"{judged.phone}\0{judged.fields.get('reason', '')}\0{judged.fields.get('since', '')}",)
        for judged in rows
        if not judged.rejected and not judged.same_as_line
    }


def verdicts(rows: Sequence[Judged], told: Mapping[str, tuple[Any, ...]]) -> list[Verdict]:
    """The final verdict on each row. A number that is on the list stays as it is, whatever the row says."""
    there = _there(told)
    return [
        left_out(judged)
        if judged.rejected or judged.same_as_line
        else Verdict(judged, Outcome.UNCHANGED, None, {}, judged.problems, suppressed=False, there=there[judged.phone])
        if judged.phone in there
        else Verdict(judged, Outcome.CREATED, None, judged.fields, judged.problems, suppressed=False)
        for judged in rows
    ]


def _there(numbers: Collection[str]) -> dict[str, int]:
    """Those of the numbers that are on the list: their ids there when a file brought them, else 0."""
    found = Suppression.objects.filter(phone__in=among(numbers)).values_list("phone", "pk", "source")
    return {phone: pk if source == Source.IMPORT else 0 for phone, pk, source in found}


def write(job: ImportJob, found: Sequence[Verdict]) -> None:
    """Add what is new, and keep for an undo which row added what, and which row named what a file had added before."""
    created = [verdict for verdict in found if verdict.outcome is Outcome.CREATED]
    ids = iter(next_ids(Suppression, len(created)))
    now = timezone.now()
    numbers: list[tuple[int, str, str, dt.datetime]] = []
    changes: list[tuple[int, int, int, str, dict[str, Any] | None]] = []
    for verdict in found:
        judged, row = verdict.judged, verdict.judged.row
        if verdict.outcome is Outcome.CREATED:
            key, why = next(ids), judged.fields.get("reason", "")
            numbers.append((key, judged.phone, why, judged.fields.get("since", now)))
            told = {"set": {"phone": judged.phone, "reason": why}}
            changes.append((key, row.number, row.line, ImportChange.Kind.CREATED.value, told))
        elif verdict.there:
            changes.append((verdict.there, row.number, row.line, ImportChange.Kind.THERE.value, None))
    shared = {"source": Source.IMPORT.value}
    Inserter(Suppression, ("id", "phone", "reason", "since"), shared=shared).insert(numbers)
    Inserter(ImportChange, ("suppression", "row", "line", "kind", "before"), shared={"job": job.pk}).insert(changes)
