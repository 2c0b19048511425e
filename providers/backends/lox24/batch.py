"""What became of each contact of a batch, from every shape the answer may have.

The members are documented (`status` and `body` per element), their container is not: it may be a list, an object
keyed by index, a single element, with or without the `hydra:` prefix, or a bare list. The order is not told either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from providers import values
from providers.backends.lox24 import forms
from providers.backends.lox24.envelope import complaint_of, member, total_of
from providers.text import gettext_noop
from providers.types import BatchResult, ContactRecord, ItemOutcome, ItemResult

_REFUSED = gettext_noop("LOX24 refused this contact (HTTP %(status)s): “%(words)s”.")
_REFUSED_WORDLESS = gettext_noop("LOX24 refused this contact (HTTP %(status)s) without saying why.")
_UNTOLD = gettext_noop("LOX24 did not tell what became of this contact.")
_UNCERTAIN = gettext_noop("LOX24 answered HTTP %(status)s for this contact; it is not known whether it was added.")

#: statuses of an element that say nothing of the contact itself
_NOT_ABOUT_THE_CONTACT = frozenset({401, 402, 403, 408, 429})


@dataclass(frozen=True, slots=True)
class Element:
    """One result as it came."""

    status: int
    body: Any

    def text(self, name: str) -> str:
        return values.text(self.body.get(name)) if isinstance(self.body, dict) else ""


def parse_batch(data: Any, records: Sequence[ContactRecord], words: Callable[[object], str]) -> BatchResult:
    """One result per record, in their order; `UNRESOLVED` where the answer tells nothing certain. Raises `TypeError` when it is no batch at all."""
    elements = _elements(data)
    found = _matched(elements, records)
    items = tuple(_verdict(record, found[place], words) for place, record in enumerate(records))
    total = total_of(data)
    return BatchResult(items, {} if total is None else {"totalItems": total})


def _elements(data: Any) -> list[Element | None]:
    """The elements in the order of the answer; None for one that cannot be read."""
    inside = data if isinstance(data, list) or _is_element(data) else member(data, "member")
    if _is_element(inside):
        rows = [inside]
    elif isinstance(inside, list):
        rows = inside
    elif isinstance(inside, dict):
        rows = [inside[key] for key in sorted(inside, key=_index)]
    else:
        raise TypeError
    return [_element(row) for row in rows]


def _is_element(data: Any) -> bool:
    return isinstance(data, dict) and "status" in data and "body" in data


def _index(key: str) -> tuple[int, str]:
    return (int(key), "") if key.isascii() and key.isdigit() else (2**63, key)


def _element(row: Any) -> Element | None:
    status = row.get("status") if isinstance(row, dict) else None
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool):
        return None
    return Element(status, row.get("body"))


def _matched(elements: Sequence[Element | None], records: Sequence[ContactRecord]) -> list[Element | None]:
    """The element of each record: by our reference, by the number, else by position.

    Positions count only when there are as many elements as records and nothing that was matched otherwise contradicts
    them; and one element left over belongs to the one record left over.
    """
    found: list[Element | None] = [None] * len(records)
    conflicts: set[int] = set()
    unknown: list[int] = []
    keeps_order = len(elements) == len(records)
    for position, element in enumerate(elements):
        place = None if element is None else _place(element, records)
        if place is None:
            unknown.append(position)
            continue
        keeps_order = keeps_order and place == position
        if found[place] is not None and found[place] != element:
            conflicts.add(place)
        found[place] = element
    free = [place for place in range(len(records)) if found[place] is None]
    if keeps_order:
        for position in unknown:
            found[position] = elements[position]
    elif len(elements) == len(records) and len(unknown) == len(free) == 1:
        found[free[0]] = elements[unknown[0]]
    return [None if place in conflicts else element for place, element in enumerate(found)]


def _place(element: Element, records: Sequence[ContactRecord]) -> int | None:
    """Which record this element names; None when it names none, or a number that several have."""
    reference = element.text("callback_data")
    named = [place for place, record in enumerate(records) if reference and record.reference == reference]
    if not named and (phone := forms.e164(element.text("phone"))):
        named = [place for place, record in enumerate(records) if record.phone == phone]
    return named[0] if len(named) == 1 else None


def _verdict(record: ContactRecord, element: Element | None, words: Callable[[object], str]) -> ItemResult:
    if element is None:
        return ItemResult(record.reference, ItemOutcome.UNRESOLVED, message=_UNTOLD)
    status: dict[str, str | int] = {"status": element.status}
    if 200 <= element.status < 300 and (remote_id := element.text("id")):
        return ItemResult(record.reference, ItemOutcome.DONE, remote_id)
    if not 400 <= element.status < 500 or element.status in _NOT_ABOUT_THE_CONTACT:
        return ItemResult(record.reference, ItemOutcome.UNRESOLVED, message=_UNCERTAIN, params=status)
    said = complaint_of(element.body, words).words
    if not said:
        return ItemResult(record.reference, ItemOutcome.REFUSED, message=_REFUSED_WORDLESS, params=status)
    return ItemResult(record.reference, ItemOutcome.REFUSED, message=_REFUSED, params={**status, "words": said})
