"""How a text file is read: its encoding, its lines, and what stands between its cells."""

from __future__ import annotations

import re
from typing import BinaryIO

from django.utils.translation import gettext_noop

from contactsync.imports.charset import LONG_LINE, LONGEST_LINE, Scan, codec, count_lines, guess_encoding
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Asked, Form, Kind
from contactsync.imports.guess import DELIMITERS, guess_delimiter

#: even empty lines take their time
MOST_LINES = 20_000_000
_WEB_PAGE = re.compile(
    rb"(\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<(!--|(!doctype|\?xml|html|head|body|meta|style|script|title|table|div|p|br)\b)",
    re.IGNORECASE,
)
_SEPARATOR_LINE = re.compile(r"\ufeff?sep=(.)(?:\r\n|\r|\n)", re.IGNORECASE)

WEB_PAGE = gettext_noop(
    "This is a web page or an XML file, whatever its name says. Open it in a spreadsheet, save it as .xlsx and upload that."
)
SPOILED = gettext_noop(
    "Line %(line)s holds characters that cannot be read (byte %(byte)s is not %(encoding)s as the rest of the file). "
    "Open the file where it was made, save it again as “CSV UTF-8” and upload that."
)
TOO_LONG = gettext_noop(
    "The file has %(lines)s lines; at most %(limit)s can be read at once. Split it, and upload the parts one after the other."
)
UNKNOWN_DELIMITER = gettext_noop("“%(delimiter)s” is not a delimiter that can be chosen here.")


def text_form(file: BinaryIO, found: Scan, *, encoding: str = "", delimiter: str | None = None) -> Form:
    """The form of a text file, without its header; what is not given is guessed. Raises `UnreadableFile`."""
    if _WEB_PAGE.match(found.head[:2000].replace(b"\0", b"")):  # in UTF-16 every other byte is zero
        raise UnreadableFile(WEB_PAGE)
    chosen = encoding
    encoding = chosen or guess_encoding(found)
    if found.lines > MOST_LINES:
        raise UnreadableFile(TOO_LONG, lines=found.lines, limit=MOST_LINES)
    if found.long_line:
        raise UnreadableFile(LONG_LINE, line=found.long_line, limit=LONGEST_LINE)
    try:
        lines = found.lines if encoding == "utf-8" and found.is_utf8 else count_lines(file, encoding)
    except UnreadableFile as error:
        if chosen:
            raise
        raise UnreadableFile(SPOILED, **error.params) from error  # at this point nobody can choose another encoding
    text = found.head.decode(codec(encoding), "replace")
    if found.size == len(found.head):  # its last line is no torn one
        text += "\n"
    separator = _SEPARATOR_LINE.match(text)
    if delimiter is None:
        named = separator is not None and separator[1] in DELIMITERS
        delimiter = separator[1] if separator and named else guess_delimiter(text)
    return Form(kind=Kind.TEXT, encoding=encoding, delimiter=delimiter, skip_lines=1 if separator else 0, lines=lines)


def text_form_asked(file: BinaryIO, form: Form, found: Scan, asked: Asked) -> Form:
    """The same file as a person wants it read. Raises `UnreadableFile`."""
    encoding, delimiter = asked.get("encoding") or form.encoding, asked.get("delimiter")
    if delimiter is not None and delimiter not in DELIMITERS:
        raise UnreadableFile(UNKNOWN_DELIMITER, delimiter=delimiter)
    if delimiter is None and encoding == form.encoding:
        delimiter = form.delimiter
    return text_form(file, found, encoding=encoding, delimiter=delimiter)
