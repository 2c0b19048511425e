"""One authorised request on its way through a handler."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from providers.sandbox.callbell.envelope import Refused, not_found
from providers.sandbox.callbell.fields import Fields, Problems, Query, parse_body
from providers.sandbox.callbell.records import Channel, Contact
from providers.sandbox.callbell.state import CallbellState
from providers.sandbox.dialect import Settings
from providers.sandbox.wire import Request


@dataclass
class Call:
    """What a handler works with; the state's lock is held."""

    state: CallbellState
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
        if self.request.body:
            self.problems.violation("undocumented field", "body", "this request has no body")
        return Query(self.problems, self.request.query, allowed)

    def nothing(self) -> None:
        """Neither query nor body is allowed. Raises `Refused`."""
        self.query()
        self.problems.check()

    def contact(self, uuid: str) -> Contact:
        """Raises `Refused` with 404."""
        if uuid not in self.state.contacts:
            raise Refused(not_found())
        return self.state.contacts[uuid]

    def channel(self, uuid: str) -> Channel:
        """Raises `Refused` with 404."""
        if uuid not in self.state.channels:
            raise Refused(not_found())
        return self.state.channels[uuid]


def iso(stamp: float) -> str:
    """A date as the API writes most of them."""
    return dt.datetime.fromtimestamp(int(stamp), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def webhook_date(stamp: float) -> str:
    """A date as webhooks write it."""
    return dt.datetime.fromtimestamp(int(stamp), dt.UTC).strftime("%Y-%m-%d %H:%M:%S +0000")
