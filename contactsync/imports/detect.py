"""What an uploaded file is: text or spreadsheet, in which encoding, with which delimiter, with a header or not."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from contactsync.imports.charset import Scan, codec, count_lines, guess_encoding, scan
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Form, Kind
from contactsync.imports.headers import is_known_header
from contactsync.imports.read import is_blank_row, open_table
from contactsync.imports.sheets import first_sheet, looks_like_sheet
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
_WEB_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*<(!doctype|\?xml|html|head|body|meta|style|script|title|table|div|p|br)\b|"
    rb"(\xef\xbb\xbf)?\s*<!--",
    re.IGNORECASE,
)
_SEPARATOR_LINE = re.compile(r"\ufeff?sep=(.)(?:\r\n|\r|\n)", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+?\d+")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_NUMBER = re.compile(r"\+?[\d\s()./\-\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")

EMPTY = gettext_noop("The file is empty.")
NO_ROWS = gettext_noop("The file has no rows below its header.")
WEB_PAGE = gettext_noop(
    "This is a web page, whatever its name says. Open it in a spreadsheet, save it as .xlsx and upload that."
)
SPOILED = gettext_noop(
    "Line %(line)s holds characters that cannot be read (byte %(byte)s is not %(encoding)s as the rest of the file). "
    "Open the file where it was made, save it again as “CSV UTF-8” and upload that."
)
UNKNOWN_DELIMITER = gettext_noop("“%(delimiter)s” is not a delimiter that can be chosen here.")


@dataclass(frozen=True, slots=True)
class Found:
    """A file that can be read: how, its fingerprint, its header (empty titles when it has none) and its first rows."""

    form: Form
    sha256: str
    size: int
    columns: list[str]
    rows: list[list[str]]


def examine(file: BinaryIO) -> Found:
    """Find out everything about a file by itself. Raises `UnreadableFile` when it cannot be read to its end."""
    found = scan(file)
    if not found.size:
        raise UnreadableFile(EMPTY)
    if looks_like_sheet(found.head):
        form = Form(kind=Kind.SHEET, sheet=first_sheet(file))
    else:
        form = _text_form(file, found)
    return _look_into(file, form, found, has_header=None)


def examine_again(
    file: BinaryIO, form: Form, *, encoding: str | None, delimiter: str | None, has_header: bool | None
) -> Found:
    """Look at the file as a person wants it read; `None` leaves to the detection what follows from the other choices."""
    found = scan(file)
    if form.kind is Kind.TEXT:
        recoded = encoding is not None and encoding != form.encoding
        kept = check_delimiter(delimiter) if delimiter is not None else None if recoded else form.delimiter
        recut = recoded or kept != form.delimiter
        has_header = form.has_header if has_header is None and not recut else has_header
        form = _text_form(file, found, encoding=encoding or form.encoding, delimiter=kept)
    elif has_header is None:
        has_header = form.has_header
    return _look_into(file, form, found, has_header=has_header)


def check_delimiter(delimiter: str) -> str:
    """The delimiter, if it is one of `DELIMITERS`."""
    if delimiter not in DELIMITERS:
        raise UnreadableFile(UNKNOWN_DELIMITER, delimiter=delimiter)
    return delimiter


def _text_form(file: BinaryIO, found: Scan, *, encoding: str = "", delimiter: str | None = None) -> Form:
    if _WEB_PAGE.match(found.head[:2000]):
        raise UnreadableFile(WEB_PAGE)
    if encoding:
        lines = count_lines(file, encoding)
    else:
        encoding = guess_encoding(found)
        try:
            lines = count_lines(file, encoding)
        except UnreadableFile as error:  # at this point nobody can choose another encoding
            raise UnreadableFile(SPOILED, **error.params) from error
    text = found.head.decode(codec(encoding), "replace")
    separator = _SEPARATOR_LINE.match(text)
    if delimiter is None:
        named = separator is not None and separator[1] in DELIMITERS
        delimiter = separator[1] if separator and named else guess_delimiter(text)
    return Form(kind=Kind.TEXT, encoding=encoding, delimiter=delimiter, skip_lines=1 if separator else 0, lines=lines)


def _look_into(file: BinaryIO, form: Form, found: Scan, *, has_header: bool | None) -> Found:
    """Read the first rows and settle what they tell: header, columns."""
    rows: list[list[str]] = []
    for _line, cells in open_table(file, form):
        if not is_blank_row(cells):
            rows.append(cells)
        if len(rows) > SAMPLE_ROWS:
            break
    if not rows:
        raise UnreadableFile(EMPTY)
    header = guess_header(rows) if has_header is None else has_header
    if header and len(rows) == 1:
        raise UnreadableFile(NO_ROWS)
    titles = rows[0] if header else []
    body = rows[1:] if header else rows
    width = len(titles) if header else max(map(len, body))
    columns = [titles[index] if index < len(titles) else "" for index in range(width)]
    while columns and not columns[-1].strip() and not any(row[len(columns) - 1 :][:1] > [""] for row in body):
        columns.pop()
    form = replace(form, has_header=header, width=len(columns))
    return Found(form=form, sha256=found.sha256, size=found.size, columns=columns, rows=body)


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


def guess_header(rows: Sequence[Sequence[str]]) -> bool:
    """The first row is a header unless it holds a phone number or an e-mail address."""
    first = rows[0]
    if any(looks_like_phone(cell) or ("@" in cell and "." in cell) for cell in first):
        return False
    return any(map(is_known_header, first)) or not all(cell.strip().isdigit() for cell in first if cell.strip())


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
