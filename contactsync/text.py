"""Text hygiene: digits, Persian letters, invisible characters, spreadsheet formulas."""

from __future__ import annotations

import re
import unicodedata

# Beyond the second plane there are no digits, and looking there would slow every start.
DIGITS = {
    code: str(unicodedata.decimal(chr(code))) for code in range(128, 0x20000) if unicodedata.category(chr(code)) == "Nd"
}

# Characters nobody sees: zero-width, directional marks and isolates, soft hyphen, byte order mark.
_INVISIBLE = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
_JUNK = re.compile(f"[{_INVISIBLE}\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
_PRESENTATION_FORMS = re.compile("[\ufb50-\ufbff\ufd3e-\ufdcf\ufe70-\ufefc]+")

# A joiner means something inside a Persian (or Indic) word or an emoji, and nothing anywhere else.
_JOINING_LETTER = "\u0620-\u065f\u066e-\u06d3\u06d5\u06ee\u06ef\u06fa-\u06ff\u0750-\u077f\u0900-\u0dff"
_NON_JOINER = re.compile(f"(?<![{_JOINING_LETTER}])\u200c|\u200c(?![{_JOINING_LETTER}])")
_EMOJI = "\u0900-\u0dff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_JOINER = re.compile(f"(?<![{_EMOJI}])\u200d|\u200d(?![{_EMOJI}])")

# What most cells hold: words that are clean already. Only for speed; the long way gives the same.
_PLAIN_LETTER = "\u0621-\u063a\u0641\u0642\u0644-\u0648پچژکگی"
_PLAIN_WORD = f"[!-~À-ÖØ-öø-ſ«»–—‘-”…€،؛؟۰-۹{_PLAIN_LETTER}]+"
_PLAIN_WORD = f"{_PLAIN_WORD}(?:(?<=[{_PLAIN_LETTER}])\u200c(?=[{_PLAIN_LETTER}]){_PLAIN_WORD})*"
_CLEAN_ALREADY = re.compile(f"{_PLAIN_WORD}(?: {_PLAIN_WORD})*")

_PERSIAN_LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک"})
_ALIKE = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ە": "ه", "ہ": "ه", "ھ": "ه", "ـ": None, "\u200c": " "})
_MARKS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670]")

_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
_EXCEL_CODE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
# What no text holds, half a character and none at all, stays as it is written.
_CODED = re.compile(r"_x(?!0000|[Dd][89A-Fa-f])([0-9A-Fa-f]{4})_")
_SIGNED_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?|[+-]+")


def gettext_noop(message: str) -> str:
    """Mark a constant sentence for translation and return it unchanged."""
    return message


def ascii_digits(text: str) -> str:
    """The text with Persian, Arabic and all other decimal digits written as 0-9."""
    return text if text.isascii() else text.translate(DIGITS)


def printable(text: str) -> str:
    """The text without characters that cannot be shown; the joiners of Persian words and emoji stay."""
    return "".join(character for character in text if character.isprintable() or character in "\u200c\u200d")


def left_to_right(text: str) -> str:
    """The text written from the left, also within a page that is written from the right: numbers, codes, times."""
    return f"\u2066{text}\u2069"


def isolated(text: str) -> str:
    """The text in its own direction, whatever stands around it."""
    return f"\u2068{text}\u2069"


def file_name_shown(name: str) -> str:
    """A file's name whose last number stays before its ending: “مهر 1403.csv” would be drawn as “csv.1403 مهر”."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}\u200e{dot}{ending}" if stem[-1:].isdecimal() and not name.isascii() else name


def clean(text: str) -> str:
    """One line as a person meant it: composed (NFC), single spaces, ی and ک, nothing invisible but the joiners inside words."""
    if _CLEAN_ALREADY.fullmatch(text):
        return text
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    spelled = " ".join(text.split()).translate(_PERSIAN_LETTERS)
    if _CLEAN_ALREADY.fullmatch(spelled):
        return spelled
    text = _PRESENTATION_FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    text = _JUNK.sub("", text)
    text = unicodedata.normalize("NFC", " ".join(text.split())).translate(_PERSIAN_LETTERS)
    text = re.sub("\u200c{2,}", "\u200c", text)
    return " ".join(_JOINER.sub("", _NON_JOINER.sub("", text)).split())


def fold(text: str) -> str:
    """The text for comparing and searching: case, accents, vowel marks, digits and kinds of space no longer differ."""
    if text.isascii():
        return " ".join(_JUNK.sub("", text).casefold().split())
    text = _MARKS.sub("", unicodedata.normalize("NFKD", clean(text)).casefold())
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_ALIKE)
    return clean(ascii_digits(text))


def is_formula(text: str) -> bool:
    """Would a spreadsheet calculate this cell? Phone numbers and plain signed numbers are not formulas."""
    if text[:1].isalnum():
        return False
    if text[:1] in {"\t", "\r", "\n"}:
        return True
    text = text.strip()
    return text.startswith(_FORMULA_STARTS) and not _SIGNED_NUMBER.fullmatch(text)


def defuse(text: str) -> str:
    """The text with a ' before it when a spreadsheet would calculate it, or when `undefused` would take one away."""
    return f"'{text}" if is_formula(text.lstrip("'")) else text


def undefused(text: str) -> str:
    """The text without the ' that `defuse` has put before it, and without the ="…" by which others keep a text as it is."""
    if found := _TEXT_FORMULA.fullmatch(text):
        return found[1].replace('""', '"')
    return text[1:] if text.startswith("'") and is_formula(text.lstrip("'")) else text


def excel_text(text: str) -> str:
    """The text as a cell of an Excel file holds it: “_x0041_” there stands for A, so its first sign is written as a code too."""
    return _EXCEL_CODE.sub("_x005F_", text) if "_x" in text else text


def from_excel_text(text: str) -> str:
    """The text that a cell of an Excel file stands for: `excel_text` undone, with what Excel itself writes as a code."""
    return _CODED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
