"""The IPPanel Edge dialect: strict, stateful, with error bodies in Persian.

Each module below answers one group of calls; `state` says what is stored and `delivery` what becomes of a send.
"""

from __future__ import annotations

import hmac
from dataclasses import asdict
from typing import Any, ClassVar

from providers.sandbox.dialect import Dialect, Section, Settings, Violation
from providers.sandbox.ippanel import account, contacts, options, patterns, phonebooks, reports, sends, tables
from providers.sandbox.ippanel.call import Call
from providers.sandbox.ippanel.envelope import (
    WRONG_METHOD,
    Refused,
    error_for,
    failure,
    not_found,
    unauthorized,
)
from providers.sandbox.ippanel.records import Pattern
from providers.sandbox.ippanel.state import IPPanelState
from providers.sandbox.routing import Match, Routes
from providers.sandbox.wire import Request, Response

BASE_PATH = "/v1"
ROUTES = Routes(
    [
        *account.ROUTES,
        *phonebooks.ROUTES,
        *contacts.ROUTES,
        *options.ROUTES,
        *sends.ROUTES,
        *reports.ROUTES,
        *patterns.ROUTES,
    ]
)


class IPPanelDialect(Dialect):
    """Answers under `/ippanel/v1/api/…`."""

    slug: ClassVar[str] = "ippanel"
    base_path: ClassVar[str] = BASE_PATH
    state: IPPanelState

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.reset()

    def reset(self) -> None:
        self.state = IPPanelState(self.settings.clock)

    def handle(self, request: Request) -> Response:
        state = self.state
        with state.lock:
            state.settle()
            try:
                self._authorize(state, request)
                match = self._find(request)
                if match.route:
                    return match.route.handler(Call(state, request, self.settings), **match.places)
                state.violate(Violation("path", request.path, request.method, request.path))
                return failure(405, "405-1", WRONG_METHOD) if match.allowed else not_found()
            except Refused as refused:
                return refused.response

    def changes(self, request: Request) -> bool:
        route = self._find(request).route
        return route.changes if route else request.method not in ("GET", "HEAD")

    def error(self, status: int) -> Response:
        return error_for(status)

    def sections(self) -> list[Section]:
        with self.state.lock:
            self.state.settle()
            return tables.sections(self.state)

    def receive(self, message: dict[str, Any]) -> dict[str, Any]:
        """`from` and `message`, and `number` where it is not for the first sender number."""
        given = {name: message.get(name, "") for name in ("from", "message", "number")}
        if not all(isinstance(value, str) for value in given.values()) or not given["from"] or not given["message"]:
            raise ValueError("a message to ippanel needs “from” and “message”, both text, and may have “number”")
        with self.state.lock:
            return asdict(self.state.receive(given["from"], given["message"], number=given["number"]))

    def set_up(self, portal: dict[str, Any]) -> dict[str, Any]:
        """`patterns`: code, message and variables (name to type) of each, in place of those that are there."""
        try:
            patterns = [Pattern(**row) for row in portal["patterns"]]
        except (KeyError, TypeError):
            raise ValueError("the portal of ippanel takes “patterns”, a list of code, message and variables") from None
        with self.state.lock:
            self.state.patterns = {pattern.code: pattern for pattern in patterns}
            return {"patterns": [asdict(pattern) for pattern in patterns]}

    def _find(self, request: Request) -> Match:
        if not request.path.startswith(BASE_PATH + "/"):
            return Match(None, {})
        return ROUTES.find(request.method, request.path.removeprefix(BASE_PATH))

    def _authorize(self, state: IPPanelState, request: Request) -> None:
        """The bare key, nothing before it."""
        given = request.headers.get("authorization", "")
        if given.lower().startswith(("bearer", "accesskey")):
            state.violate(Violation("authorization", "Authorization", request.method, request.path))
        if not hmac.compare_digest(given.encode(), self.settings.key.encode()):
            raise Refused(unauthorized())
