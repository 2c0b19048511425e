"""Rows and columns of a sheet that nobody sees: hidden by a filter, or by hand. The reader of spreadsheets gives them like all others."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import BinaryIO

from contactsync.imports.archive import DAMAGES
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.sheet_parts import blocks_of, place_of
from contactsync.imports.sheets import BROKEN

_ZIP = b"PK\x03\x04"
#: rows of the largest sheet there is
MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
#: bytes; what is longer is no row, and rows do not follow after it
_LONGEST_ROW = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hidden:
    """Of one sheet: `rows` is 1 at the number of each hidden row with something in it, `columns` are counted from 0."""

    rows: bytearray = field(default_factory=bytearray)
    columns: frozenset[int] = frozenset()

    def has(self, row: int) -> bool:
        """Whether the row with this number, from 1, is hidden."""
        return row < len(self.rows) and bool(self.rows[row])

    def below(self, row: int) -> int:
        """How many hidden rows with something in them stand below this one."""
        return self.rows.count(1, row + 1)


@dataclass(frozen=True, slots=True)
class _Words:
    """How a kind of spreadsheet says it."""

    tag: re.Pattern[bytes]  # of a row or column, with its attributes
    row: bytes
    end: re.Pattern[bytes]  # of a row with cells
    filled: re.Pattern[bytes]  # a cell that holds something
    hidden: re.Pattern[bytes]
    at: re.Pattern[bytes] | None  # the number of a row, where rows have one
    repeated: re.Pattern[bytes] | None


_EXCEL = _Words(
    tag=re.compile(rb"<(?:\w+:)?(row|col)(\s[^<>]*)?>"),
    row=b"row",
    end=re.compile(rb"</(?:\w+:)?row\s*>"),
    filled=re.compile(rb"<(?:\w+:)?(?:v>[^<]|is[\s>])"),
    hidden=re.compile(rb"""hidden=["'](?:1|true)["']"""),
    at=re.compile(rb"""\sr=["'](\d{1,7})["']"""),
    repeated=None,
)
_OPEN = _Words(
    tag=re.compile(rb"<table:(table-row|table-column)(\s[^<>]*)?>"),
    row=b"table-row",
    end=re.compile(rb"</table:table-row\s*>"),
    filled=re.compile(rb"<text:p[^<>]*>[^<]|<text:(?:span|a)\b|\soffice:value="),
    hidden=re.compile(rb"""table:visibility=["'](?:filter|collapse)["']"""),
    at=None,
    repeated=re.compile(rb"""\stable:number-(?:rows|columns)-repeated=["'](\d{1,7})["']"""),
)
_END_OF_ROWS = re.compile(rb"</(?:\w+:)?sheetData\s*>")
_COLUMNS = re.compile(rb"""\s(min|max)=["'](\d{1,5})["']""")
_TABLE = re.compile(rb"""<table:table\s[^<>]*?table:name=(?:"([^"]*)"|'([^']*)')[^<>]*>|</table:table>""")


def hidden_in(file: BinaryIO, sheet: str) -> Hidden:
    """What is hidden in this sheet; nothing where the file does not say it in XML, as old workbooks (.xls). Raises `UnreadableFile`."""
    file.seek(0)
    if file.read(4) != _ZIP:
        return Hidden()
    try:
        with zipfile.ZipFile(file) as archive:
            words, place = _OPEN, "content.xml"
            if place not in archive.namelist():
                words, place = _EXCEL, place_of(archive, sheet)
            if not place or not _says(words, archive, place):
                return Hidden()
            with archive.open(place) as part:
                return _look(words, _only_table(blocks_of(part), sheet) if words is _OPEN else blocks_of(part))
    except DAMAGES as error:
        raise UnreadableFile(BROKEN) from error


def _says(words: _Words, archive: zipfile.ZipFile, place: str) -> bool:
    """Whether anything is hidden in this member; to know that takes far less time than to find out what."""
    with archive.open(place) as part:
        rest = b""
        for block in blocks_of(part):
            block = rest + block
            if words.hidden.search(block):
                return True
            rest = block[-64:]
    return False


def _only_table(blocks: Iterator[bytes], sheet: str) -> Iterator[bytes]:
    """Of all tables in the file the one of this name."""
    inside, rest = False, b""
    for block in blocks:
        text = rest + block
        done = 0
        for found in _TABLE.finditer(text):
            if inside:
                yield text[done : found.start()]
            name = found[1] or found[2] or b""
            inside = bool(name) and unescape(name.decode("utf-8", "replace")) == sheet
            done = found.end()
        cut = max(text.rfind(b"<"), done)
        if inside:
            yield text[done:cut]
        rest = text[cut:]
    if inside:
        yield rest


def _look(words: _Words, blocks: Iterator[bytes]) -> Hidden:
    seeker, rest = _Seeker(words), b""
    for block in blocks:
        *pieces, rest = words.end.split(rest + block)
        for piece in pieces:
            seeker.read(piece)
        if len(rest) > _LONGEST_ROW or _END_OF_ROWS.search(rest):
            break
    return Hidden(seeker.rows, frozenset(seeker.columns))


class _Seeker:
    """Goes through the rows of one sheet, piece by piece; each ends with a row."""

    def __init__(self, words: _Words) -> None:
        self._words = words
        self._row = 0
        self._column = 0
        self.rows = bytearray()
        self.columns: set[int] = set()

    def read(self, piece: bytes) -> None:
        last = None
        for found in self._words.tag.finditer(piece):
            told = found[2] or b""
            if found[1] != self._words.row:
                self._read_columns(told)
                continue
            times = self._times(told)
            number = self._words.at.search(told) if self._words.at else None
            first = int(number[1]) if number else self._row + 1
            self._row = first + times - 1
            last = (found.end(), first, told)
        if last is None or not self._words.hidden.search(last[2]):
            return
        end, first, _told = last
        if self._row <= MOST_ROWS and self._words.filled.search(piece, end):
            self.rows.extend(bytes(max(0, self._row + 1 - len(self.rows))))
            self.rows[first : self._row + 1] = b"\1" * (self._row + 1 - first)

    def _read_columns(self, told: bytes) -> None:
        span = {name: int(value) for name, value in _COLUMNS.findall(told)}
        first = span.get(b"min", self._column + 1)
        last = min(span.get(b"max", first + self._times(told) - 1), MOST_COLUMNS)
        self._column = last
        if self._words.hidden.search(told):
            self.columns.update(range(first - 1, last))

    def _times(self, told: bytes) -> int:
        found = self._words.repeated.search(told) if self._words.repeated else None
        return int(found[1]) if found else 1
