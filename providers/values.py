"""Values that several providers write in the same form."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def is_e164(phone: str) -> bool:
    """A plus and 7 to 15 digits."""
    return _E164.fullmatch(phone) is not None


def text(value: Any) -> str:
    """A text field; null is empty."""
    return "" if value is None else str(value)


def remote_id(value: Any) -> str:
    """An id as text, whether it comes as a number or as text. Raises `ValueError` when the answer has none."""
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise ValueError
    return str(value)


def unix_moment(value: Any) -> dt.datetime | None:
    """A time given as Unix seconds, as a number or as text; None when there is none."""
    seconds = str(value or "").strip()
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC) if re.fullmatch(r"[1-9][0-9]{0,10}", seconds) else None
