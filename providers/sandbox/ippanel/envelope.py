"""IPPanel's envelope: `data` beside `meta`, with its texts in Persian."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.sandbox.wire import Response, json_response

DONE = "انجام شد"
BAD_TOKEN = "اطلاعات وارد شده صحیح نمی باشد"  # noqa: S105 - the provider's words for a bad token
NOT_FOUND = "موردی یافت نشد"
DUPLICATE = "ارسال تکراری است، کمی بعد دوباره تلاش کنید"
BROKEN = "خطای سیستمی"
WRONG_METHOD = "این روش مجاز نیست"


class Refused(Exception):
    """Ends a request with an error answer."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(response.status)


def ok(data: Any, *, code: str = "200-1", pages: Mapping[str, Any] | None = None) -> Response:
    """HTTP 200 with the data; `pages` are the pagination members of `meta`."""
    meta: dict[str, Any] = {"status": True, "message": DONE, "message_parameters": [], "message_code": code}
    return json_response(200, {"data": data, "meta": {**meta, **(pages or {})}})


def failure(status: int, code: str, message: str, errors: Mapping[str, list[str]] | None = None) -> Response:
    """An error answer; `errors` maps a field to what is wrong with it."""
    return json_response(
        status,
        {
            "data": None,
            "meta": {
                "status": False,
                "message": message,
                "message_parameters": [],
                "message_code": code,
                "errors": dict(errors or {}),
            },
        },
    )


def unauthorized() -> Response:
    return failure(401, "400-1", BAD_TOKEN)


def not_found() -> Response:
    return failure(404, "404-1", NOT_FOUND)


def invalid(errors: Mapping[str, list[str]], *, code: str = "400-2") -> Response:
    """422 with the first complaint as the message and the number of the others behind it."""
    complaints = [text for texts in errors.values() for text in texts]
    more = len(complaints) - 1
    tail = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
    return failure(422, code, complaints[0] + tail, errors)


def error_for(status: int) -> Response:
    """The body IPPanel documents for a status; 429 and 5xx bodies are not documented and only look alike."""
    match status:
        case 401:
            return unauthorized()
        case 404:
            return not_found()
        case 422:
            return invalid({"message": ["تکمیل گزینه پیام الزامی است"]})
        case 429:
            return failure(429, "429-1", DUPLICATE)
        case _:
            return failure(status, "500-1", BROKEN)
