"""The Callbell dialect: strict, stateful, with calls back that are really made.

Each module below answers one group of calls; `state` says what is stored, `sends` what becomes of a message.
"""

from __future__ import annotations

import hmac
from typing import Any, ClassVar

from providers.sandbox.callbell import account, changes, contacts, hooks, portal, sends, tables
from providers.sandbox.callbell.call import Call
from providers.sandbox.callbell.envelope import Refused, error_for, failure, not_found
from providers.sandbox.callbell.state import CallbellState
from providers.sandbox.dialect import Dialect, Section, Settings, Violation
from providers.sandbox.limits import Window
from providers.sandbox.routing import Match, Routes
from providers.sandbox.wire import Request, Response

BASE_PATH = "/v1"
MOST_REQUESTS = 300  # per second
ROUTES = Routes([*account.ROUTES, *contacts.ROUTES, *changes.ROUTES, *sends.ROUTES, *hooks.ROUTES])


class CallbellDialect(Dialect):
    """Answers under `/callbell/v1/…`."""

    slug: ClassVar[str] = "callbell"
    base_path: ClassVar[str] = BASE_PATH
    state: CallbellState

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.reset()

    def reset(self) -> None:
        self.state = CallbellState(self.settings.clock)
        self._window = Window(MOST_REQUESTS, 1.0)

    def handle(self, request: Request) -> Response:
        state = self.state
        with state.lock:
            hooks.settle(state, self.settings)
            try:
                self._admit(state, request)
                match = self._find(request)
                if match.route is None:
                    state.violate(Violation("path", request.path, request.method, request.path))
                    raise Refused(failure(405, "Method not allowed") if match.allowed else not_found())
                return match.route.handler(Call(state, request, self.settings), **match.places)
            except Refused as refused:
                response = refused.response
                bare = response.status == 404 and "bare_404" in state.quirks
                return Response(404, content_type="text/plain") if bare else response

    def changes(self, request: Request) -> bool:
        route = self._find(request).route
        return route.changes if route else request.method not in ("GET", "HEAD")

    def error(self, status: int) -> Response:
        return error_for(status)

    def sections(self) -> list[Section]:
        with self.state.lock:
            hooks.settle(self.state, self.settings)
            return tables.sections(self.state)

    def tick(self) -> None:
        with self.state.lock:
            hooks.settle(self.state, self.settings)

    def receive(self, message: dict[str, Any]) -> dict[str, Any]:
        with self.state.lock:
            return portal.receive(self.state, self.settings, message)

    def set_up(self, portal_settings: dict[str, Any]) -> dict[str, Any]:
        with self.state.lock:
            return portal.set_up(self.state, portal_settings)

    def _find(self, request: Request) -> Match:
        if not request.path.startswith(BASE_PATH + "/"):
            return Match(None, {})
        return ROUTES.find(request.method, request.path.removeprefix(BASE_PATH))

    def _admit(self, state: CallbellState, request: Request) -> None:
        """`Bearer` and the token, JSON asked for, at most 300 requests a second."""
        given = request.headers.get("authorization", "")
        if given and not given.startswith("Bearer "):
            state.violate(Violation("authorization", "Authorization", request.method, request.path))
        if not hmac.compare_digest(given.encode(), f"Bearer {self.settings.key}".encode()):
            raise Refused(error_for(401))
        if request.headers.get("accept", "") != "application/json":
            state.violate(Violation("content type", "Accept", request.method, request.path))
            raise Refused(failure(406, "Accept must be application/json"))
        if self.settings.limits and self._window.take(state.clock.now()):
            raise Refused(error_for(429))
