"""What the tables of all dialects share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TypeVar

from providers.sandbox.dialect import Section, State

SHOWN = 200
Row = TypeVar("Row")


def latest(rows: Iterable[Row]) -> list[Row]:
    """As many as a table shows, the newest first."""
    return list(rows)[: -SHOWN - 1 : -1]


def limit_note(total: int) -> str:
    """Below a table of `latest` rows: that there are more."""
    return f"The latest {SHOWN} of {total:,}." if total > SHOWN else ""


def when(stamp: float) -> str:
    """A moment in UTC, to the second."""
    return dt.datetime.fromtimestamp(int(stamp), dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def violations(state: State) -> Section:
    """The last table of every dialect."""
    return Section(
        "Violations",
        ("Kind", "Where", "Request"),
        [(v.kind, v.where, f"{v.method} {v.path}") for v in latest(state.violations)],
        note="Requests that the provider’s document does not allow.",
    )
