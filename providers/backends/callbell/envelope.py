"""Callbell's answers: each wraps its content in a member of its own; refusals have no documented form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from providers import answers
from providers.answers import Answer, Complaint
from providers.exceptions import NotFound, ProviderError
from providers.transport import Transport

T = TypeVar("T")


class CallbellTransport(Transport):
    """Knows where Callbell may put its words. `api_key`, which the account's own page shows, is kept nowhere."""

    secret_members = ("api_key",)

    def complaint(self, answer: Answer) -> Complaint:
        """`error`, `errors` or `message` in whatever form, else the text itself unless it is a web page."""
        data = answer.data if isinstance(answer.data, dict) else {}
        fields: dict[str, list[str]] = {}
        said: list[str] = []
        for member in ("error", "errors", "message"):
            content = data.get(member)
            if isinstance(content, dict):
                fields |= {
                    self.words(name): [self.words(text) for text in _texts(texts)] for name, texts in content.items()
                }
                said += [f"{name}: {text}" for name, texts in fields.items() for text in texts]
            else:
                said += _texts(content)
        if not said and not answer.text.lstrip().startswith("<"):
            said = [answer.text]
        return Complaint(words=self.words("; ".join(dict.fromkeys(filter(None, said)))), fields=fields)

    def refusal(self, answer: Answer, complaint: Complaint) -> ProviderError:
        if answer.status == 404 and answer.is_empty:  # how an unknown id is refused is not documented
            return answers.refusal(NotFound, answer, complaint)
        return super().refusal(answer, complaint)

    def read(self, answer: Answer, parse: Callable[[Any], T]) -> T:
        """What `parse` makes of the answer. Raises `OutcomeUnknown` when it is not of the documented form."""
        try:
            return parse(answer.data)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, ArithmeticError):
            pass
        raise self.unreadable(answer)


def _texts(content: Any) -> list[str]:
    """The words in a member that is a text, a list of texts or objects, or null."""
    if content is None or content == "":
        return []
    if isinstance(content, list):
        return [text for element in content for text in _texts(element)]
    if isinstance(content, dict):
        return [text for element in content.values() for text in _texts(element)]
    return [str(content)]


def single(data: Any, member: str) -> Mapping[str, Any] | None:
    """The one object under `member`, which is an array in some calls and an object in others; None when it is empty."""
    content = data[member]
    if isinstance(content, list):
        content = content[0] if content else None
    if not content:
        return None
    if not isinstance(content, dict):
        raise TypeError
    return content


def rows(data: Any, member: str) -> list[Mapping[str, Any]]:
    """The array of objects under `member`."""
    content = data[member]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise TypeError
    return content
