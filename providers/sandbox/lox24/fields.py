"""Strict reading of bodies and queries: what the document does not allow is refused and remembered.

A wrong *shape* (undocumented field, wrong JSON type, something required left out, a limit passed) is also a
violation and answered with 400; a wrong *value* (a number that cannot be, an unknown group) is refused with 422.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import parse_qsl

from providers.sandbox.dialect import Violation
from providers.sandbox.lox24.envelope import Refused, failure
from providers.sandbox.wire import Request

_MISSING = object()


class Problems:
    """Collects what is wrong with one request, to be answered together."""

    def __init__(self, request: Request, violate: Callable[[Violation], None], *, is_ld: bool) -> None:
        self._request = request
        self._violate = violate
        self._is_ld = is_ld
        self.found: list[tuple[str, str]] = []
        self.has_violation = False

    def add(self, where: str, message: str) -> None:
        """A value that is refused."""
        self.found.append((where, message))

    def violation(self, kind: str, where: str, message: str) -> None:
        """A shape that the document does not allow."""
        self._violate(Violation(kind, where, self._request.method, self._request.path))
        self.has_violation = True
        self.add(where, message)

    def check(self) -> None:
        """Raises `Refused` when anything was found."""
        if self.found:
            status = 400 if self.has_violation else 422
            raise Refused(failure(status, violations=self.found, is_ld=self._is_ld))


class Fields:
    """One JSON object with a closed set of fields. Each reader reports its own problems and returns a usable value."""

    def __init__(self, problems: Problems, data: dict[str, Any], allowed: Collection[str], *, prefix: str = "") -> None:
        self.problems = problems
        self._data = data
        self._prefix = prefix
        for name in data:
            if name not in allowed:
                problems.violation("undocumented field", self.where(name), "This field was not expected.")

    def where(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def has(self, name: str) -> bool:
        return name in self._data

    def text(self, name: str, *, max_length: int | None = None) -> str:
        """A required JSON string that is not empty."""
        value = self._read(name, str, required=True)
        if value == "":
            self.problems.add(self.where(name), "This value should not be blank.")
        return self._short(name, value or "", max_length)

    def text_or_null(self, name: str, *, max_length: int | None = None) -> str | None:
        """A JSON string or null; None when it is left out."""
        value: str | None = self._read(name, str, nullable=True)
        return None if value is None else self._short(name, value, max_length)

    def integer_or_null(self, name: str) -> int | None:
        value: int | None = self._read(name, int, nullable=True)
        return value

    def integer(self, name: str) -> int | None:
        """A JSON integer; None when it is left out, and null is not allowed."""
        value: int | None = self._read(name, int)
        return value

    def boolean_or_null(self, name: str) -> bool | None:
        value: bool | None = self._read(name, bool, nullable=True)
        return value

    def array(self, name: str, item: type) -> list[Any]:
        """A JSON array whose elements all have this type; [] when it is left out."""
        values = self._read(name, list) or []
        for index, value in enumerate(values):
            if type(value) is not item:
                self._wrong_type(f"{name}[{index}]", item)
        return [value for value in values if type(value) is item]

    def _short(self, name: str, value: str, max_length: int | None) -> str:
        if max_length is not None and len(value) > max_length:
            self.problems.violation("limit", self.where(name), f"It should have {max_length} characters or less.")
        return value

    def _read(self, name: str, kind: type, *, required: bool = False, nullable: bool = False) -> Any:
        value = self._data.get(name, _MISSING)
        if value is _MISSING:
            if required:
                self.problems.violation("missing", self.where(name), "This value should not be null.")
            return None
        if value is None and nullable:
            return None
        if type(value) is not kind:  # not isinstance: true is no integer
            self._wrong_type(name, kind)
            return None
        return value

    def _wrong_type(self, name: str, kind: type) -> None:
        self.problems.violation("wrong type", self.where(name), f"This value should be of type {kind.__name__}.")


def parse_body(request: Request, problems: Problems, kind: type) -> Any:
    """The JSON object or array of a request that must have one. Raises `Refused`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        problems.violation("content type", "Content-Type", "The content type must be application/json.")
        problems.check()
    try:
        data = json.loads(request.body.decode("utf-8"))
    except ValueError:
        data = None
    if type(data) is not kind:
        problems.violation("wrong type", "body", f"The body should be of type {kind.__name__}.")
        problems.check()
    return data


def refuse_body(request: Request, problems: Problems) -> None:
    """A request that has no body by the document must not bring one."""
    if request.body:
        problems.violation("undocumented field", "body", "No body was expected.")


def query_of(request: Request, problems: Problems, allowed: Callable[[str], bool]) -> list[tuple[str, str]]:
    """The query as pairs, each name allowed."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    for name, _ in pairs:
        if not allowed(name):
            problems.violation("undocumented field", name, "This parameter was not expected.")
    return pairs
