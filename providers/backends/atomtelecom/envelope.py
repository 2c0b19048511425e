"""Atom Telecom's envelope: `result` beside `status`, which says whether the request was carried out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from providers import answers
from providers.answers import Answer, Complaint
from providers.exceptions import AuthFailed, ProviderError, Rejected, Throttled
from providers.transport import Transport

T = TypeVar("T")

SUCCESS = "success"
LONGEST_BLOCK = 64.0  # seconds
_PARSING = (AttributeError, KeyError, TypeError, ValueError, ArithmeticError)


class AtomTransport(Transport):
    """Knows that only HTTP 2xx together with the word “success” is one. Bodies of errors are not documented."""

    _wait = 1.0  # seconds after the next 429 that does not say how long

    def complaint(self, answer: Answer) -> Complaint:
        body: dict[str, Any] = answer.data if isinstance(answer.data, dict) else {}
        error = body.get("error")
        places: list[dict[str, Any]] = [body, error] if isinstance(error, dict) else [body]
        found = [place.get(key) for key in ("message", "error", "result", "code") for place in places]
        words: str = next(filter(None, (text for text in found if isinstance(text, str))), "")
        if not words and answer.is_json:
            words = json.dumps(answer.data, ensure_ascii=False, default=str)
        codes = [place.get(key) for key in ("code", "error_code") for place in places]
        code = next((str(each) for each in codes if isinstance(each, str | int) and each), "")
        return Complaint(words=self.words(words), code=self.words(code))

    def refusal(self, answer: Answer, complaint: Complaint) -> ProviderError:
        if answer.status in (401, 403):  # 403 is what the document has for a bad token
            return answers.refusal(AuthFailed, answer, complaint)
        error = super().refusal(answer, complaint)
        if isinstance(error, Throttled) and error.retry_after is None:
            error.retry_after, self._wait = self._wait, min(2 * self._wait, LONGEST_BLOCK)
        return error

    def shortfall(self, answer: Answer) -> ProviderError | None:
        self._wait = 1.0
        status = answer.data.get("status") if isinstance(answer.data, dict) else None
        if not isinstance(status, str):
            return self.unreadable(answer)
        return None if status == SUCCESS else answers.refusal(Rejected, answer, self.complaint(answer))

    def read(self, answer: Answer, parse: Callable[[Any], T]) -> T:
        """What `parse` makes of the answer's `result`. Raises `OutcomeUnknown` when it is not of the documented form."""
        try:
            return parse(answer.data["result"])
        except _PARSING:
            pass
        raise self.unreadable(answer)
