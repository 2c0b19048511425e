"""An Excel file as a stream: the first bytes leave at once, and a million rows need no more memory than one.

The writers of the usual libraries hand out a file only when its last row is in, which for large
lists takes longer than browsers and proxies wait. Format: ECMA-376, part 1, with inline strings.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import IO, Any, cast
from xml.sax.saxutils import escape

from django.utils.translation import get_language_bidi
from openpyxl.utils import get_column_letter

from contactsync.text import excel_text

#: rows of one sheet, header included (ECMA-376 leaves it open; Excel ends here)
SHEET_ROWS = 1_048_576
PIECE = 64 * 1024
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class _Buffer:
    """Where the zip writer writes to; emptied piece by piece. It cannot be sought in, so sizes follow their data."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        data = b"".join(self.pieces)
        self.pieces, self.size = [], 0
        return data


def xlsx_pieces(
    headers: Sequence[Any], rows: Iterable[Iterable[Any]], *, sheet_rows: int = SHEET_ROWS
) -> Iterator[bytes]:
    """The file in pieces of bytes. Numbers stay numbers, everything else is text; further sheets follow a full one."""
    buffer = _Buffer()
    left = iter(rows)
    sheets = 0
    with zipfile.ZipFile(cast(IO[bytes], buffer), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        following: list[Iterable[Any]] = list(islice(left, 1))
        while following or not sheets:
            sheets += 1
            body = chain(following, islice(left, sheet_rows - 1 - len(following)))
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as sheet:
                for text in _sheet(headers, body):
                    sheet.write(text.encode())
                    if buffer.size >= PIECE:
                        yield buffer.take()
            following = list(islice(left, 1))
        for name, text in _frame(sheets):
            archive.writestr(name, _XML + text)
    yield buffer.take()


def _sheet(headers: Sequence[Any], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    direction = (
        '<sheetViews><sheetView rightToLeft="1" workbookViewId="0"/></sheetViews>' if get_language_bidi() else ""
    )
    yield f'{_XML}<worksheet xmlns="{_MAIN}">{direction}<sheetData>'
    for number, row in enumerate(chain([headers], rows), start=1):
        yield f'<row r="{number}">{"".join(_cell(index, number, value) for index, value in enumerate(row, start=1))}</row>'
    yield "</sheetData></worksheet>"


def _cell(index: int, number: int, value: Any) -> str:
    if value is None or value == "":
        return ""
    place = f"{get_column_letter(index)}{number}"
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(excel_text(str(value)))}</t></is></c>'


def _frame(sheets: int) -> Iterator[tuple[str, str]]:
    """The parts that hold the sheets together."""
    numbers = range(1, sheets + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_SPREADSHEET}.worksheet+xml"/>'
        for n in numbers
    )
    yield (
        "[Content_Types].xml",
        f'<Types xmlns="{_TYPES}">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SPREADSHEET}.sheet.main+xml"/>{overrides}</Types>',
    )
    yield (
        "_rels/.rels",
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    )
    listed = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    yield "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_RELATIONS}">{related}</Relationships>'
