"""LOX24's answers: JSON-LD or plain JSON as asked for, and its error bodies."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from providers.sandbox.wire import Response, json_response

LD_TYPE = "application/ld+json"
TITLE = "An error occurred"
UNAUTHORIZED = "Client ID or API key isn't active or invalid!"
FORBIDDEN = "Account isn't activated. Please wait or contact to support!"
NOT_FOUND = "Resource not found"
NO_MONEY = "Not enough funds"
BLOCKED = "IP address was temporary blocked, because during short time from it was sent many request with invalid credentials."
BROKEN = "Internal Server Error"
WORDS = {401: UNAUTHORIZED, 402: NO_MONEY, 403: FORBIDDEN, 404: NOT_FOUND, 429: BLOCKED}

Violations = Sequence[tuple[str, str]]


class Refused(Exception):
    """Ends a request with an error answer."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(response.status)


def answer(status: int, payload: Any, *, is_ld: bool = False) -> Response:
    """A JSON answer with the header every answer has."""
    plain = json_response(status, payload, X_LOX24_REQUEST_ID=secrets.token_hex(16))
    return Response(plain.status, plain.body, f"{LD_TYPE}; charset=utf-8", plain.headers) if is_ld else plain


def no_content() -> Response:
    return Response(204, headers={"X-LOX24-REQUEST-ID": secrets.token_hex(16)})


def problem_body(violations: Violations = (), detail: str = "", *, is_ld: bool = False) -> dict[str, Any]:
    """What is wrong, by field; in JSON-LD with the prefixed names."""
    rows = [{"propertyPath": path, "message": message, "code": None} for path, message in violations]
    words = detail or "\n".join(f"{path}: {message}" for path, message in violations)
    body: dict[str, Any] = (
        {"@context": "/contexts/Error", "@type": "hydra:Error", "hydra:title": TITLE, "hydra:description": words}
        if is_ld
        else {"type": "https://tools.ietf.org/html/rfc2616#section-10", "title": TITLE, "detail": words}
    )
    return {**body, "violations": rows} if rows else body


def failure(status: int, *, violations: Violations = (), detail: str = "", is_ld: bool = False) -> Response:
    body = problem_body(violations, detail or ("" if violations else WORDS.get(status, BROKEN)), is_ld=is_ld)
    return answer(status, body, is_ld=is_ld)


def error_for(status: int) -> Response:
    """An error answer on demand."""
    return failure(status, violations=(("phone", "invalid value"),) if status == 422 else ())
