"""Reasons stored in rows: a constant sentence and what fills its places, translated when shown."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext

from contactsync.calendars import jalali
from contactsync.text import left_to_right

#: a moment as `guard.moment` stores it: to the minute, in the site's time zone, kept from left to right
_MOMENT = re.compile(r"\u2066([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2})\u2069")

#: what is a number of things, or of money: shown as the other numbers of a page
AMOUNTS = frozenset({"balance", "count", "people", "price", "there"})

Param = str | int | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]


def reason(message: str, **params: Param) -> dict[str, Any]:
    """A reason to store. `message` is constant and marked with `gettext_noop` where it is written.

    A param may be a reason itself, or a list of texts and reasons.
    """
    return {"message": message, "params": params} if params else {"message": message}


def describe(stored: Mapping[str, Any] | None) -> str:
    """The reason in the active language; empty when there is none."""
    if not stored or not stored.get("message"):
        return ""
    params = stored.get("params")
    translated = gettext(stored["message"])
    if not params:
        return translated
    filled = {name: _grouped(value) if name in AMOUNTS else _filled(value) for name, value in params.items()}
    return translated % filled


def _filled(value: Param) -> str | int:
    if isinstance(value, Mapping):
        return describe(value)
    if isinstance(value, list | tuple):
        return gettext(", ").join(str(_filled(each)) for each in value)
    if isinstance(value, str) and (get_language() or "").startswith("fa"):
        return _in_both_calendars(value)
    return value  # type: ignore[return-value]


def _grouped(value: Param) -> str | int:
    """“36,838” for 36838, “50,000,000” for "50000000.0"; what is no number as it is."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return _filled(value)
    plain = amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()
    # Django's Persian formats group nothing
    is_persian = (get_language() or "").startswith("fa")
    return f"{plain:,f}" if is_persian else number_format(plain, use_l10n=True, force_grouping=True)


def _in_both_calendars(text: str) -> str:
    """A moment for Persian readers, as the other moments of their pages; any other text unchanged."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return text
    date, time = found.groups()
    return f"{left_to_right(f'{jalali(dt.date.fromisoformat(date))} {time}')} ({text})"
