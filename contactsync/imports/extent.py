"""How far the tables of a spreadsheet reach where its cells do not name their places: the reader makes room for all up to there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from contactsync.imports.letters import column_number
from contactsync.imports.sheet_parts import blocks_of

_END_OF_ROW = re.compile(rb"</table:table-row\s*>")
_ROW = re.compile(rb"<table:table-row(\s[^<>]*)?>")
_ROWS = re.compile(rb"""\stable:number-rows-repeated\s*=\s*["'](\d{1,9})""")
_COLUMNS = re.compile(rb"""\stable:number-columns-repeated\s*=\s*["'](\d{1,9})""")
_CELLS = (b"<table:table-cell", b"<table:covered-table-cell")
#: a cell with none of these holds nothing
_CONTENT = (b"office:", b"<text:", b"table:formula")
_TABLE = b"<table:table "
_END_OF_EXCEL_ROW = re.compile(rb"</(?:\w+:)?row\s*>")
_EXCEL_ROW = re.compile(rb"<(?:\w+:)?row([\s/>][^<>]*)")
_EXCEL_NUMBER = re.compile(rb"""\sr\s*=\s*["'](\d{1,10})""")
_EXCEL_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_EXCEL_COLUMN = re.compile(rb"""<(?:\w+:)?c\s(?:[^<>]*?\s)?r\s*=\s*["']([A-Za-z]{1,7})[A-Za-z]*(\d{1,10})""")
#: bytes; no row is longer
_LONGEST_ROW = 64 * 1024 * 1024


def repeated(part: IO[bytes]) -> Iterator[tuple[int, int, int]]:
    """Of a spreadsheet of LibreOffice, in which rows and cells are written once and repeated: last row and last column of a
    table with something in them, and the cells of all tables up to there, as far as it is read. Raises `ValueError`."""
    row = height = width = earlier = 0
    for piece in _pieces(part, _END_OF_ROW):
        if _TABLE in piece:
            earlier += height * width
            row = height = width = 0
        cells = 0
        for found in _ROW.finditer(piece):
            row += _times(_ROWS, found[1] or b"")
            cells = found.end()
        if filled := _width(piece[cells:]):
            height, width = row, max(width, filled)
            yield height, width, earlier + height * width


def unplaced(part: IO[bytes]) -> Iterator[tuple[int, int, int]]:
    """The same of a sheet of Excel in which not every cell says where it stands; at most twice as far. Raises `ValueError`."""
    row = height = width = 0
    for piece in _pieces(part, _END_OF_EXCEL_ROW):
        for found in _EXCEL_ROW.finditer(piece):
            told = _EXCEL_NUMBER.search(found[1])
            row = int(told[1]) if told else row + 1
        placed, cells = _EXCEL_COLUMN.findall(piece), len(_EXCEL_CELL.findall(piece))
        row = max(row, *(int(number) for _letters, number in placed), 0)
        last = max((letters for letters, _number in placed), key=lambda letters: (len(letters), letters), default=b"")
        beside = cells if len(placed) < cells else 0
        height, width = max(height, row), max(width, column_number(last.decode()) + beside)
        yield height, width, height * width


def _pieces(part: IO[bytes], end: re.Pattern[bytes]) -> Iterator[bytes]:
    """Row by row, each with what stands before it. Raises `ValueError` where one does not end."""
    rest = b""
    for block in blocks_of(part):
        *pieces, rest = end.split(rest + block)
        if len(rest) > _LONGEST_ROW:
            raise ValueError("A row of the spreadsheet does not end.")
        yield from pieces


def _times(pattern: re.Pattern[bytes], told: bytes) -> int:
    found = pattern.search(told)
    return int(found[1]) if found else 1


def _width(cells: bytes) -> int:
    """The place of the last cell of a row that holds something; 0 when none does."""
    last = max(map(cells.rfind, _CONTENT))
    if last < 0:
        return 0
    upto = cells[: cells.find(b">", last) + 1]
    return sum(map(upto.count, _CELLS)) + sum(int(times) - 1 for times in _COLUMNS.findall(upto))
