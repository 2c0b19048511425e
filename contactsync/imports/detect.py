"""What an uploaded file is: text or spreadsheet, in which encoding, with which delimiter, where its table begins."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any, BinaryIO

from django.utils.translation import gettext_noop

from contactsync.imports.charset import Scan, scan
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Asked, Form, Kind
from contactsync.imports.guess import DELIMITERS, guess_header, guess_start, is_contact, titles_are_too_few
from contactsync.imports.headers import is_known_header
from contactsync.imports.hidden import Hidden, hidden_in
from contactsync.imports.issues import storable
from contactsync.imports.letters import column_letters
from contactsync.imports.lost_cells import Lost, lost_in
from contactsync.imports.read import Row, first_lines, has_content, open_table
from contactsync.imports.sheets import Sheet, first_column, list_sheets, looks_like_sheet
from contactsync.imports.text_form import text_form, text_form_asked
from contactsync.text import printable

__all__ = ["DELIMITERS", "Found", "examine", "examine_again"]

SAMPLE_ROWS = 200
#: up to this many bytes the rows are counted at once, which takes less than a second
COUNTED_TEXT = 8_000_000
COUNTED_SHEET = 2_000_000
#: to open each for the sake of a contact takes its time
MOST_SHEETS = 8
#: every column of a file is a choice on a page
MOST_COLUMNS = 500
SHOWN_ABOVE, SHOWN_WIDTH = 5, 200

EMPTY = gettext_noop("The file is empty.")
EMPTY_SHEET = gettext_noop("The sheet “%(sheet)s” is empty.")
NO_TABLE = gettext_noop("No sheet of the workbook holds a table with rows.")
NO_ROWS = gettext_noop("The file has no rows below its header.")
NOTHING_BELOW = gettext_noop("There is nothing below line %(line)s of the file. Skip fewer lines.")
PACKED = gettext_noop(
    "All columns of the file stand in a single one (“%(title)s”). Open it in a spreadsheet, divide the column (in Excel: Data, Text to Columns), save it as .xlsx and upload that."
)
TOO_WIDE = gettext_noop(
    "The table on line %(line)s reaches to column %(column)s; at most %(limit)s columns can be read. "
    "Delete the columns that are not needed, and upload the file again."
)
ALL_HIDDEN = gettext_noop("All rows of the sheet “%(sheet)s” are hidden in it. Import the hidden rows too.")
UNKNOWN_SHEET = gettext_noop("The spreadsheet has no sheet “%(sheet)s” that can be chosen here.")


@dataclass(frozen=True, slots=True)
class Found:
    """A file that can be read: how, its fingerprint, its header (empty titles when it has none) and its first rows.

    `total` is the number of its rows, or None when counting them was left to the check; `trouble` is why they cannot
    all be read in this form, `above` are the first of the lines that are skipped. `hidden_rows` counts those of the sheet
    below its header (`lost` cells those of the whole sheet), `hidden_columns` are places among the columns, `hidden_sheets` are never read.
    """

    form: Form
    sha256: str
    size: int
    columns: list[str]
    rows: list[list[str]]
    total: int | None = None
    trouble: dict[str, Any] = field(default_factory=dict)
    above: list[str] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: list[int] = field(default_factory=list)
    hidden_sheets: list[str] = field(default_factory=list)
    lost: Lost = field(default_factory=Lost)

    @property
    def expected_rows(self) -> int | None:
        """The number of rows, as far as lines tell where they were not counted."""
        lines = self.form.lines - self.form.skip_lines - self.form.has_header
        return self.total if self.total is not None else max(1, lines) if self.form.lines else None

    def as_dialect(self) -> dict[str, Any]:
        """The form as an import keeps it, with what a person needs to judge and to change it."""
        return {
            **self.form.as_dialect(),
            "above": [storable(line[:SHOWN_WIDTH]) for line in self.above],
            "sheets": [(sheet.name, sheet.rows) for sheet in self.sheets] if len(self.sheets) > 1 else [],
            "hidden": {
                "rows": self.hidden_rows,
                "columns": self.hidden_columns,
                "sheets": [storable(name) for name in self.hidden_sheets],
            },
            "lost": asdict(self.lost),
            "is_counted": self.total is not None,
            "trouble": self.trouble,
        }


def examine(file: BinaryIO) -> Found:
    """Find out everything about a file by itself. Raises `UnreadableFile` when it cannot be read to its end."""
    found = scan(file)
    if not found.size:
        raise UnreadableFile(EMPTY)
    is_sheet = looks_like_sheet(found.head)
    seen = _first_table(file, found) if is_sheet else _look_into(file, text_form(file, found), found)
    if len(seen.columns) == 1 and _is_packed(seen.columns[0]):
        raise UnreadableFile(PACKED, title=printable(seen.columns[0])[:SHOWN_WIDTH])
    return seen


def examine_again(file: BinaryIO, form: Form, asked: Asked) -> Found:
    """Look at the file as a person wants it read; what is not asked for follows from what is. Raises `UnreadableFile`."""
    found = scan(file)
    before, sheets, hidden_sheets = form, list[Sheet](), list[str]()
    if form.kind is Kind.TEXT:
        form = text_form_asked(file, form, found, asked)
    else:
        sheets, hidden_sheets = list_sheets(file)
        form = replace(form, sheet=_check_sheet(asked.get("sheet") or form.sheet, sheets))
        leaves_out = form.leave_out_hidden and form.sheet == before.sheet
        form = replace(form, leave_out_hidden=leaves_out if (told := asked.get("leave_out_hidden")) is None else told)
    cut = _rows_of(before) != _rows_of(form)
    skip = asked.get("skip_lines")
    if skip is None and not cut:
        skip = before.skip_lines
    has_header = asked.get("has_header")
    if has_header is None and not cut and skip == before.skip_lines:
        has_header = before.has_header
    seen = _look_into(file, form, found, sheets=sheets, skip=skip, has_header=has_header)
    return replace(seen, hidden_sheets=hidden_sheets)


def _rows_of(form: Form) -> tuple[str | bool, ...]:
    """What makes other rows of the same bytes; where the table begins, and whether it has a header, is asked anew then."""
    return form.encoding, form.delimiter, form.sheet, form.leave_out_hidden


def _first_table(file: BinaryIO, found: Scan) -> Found:
    """The first sheet with a contact on it, else with rows; workbooks begin with an empty sheet, or with a cover, at times."""
    sheets, hidden_sheets = list_sheets(file)
    first, refusals = None, []
    for place, sheet in enumerate(sheets):
        if first is not None and place >= MOST_SHEETS:
            break
        try:
            seen = _look_into(file, Form(kind=Kind.SHEET, sheet=sheet.name), found, sheets=sheets)
        except UnreadableFile as error:
            if first is None and error.message not in {EMPTY_SHEET, NO_ROWS}:
                raise
            refusals.append(error)
            continue
        if any(map(is_contact, seen.rows)):
            return replace(seen, hidden_sheets=hidden_sheets)
        first = first or seen
    if first is None:
        raise refusals[0] if len(sheets) == 1 else UnreadableFile(NO_TABLE)
    return replace(first, hidden_sheets=hidden_sheets)


def _check_sheet(name: str, sheets: list[Sheet]) -> str:
    if name not in {sheet.name for sheet in sheets}:
        raise UnreadableFile(UNKNOWN_SHEET, sheet=name)
    return name


def _look_into(
    file: BinaryIO,
    form: Form,
    found: Scan,
    *,
    sheets: list[Sheet] | None = None,
    skip: int | None = None,
    has_header: bool | None = None,
) -> Found:
    """Read the first rows and settle what they tell: where the table begins, header, columns."""
    form = replace(form, skip_lines=max(skip or 0, form.skip_lines), has_header=False)
    table = open_table(file, form)
    rows = list(islice(table, SAMPLE_ROWS + 1))
    if not rows:
        raise _nothing(form)
    above = None
    if skip is None and (start := guess_start([row.cells for row in rows])):
        form = replace(form, skip_lines=rows[start].line - 1)
        if form.kind is Kind.SHEET:  # to open it once more would take as long as the first time
            above = [" ".join(filter(has_content, row.cells)) for row in rows[: min(start, SHOWN_ABOVE)]]
        rows = rows[start:]
    header = guess_header([row.cells for row in rows]) if has_header is None else has_header
    if header and len(rows) == 1:
        raise UnreadableFile(ALL_HIDDEN, sheet=form.sheet) if form.leave_out_hidden else UnreadableFile(NO_ROWS)
    hidden = hidden_in(file, form.sheet) if form.kind is Kind.SHEET else Hidden()
    columns = _columns(rows, header=header)
    more, trouble = _count(table) if _is_counted(form, found) else (None, {})
    return Found(
        form=replace(form, has_header=header, width=len(columns)),
        sha256=found.sha256,
        size=found.size,
        columns=columns,
        rows=[row.cells for row in rows[header:]],
        total=None if more is None else len(rows) - header + more,
        trouble=trouble,
        above=first_lines(file, form, min(form.skip_lines, SHOWN_ABOVE)) if above is None else above,
        sheets=sheets or [],
        lost=lost_in(file, form.sheet) if form.kind is Kind.SHEET else Lost(),
        hidden_rows=hidden.below(rows[0].line if header else rows[0].line - 1),
        hidden_columns=_among(hidden.columns, len(columns), first_column(file, form.sheet)) if hidden.columns else [],
    )


def _among(hidden: Collection[int], width: int, first: int) -> list[int]:
    return [index for index in range(width) if index + first in hidden]


def _is_packed(title: str) -> bool:
    """Several titles in one: a table with commas was opened where semicolons divide, and saved there."""
    return any(sum(map(is_known_header, title.split(delimiter))) > 1 for delimiter in DELIMITERS)


def _nothing(form: Form) -> UnreadableFile:
    if form.leave_out_hidden:
        return UnreadableFile(ALL_HIDDEN, sheet=form.sheet)
    if form.skip_lines:
        return UnreadableFile(NOTHING_BELOW, line=form.skip_lines)
    return UnreadableFile(EMPTY_SHEET, sheet=form.sheet) if form.sheet else UnreadableFile(EMPTY)


def _count(table: Iterator[Row]) -> tuple[int | None, dict[str, Any]]:
    """How many rows are left, or why they cannot be read in this form; a person can still choose another."""
    try:
        return sum(1 for _ in table), {}
    except UnreadableFile as error:
        return None, error.as_reason()


def _is_counted(form: Form, found: Scan) -> bool:
    return found.size <= (COUNTED_TEXT if form.kind is Kind.TEXT else COUNTED_SHEET)


def _columns(rows: list[Row], *, header: bool) -> list[str]:
    """The titles, empty where there is none; columns at the end with neither title nor content are none."""
    titles = rows[0].cells if header else []
    body = [row.cells for row in rows[header:]]
    width = len(titles) if header and not titles_are_too_few(titles, body) else max(map(len, body))
    columns = [titles[index] if index < len(titles) else "" for index in range(width)]
    while columns and not columns[-1].strip() and not any(row[len(columns) - 1 :][:1] > [""] for row in body):
        columns.pop()
    if len(columns) > MOST_COLUMNS:
        raise UnreadableFile(TOO_WIDE, line=rows[0].line, column=column_letters(len(columns) - 1), limit=MOST_COLUMNS)
    return columns
