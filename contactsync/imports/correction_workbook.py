"""The rejected rows of an import as a workbook to correct and upload again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import get_language_bidi, gettext_noop, override
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.datavalidation import DataValidation

from contactsync.imports.errors import ImportRefused
from contactsync.imports.issues import describe_issue
from contactsync.imports.letters import column_titles
from contactsync.imports.plan import options_of
from contactsync.models import ImportIssue, ImportJob
from contactsync.text import excel_text

#: heads the hidden column that says which row of which import a line of the workbook is
KEY_TITLE = "contactsync row key"
#: what one sheet can hold, with a header
MOST_ROWS = 1_000_000
LISTS = "allowed values"
ROWS_GONE = gettext_noop("The rejected rows are no longer kept, so they cannot be corrected. Upload the file again.")
TOO_MANY = gettext_noop(
    "%(count)s rows were rejected, more than a sheet can hold. Correct the cause in the file itself and upload it again."
)
_MARK = PatternFill("solid", fgColor="FFF4B6B6")
_HEAD = Font(bold=True)
_QUIET = Font(color="FF666666")
#: titles and widths of the columns between those of the person and the key
_TOLD = {
    gettext_noop("line in the file"): 12,
    gettext_noop("why it was rejected"): 60,
    gettext_noop("suggestion"): 30,
}


@dataclass(frozen=True, slots=True)
class RowKey:
    """Which row of which import."""

    job: int
    row: int

    def __str__(self) -> str:
        return f"{self.job}-{self.row}-{_signature(self.job, self.row)}"


def read_key(text: str) -> RowKey | None:
    """The key as written by us; `None` for anything else, such as one that a spreadsheet has counted up."""
    job, _dash, rest = text.strip().partition("-")
    row, _dash, signature = rest.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (job, row)):
        return None
    key = RowKey(int(job), int(row))
    return key if constant_time_compare(signature, _signature(key.job, key.row)) else None


def _signature(job: int, row: int) -> str:
    return salted_hmac("contactsync.imports.correction", f"{job}-{row}").hexdigest()[:12]


def key_column(columns: Sequence[str]) -> int | None:
    """Where the row keys stand; `None` when this is no correction workbook."""
    return next((index for index, title in enumerate(columns) if title.strip() == KEY_TITLE), None)


def own_columns(columns: Sequence[str]) -> list[int]:
    """The columns of the person: all but those that a correction workbook adds, of which some may have been deleted."""
    key = key_column(columns)
    if key is None:
        return list(range(len(columns)))
    told = {index for index in range(max(0, key - len(_TOLD)), key) if columns[index].strip() in _told_titles()}
    return [index for index in range(len(columns)) if index != key and index not in told]


@lru_cache
def _told_titles() -> frozenset[str]:
    """What the columns before the key may be called: whoever uploads the workbook may have another language."""
    found = set[str]()
    for code, _name in settings.LANGUAGES:
        with override(code):
            found.update(map(_, _TOLD))
    return frozenset(found)


def write_workbook(job: ImportJob, file: IO[bytes]) -> None:
    """Write the rejected rows of the import: cells as uploaded, the wrong ones marked, line, reason, suggestion and row key.

    Every cell is text, so that the spreadsheet neither calculates nor shortens it. Raises `ImportRefused`.
    """
    rejected = job.issues.filter(severity=ImportIssue.Severity.REJECTED)
    count = rejected.values("row").distinct().count()
    if count > MOST_ROWS:
        raise ImportRefused(TOO_MANY, count=count)
    if job.erased_at:
        raise ImportRefused(ROWS_GONE)
    own = own_columns(job.columns)
    titles = [column_titles(job.columns)[index] for index in own]
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("corrections"))
    sheet.sheet_view.rightToLeft = get_language_bidi()
    sheet.freeze_panes = "A2"
    for offset, width in enumerate(_TOLD.values(), start=len(titles) + 1):
        sheet.column_dimensions[get_column_letter(offset)].width = width
    sheet.column_dimensions[get_column_letter(len(titles) + len(_TOLD) + 1)].hidden = True
    heads = [*titles, *map(_, _TOLD), KEY_TITLE]
    sheet.append([_cell(sheet, text, font=_HEAD) for text in heads])
    for issues in _rows(job):
        sheet.append(_line(sheet, job, own, issues))
    _offer_choices(book, sheet, _choices(job), last=count + 1)
    book.save(file)


def _rows(job: ImportJob) -> Iterator[list[ImportIssue]]:
    rejected = job.issues.filter(severity=ImportIssue.Severity.REJECTED).order_by("row", "pk")
    for _row, issues in itertools.groupby(rejected.iterator(chunk_size=2000), key=lambda issue: issue.row):
        yield list(issues)


def _line(sheet: WriteOnlyWorksheet, job: ImportJob, own: Sequence[int], issues: Sequence[ImportIssue]) -> list[Cell]:
    """One row; cells beyond the table come last, where a person sees them beside the key."""
    titles = column_titles(job.columns)
    cells: list[str] = next((issue.cells for issue in issues if issue.cells), [])
    wrong = {issue.column for issue in issues if issue.column}
    body = [
        _cell(sheet, cells[index] if index < len(cells) else "", fill=_MARK if titles[index] in wrong else None)
        for index in own
    ]
    reasons = "\n".join(f"{one.column}: {describe_issue(one)}" if one.column else describe_issue(one) for one in issues)
    suggestions = "\n".join(one.suggestion for one in issues if one.suggestion)
    key = str(RowKey(job.pk, issues[0].row))
    told = [_cell(sheet, text, font=_QUIET) for text in (str(issues[0].line), reasons, suggestions, key)]
    return [*body, *told, *(_cell(sheet, text, fill=_MARK) for text in cells[len(titles) :])]


def _cell(sheet: WriteOnlyWorksheet, text: str, *, fill: PatternFill | None = None, font: Font | None = None) -> Cell:
    cell = WriteOnlyCell(sheet, excel_text(ILLEGAL_CHARACTERS_RE.sub("", text)[:32_767]))
    cell.data_type = "s"  # never a formula
    cell.number_format = "@"
    if fill:
        cell.fill = fill
    if font:
        cell.font = font
    return cell


def _choices(job: ImportJob) -> dict[int, list[str]]:
    """Column of the workbook -> allowed values, for columns that hold one of several values."""
    options = options_of(job.phonebook)
    own = own_columns(job.columns)
    found = {}
    for index, field in job.mapping.items():
        option = options.get(field.removeprefix("option:")) if field.startswith("option:") else None
        if option and option.kind == option.Kind.CHOICE and option.choices and int(index) in own:
            found[own.index(int(index))] = list(map(str, option.choices))
    return found


def _offer_choices(book: Workbook, sheet: WriteOnlyWorksheet, choices: Mapping[int, list[str]], *, last: int) -> None:
    """A list to choose from in each cell of these columns; the values stand on a hidden sheet of their own."""
    if not choices or last < 2:
        return
    lists = book.create_sheet(LISTS)
    lists.sheet_state = "hidden"
    for row in itertools.zip_longest(*choices.values(), fillvalue=""):
        lists.append([_cell(lists, text) for text in row])
    for place, (index, values) in enumerate(choices.items(), start=1):
        letter = get_column_letter(place)
        rule = DataValidation(
            type="list",
            formula1=f"{quote_sheetname(LISTS)}!${letter}$1:${letter}${len(values)}",
            allow_blank=True,
            errorStyle="warning",
            showErrorMessage=True,
        )
        rule.add(f"{get_column_letter(index + 1)}2:{get_column_letter(index + 1)}{last}")
        sheet.data_validations.append(rule)  # type: ignore[attr-defined]
