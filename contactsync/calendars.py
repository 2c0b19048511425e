"""The Jalali calendar beside the Gregorian one."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import jdatetime

_DAYS_BEFORE_MONTH = (0, 31, 62, 93, 124, 155, 186, 216, 246, 276, 306, 336)


@lru_cache(maxsize=400)
def _jalali_year(year: int) -> tuple[int, int]:
    """The ordinal of the day before the year begins, and how many days it has."""
    before = jdatetime.date(year, 1, 1).togregorian().toordinal() - 1
    return before, 366 if jdatetime.date(year, 1, 1).isleap() else 365


def from_jalali(year: int, month: int, day: int) -> dt.date:
    """The day of the Jalali calendar, as jdatetime has it. Raises `ValueError` when there is no such day."""
    before, length = _jalali_year(year)
    # six months of 31 days, five of 30, and what is left of the year
    of_month = 31 if month <= 6 else 30
    if month == 12:
        of_month = length - _DAYS_BEFORE_MONTH[11]
    if not 1 <= month <= 12 or not 1 <= day <= of_month:
        raise ValueError(f"There is no {year:04d}/{month:02d}/{day:02d} in the Jalali calendar.")
    return dt.date.fromordinal(before + _DAYS_BEFORE_MONTH[month - 1] + day)


def jalali(date: dt.date) -> str:
    """The date in the Jalali calendar, as 1371/07/16."""
    there = jdatetime.date.fromgregorian(date=date)
    return f"{there.year:04d}/{there.month:02d}/{there.day:02d}"
