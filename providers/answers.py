"""An HTTP answer, read once, and what its status means unless a provider's document says otherwise."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from providers.exceptions import (
    AuthFailed,
    InsufficientFunds,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Throttled,
)
from providers.text import gettext_noop

LONGEST_WORDS = 500  # characters of a provider's own words kept in an error
LONGEST_WAIT = 3600.0  # seconds; a longer Retry-After is read as this


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `data` is the parsed JSON (numbers with a point as `Decimal`), None when the body is not JSON.

    `text` is the beginning of the body of an answer that is not 2xx, redacted.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    data: Any = field(repr=False)
    is_json: bool
    is_empty: bool
    text: str = field(default="", repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a provider says of a refused request: its words, its code, and its words per field."""

    words: str = ""
    code: str = ""
    fields: Mapping[str, list[str]] = field(default_factory=dict)


def read_json(body: bytes) -> tuple[Any, bool]:
    """The parsed body and whether it was an object or a list in JSON. The content type is not asked: it is often wrong."""
    try:
        data = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None, False
    return (data, True) if isinstance(data, dict | list) else (None, False)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def retry_after(value: str | None, *, now: dt.datetime) -> float | None:
    """Seconds to wait from a `Retry-After` header, which is a number of seconds or an HTTP date; None when it says nothing."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_WAIT)


def clip(words: object) -> str:
    """A provider's words as they may be stored: one line, no control characters, at most 500 characters."""
    text = str(words).encode("utf-8", "replace").decode("utf-8")
    text = " ".join("".join(" " if ord(sign) < 32 or ord(sign) == 127 else sign for sign in text).split())
    return text if len(text) <= LONGEST_WORDS else text[: LONGEST_WORDS - 1] + "…"


_WORDLESS: dict[type[ProviderError], str] = {
    AuthFailed: gettext_noop("The provider refused the credentials (HTTP %(status)s). Correct them in the account."),
    InsufficientFunds: gettext_noop("The account has not enough credit (HTTP %(status)s). Top it up, then go on."),
    NotFound: gettext_noop("The provider does not know what was asked for (HTTP %(status)s)."),
    Throttled: gettext_noop("The provider asks for fewer requests (HTTP %(status)s)."),
    Rejected: gettext_noop("The provider refused this (HTTP %(status)s) without saying why."),
}
_WITH_WORDS: dict[type[ProviderError], str] = {
    AuthFailed: gettext_noop(
        "The provider refused the credentials (HTTP %(status)s): “%(words)s”. Correct them in the account."
    ),
    InsufficientFunds: gettext_noop(
        "The account has not enough credit (HTTP %(status)s): “%(words)s”. Top it up, then go on."
    ),
    NotFound: gettext_noop("The provider does not know what was asked for (HTTP %(status)s): “%(words)s”."),
    Throttled: gettext_noop("The provider asks for fewer requests (HTTP %(status)s): “%(words)s”."),
    Rejected: gettext_noop("The provider refused this (HTTP %(status)s): “%(words)s”."),
}
_NOT_LET_IN = gettext_noop(
    "The provider does not let this account or this machine in (HTTP 403). Check the key and which addresses may use it."
)
_ELSEWHERE = gettext_noop(
    "%(host)s answered with a redirect (HTTP %(status)s), not with the provider's API. Correct the API address."
)
_SEE_OTHER = gettext_noop(
    "%(host)s answered with a redirect (HTTP %(status)s); it is not known whether the request was carried out."
)
_WRONG_ADDRESS = gettext_noop(
    "%(host)s has no such page (HTTP %(status)s) and does not answer like the provider's API. Correct the API address."
)
_SERVER_TROUBLE = gettext_noop(
    "The provider had a fault of its own (HTTP %(status)s); it is not known whether the request was carried out."
)
_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AuthFailed,
    402: InsufficientFunds,
    403: AuthFailed,
    404: NotFound,
    429: Throttled,
}
_MOVED = frozenset({301, 307, 308})  # by definition not carried out; 302 and 303 are also given after the work is done
_REQUEST_TIMEOUT = 408


def meaning(answer: Answer, complaint: Complaint, *, host: str) -> ProviderError:
    """The error for an answer that is not 2xx, by its status alone."""
    status = answer.status
    params: dict[str, str | int] = {"status": status, "host": host}
    if status in _MOVED:
        return Misconfigured(_ELSEWHERE, params=params, status=status)
    if status < 400:
        return OutcomeUnknown(_SEE_OTHER, params=params, status=status)
    if status >= 500 or status == _REQUEST_TIMEOUT:
        return OutcomeUnknown(_SERVER_TROUBLE, params=params, status=status, code=complaint.code)
    if status == 404 and not answer.is_json:
        return Misconfigured(_WRONG_ADDRESS, params=params, status=status)
    if status == 403 and not complaint.words:
        return AuthFailed(_NOT_LET_IN, status=status)
    return refusal(_BY_STATUS.get(status, Rejected), answer, complaint)


def refusal(kind: type[ProviderError], answer: Answer, complaint: Complaint) -> ProviderError:
    """An error of this kind in the provider's own words."""
    params: dict[str, str | int] = {"status": answer.status}
    message = _WORDLESS[kind if kind in _WORDLESS else Rejected]
    if complaint.words:
        message = _WITH_WORDS[kind if kind in _WITH_WORDS else Rejected]
        params["words"] = complaint.words
    if kind is Throttled:
        wait = retry_after(answer.headers.get("Retry-After"), now=dt.datetime.now(dt.UTC))
        return Throttled(message, params=params, status=answer.status, code=complaint.code, retry_after=wait)
    return kind(message, params=params, status=answer.status, code=complaint.code, fields=complaint.fields)
