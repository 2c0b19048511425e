"""What a cell says of a person's consent: since when, yes, or no."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.utils import timezone

from contactsync.options import OptionCode, parse_option
from contactsync.text import ascii_digits, clean, fold

YES = frozenset(
    fold(word)
    for word in (
        "yes", "y", "true", "1", "x", "ok", "given", "granted", "agreed", "opted in", "opt-in", "subscribed", "✓", "✔",
        "☑", "بله", "بلی", "آری", "دارد", "داده", "موافق", "نعم", "ja", "j", "wahr", "erteilt", "sì", "si", "sí", "s",
        "vero", "verdadero", "concesso", "concedido",
    )
)  # fmt: skip
NO = frozenset(
    fold(word)
    for word in (
        "no", "n", "false", "0", "none", "not given", "withdrawn", "opted out", "opt-out", "unsubscribed", "✗", "✘", "☐",
        "-", "–", "خیر", "نه", "ندارد", "نداده", "مخالف", "لا", "nein", "falsch", "widerrufen", "falso", "revocato",
        "revocado",
    )
)  # fmt: skip
_TIME = re.compile(r"[T ](\d{1,2}):(\d{2})(?::(\d{2}))?")


@dataclass(frozen=True, slots=True)
class Consent:
    """`at` is None for a no; `is_bare` for a plain yes, which keeps an earlier date. `code` says what is wrong, or is empty."""

    at: dt.datetime | None = None
    is_bare: bool = False
    code: str = ""


def parse_consent(raw: str, *, now: dt.datetime) -> Consent:
    """Read a cell; a plain yes means consent at `now`. Codes are those of `imports.issues`."""
    text = ascii_digits(clean(raw))
    if fold(text) in YES:
        return Consent(now, is_bare=True)
    if fold(text) in NO:
        return Consent()
    at, code = _moment(text)
    if code:
        return Consent(code=code)
    if at is not None and at > now + dt.timedelta(days=1):  # a day for those who write in another zone
        return Consent(code="consent_in_future")
    return Consent(at)


def _moment(text: str) -> tuple[dt.datetime | None, str]:
    """A date with or without a time of day, in the site's zone unless it names another; else the code of what is wrong."""
    try:
        exact = dt.datetime.fromisoformat(text)
    except ValueError:
        exact = None
    if exact is not None and exact.tzinfo is not None:
        return exact, ""
    verdict = parse_option(text, "date")
    if not verdict.is_valid:
        return None, "consent_unclear" if verdict.code is OptionCode.NOT_A_DATE else f"option_{verdict.code}"
    time = _TIME.search(text)
    hour, minute, second = (int(part or 0) for part in time.groups()) if time else (0, 0, 0)
    try:
        clock = dt.time(hour, minute, second)
    except ValueError:
        return None, "consent_unclear"
    return timezone.make_aware(dt.datetime.combine(dt.date.fromisoformat(verdict.value), clock)), ""


def is_same(there: dt.datetime | None, told: dt.datetime | None) -> bool:
    """Whether two moments are the same to the second, which is how exactly a file can say it."""
    if there is None or told is None:
        return there is told
    return there.replace(microsecond=0) == told.replace(microsecond=0)
