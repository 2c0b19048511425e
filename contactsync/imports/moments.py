"""What a cell says of a moment: a date in any form that dates may have, with or without a time of day."""

from __future__ import annotations

import datetime as dt
import re

from django.utils import timezone

from contactsync.options import OptionCode, parse_option

#: for those who write in another zone
_NEAR = dt.timedelta(days=1)
_TIME = re.compile(r"[T ](\d{1,2}):(\d{2})(?::(\d{2}))?")


def read_moment(text: str) -> tuple[dt.datetime | None, str]:
    """The moment, in the site's zone unless the text names another; else an `OptionCode` of what is wrong. Digits are ASCII."""
    try:
        exact = dt.datetime.fromisoformat(text)
    except ValueError:
        exact = None
    if exact is not None and exact.tzinfo is not None:
        return exact, ""
    verdict = parse_option(text, "date")
    if not verdict.is_valid:
        return None, str(verdict.code)
    time = _TIME.search(text)
    hour, minute, second = (int(part or 0) for part in time.groups()) if time else (0, 0, 0)
    try:
        clock = dt.time(hour, minute, second)
    except ValueError:
        return None, str(OptionCode.NOT_A_DATE)
    return timezone.make_aware(dt.datetime.combine(dt.date.fromisoformat(verdict.value), clock)), ""


def is_to_come(moment: dt.datetime, now: dt.datetime) -> bool:
    """Whether it lies in the future wherever it was written."""
    return moment > now + _NEAR
