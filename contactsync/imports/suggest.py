"""Values that would be accepted in place of refused ones. A suggestion is shown, never applied."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from contactsync.options import parse_option, several
from contactsync.phone import parse_phone
from contactsync.spelling import LONGEST_INPUT
from contactsync.text import ascii_digits, clean, fold


def suggest_phone(raw: str, region: str) -> str:
    """The number in a cell with other text beside it; the first of several."""
    for part in re.split(r"[^\d+().\- ]+", ascii_digits(raw[:LONGEST_INPUT])):
        verdict = parse_phone(part, region)
        if verdict.is_valid:
            return verdict.e164
    return ""


def suggest_email(raw: str) -> str:
    """The address with the usual slips undone: spaces, a comma for the dot, text around it."""
    text = re.sub(r"\s", "", clean(raw)).replace(",", ".").strip(".;:<>()[]'\"").removeprefix("mailto:")
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text


def suggest_option(raw: str, kind: str, choices: Sequence[str]) -> str:
    """The nearest allowed value; the digits within; both readings of a date."""
    if kind == "choice":
        return _nearest(raw, choices)
    if kind == "multiple":
        near = [_nearest(part, choices) for part in several(raw)]
        return parse_option("; ".join(near), kind, choices=choices).value if all(near) else ""
    if kind == "email":
        return suggest_email(raw)
    text = ascii_digits(clean(raw))
    if kind == "integer":
        numbers = re.findall(r"-?\d+", text)
        return numbers[0] if len(numbers) == 1 else ""
    if kind == "date":
        found = re.fullmatch(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", text)
        readings = (f"{found[3]}-{found[2]}-{found[1]}", f"{found[3]}-{found[1]}-{found[2]}") if found else ()
        return " / ".join(filter(None, (parse_option(reading, "date").value for reading in readings)))
    return ""


def _nearest(raw: str, choices: Sequence[str]) -> str:
    by_fold = {fold(choice): choice for choice in choices}
    near = difflib.get_close_matches(fold(raw)[:100], by_fold, n=1)
    return by_fold[near[0]] if near else ""
