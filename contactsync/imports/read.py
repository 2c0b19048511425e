"""From bytes to rows, one at a time, each with the line on which a person finds it in the file."""

from __future__ import annotations

import csv
import io
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from django.utils.translation import gettext_noop

from contactsync.imports.charset import codec, count_lines
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Form, Kind
from contactsync.imports.sheets import open_sheet

LONGEST_LINE = 1_000_000
_NOTHING = string.whitespace + "\x00\x1a\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"

OPEN_QUOTE = gettext_noop(
    "In the row that begins on line %(line)s a cell opens with a quotation mark that is never closed. "
    "Close it, or remove it, and upload the file again."
)
STRAY_QUOTE = gettext_noop(
    "In the row that begins on line %(line)s a quotation mark stands in the middle of a quoted cell. "
    'Double it ("") or remove it, and upload the file again.'
)
LONG_CELL = gettext_noop(
    "The row that begins on line %(line)s holds more than %(limit)s characters in one cell. "
    "Most likely a quotation mark there is never closed."
)
LONG_LINE = gettext_noop(
    "Line %(line)s has more than %(limit)s characters. This does not look like a table of contacts."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row with something in it. `number` counts such rows below the header from 1; `line` is its place in the file."""

    number: int
    line: int
    cells: list[str]


def read_rows(file: BinaryIO, form: Form) -> Iterator[Row]:
    """Every row below the header, in order; rows without any content are no rows. Raises `UnreadableFile`."""
    number = 0
    header_seen = not form.has_header
    for line, cells in open_table(file, form):
        if is_blank_row(cells):
            continue
        if not header_seen:
            header_seen = True
            continue
        number += 1
        yield Row(number, line, cells)


def open_table(file: BinaryIO, form: Form) -> Iterator[tuple[int, list[str]]]:
    """Every row as it stands, header and blank rows included, with its line."""
    file.seek(0)
    if form.kind is Kind.SHEET:
        return open_sheet(file, form.sheet)
    return _open_text(file, form)


def is_blank_row(cells: Sequence[str]) -> bool:
    """Nothing a person could see is in the row."""
    return not any(map(has_content, cells))


def has_content(cell: str) -> bool:
    """Something a person could see is in the cell."""
    return bool(cell) and bool(cell.strip(_NOTHING))


def _open_text(file: BinaryIO, form: Form) -> Iterator[tuple[int, list[str]]]:
    text = io.TextIOWrapper(file, encoding=codec(form.encoding), errors="strict", newline="")
    try:
        yield from _parse(text, form)
    except UnicodeError:
        count_lines(file, form.encoding)  # says on which line
        raise
    finally:
        if not file.closed:  # as it is after an error elsewhere, when this generator is cleared away last
            text.detach()  # a wrapper that goes away would close the file, which is not ours


def _parse(text: TextIO, form: Form) -> Iterator[tuple[int, list[str]]]:
    """Strict: a quotation mark that could make rows disappear into a cell is an error, not a guess."""
    lines = _lines(text)
    for _ in range(form.skip_lines):
        next(lines, None)
    reader = csv.reader(lines, delimiter=form.delimiter, skipinitialspace=True, strict=True)
    line = form.skip_lines + 1
    try:
        for cells in reader:
            yield line, cells
            line = form.skip_lines + reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(_explain(error), line=line, limit=csv.field_size_limit()) from error


def _explain(error: csv.Error) -> str:
    if "end of data" in str(error):
        return OPEN_QUOTE
    return LONG_CELL if "limit" in str(error) else STRAY_QUOTE


def _lines(text: TextIO) -> Iterator[str]:
    """Lines with their ends (LF, CR or CRLF), never more than a bounded piece of the file at once."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if number == 1:
            line = line.lstrip("\ufeff")  # the mark of an encoding that was chosen without it
        if len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r")):
            raise UnreadableFile(LONG_LINE, line=number, limit=LONGEST_LINE)
        yield line
