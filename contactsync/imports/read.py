"""Rows of an uploaded file, each with the line on which a person finds it in the file."""

from __future__ import annotations

import csv
import io
import itertools
import re
import string
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple, cast

from django.utils.translation import gettext_noop

from contactsync.imports.charset import BYTES_OF_A_CHARACTER, LONG_LINE, LONGEST_LINE, codec, count_lines
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Form, Kind
from contactsync.imports.hidden import Hidden, hidden_in
from contactsync.imports.looks import looks_like_phone
from contactsync.imports.sheets import open_sheet

_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_NOTHING = string.whitespace + "\x00\x1a\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"

OPEN_QUOTE = gettext_noop(
    "In the row that begins on line %(line)s a cell opens with a quotation mark that is never closed. "
    "Close it, or remove it, and upload the file again."
)
STRAY_QUOTE = gettext_noop(
    "In the row that begins on line %(line)s a quotation mark stands in the middle of a quoted cell. "
    'Double it ("") or remove it, and upload the file again.'
)
SWALLOWED = gettext_noop(
    "In the row that begins on line %(line)s a quoted cell reaches to line %(last)s, over lines that look like rows of their own. "
    "Remove the quotation mark at its beginning, or close it there, and upload the file again."
)
LONG_CELL = gettext_noop(
    "The row that begins on line %(line)s holds more than %(limit)s characters in one cell. "
    "Most likely a quotation mark there is never closed."
)


class Row(NamedTuple):
    """One row with something in it. `number` counts such rows below the header from 1; `line` is its place in the file."""

    number: int
    line: int
    cells: list[str]


def read_rows(file: BinaryIO, form: Form) -> Iterator[Row]:
    """Every row below the header, in order; rows without any content are no rows. Raises `UnreadableFile`."""
    rows = open_table(file, form)
    if form.has_header:
        next(rows, None)
    return rows


def open_table(file: BinaryIO, form: Form) -> Iterator[Row]:
    """Every row with something in it below the lines to skip; the header, if there is one, is number 0."""
    file.seek(0)
    first = 0 if form.has_header else 1
    return _rows_of_sheet(file, form, first) if form.kind is Kind.SHEET else _rows_of_text(file, form, first)


def is_blank_row(cells: Sequence[str]) -> bool:
    """Nothing a person could see is in the row."""
    return not any(map(has_content, cells))


def has_content(cell: str) -> bool:
    """Something a person could see is in the cell."""
    return bool(cell) and bool(cell.strip(_NOTHING))


def first_lines(file: BinaryIO, form: Form, count: int) -> list[str]:
    """The first lines as they stand, without their ends, for a person to see what is skipped."""
    if form.kind is Kind.SHEET:
        rows = itertools.islice(open_sheet(file, form.sheet), count)
        return [" ".join(filter(has_content, cells)) for _line, cells in rows]
    file.seek(0)
    text = io.TextIOWrapper(io.BufferedReader(_Pieces(file)), encoding=codec(form.encoding), newline="")
    return [line.rstrip("\r\n") for line in itertools.islice(text, count)]


def _rows_of_sheet(file: BinaryIO, form: Form, number: int) -> Iterator[Row]:
    hidden = hidden_in(file, form.sheet) if form.leave_out_hidden else Hidden()
    for line, cells in open_sheet(file, form.sheet):
        if line > form.skip_lines and not hidden.has(line) and not is_blank_row(cells):
            yield Row(number, line, cells)
            number += 1


def _rows_of_text(file: BinaryIO, form: Form, number: int) -> Iterator[Row]:
    """Strict: a quotation mark that could make rows disappear into a cell is an error, not a guess."""
    pieces = _Pieces(file)
    text = io.TextIOWrapper(io.BufferedReader(pieces), encoding=codec(form.encoding), errors="strict", newline="")
    line = 1
    try:
        for _ in range(form.skip_lines):
            text.readline()
            line, pieces.since_row = line + 1, 0
        top = text.readline() if line > 1 else text.readline().lstrip("\ufeff")  # in an encoding chosen without it
        reader = csv.reader(
            itertools.chain([top], text), delimiter=form.delimiter, skipinitialspace=True, strict=True
        )  # fed by C alone: a Python generator of lines would take as long as the reading itself
        for cells in reader:
            pieces.since_row = 0
            following = form.skip_lines + reader.line_num + 1
            if following - line > 1 and _holds_rows(cells, form.delimiter, form.width):
                raise UnreadableFile(SWALLOWED, line=line, last=following - 1)
            if cells and (cells[0].isalnum() or not is_blank_row(cells)):
                yield Row(number, line, cells)
                number += 1
            line = following
    except csv.Error as error:
        raise UnreadableFile(_explain(error), line=line, limit=csv.field_size_limit()) from error
    except _EndlessRowError as error:
        raise UnreadableFile(LONG_LINE, line=line, limit=LONGEST_LINE) from error
    except UnicodeError:
        count_lines(file, form.encoding)  # says on which line
        raise


def _holds_rows(cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Is each line of this row certainly a row: as wide as the table, with a phone number in the same place?"""
    # Lines that are rows bring their delimiters into the cells. In a text one stands before a space, or once by chance.
    if sum(cell.count(delimiter) - cell.count(f"{delimiter} ") for cell in cells) < 2:
        return False
    lines = [line.split(delimiter) for line in _LINE_ENDS.split(delimiter.join(cells)) if has_content(line)]
    if len(lines) < 2 or len(set(map(len, lines))) > 1 or len(lines[0]) not in {width, len(cells)}:
        return False
    return any(all(map(looks_like_phone, column)) for column in zip(*lines, strict=True))


def _explain(error: csv.Error) -> str:
    if "end of data" in str(error):
        return OPEN_QUOTE
    return LONG_CELL if "limit" in str(error) else STRAY_QUOTE


class _EndlessRowError(Exception):
    """A row would not fit into memory."""


class _Pieces(io.RawIOBase):
    """The bytes of a file that stays open, as long as rows come out of them: `since_row` is set to 0 with each."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.since_row = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        room = cast(memoryview, buffer)
        piece = self._file.read(len(room))
        room[: len(piece)] = piece
        self.since_row += len(piece)
        if self.since_row > LONGEST_LINE * BYTES_OF_A_CHARACTER:
            raise _EndlessRowError
        return len(piece)
