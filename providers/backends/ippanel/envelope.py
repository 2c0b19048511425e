"""IPPanel's envelope: `data` beside `meta`, where `meta.status` says whether the request was carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from providers import answers
from providers.answers import Answer, Complaint
from providers.exceptions import ProviderError, Rejected
from providers.transport import Transport

T = TypeVar("T")


class IPPanelTransport(Transport):
    """Knows where IPPanel puts its words and its own verdict. Status decides first; `message_code` is only kept."""

    def complaint(self, answer: Answer) -> Complaint:
        body = answer.data if isinstance(answer.data, dict) else {}
        meta = _mapping(body.get("meta"))
        # Login failures have `errors` beside `meta`, all others inside it.
        fields = {
            self.words(name): [self.words(text) for text in (texts if isinstance(texts, list) else [texts])]
            for name, texts in {**_mapping(body.get("errors")), **_mapping(meta.get("errors"))}.items()
        }
        message = self.words(meta.get("message") or "")
        more = [text for texts in fields.values() for text in texts if text not in message]
        words = answers.clip("; ".join(filter(None, [message, *dict.fromkeys(more)])))
        return Complaint(words=words, code=self.words(meta.get("message_code") or ""), fields=fields)

    def shortfall(self, answer: Answer) -> ProviderError | None:
        body = answer.data if isinstance(answer.data, dict) else {}
        status = _mapping(body.get("meta")).get("status")
        if status is True and "data" in body:
            return None
        if status is False:
            return answers.refusal(Rejected, answer, self.complaint(answer))
        return self.unreadable(answer)

    def read(self, answer: Answer, parse: Callable[[Any], T]) -> T:
        """What `parse` makes of the answer's `data`. Raises `OutcomeUnknown` when it is not of the documented form."""
        try:
            return parse(answer.data["data"])
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError):
            pass
        raise self.unreadable(answer)


def last_page(answer: Answer) -> int | None:
    """The number of the last page, where the answer is paginated."""
    try:
        return int(answer.data["meta"]["last_page"])
    except (KeyError, TypeError, ValueError):
        return None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def parsed_list(parse: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    """A parser of arrays from a parser of one element; anything but an array is refused."""

    def parse_all(data: Any) -> list[T]:
        if not isinstance(data, list):
            raise TypeError
        rows: Iterable[Any] = data
        return [parse(row) for row in rows]

    return parse_all
