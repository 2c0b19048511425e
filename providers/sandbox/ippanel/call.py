"""One authorised request on its way through a handler."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from providers.sandbox.dialect import Settings
from providers.sandbox.ippanel.envelope import Refused, not_found, ok
from providers.sandbox.ippanel.fields import Fields, Problems, Query, parse_body, refuse_body
from providers.sandbox.ippanel.records import Phonebook
from providers.sandbox.ippanel.state import IPPanelState
from providers.sandbox.wire import Request, Response

Row = TypeVar("Row")


@dataclass
class Call:
    """What a handler works with; the state's lock is held."""

    state: IPPanelState
    request: Request
    settings: Settings

    @cached_property
    def problems(self) -> Problems:
        return Problems(self.request, self.state.violate)

    def body(self, allowed: Collection[str]) -> Fields:
        """The JSON body, read strictly. Raises `Refused`. A query beside it is not allowed."""
        Query(self.problems, self.request.query)
        return Fields(self.problems, parse_body(self.request, self.problems), allowed)

    def query(self, allowed: Collection[str] = ()) -> Query:
        """The query, read strictly. A body beside it is not allowed."""
        refuse_body(self.request, self.problems)
        return Query(self.problems, self.request.query, allowed)

    def nothing(self) -> None:
        """Neither query nor body is allowed. Raises `Refused`."""
        self.query()
        self.problems.check()

    def phonebook(self, phonebook_id: str) -> Phonebook:
        """The phonebook with this id. Raises `Refused` with 404."""
        book = self.state.phonebooks.get(int(phonebook_id)) if is_id(phonebook_id) else None
        if book is None:
            raise Refused(not_found())
        return book

    def page(
        self, rows: Sequence[Row], page: int, per_page: int, show: Callable[[Row], Any], *, total: int | None = None
    ) -> Response:
        """One page of `rows` with the pagination members; `total` says that `rows` is that page already."""
        first = (page - 1) * per_page
        if total is None:
            total = len(rows)
            rows = rows[first : first + per_page]
        pages = {
            "current_page": page,
            "from": first + 1 if rows else 0,
            "last_page": max(1, -(-total // per_page)),
            "path": self.request.path.replace("list-new", "listNew"),
            "per_page": per_page,
            "to": first + len(rows) if rows else 0,
            "total": total,
        }
        return ok([show(row) for row in rows], pages=pages)


def is_id(text: str) -> bool:
    """Whether this is an id as the API writes them: ASCII digits."""
    return text.isascii() and text.isdigit() and len(text) < 19


def iso(stamp: float) -> str:
    """A date as the API writes them: whole seconds with +00:00."""
    return dt.datetime.fromtimestamp(int(stamp), dt.UTC).isoformat()
