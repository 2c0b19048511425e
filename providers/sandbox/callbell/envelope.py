"""Callbell's answers. Its refusals have no documented form; here they are one sentence under `error`."""

from __future__ import annotations

from providers.sandbox.wire import Response, json_response


class Refused(Exception):
    """Ends a request with an error answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def failure(status: int, message: str, **headers: str) -> Response:
    return json_response(status, {"error": message}, **headers)


def not_found() -> Response:
    return failure(404, "Not found")


def error_for(status: int) -> Response:
    """A body for a status on demand."""
    words = {401: "Invalid token", 404: "Not found", 422: "Validation failed", 429: "Too many requests"}
    return failure(status, words.get(status, "Internal server error"))
