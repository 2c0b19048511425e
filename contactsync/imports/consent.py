"""What a cell says of a person's consent: since when, yes, or no."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from contactsync.imports.moments import is_to_come, read_moment
from contactsync.options import OptionCode
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
    at, code = read_moment(text)
    if code:
        return Consent(code="consent_unclear" if code == OptionCode.NOT_A_DATE else f"option_{code}")
    if at is not None and is_to_come(at, now):
        return Consent(code="consent_in_future")
    return Consent(at)


def is_same(there: dt.datetime | None, told: dt.datetime | None) -> bool:
    """Whether two moments are the same to the second by the clock here, which is how exactly a file can say it."""
    if there is None or told is None:
        return there is told
    return _by_the_clock(there) == _by_the_clock(told)


def _by_the_clock(moment: dt.datetime) -> dt.datetime:
    """Without the zone: the hour that comes twice when the clock is set back looks the same in a file."""
    return timezone.localtime(moment).replace(tzinfo=None, microsecond=0, fold=0)
