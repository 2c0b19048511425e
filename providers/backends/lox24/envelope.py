"""LOX24's forms of an answer: JSON-LD with and without the `hydra:` prefix, and plain JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from providers.answers import Answer, Complaint
from providers.backends.lox24.facts import BLOCK_SECONDS
from providers.exceptions import AuthFailed, ProviderError, Throttled
from providers.text import gettext_noop
from providers.transport import Transport

T = TypeVar("T")

_FORBIDDEN = 403
_TOO_MANY = 429

_NOT_ACTIVE = gettext_noop(
    "LOX24 has not activated this account, or has blocked it or its key (HTTP 403). "
    "Wait for the activation or ask LOX24's support."
)
_NOT_ACTIVE_WORDS = gettext_noop(
    "LOX24 has not activated this account, or has blocked it or its key (HTTP 403): “%(words)s”. "
    "Wait for the activation or ask LOX24's support."
)
_BLOCKED = gettext_noop(
    "LOX24 takes nothing from this machine's address for now (HTTP 429), most likely after requests with a wrong key. "
    "This holds for every LOX24 account here and ends after ten minutes."
)


class Lox24Transport(Transport):
    """Knows where LOX24 puts its words. After one refused login it asks no more: the fourth within a minute blocks the address."""

    request_id_headers = ("X-LOX24-REQUEST-ID",)
    accept = "application/ld+json"
    _locked_out: AuthFailed | None = None

    def request(self, *args: Any, **kwargs: Any) -> Answer:
        if (earlier := self._locked_out) is not None:
            raise AuthFailed(earlier.message, params=earlier.params, status=earlier.status, code=earlier.code)
        return super().request(*args, **kwargs)

    def complaint(self, answer: Answer) -> Complaint:
        complaint = complaint_of(answer.data, self.words)
        is_told = answer.data if answer.is_json else not answer.text.lstrip().startswith("<")
        if not complaint.words and is_told:
            return Complaint(words=self.words(answer.text))
        return complaint

    def refusal(self, answer: Answer, complaint: Complaint) -> ProviderError:
        error = super().refusal(answer, complaint)
        if answer.status == _FORBIDDEN:
            message = _NOT_ACTIVE_WORDS if complaint.words else _NOT_ACTIVE
            error = AuthFailed(message, params={"words": complaint.words}, status=answer.status)
        if answer.status == _TOO_MANY and isinstance(error, Throttled) and error.retry_after is None:
            error = Throttled(_BLOCKED, status=answer.status, retry_after=BLOCK_SECONDS)
        if isinstance(error, AuthFailed):
            self._locked_out = error
        return error

    def read(self, answer: Answer, parse: Callable[[Any], T]) -> T:
        """What `parse` makes of the answer. Raises `OutcomeUnknown` when it is not of a documented form."""
        try:
            return parse(answer.data)
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError):
            pass
        raise self.unreadable(answer)


def complaint_of(data: Any, words: Callable[[object], str]) -> Complaint:
    """What an error body says: its violations, else its detail, else its title. Names may begin with `hydra:`."""
    body = data if isinstance(data, dict) else {}
    fields: dict[str, list[str]] = {}
    rows = body.get("violations")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("message"):
            fields.setdefault(words(row.get("propertyPath") or ""), []).append(words(row["message"]))
    said = [f"{name}: {text}" if name else text for name, texts in fields.items() for text in texts]
    if not said:
        names = ("detail", "hydra:description", "title", "hydra:title")
        said = [text for text in (body.get(name) for name in names) if isinstance(text, str) and text][:1]
    return Complaint(words=words("; ".join(said)), fields=fields)


def member(data: Any, name: str) -> Any:
    """A member of a collection, with the prefix or without; None when it is in neither form."""
    if not isinstance(data, dict):
        return None
    return data.get(f"hydra:{name}", data.get(name))


def rows_of(data: Any) -> list[Any]:
    """The elements of a list in each of its forms. Raises `TypeError` for anything else."""
    rows = data if isinstance(data, list) else member(data, "member")
    if not isinstance(rows, list):
        raise TypeError
    return rows


def total_of(data: Any) -> int | None:
    """How many elements a list has on all its pages, where it says so."""
    total = member(data, "totalItems")
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def has_view(data: Any) -> bool:
    """Whether the list says that it comes in pages."""
    return isinstance(member(data, "view"), dict)


def next_path(data: Any) -> str | None:
    """Path and query of the next page; None on the last. Only the path of a link is followed, never its host.

    Raises `TypeError` or `ValueError` for what is no link: then it is not known where the list goes on.
    """
    link = member(member(data, "view"), "next")
    if not link:
        return None
    if not isinstance(link, str):
        raise TypeError
    parts = urlsplit(link)
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path
