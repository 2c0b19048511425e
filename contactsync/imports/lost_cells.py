"""Cells of an Excel sheet that hold something, and are read as empty: errors, and formulas that nobody has calculated yet."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

from contactsync.imports.archive import DAMAGES
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.sheet_parts import blocks_of, place_of
from contactsync.imports.sheets import BROKEN

_ZIP = b"PK\x03\x04"
#: bytes; no row is longer
_LONGEST_ROW = 64 * 1024 * 1024
# To ask first whether there is any at all takes a tenth of the time in a sheet that has none, as most have.
_ANY_ERROR = re.compile(rb"""t=["']e["']""")
_ANY_FORMULA = re.compile(rb"""<(?:\w+:)?f[\s/>]""")
_ERROR = re.compile(rb"""<(?:\w+:)?c(\s[^<>]*\bt=["']e["'][^<>]*)>""")
# A text that came out empty (t="str") is a result; what has none was written by a program, and never opened in a spreadsheet.
_FORMULA = re.compile(
    rb"""<(?:\w+:)?c((?:\s(?!t=["']str["'])[^<>\s]+)*\s*)>\s*"""
    rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_PLACE = re.compile(rb"""\sr=["']([A-Z]{1,3}\d{1,7})["']""")


@dataclass(slots=True)
class Lost:
    """How many cells are read as empty though they are not, and the place of the first (B7), where the file says it."""

    errors: int = 0
    first_error: str = ""
    formulas: int = 0
    first_formula: str = ""

    def look_through(self, text: bytes) -> None:
        """Add the cells in this piece of the sheet."""
        for found in _ERROR.finditer(text) if _ANY_ERROR.search(text) else ():
            self.errors += 1
            self.first_error = self.first_error or _place(found[1])
        for found in _FORMULA.finditer(text) if _ANY_FORMULA.search(text) else ():
            self.formulas += 1
            self.first_formula = self.first_formula or _place(found[1])


def _place(told: bytes) -> str:
    found = _PLACE.search(told)
    return found[1].decode() if found else ""


def lost_in(file: BinaryIO, sheet: str) -> Lost:
    """The lost cells of this sheet; none where the file is no workbook of Excel in XML. Raises `UnreadableFile`."""
    lost, rest = Lost(), b""
    file.seek(0)
    if file.read(len(_ZIP)) != _ZIP:
        return lost
    try:
        with zipfile.ZipFile(file) as archive:
            if not (place := place_of(archive, sheet)):
                return lost
            with archive.open(place) as part:
                for block in blocks_of(part):
                    text = rest + block
                    cut = max(text.rfind(b"row>"), 0)
                    lost.look_through(text[:cut])
                    rest = text[cut:]
                    if len(rest) > _LONGEST_ROW:
                        break
    except DAMAGES as error:
        raise UnreadableFile(BROKEN) from error
    return lost
