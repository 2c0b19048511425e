"""Strict reading of bodies and queries: what the document does not allow is refused and remembered.

A wrong *shape* (undocumented field, wrong JSON type, something required left out, a documented limit passed) is also
a violation; a wrong *value* (a tag that does not exist, a date that is none) is only refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import parse_qsl

from providers.sandbox.callbell.envelope import Refused, failure
from providers.sandbox.dialect import Violation
from providers.sandbox.wire import Request

_MISSING = object()


class Problems:
    """Collects what is wrong with one request, to be answered together."""

    def __init__(self, request: Request, violate: Callable[[Violation], None]) -> None:
        self._request = request
        self._violate = violate
        self.texts: list[str] = []

    def add(self, text: str) -> None:
        """A value that is refused."""
        self.texts.append(text)

    def violation(self, kind: str, where: str, text: str) -> None:
        """A shape that the document does not allow."""
        self._violate(Violation(kind, where, self._request.method, self._request.path))
        self.add(text)

    def check(self) -> None:
        """Raises `Refused` with 422 when anything was found."""
        if self.texts:
            raise Refused(failure(422, "; ".join(self.texts)))


class Fields:
    """One JSON object with a closed set of fields. Each reader reports its own problems and returns a usable value."""

    def __init__(self, problems: Problems, data: dict[str, Any], allowed: Collection[str], *, prefix: str = "") -> None:
        self.problems = problems
        self._data = data
        self._prefix = prefix
        for name in data:
            if name not in allowed:
                problems.violation("undocumented field", prefix + name, f"{prefix}{name} is not allowed")

    def has(self, name: str) -> bool:
        return name in self._data

    def text(
        self, name: str, *, required: bool = False, choices: Collection[str] = (), max_length: int | None = None
    ) -> str:
        """A JSON string; "" when it is left out."""
        value: str = self._read(name, str, required)
        if name in self._data and required and not value.strip():
            self.problems.add(f"{self._prefix}{name} can't be blank")
        if value and choices and value not in choices:
            self.problems.violation(
                "wrong value", self._prefix + name, f"{self._prefix}{name} is not included in the list"
            )
        if max_length is not None and len(value) > max_length:
            self.problems.violation("limit", self._prefix + name, f"{self._prefix}{name} is too long")
        return value

    def flag(self, name: str) -> bool:
        return bool(self._read(name, bool, False))

    def texts(self, name: str, *, required: bool = False) -> list[str]:
        """A JSON array of strings."""
        values: list[Any] = self._read(name, list, required)
        if all(type(value) is str for value in values):
            return values
        self.problems.violation("wrong type", self._prefix + name, f"{self._prefix}{name} must hold strings")
        return []

    def mapping(self, name: str, *, required: bool = False) -> dict[str, Any]:
        """A JSON object."""
        value: dict[str, Any] = self._read(name, dict, required)
        return value

    def _read(self, name: str, kind: type, required: bool) -> Any:
        value = self._data.get(name, _MISSING)
        if type(value) is kind:
            return value
        if value is not _MISSING:
            self.problems.violation("wrong type", self._prefix + name, f"{self._prefix}{name} is invalid")
        elif required:
            self.problems.violation("missing", self._prefix + name, f"{self._prefix}{name} is missing")
        return kind()


class Query:
    """The query of a request, with a closed set of names, each at most once."""

    def __init__(self, problems: Problems, query: str, allowed: Collection[str] = ()) -> None:
        self.problems = problems
        self._values: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in allowed or name in self._values:
                problems.violation("undocumented field", name, f"{name} is not allowed")
            self._values[name] = value

    def has(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, *, choices: Collection[str] = ()) -> str:
        value = self._values.get(name, "")
        if value and choices and value not in choices:
            self.problems.violation("wrong value", name, f"{name} is invalid")
        return value

    def flag(self, name: str) -> bool:
        return self.text(name, choices=("true", "false")) == "true"

    def page(self) -> int:
        value = self._values.get("page", "1")
        if re.fullmatch(r"[1-9][0-9]{0,8}", value):
            return int(value)
        self.problems.violation("wrong type", "page", "page is invalid")
        return 1


def parse_body(request: Request, problems: Problems) -> dict[str, Any]:
    """The JSON object of a request that must have one. Raises `Refused`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        problems.violation("content type", "Content-Type", "Content-Type must be application/json")
    try:
        data = json.loads(request.body.decode("utf-8"))
    except ValueError:
        data = None
    if not isinstance(data, dict):
        problems.violation("wrong type", "body", "the body must be a JSON object")
        data = {}
    problems.check()
    return data
