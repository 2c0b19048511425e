"""How far the tables of a LibreOffice spreadsheet reach once the rows and cells that it says to repeat are written out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from contactsync.imports.sheet_parts import blocks_of

_END_OF_ROW = re.compile(rb"</table:table-row\s*>")
_ROW = re.compile(rb"<table:table-row(\s[^<>]*)?>")
_ROWS = re.compile(rb"""\stable:number-rows-repeated\s*=\s*["'](\d{1,9})""")
_COLUMNS = re.compile(rb"""\stable:number-columns-repeated\s*=\s*["'](\d{1,9})""")
_CELLS = (b"<table:table-cell", b"<table:covered-table-cell")
#: a cell with none of these holds nothing
_CONTENT = (b"office:", b"<text:", b"table:formula")
_TABLE = b"<table:table "
#: bytes; no row is longer
_LONGEST_ROW = 64 * 1024 * 1024


def extent(part: IO[bytes]) -> Iterator[tuple[int, int, int]]:
    """How far the file reaches, as far as it is read: last row and last column of a table with something in them, and the cells
    of all tables up to there. Raises `ValueError` at a row without an end."""
    row = height = width = earlier = 0
    rest = b""
    for block in blocks_of(part):
        *pieces, rest = _END_OF_ROW.split(rest + block)
        if len(rest) > _LONGEST_ROW:
            raise ValueError("A row of the spreadsheet does not end.")
        for piece in pieces:
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
