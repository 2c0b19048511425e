"""What a cell looks like, before anybody has said what it is."""

from __future__ import annotations

import re

from contactsync.text import ascii_digits

_SCIENTIFIC = re.compile(r"\d([.,/]\d+)?[eE]\+?\d+")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_NUMBER = re.compile(r"\+?[\d\s()./\-\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")


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
