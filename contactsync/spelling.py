"""How people and spreadsheets spell phone numbers: what one would dial, or what is wrong with the cell."""

from __future__ import annotations

import re
from enum import StrEnum

from contactsync.text import DIGITS

LONGEST_INPUT = 200


class PhoneCode(StrEnum):
    OK = "ok"
    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    EXTENSION = "extension"
    SEVERAL_NUMBERS = "several_numbers"
    SCIENTIFIC = "scientific"
    DECIMAL_DAMAGED = "decimal_damaged"
    NEGATIVE = "negative"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNKNOWN_COUNTRY = "unknown_country"
    NOT_ASSIGNED = "not_assigned"
    AMBIGUOUS = "ambiguous"


_UNIFY = DIGITS | str.maketrans(
    {
        **dict.fromkeys("\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2067\u2068\u2069\ufeff"),
        **dict.fromkeys("\u202a\u202b\u202c\u202d\u202e"),
        **dict.fromkeys(
            "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
        **dict.fromkeys("‐‑‒–—―⁃−⸺⸻﹘﹣－ـ", "-"),
        **dict.fromkeys("＋﹢⁺➕", "+"),
        **dict.fromkeys("（［｛", "("),
        **dict.fromkeys("）］｝", ")"),
        **dict.fromkeys("．·•∙․", "."),
        "／": "/",
        "⁄": "/",
        "٫": ".",
        "٬": ",",
        "’": "'",
    }
)
_NO_PUNCTUATION = str.maketrans("", "", "() -/\t\n")
PLAIN = re.compile(r"(?:\+[1-9]|[0-9])[0-9]{6,14}")
# Nothing in these can be a sign of damage, nor are there digits enough for two numbers.
_FORMATTED = re.compile(r"(?:\+\s?[1-9(]|[0-9(])[0-9() -]+|[0-9][0-9()/ -]+")
_WHOLE = re.compile(r"([0-9]{7,})[.,]0{1,2}")  # what a spreadsheet makes of a column of numbers
# ="0912…" and '0912… are how people keep a zero in a spreadsheet.
_WRAPPING = " \t\r\n\"'“”‘’`"
_SCHEME = re.compile(r"(?:tel|sms|callto|whatsapp):\s*", re.IGNORECASE)  # of links, as address books keep them
_QUOTED_FORMULA = re.compile(r'="\s*([\d+().\- ]+)')  # its last quote is gone by then
_SCIENTIFIC = re.compile(
    r"[+-]?\d+(?:[.,/]\d+)?\s?[eE]\s?[+-]?\d+"
)  # the slash is the decimal point of Persian Windows
_FRACTION = re.compile(r"(\+?\d{7,})[.,](\d{1,2})")
_EXTENSION = re.compile(
    r"\d\D{0,4}(?:\b|(?<=\d))(?:ext(?:ension|n)?|x|int(?:erno)?|dw|durchwahl|داخل[یي])[\s.:=]*\d+$|\d\s*#\s*\d+$",
    re.IGNORECASE,
)
_BETWEEN_NUMBERS = re.compile(r"[^\d+().\- ]+|(?<=\d)[ ]*(?=\+\d)| -+ ")
_SPELLING = re.compile(r"[\d+().\-/,'_~\s]*")


def unified(text: str) -> str:
    """The text with one kind of digit, dash, plus, bracket and space, and nothing invisible."""
    return text if text.isascii() else text.translate(_UNIFY)


def dialled_digits(raw: str) -> tuple[str, PhoneCode]:
    """What one would dial: digits, with a plus before them if it was written; or why that cannot be told."""
    text = unified(raw).strip(_WRAPPING)
    if text.startswith("=") and (found := _QUOTED_FORMULA.fullmatch(text)):
        text = found[1]
    elif found := _SCHEME.match(text):
        text = text[found.end() :]
    if len(text) > LONGEST_INPUT:
        return "", PhoneCode.NOT_A_NUMBER
    if _FORMATTED.fullmatch(text):
        plain = text.translate(_NO_PUNCTUATION)
        if len(plain) <= 13:
            return plain, PhoneCode.OK
    if found := _WHOLE.fullmatch(text):
        return found[1], PhoneCode.OK
    if code := _damage(text):
        return "", code
    if found := _FRACTION.fullmatch(text):
        text = found[1]
    digits = re.sub(r"\D", "", text)
    pluses = text.count("+")
    if pluses > 1:
        return digits, PhoneCode.NOT_A_NUMBER
    if pluses and not (re.match(r"\D*\+", text) or text.endswith("+")):  # right-to-left typing leaves it at the end
        return digits, PhoneCode.NOT_A_NUMBER
    if pluses and digits.startswith("00"):
        digits = digits[2:]
    return ("+" if pluses else "") + digits, PhoneCode.OK


def _damage(text: str) -> PhoneCode | None:
    """Why the text cannot be one intact number, as far as its spelling tells."""
    if not any(character.isdigit() for character in text):
        return PhoneCode.NOT_A_NUMBER if any(character.isalnum() for character in text) else PhoneCode.EMPTY
    if _SCIENTIFIC.fullmatch(text):
        return PhoneCode.SCIENTIFIC
    if (fraction := _FRACTION.fullmatch(text)) and fraction[2].strip("0"):
        return PhoneCode.DECIMAL_DAMAGED
    if re.match(r"-[1-9]\d*$", text):  # 98-912… calculated: a wrong number that may look valid
        return PhoneCode.NEGATIVE
    if _EXTENSION.search(text):
        return PhoneCode.EXTENSION
    if sum(len(re.sub(r"\D", "", part)) >= 7 for part in _BETWEEN_NUMBERS.split(text)) > 1:
        return PhoneCode.SEVERAL_NUMBERS
    return None if _SPELLING.fullmatch(text) else PhoneCode.NOT_A_NUMBER
