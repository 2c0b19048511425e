"""Guesses from the first rows of a table: what stands between its cells, where it begins, whether it has a header."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from django.utils.translation import gettext_lazy as _

from contactsync.imports.headers import is_known_header
from contactsync.imports.read import has_content, is_blank_row
from contactsync.text import ascii_digits

#: what a person may choose
DELIMITERS = {
    ",": _("comma ,"),
    ";": _("semicolon ;"),
    "\t": _("tab"),
    "|": _("vertical bar |"),
    "،": _("Persian comma ،"),
    "؛": _("Persian semicolon ؛"),
}
SAMPLE_ROWS = 200
#: reports have a title, a date and perhaps a few words above their table
MOST_ABOVE = 20
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+?\d+")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_NUMBER = re.compile(r"\+?[\d\s()./\-\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")


def guess_delimiter(text: str) -> str:
    """The delimiter that cuts the first rows most evenly into several cells; a comma when none does."""
    cut = max(text.rfind("\n"), text.rfind("\r"))
    complete = text[: cut + 1] or text
    return max(DELIMITERS, key=lambda delimiter: _evenness(complete, delimiter))


def _evenness(text: str, delimiter: str) -> float:
    """0 when nothing is cut; grows with the number of cells, with the share of even rows, and with cells that are numbers."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows = []
    try:
        for cells in reader:
            if not is_blank_row(cells):
                rows.append(cells)
            if len(rows) >= SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # what was read up to there is sample enough; the real reading reports the line
    widths = Counter(map(len, rows))
    if not widths:
        return 0.0
    width, count = widths.most_common(1)[0]
    if width == 1:
        return 0.0
    share = count / len(rows)
    header_fits = 1.0 if len(rows[0]) == width else 0.5
    with_phone = sum(any(map(looks_like_phone, row)) for row in rows) / len(rows)
    return share * header_fits * math.log2(width) + with_phone


def guess_start(rows: Sequence[Sequence[str]]) -> int:
    """How many rows stand above the table: the title and the date of a report, never a row that could be a contact."""
    above = list(takewhile(lambda row: not _is_contact(row), rows[: MOST_ABOVE + 1]))
    filled = [sum(map(has_content, row)) for row in above]
    usual = Counter(sum(map(has_content, row)) for row in rows).most_common(1)[0][0]
    known = [sum(map(is_known_header, row)) for row in above]
    if any(known):
        header = known.index(max(known))
        return header if usual == 1 or all(count < filled[header] for count in filled[:header]) else 0
    narrow = sum(1 for _ in takewhile(lambda count: count == 1, filled))
    return narrow if usual > 1 and any(map(_is_contact, rows[narrow:])) else 0


def guess_header(rows: Sequence[Sequence[str]]) -> bool:
    """The first row is a header unless it holds a phone number or an e-mail address."""
    first = rows[0]
    if _is_contact(first):
        return False
    return any(map(is_known_header, first)) or not all(cell.strip().isdigit() for cell in first if cell.strip())


def _is_contact(row: Sequence[str]) -> bool:
    return any(looks_like_phone(cell) or ("@" in cell and "." in cell) for cell in row)


def looks_like_phone(cell: str) -> bool:
    """Digits as in a phone number, damaged ones included; not a date."""
    text = ascii_digits(cell).strip().lstrip("'=\"").rstrip('"')
    if _SCIENTIFIC.fullmatch(text):
        return True
    if text.endswith(".0"):
        text = text[:-2]
    if not _NUMBER.fullmatch(text) or _DATE.fullmatch(text):
        return False
    return 8 <= sum(character.isdigit() for character in text) <= 15
