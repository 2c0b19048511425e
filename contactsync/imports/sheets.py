"""Spreadsheets (.xlsx, .xlsm, .xls, .ods) as rows of text."""

from __future__ import annotations

import copy
import datetime as dt
import io
import math
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO

import python_calamine
from django.conf import settings
from django.utils.translation import gettext_noop

from contactsync.imports.archive import DAMAGES, METHODS, refuse_long_lists
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.extent import repeated, unplaced
from contactsync.imports.letters import column_letters, column_number
from contactsync.imports.old_workbook import Encrypted, corners
from contactsync.imports.sheet_parts import is_well_formed

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: a spreadsheet may unpack to this many times the upload limit
INFLATION = 10
#: from here on a spreadsheet's numbers no longer hold every digit
EXACT_BELOW = 1e15
#: the reader makes room for every cell between the corners of a sheet, and ends the process when there is none
MOST_CELLS = 30_000_000
#: the same of a spreadsheet of LibreOffice, in which cells may repeat what they hold
MOST_REPEATED = 10_000_000
#: up to this many bytes the rows of every sheet are counted, which takes about a second
COUNTED_WEIGHT = 30_000_000
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MANIFEST = "META-INF/manifest.xml"
_BLOCK = 1024 * 1024
# A cell that does not begin with its place, as it does in every usual program, and one that does so neither, or whose place is
# beyond column Z or the last row. What may follow is asked for, so that no cell is judged that a block has cut off.
_UNPLACED = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?c(?! r=)[\s/>][\s\S]{13}")
_ODD = re.compile(rb"""<c(?! r="[A-Z]\d{1,6}")(?! r=["'][A-Za-z](?:\d{1,6}|10[0-4]\d{4})["'])[\s/>][\s\S]{13}""")
_PREFIXED = re.compile(rb"<[A-Za-z][\w.-]*:c[\s/>]")
_LONGEST_PREFIX = 64
#: the rows of a worksheet, and its cells beyond column Z, or far down, that hold something
_PLACE = re.compile(
    rb"""<(?:\w+:)?(?:row|c)\s(?:[^<>]*?\s)?r=["'](?:([A-Za-z]{2,})|[A-Za-z](?=\d{7}))?(\d+)["'][^<>]*(?<!/)>"""
)

BROKEN = gettext_noop("The spreadsheet cannot be opened: it is damaged, or not a spreadsheet.")
LOCKED = gettext_noop("The spreadsheet is protected with a password. Save it without one and upload it again.")
NO_SHEET = gettext_noop("The spreadsheet has no sheet with a table.")
BINARY_SHEET = gettext_noop("Binary workbooks (.xlsb) cannot be read here. Save it as .xlsx and upload that.")
STRETCHED = gettext_noop(
    "The table stretches to row %(row)s and column %(column)s of the spreadsheet. Delete what stands far outside "
    "the table, save it and upload it again."
)
INFLATED = gettext_noop("The spreadsheet unpacks to more than %(limit)s MB. Split it, or save it as CSV.")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook. `rows` is its last row, or None where to know it would take long."""

    name: str
    rows: int | None


def looks_like_sheet(head: bytes) -> bool:
    """By its first bytes, whatever the file is called."""
    return head.startswith((_ZIP, _OLE))


def list_sheets(file: BinaryIO) -> tuple[list[Sheet], list[str]]:
    """The sheets that people see, and the names of those that are hidden. Raises `UnreadableFile` when nobody sees any."""
    with _open(file) as book:
        tables = [sheet for sheet in book.sheets_metadata if sheet.typ is python_calamine.SheetTypeEnum.WorkSheet]
        seen = python_calamine.SheetVisibleEnum.Visible
        names = [str(sheet.name) for sheet in tables if sheet.visible is seen]
        hidden = [str(sheet.name) for sheet in tables if sheet.visible is not seen]
        if not names:
            raise UnreadableFile(NO_SHEET)
        is_counted = len(names) > 1 and _weight(file) <= COUNTED_WEIGHT
        return [Sheet(name, _rows_in(book, name) if is_counted else None) for name in names], hidden


def _rows_in(book: python_calamine.CalamineWorkbook, name: str) -> int:
    """How far down the table goes; 0 also for a sheet that cannot be read, which says so when it is chosen."""
    try:
        end = _sheet(book, name).end
    except UnreadableFile:
        return 0
    return end[0] + 1 if end else 0


def _weight(file: BinaryIO) -> int:
    """Bytes to go through before all sheets are known."""
    file.seek(0)
    if file.read(4) != _ZIP:
        return file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        return sum(member.file_size for member in archive.infolist())


def open_sheet(file: BinaryIO, name: str) -> Iterator[tuple[int, list[str]]]:
    """Every row of the sheet with its row number. Raises `UnreadableFile`."""
    with _open(file) as book:
        for line, cells in enumerate(_sheet(book, name).iter_rows(), start=1):
            yield line, [as_text(cell) for cell in cells]


def first_column(file: BinaryIO, name: str) -> int:
    """Where the table of a sheet begins, from 0: empty columns before it are no columns. Raises `UnreadableFile`."""
    with _open(file) as book:
        start = _sheet(book, name).start
        return start[1] if start else 0


def _sheet(book: python_calamine.CalamineWorkbook, name: str) -> python_calamine.CalamineSheet:
    with _panics_refused():
        try:
            return book.get_sheet_by_name(name)
        except python_calamine.CalamineError as error:
            raise UnreadableFile(BROKEN) from error


def _open(file: BinaryIO) -> python_calamine.CalamineWorkbook:
    _refuse_bombs(file)
    file.seek(0)
    with _panics_refused():
        try:
            return python_calamine.load_workbook(file)
        except python_calamine.PasswordError as error:
            raise UnreadableFile(LOCKED) from error
        except python_calamine.CalamineError as error:
            raise UnreadableFile(LOCKED if _is_locked(file) else BROKEN) from error


@contextmanager
def _panics_refused() -> Iterator[None]:
    """The reader panics at some damaged files, such as old workbooks that were cut off. That is no `Exception` for Python."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # cannot be imported
            raise UnreadableFile(BROKEN) from error
        raise


def _is_locked(file: BinaryIO) -> bool:
    """Office puts an encrypted workbook into a container of its own, which the reader takes for a damaged one, as it does with
    an encrypted one of LibreOffice."""
    file.seek(0)
    head = file.read(len(_OLE))
    if head.startswith(_ZIP):
        with zipfile.ZipFile(file) as archive:
            return _MANIFEST in archive.namelist() and b"encryption-data" in archive.read(_MANIFEST)
    if head != _OLE:
        return False
    rest = b""
    while block := file.read(_BLOCK):
        if _ENCRYPTED in rest + block:
            return True
        rest = block[-len(_ENCRYPTED) :]
    return False


def _refuse_bombs(file: BinaryIO) -> None:
    """A zip says how large its members will be; the reader would unpack them all into memory."""
    file.seek(0)
    head = file.read(len(_OLE))
    if head == _OLE:
        try:
            _refuse_beyond(MOST_CELLS, corners(file))
        except Encrypted as error:
            raise UnreadableFile(LOCKED) from error
        except (ValueError, struct.error) as error:
            raise UnreadableFile(LOCKED if _is_locked(file) else BROKEN) from error
    if not head.startswith(_ZIP):
        return
    limit = settings.IMPORT_MAX_MB * INFLATION
    try:
        refuse_long_lists(file)
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > limit * 1024 * 1024:
                raise UnreadableFile(INFLATED, limit=limit)
            if any(member.filename.endswith("workbook.bin") for member in members):
                raise UnreadableFile(BINARY_SHEET)
            for member in members:
                is_odd, is_unplaced = _look_through(archive, member)
                if is_odd:  # whatever it is called: the workbook says what its sheets are
                    with archive.open(member) as part:
                        _refuse_stretched(part)
                if is_unplaced:
                    with archive.open(member) as part:
                        _refuse_beyond(MOST_CELLS, unplaced(part))
                if member.filename == "content.xml":
                    with archive.open(member) as part:
                        _refuse_beyond(MOST_REPEATED, repeated(part))
                    with archive.open(member) as part:
                        if not is_well_formed(part):  # the reader looks for ever for the end of a table that has none
                            raise UnreadableFile(LOCKED if _is_locked(file) else BROKEN)
    except DAMAGES as error:
        raise UnreadableFile(BROKEN) from error


def _look_through(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[bool, bool]:
    """Whether the member may be a sheet that reaches far, and one with cells that do not say where they stand.

    Most tables are neither, and then no sheet is too large; to know that takes a tenth of the time. Raises `BadZipFile` for
    a member that unpacks to another size than it says: the reader would not stop there.
    """
    if member.compress_type not in METHODS:
        raise zipfile.BadZipFile
    further = copy.copy(member)
    further.file_size += 1
    size, rest, is_odd, is_unplaced = 0, b"", False, False
    with archive.open(further) as part:
        while block := part.read(_BLOCK):
            size += len(block)
            text = rest + block
            is_odd = is_odd or bool(_ODD.search(text)) or (b":c" in text and bool(_PREFIXED.search(text)))
            is_unplaced = is_unplaced or (is_odd and bool(_UNPLACED.search(text)))
            rest = text[-_LONGEST_PREFIX:]
    if size != member.file_size:
        raise zipfile.BadZipFile
    return is_odd, is_unplaced


def _refuse_stretched(part: IO[bytes]) -> None:
    """A single cell in the last corner would make the reader ask for hundreds of gigabytes."""
    width, height, rest = 26, 0, b""
    while block := part.read(_BLOCK):
        block = rest + block
        for column, row in _PLACE.findall(block):
            height = max(height, int(row[:10]))
            if column:
                width = max(width, column_number(column[:7].decode()))
        rest = block[max(block.rfind(b"<"), 0) :][:_BLOCK]
    if width * height > MOST_CELLS:
        raise UnreadableFile(STRETCHED, row=height, column=column_letters(width - 1))


def _refuse_beyond(most: int, reached: Iterator[tuple[int, int, int]]) -> None:
    for row, column, cells in reached:
        if cells > most:
            raise (
                UnreadableFile(STRETCHED, row=row, column=column_letters(column - 1)) if row else UnreadableFile(BROKEN)
            )


def as_text(cell: object) -> str:
    """A cell as a person would type it. Numbers that no longer hold every digit stay visibly so (1.23E+15)."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        if abs(cell) >= EXACT_BELOW:
            return f"{cell:.14E}"
        return str(int(cell)) if math.isfinite(cell) and cell == int(cell) else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)
