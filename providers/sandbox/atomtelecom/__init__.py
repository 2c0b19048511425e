"""The Atom Telecom dialect: strict, stateful, with envelopes as documented and the least helpful errors the document allows.

`handlers` answers the calls, `fields` reads their bodies, `state` says what is stored, `delivery` what becomes of a
message, and `portal` does what a person sets up in the provider's portal.
"""

from __future__ import annotations

import hmac
from typing import Any, ClassVar

from providers.sandbox.atomtelecom import portal, tables
from providers.sandbox.atomtelecom.delivery import tell
from providers.sandbox.atomtelecom.fields import Call, Refused, error_for
from providers.sandbox.atomtelecom.handlers import ROUTES
from providers.sandbox.atomtelecom.state import AtomTelecomState
from providers.sandbox.dialect import Dialect, Section, Settings, Violation
from providers.sandbox.limits import Window
from providers.sandbox.routing import Routes
from providers.sandbox.wire import Request, Response

MOST_PER_SECOND = 10
_ROUTES = Routes(ROUTES)


class AtomTelecomDialect(Dialect):
    """Answers under `/atomtelecom/api/…`."""

    slug: ClassVar[str] = "atomtelecom"
    state: AtomTelecomState

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.reset()

    def reset(self) -> None:
        self.state = AtomTelecomState(self.settings.clock)
        self.rate = Window(MOST_PER_SECOND, 1.0)

    def handle(self, request: Request) -> Response:
        state = self.state
        with state.lock:
            try:
                self._authorize(state, request)
                self._slow_down(state)
                match = _ROUTES.find(request.method, request.path)
                if match.route is None:
                    state.violate(Violation("path", request.path, request.method, request.path))
                    return error_for(404)
                return match.route.handler(Call(state, request, self.settings))
            except Refused as refused:
                return refused.response

    def changes(self, request: Request) -> bool:
        route = _ROUTES.find(request.method, request.path).route
        return route.changes if route else request.method not in ("GET", "HEAD")

    def error(self, status: int) -> Response:
        return error_for(status)

    def sections(self) -> list[Section]:
        with self.state.lock:
            return tables.sections(self.state)

    def tick(self) -> None:
        with self.state.lock:
            tell(self.state, self.settings.callbacks)

    def receive(self, message: dict[str, Any]) -> dict[str, Any]:
        with self.state.lock:
            return portal.receive(self.state, self.settings.callbacks, message)

    def set_up(self, portal_settings: dict[str, Any]) -> dict[str, Any]:
        with self.state.lock:
            return portal.set_up(self.state, portal_settings)

    def _authorize(self, state: AtomTelecomState, request: Request) -> None:
        """`Bearer` and the token; anything else is 403."""
        given = request.headers.get("authorization", "")
        if given and not given.startswith("Bearer "):
            state.violate(Violation("authorization", "Authorization", request.method, request.path))
        if not hmac.compare_digest(given.encode(), f"Bearer {self.settings.key}".encode()):
            raise Refused(error_for(403))

    def _slow_down(self, state: AtomTelecomState) -> None:
        wait = self.rate.take(state.clock.now()) if self.settings.limits else 0.0
        if wait:
            raise Refused(error_for(429, wait=wait))
