"""The filters of lists: exact values, several values, ranges, orders."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from providers.sandbox.lox24.call import Call

Row = TypeVar("Row")
RANGES: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}

PARTIAL = frozenset({"text", "sender_id"})


class Filters:
    """`values` reads what a filter compares, `many` are given with `[]`, several times or, where the list `has_ranges`, as a range."""

    def __init__(
        self,
        values: Mapping[str, Callable[[Any, float], Any]],
        *,
        many: Collection[str],
        orders: Collection[str],
        has_ranges: bool,
    ) -> None:
        self._values = values
        self._many = frozenset(many)
        self._orders = frozenset(orders)
        self._ranges = frozenset({*RANGES, "between"} if has_ranges else ())

    def allows(self, name: str) -> bool:
        """Whether the document has this parameter."""
        if name == "page" or (name in self._values and name not in self._many):
            return True
        base, inside = self._split(name)
        if base == "_order":
            return inside in self._orders
        return base in self._many and (inside == "" or inside in self._ranges)

    def select(self, rows: list[Row], pairs: Sequence[tuple[str, str]], call: Call) -> list[Row]:
        """The rows that every filter leaves, in the order asked for."""
        several: dict[str, list[str]] = {}
        for name, value in pairs:
            base, inside = self._split(name)
            if base == "_order" and inside in self._orders:
                rows = self._ordered(rows, inside, value, call)
            elif name in self._values:
                rows = [row for row in rows if self._fits(base, self._values[base](row, call.now), value)]
            elif inside == "" and base in self._many:
                several.setdefault(base, []).append(value)
            elif base in self._many and inside in self._ranges:
                rows = self._in_range(rows, base, inside, value, call)
        for base, values in several.items():
            rows = [row for row in rows if str(self._values[base](row, call.now)) in values]
        return rows

    @staticmethod
    def _split(name: str) -> tuple[str, str | None]:
        found = re.fullmatch(r"(\w+)\[(\w*)\]", name)
        return (found[1], found[2]) if found else (name, None)

    @staticmethod
    def _fits(name: str, held: Any, wanted: str) -> bool:
        return wanted.lower() in str(held).lower() if name in PARTIAL else str(held) == wanted

    def _ordered(self, rows: list[Row], name: str, direction: str, call: Call) -> list[Row]:
        if direction not in {"asc", "desc"}:
            call.problems.violation("wrong type", f"_order[{name}]", "The value you selected is not a valid choice.")
        ordered = sorted(rows, key=lambda row: self._values[name](row, call.now))
        return ordered[::-1] if direction == "desc" else ordered

    def _in_range(self, rows: list[Row], name: str, inside: str, value: str, call: Call) -> list[Row]:
        ends = value.split("..") if inside == "between" else [value]
        if len(ends) != (2 if inside == "between" else 1) or not all(re.fullmatch("[0-9]+", end) for end in ends):
            call.problems.violation("wrong type", f"{name}[{inside}]", "This value should be of type integer.")
            return rows
        held = [(row, self._values[name](row, call.now)) for row in rows]
        if inside == "between":
            return [row for row, number in held if int(ends[0]) <= number <= int(ends[1])]
        return [row for row, number in held if RANGES[inside](number, int(value))]
