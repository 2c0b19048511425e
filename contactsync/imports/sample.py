"""The first rows of an uploaded file as they are read now, and what else a person needs to judge that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contactsync.imports.forms import Form
from contactsync.imports.letters import column_titles
from contactsync.models import ImportJob
from contactsync.models.reasons import describe

#: kept with the import, because to open a large spreadsheet takes seconds
ROWS = 20
WIDTH = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows as they are read by `form` now.

    `above` are the first of the lines that are skipped, `sheets` names and last rows (None: not counted) of a
    workbook with several; `hidden` says how many `rows`, which `columns` (titles) and which `sheets` nobody sees in it,
    `lost` which cells are read as empty though they are not (`lost_cells.Lost`).
    `is_counted` says whether the number of rows of the import is exact already, `trouble`
    why further down the file cannot be read in this form.
    """

    columns: list[str]
    rows: list[list[str]]
    form: Form
    above: list[str]
    sheets: list[tuple[str, int | None]]
    hidden: Mapping[str, Any]
    lost: Mapping[str, Any]
    is_counted: bool
    trouble: str


def sample_of(job: ImportJob, *, rows: int = 10) -> Sample:
    """The first rows of the file (at most `ROWS`), for a person to confirm how it is read."""
    form = Form.of(job)
    width = len(job.columns)
    titles, hidden = column_titles(job.columns), job.dialect.get("hidden", {})
    body = [[*row, *[""] * width][:width] for row in job.dialect.get("sample", [])[:rows]]
    return Sample(
        columns=titles,
        rows=body,
        form=form,
        above=job.dialect.get("above", []),
        sheets=[(name, rows) for name, rows in job.dialect.get("sheets", [])],
        hidden={**hidden, "columns": [titles[index] for index in hidden.get("columns", ()) if index < width]},
        lost=job.dialect.get("lost", {}),
        is_counted=job.dialect.get("is_counted", False),
        trouble=describe(job.dialect.get("trouble", {})),
    )
