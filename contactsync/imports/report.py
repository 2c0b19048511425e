"""What an import came to: the equation, and the rejected rows as a file."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from contactsync.imports.issues import describe_issue
from contactsync.imports.settle import Outcome
from contactsync.models import ImportIssue, ImportJob
from contactsync.text import defuse

State = ImportJob.State
BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for a Windows code page


@dataclass(frozen=True, slots=True)
class Equation:
    """`total` rows, and what became of them; `waiting` is a part while rows are not done yet."""

    total: int
    parts: dict[str, int]
    balances: bool


def equation(job: ImportJob) -> Equation:
    """Rows in the file = created + updated + unchanged + skipped + duplicate + rejected; of the check until rows have been imported."""
    counts = job.counts or job.checked_counts
    parts = {str(outcome): int(counts.get(outcome, 0)) for outcome in Outcome}
    done = int(counts.get("rows", 0))
    total = int(job.total_rows or done) if job.counts else done
    if total > done and job.state != State.APPLIED:
        parts["waiting"] = total - done
    balances = sum(parts.values()) == total and bool(counts.get("balances", True))
    return Equation(total, parts, balances)


def rejected_rows(job: ImportJob) -> Iterator[str]:
    """The rejected rows as CSV text, piece by piece: their cells as uploaded, then line and reasons. Formulas are defused.

    Cells beyond the columns of the table come after the reasons, so that everything else stays in its column.
    """
    pen = _Pen(";" if job.dialect.get("delimiter") == ";" else ",")
    width = len(job.columns)
    titles = [*job.columns, _("line in the file"), _("why it was rejected")]
    yield BYTE_ORDER_MARK + pen.line(titles)
    rejected = job.issues.filter(severity=ImportIssue.Severity.REJECTED).order_by("row", "pk")
    for _row, issues in itertools.groupby(rejected.iterator(chunk_size=2000), key=lambda issue: issue.row):
        found = list(issues)
        cells: list[str] = next((issue.cells for issue in found if issue.cells), [])
        padded = [*cells, *[""] * width][:width]
        yield pen.line([*padded, str(found[0].line), " ".join(map(_sentence, found)), *cells[width:]])


def _sentence(issue: ImportIssue) -> str:
    text = describe_issue(issue)
    if issue.suggestion:
        text = _("%(problem)s Suggestion: %(suggestion)s") % {"problem": text, "suggestion": issue.suggestion}
    return f"{issue.column}: {text}" if issue.column else text


class _Pen:
    """Writes one CSV line at a time, with the delimiter that the spreadsheet of the uploader expects."""

    def __init__(self, delimiter: str) -> None:
        self._paper = io.StringIO()
        self._writer = csv.writer(self._paper, delimiter=delimiter)

    def line(self, cells: list[str]) -> str:
        self._writer.writerow([defuse(cell) for cell in cells])
        text = self._paper.getvalue()
        self._paper.seek(0)
        self._paper.truncate()
        return text
