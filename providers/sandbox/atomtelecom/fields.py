"""One authorised request: strict reading of its body, and the envelopes of its answers.

A wrong *shape* (undocumented field, wrong JSON type, something required left out, a wrong content type) is refused
and remembered as a violation; a wrong *value* (an unknown id or sender, a number that cannot be) is only refused.
The document describes no answer to either: HTTP 200 with another `status` is the least helpful it allows, and with
the quirk "errors_by_status" it is HTTP 400 or 404.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from providers.sandbox.atomtelecom.state import AtomTelecomState
from providers.sandbox.dialect import Settings, Violation
from providers.sandbox.wire import Request, Response, json_response

_MISSING = object()
_ERRORS = {
    403: ("forbidden", "Authentication failed"),
    404: ("not_found", "Not found"),
    429: ("rate_limited", "Too many requests"),
    500: ("server_error", "Server error"),
}


class Refused(Exception):
    """Ends a request with an error answer."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(response.status)


def ok(result: Any) -> Response:
    return json_response(200, {"status": "success", "result": result})


def failure(status: int, code: str, message: str, **headers: str) -> Response:
    return json_response(status, {"status": "error", "code": code, "message": message}, **headers)


def error_for(status: int, *, wait: float = 0.0) -> Response:
    """The answer to an error status. Only `rate_limited` and its header are documented."""
    code, message = _ERRORS.get(status, ("invalid", "Invalid request"))
    headers = {"Retry_After": str(math.ceil(wait))} if wait else {}
    return failure(status, code, message, **headers)


@dataclass
class Call:
    """What a handler works with; the state's lock is held."""

    state: AtomTelecomState
    request: Request
    settings: Settings

    def body(self, required: Mapping[str, type], optional: Mapping[str, type] | None = None) -> dict[str, Any]:
        """The JSON body, read strictly: every field named and of exactly its type. Raises `Refused`."""
        self._no_query()
        kinds = {**required, **(optional or {})}
        data = self._parse()
        wrong = [("undocumented field", name) for name in data if name not in kinds]
        wrong += [("missing", name) for name in required if name not in data]
        # Not isinstance: true is no integer.
        wrong += [
            ("wrong type", name) for name, value in data.items() if type(value) is not kinds.get(name, type(value))
        ]
        for kind, name in wrong:
            self._violate(kind, name)
        if wrong:
            self.refuse(f"{wrong[0][1]}: {wrong[0][0]}")
        for name in required:
            if data[name] == "":
                self.refuse(f"{name} is required")
        return data

    def nothing(self, *, empty_object: bool = False) -> None:
        """No query and no body; `empty_object` also lets `{}` through."""
        self._no_query()
        if self.request.body and not (empty_object and self._parse() == {}):
            self._violate("undocumented field", "body")
            self.refuse("no body expected")

    def refuse(self, message: str, *, code: str = "invalid") -> NoReturn:
        """Answer that this cannot be done."""
        by_status = "errors_by_status" in self.state.quirks
        status = (404 if code == "not_found" else 400) if by_status else 200
        raise Refused(failure(status, code, message))

    def gone(self, what: str) -> NoReturn:
        self.refuse(f"{what} not found", code="not_found")

    def _parse(self) -> dict[str, Any]:
        content_type = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            self._violate("content type", "Content-Type")
            self.refuse("Content-Type must be application/json")
        try:
            data = json.loads(self.request.body.decode("utf-8"))
        except ValueError:
            data = None
        if not isinstance(data, dict):
            self._violate("wrong type", "body")
            self.refuse("the body must be a JSON object")
        return data

    def _no_query(self) -> None:
        if self.request.query:
            self._violate("undocumented field", "query")
            self.refuse("no query expected")

    def _violate(self, kind: str, where: str) -> None:
        self.state.violate(Violation(kind, where, self.request.method, self.request.path))


def only(data: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The members with these names."""
    return {name: value for name, value in data.items() if name in names}
