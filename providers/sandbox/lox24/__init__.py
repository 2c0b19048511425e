"""The LOX24 dialect: strict, stateful, in JSON-LD or plain JSON as asked for, and shut after bad logins.

Each module below answers one group of calls; `state` says what is stored and `delivery` what becomes of a send.
"""

from __future__ import annotations

import hmac
from typing import Any, ClassVar

from providers.sandbox.dialect import Dialect, Section, Settings, Violation
from providers.sandbox.lox24 import account, bulks, groups, notify, phones, sms, tables
from providers.sandbox.lox24.call import Call
from providers.sandbox.lox24.envelope import LD_TYPE, Refused, error_for, failure
from providers.sandbox.lox24.state import LOX24State
from providers.sandbox.routing import Routes
from providers.sandbox.wire import Request, Response

TOKEN, CLIENT = "x-lox24-auth-token", "x-lox24-client-id"
ROUTES = Routes([*account.ROUTES, *groups.ROUTES, *phones.ROUTES, *sms.ROUTES, *bulks.ROUTES])


class LOX24Dialect(Dialect):
    """Answers under `/lox24/…`."""

    slug: ClassVar[str] = "lox24"
    secret_headers: ClassVar[frozenset[str]] = frozenset({"authorization", TOKEN})
    state: LOX24State

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.reset()

    def reset(self) -> None:
        self.state = LOX24State(self.settings.clock)

    def handle(self, request: Request) -> Response:
        state = self.state
        with state.lock:
            try:
                self._authorize(state, request)
                match = ROUTES.find(request.method, request.path)
                if match.route:
                    return match.route.handler(Call(state, request, self.settings), **match.places)
                state.violate(Violation("path", request.path, request.method, request.path))
                return failure(405 if match.allowed else 404, detail="No route found")
            except Refused as refused:
                return refused.response

    def changes(self, request: Request) -> bool:
        route = ROUTES.find(request.method, request.path).route
        return route.changes if route else request.method not in ("GET", "HEAD")

    def error(self, status: int) -> Response:
        return error_for(status)

    def sections(self) -> list[Section]:
        with self.state.lock:
            return tables.sections(self.state)

    def tick(self) -> None:
        with self.state.lock:
            notify.tell(self.state, self.settings.callbacks)

    def receive(self, message: dict[str, Any]) -> dict[str, Any]:
        with self.state.lock:
            return notify.receive(self.state, self.settings.callbacks, message)

    def set_up(self, portal: dict[str, Any]) -> dict[str, Any]:
        with self.state.lock:
            return notify.set_up(self.state, portal)

    def _authorize(self, state: LOX24State, request: Request) -> None:
        """Client id and key in one header, or each in its own; an address with too many bad ones hears 429 whatever it asks."""
        is_ld = LD_TYPE in request.headers.get("accept", "")
        if state.is_shut_out():
            raise Refused(failure(429, is_ld=is_ld))
        token = request.headers.get(TOKEN, "")
        if CLIENT in request.headers:
            token = f"{request.headers[CLIENT]}:{token}"
        if not hmac.compare_digest(token.encode(), f"{state.client_id}:{self.settings.key}".encode()):
            state.bad_login()
            raise Refused(failure(401, is_ld=is_ld))
        if not state.is_active:
            raise Refused(failure(403, is_ld=is_ld))
