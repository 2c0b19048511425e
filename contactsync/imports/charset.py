"""Which encoding a text file is in, and proof that all of it can be read so."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from charset_normalizer import from_bytes
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from contactsync.imports.errors import UnreadableFile

#: what a person may choose; the first of the Windows pages are the ones our users meet. Those of ISO and of DOS are never
#: guessed: any bytes are text in most of them, and the usual pages of Windows say nearly the same or are likelier
ENCODINGS = {
    "utf-8": _("Unicode (UTF-8)"),
    "utf-16": _("Unicode (UTF-16)"),
    "utf-16-le": _("Unicode (UTF-16, little-endian, no mark)"),
    "utf-16-be": _("Unicode (UTF-16, big-endian, no mark)"),
    "utf-32": _("Unicode (UTF-32)"),
    "cp1256": _("Persian and Arabic (Windows-1256)"),
    "cp1252": _("Western European (Windows-1252)"),
    "cp1250": _("Central European (Windows-1250)"),
    "cp1251": _("Cyrillic (Windows-1251)"),
    "cp1254": _("Turkish (Windows-1254)"),
    "iso8859-1": _("Western European (ISO 8859-1)"),
    "iso8859-15": _("Western European with € (ISO 8859-15)"),
    "iso8859-2": _("Central European (ISO 8859-2)"),
    "iso8859-6": _("Arabic (ISO 8859-6)"),
    "cp720": _("Arabic (DOS 720)"),
    "cp850": _("Western European (DOS 850)"),
    "cp437": _("American (DOS 437)"),
    "mac_roman": _("Western European (old Mac)"),
}
BLOCK = 64 * 1024
SAMPLE = 256 * 1024
LONGEST_LINE = 1_000_000
BYTES_OF_A_CHARACTER = 4  # at most, in any encoding that can be chosen
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NEED_A_MARK = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}
_ARABIC_WORD = re.compile(r"[\u0621-\u064a\u067e\u0686\u0688\u0691\u0698\u06a9\u06af\u06ba\u06be\u06c1\u06d2]{2,}")
# Whole words: two such letters within a Latin word are two accents of another page.
_CYRILLIC_WORD = re.compile(r"(?<![A-Za-z\u0400-\u045f])[\u0400-\u045f]{2,}(?![A-Za-z\u0400-\u045f])")
# What other Latin pages look like when read as Windows-1252: signs inside words that are no quotation marks, nor ª or º,
# Icelandic letters, letters of 0x80-0x9F.
_STRANGE_IN_WESTERN = re.compile(r"(?<=[^\W\d_])[¡-©¬-¹¼-¿\ufffd]|[¢-©¬-¹¼-¾\ufffd](?=[^\W\d_])|[þðýÞÐÝŠšŽžŸƒ]")
#: how files begin that are neither text nor a spreadsheet, however much text is in them
_OTHER_FILES = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"{\\rtf")
#: and files that are text, but no table
_OTHER_TEXTS = {
    "vCard": re.compile(rb"BEGIN:VCARD\b", re.IGNORECASE),
    "iCalendar": re.compile(rb"BEGIN:VCALENDAR\b", re.IGNORECASE),
    "JSON": re.compile(rb"""[\[{]\s*(?:[\[{]\s*)?["}\]]"""),
    "SYLK": re.compile(rb"ID;P(?:WXL|SCALC)"),  # else a table may begin so: ID;Phone
    "LDIF": re.compile(rb"(?:version: \d+\s+)?dn: "),
}
_SCRIPTS = b"\x00\x04\x06"  # the first byte of Latin, Cyrillic and Arabic letters in UTF-16
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]")

NOT_TEXT = gettext_noop(
    "This is neither a text file nor a spreadsheet. Save the table as CSV or as an Excel workbook (.xlsx) and upload that."
)
NO_TABLE = gettext_noop(
    "This is a text file of another kind (%(kind)s), not a table. Save or export the contacts as CSV or as an Excel workbook "
    "(.xlsx) and upload that."
)
UNDECODABLE = gettext_noop(
    "Line %(line)s holds characters that do not exist in the encoding %(encoding)s (byte %(byte)s). "
    "Choose another encoding, or save the file again as “CSV UTF-8”."
)
LONG_LINE = gettext_noop(
    "Line %(line)s has more than %(limit)s characters. This does not look like a table of contacts."
)
UNKNOWN_ENCODING = gettext_noop("“%(encoding)s” is not an encoding that can be chosen here.")


@dataclass(slots=True)
class Scan:
    """What one pass over the bytes shows. `marked` are blocks with bytes outside ASCII, as far as a sample goes.

    `lines` counts lines as they are in UTF-8 and in code pages; `long_line` is the first that is too long, or 0.
    """

    size: int = 0
    lines: int = 0
    long_line: int = 0
    head: bytes = b""
    marked: bytes = b""
    is_utf8: bool = True
    sha256: str = ""
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)


def scan(file: BinaryIO) -> Scan:
    """Read the file once, in blocks: size, fingerprint, samples, and whether it is valid UTF-8."""
    result = Scan()
    decoder = codecs.getincrementaldecoder("utf-8")()
    last, unended = b"", 0
    file.seek(0)
    while block := file.read(BLOCK):
        result.size += len(block)
        ends = _ends_of_bytes(block, after_cr=last.endswith(b"\r"))
        unended = len(block) if ends else unended + len(block)
        if unended > LONGEST_LINE * BYTES_OF_A_CHARACTER and not result.long_line:
            result.long_line = result.lines + 1
        result.lines += ends
        last = block
        result._digest.update(block)
        if len(result.head) < SAMPLE:
            result.head += block
        if not block.isascii() and len(result.marked) < SAMPLE:
            result.marked += block
        result.is_utf8 = result.is_utf8 and _decodes(decoder, block)
    result.is_utf8 = result.is_utf8 and _decodes(decoder, b"", final=True)
    result.lines += bool(last) and not last.endswith((b"\n", b"\r"))
    result.sha256 = result._digest.hexdigest()
    file.seek(0)
    return result


def _ends_of_bytes(block: bytes, *, after_cr: bool) -> int:
    """LF, CR and CRLF each end one line; a CRLF cut in two by a block border counts once."""
    returns = block.count(b"\r")
    ends = block.count(b"\n") + returns - (block.count(b"\r\n") if returns else 0)
    return ends - 1 if after_cr and block.startswith(b"\n") else ends


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def guess_encoding(found: Scan) -> str:
    """A key of `ENCODINGS`. Raises `UnreadableFile` for files that are not text."""
    if found.head.startswith(_OTHER_FILES):
        raise UnreadableFile(NOT_TEXT)
    start = (
        found.head[:1000].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    )  # in UTF-16 every other byte is zero
    for kind, pattern in _OTHER_TEXTS.items():
        if pattern.match(start):
            raise UnreadableFile(NO_TABLE, kind=kind)
    for mark, encoding in _MARKS:
        if found.head.startswith(mark):
            return encoding
    if wide := _unmarked_utf16(found.head):
        return wide
    if len(_CONTROLS.findall(found.head)) > len(found.head) // 20:
        raise UnreadableFile(NOT_TEXT)
    if found.is_utf8 or _is_damaged_utf8(found.marked):
        return "utf-8"
    ends_as_old_mac = b"\r" in found.head and b"\n" not in found.head
    return _guess_code_page(found.marked, ("mac_roman",) if ends_as_old_mac else ("cp1250", "cp1254", "mac_roman"))


def _unmarked_utf16(head: bytes) -> str:
    """UTF-16 shows by the bytes that tell the script (Latin, Cyrillic, Arabic), all on one side."""
    even, odd = (len(side) - len(side.translate(None, _SCRIPTS)) for side in (head[::2], head[1::2]))
    many, few = 0.7 * (len(head) // 2), len(head) // 40
    if odd > many and even <= few:
        return "utf-16-le"
    if even > many and odd <= few:
        return "utf-16-be"
    return ""


def _is_damaged_utf8(sample: bytes) -> bool:
    """Mostly UTF-8 with a few bad bytes: to be refused with the line, never read as something else."""
    text = sample.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if character > "\x7f") - bad
    return good > 4 * bad


def _guess_code_page(sample: bytes, rare: Sequence[str]) -> str:
    """Persian and Arabic stand in whole words of high bytes; Latin scripts have them one by one among ASCII letters.

    `rare` are the pages that come into question where the text would be strange in the usual Western one.
    """
    outside = sum(1 for byte in sample if byte > 0x7F)
    arabic = sum(map(len, _ARABIC_WORD.findall(sample.decode("cp1256"))))
    cyrillic = sum(map(len, _CYRILLIC_WORD.findall(sample.decode("cp1251", "replace"))))
    if max(arabic, cyrillic) > 0.6 * outside:
        return "cp1251" if cyrillic > arabic and _normalizer(sample, "cp1256", "cp1251") == "cp1251" else "cp1256"
    western = sample.decode("cp1252", "replace")
    if len(_STRANGE_IN_WESTERN.findall(western)) <= 0.3 * outside:
        return "cp1252"
    return rare[0] if len(rare) == 1 else _normalizer(sample, *rare) or "cp1252"


def _normalizer(sample: bytes, *encodings: str) -> str:
    best = from_bytes(sample[:BLOCK], cp_isolation=list(encodings)).best()
    return best.encoding if best is not None and best.encoding in encodings else ""


def codec(encoding: str) -> str:
    """The codec that also takes away a byte order mark."""
    if encoding not in ENCODINGS:
        raise UnreadableFile(UNKNOWN_ENCODING, encoding=encoding)
    return "utf-8-sig" if encoding == "utf-8" else encoding


def count_lines(file: BinaryIO, encoding: str) -> int:
    """Decode the whole file strictly and count its lines. Raises `UnreadableFile` with the line that fails."""
    codec(encoding)
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    if encoding in _NEED_A_MARK and (head := file.read(4)) and not head.startswith(_NEED_A_MARK[encoding]):
        raise UnreadableFile(UNDECODABLE, line=1, encoding=encoding, byte=1)
    file.seek(0)
    ends, after_cr, last, offset = 0, False, "", 0
    block = b"-"
    while block:
        block = file.read(BLOCK)
        held, flag = decoder.getstate()
        try:
            text = decoder.decode(block, not block)
        except UnicodeError as error:
            start = error.start if isinstance(error, UnicodeDecodeError) else 0
            decoder.setstate((b"", flag))
            line = ends + _line_ends(decoder.decode((held + block)[:start]), after_cr=after_cr) + 1
            byte = offset - len(held) + start + 1
            raise UnreadableFile(UNDECODABLE, line=line, encoding=encoding, byte=byte) from error
        ends += _line_ends(text, after_cr=after_cr)
        last = text or last
        after_cr = last.endswith("\r")
        offset += len(block)
    file.seek(0)
    return ends + (1 if last and not last.endswith(("\n", "\r")) else 0)


def _line_ends(text: str, *, after_cr: bool) -> int:
    """LF, CR and CRLF each end one line; a CRLF cut in two by a block border counts once."""
    ends = text.count("\n") + text.count("\r") - text.count("\r\n")
    return ends - 1 if after_cr and text.startswith("\n") else ends
