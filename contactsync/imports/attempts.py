"""A corrected workbook joins the import whose rows it corrects, as its next attempt."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop

from contactsync.imports.correction_workbook import RowKey, key_column, own_columns, read_key
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Form
from contactsync.imports.issues import storable
from contactsync.imports.letters import column_letters, column_titles
from contactsync.imports.read import Row, read_rows
from contactsync.imports.rules import Rules
from contactsync.imports.settle import Outcome
from contactsync.imports.stream import open_upload
from contactsync.models import ImportChange, ImportCorrection, ImportIssue, ImportJob

CHUNK = 2000
Severity = ImportIssue.Severity
OF_THE_LIST = gettext_noop(
    "This workbook corrects the import of “%(file)s” into the suppression list. Upload it there, with the button of that list."
)
OTHER_PHONEBOOK = gettext_noop(
    "This workbook corrects the import of “%(file)s” into “%(phonebook)s”. Choose that phonebook and upload it again."
)


def corrected_import(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> ImportJob | None:
    """The import whose rows these are, as the row keys say; `None` when this is no correction workbook."""
    place = key_column(columns)
    if place is None:
        return None
    keys = (read_key(row[place]) for row in rows if len(row) > place)
    found = {key.job for key in keys if key}
    return ImportJob.objects.select_related("phonebook").filter(pk=min(found)).first() if found else None


def join(job: ImportJob, rows: Sequence[Sequence[str]]) -> None:
    """Make a fresh upload the next attempt of the import it corrects, with the columns and rules chosen there.

    Nothing is saved yet. Raises `UnreadableFile` when it belongs to another phonebook, or to the suppression list.
    """
    earlier = corrected_import(job.columns, rows)
    if earlier is None:
        return
    if earlier.phonebook_id != job.phonebook_id:
        if earlier.phonebook is None:
            raise UnreadableFile(OF_THE_LIST, file=earlier.file_name)
        raise UnreadableFile(OTHER_PHONEBOOK, file=earlier.file_name, phonebook=earlier.phonebook.title)
    job.corrects = earlier
    job.attempt = max(one.attempt for one in attempts_of(earlier)) + 1
    job.mapping = _mapping_as_then(earlier, job.columns)
    job.fixed_values, job.guess, job.region = earlier.fixed_values, {}, earlier.region
    Rules.of(earlier).keep_in(job)


def _mapping_as_then(earlier: ImportJob, columns: Sequence[str]) -> dict[str, str]:
    """Fields by title, equal titles in their order; what the workbook adds is left out."""
    fields: dict[str, list[str]] = {}
    for index, title in enumerate(column_titles(earlier.columns)):
        fields.setdefault(title, []).append(earlier.mapping.get(str(index), ""))
    mapping = {}
    for index, title in enumerate(_titles_now(columns)):
        waiting = fields.get(title, [])
        mapping[str(index)] = waiting.pop(0) if waiting else ""
    return mapping


def _titles_now(columns: Sequence[str]) -> list[str]:
    """As the workbook has them, each once; a column added since may share its title with one of them, and comes after it."""
    return [title.strip() or column_letters(index) for index, title in enumerate(columns)]


def note_corrections(job: ImportJob) -> None:
    """Keep, for each row of a corrected workbook, which row it was and what was changed in it."""
    place = key_column(job.columns)
    if job.corrects_id is None or place is None:
        return
    places = _places(job)
    with transaction.atomic(), open_upload(job) as file:
        ImportCorrection.objects.filter(job=job).delete()
        rows = read_rows(file, Form.of(job))
        while batch := list(itertools.islice(rows, CHUNK)):
            keyed = [(row, key) for row in batch if (key := _key(row, place)) and key.job == job.corrects_id]
            cells = _cells_then(job.corrects_id, [key.row for _row, key in keyed])
            ImportCorrection.objects.bulk_create(
                ImportCorrection(
                    job=job,
                    row=row.number,
                    line=row.line,
                    corrected_row=key.row,
                    changes=_changes(cells[key.row], row.cells, places) if key.row in cells else [],
                )
                for row, key in keyed
            )


def _key(row: Row, place: int) -> RowKey | None:
    return read_key(row.cells[place]) if len(row.cells) > place else None


def _places(job: ImportJob) -> list[tuple[str, int, int]]:
    """(title, index then, index now) of each column of the corrected import that is still there."""
    now: dict[str, list[int]] = {}
    for index, title in enumerate(_titles_now(job.columns)):
        now.setdefault(title, []).append(index)
    columns = job.corrects.columns if job.corrects else []
    then = [(index, column_titles(columns)[index]) for index in own_columns(columns)]
    return [(title, index, now[title].pop(0)) for index, title in then if now.get(title)]


def _cells_then(job_id: int, rows: Sequence[int]) -> dict[int, list[str]]:
    kept = ImportIssue.objects.filter(job_id=job_id, row__in=rows, severity=ImportIssue.Severity.REJECTED)
    return dict(kept.exclude(cells=[]).values_list("row", "cells"))


def _changes(then: Sequence[str], now: Sequence[str], places: Sequence[tuple[str, int, int]]) -> list[dict[str, str]]:
    found = []
    for title, old, new in places:
        before = then[old] if old < len(then) else ""
        after = storable(now[new]) if new < len(now) else ""
        if before.strip() != after.strip():
            found.append({"column": storable(title), "before": before, "after": after})
    return found


@dataclass(frozen=True, slots=True)
class Corrected:
    """Rows that had been rejected = imported + skipped + repeated + rejected again + not in the workbook."""

    total: int
    parts: Mapping[str, int]
    changed: int


def outcome_of(job: ImportJob) -> Corrected:
    """What this attempt made of the rows that the corrected import had rejected. A row copied by hand counts once."""
    keyed = ImportCorrection.objects.filter(job=job)
    issues = ImportIssue.objects.filter(job=job, row=OuterRef("row"))
    said = {severity: Exists(issues.filter(severity=severity)) for severity in ImportIssue.Severity}
    there = keyed.values("corrected_row").distinct().count()
    # The same row of then, copied by hand, counts as the best that became of it.
    rest, counted = keyed, {}
    for name, rows in (
        ("imported", ~said[Severity.REJECTED] & ~said[Severity.DUPLICATE] & ~said[Severity.SKIPPED]),
        ("skipped", said[Severity.SKIPPED]),
        ("rejected", said[Severity.REJECTED]),
    ):
        found = rest.filter(rows)
        counted[name] = found.values("corrected_row").distinct().count()
        rest = rest.exclude(corrected_row__in=found.values("corrected_row"))
    total = max(_rejected_then(job.corrects), there) if job.corrects else 0
    return Corrected(
        total=total,
        parts={
            "imported": counted["imported"],
            "skipped": counted["skipped"],
            "duplicate": there - sum(counted.values()),
            "rejected": counted["rejected"],
            "missing": total - there,
        },
        changed=keyed.exclude(changes=[]).count(),
    )


def knows_rows_then(job: ImportJob) -> bool:
    """Whether what was corrected is still kept: the rows of this attempt, and those before it."""
    kept = (job, job.corrects)
    return all(one and one.erased_at is None and one.state != ImportJob.State.DISCARDED for one in kept)


def _rejected_then(job: ImportJob) -> int:
    """How many rows of the file the import rejects; what was imported may be a part of them only."""
    counts = job.counts if job.state == ImportJob.State.APPLIED else job.checked_counts
    return int(counts.get(Outcome.REJECTED, 0))


def outcomes_of_rows(job: ImportJob, rows: Sequence[int]) -> dict[int, str]:
    """What became of these rows of the attempt, one of `Outcome`; unchanged ones leave no trace and are what is left."""
    found: dict[int, str] = dict.fromkeys(rows, Outcome.UNCHANGED.value)
    found |= dict(ImportChange.objects.filter(job=job, row__in=rows).values_list("row", "kind"))
    refused = job.issues.filter(row__in=rows).exclude(severity=ImportIssue.Severity.WARNING)
    return found | dict(refused.values_list("row", "severity"))


def attempts_of(job: ImportJob) -> list[ImportJob]:
    """The first import and all its corrections, in the order of their upload; only the import itself when it has none."""
    first = job
    while first.corrects is not None:
        first = first.corrects
    found, level = [first], [first]
    while level:
        level = list(ImportJob.objects.filter(corrects__in=level))
        found += level
    return sorted(found, key=lambda one: one.pk)
