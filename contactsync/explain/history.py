"""All that happened to a number, newest first, from rows that each are found by an index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from contactsync.explain import people, work
from contactsync.explain.lines import Kind, Line
from contactsync.explain.number import Number

#: lines of one source; a number with more of them is shown the newest, kind by kind
MOST = 500

Source = Callable[[Number, int], Iterable[Line]]
SOURCES: tuple[tuple[Kind, Source], ...] = (
    (Kind.CONTACT, people.contacts),
    (Kind.CONTACT, people.edits),
    (Kind.IMPORT, work.imported),
    (Kind.IMPORT, work.listed),
    (Kind.IMPORT, work.issues),
    (Kind.IMPORT, work.undone),
    (Kind.PUSH, work.items),
    (Kind.CAMPAIGN, people.campaigns),
    (Kind.REPORT, people.deliveries),
    (Kind.REPLY, people.replies),
    (Kind.SUPPRESSION, people.suppressions),
    (Kind.SUPPRESSION, people.suppression_edits),
)
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class History:
    """`lines` newest first; `is_cut` when some source holds more than was read."""

    lines: list[Line]
    is_cut: bool


def history(number: Number, kinds: Collection[str], *, most: int = MOST) -> History:
    """What happened to the number, of these kinds."""
    lines: list[Line] = []
    is_cut = False
    for kind, source in SOURCES:
        if kind in kinds:
            found = list(source(number, most))
            is_cut |= len(found) >= most
            lines += found
    # Python keeps the order of equals, and each source gives its newest first.
    return History(sorted(lines, key=lambda line: line.at or _LONG_AGO, reverse=True), is_cut)
