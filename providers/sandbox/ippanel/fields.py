"""Strict reading of bodies and queries: what the document does not allow is refused and remembered.

A wrong *shape* (undocumented field, wrong JSON type, something required left out, a limit of the request
passed) is also a violation; a wrong *value* (an unknown sender, a time too early) is only refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from providers.sandbox.dialect import Violation
from providers.sandbox.ippanel.envelope import Refused, invalid
from providers.sandbox.wire import Request

LABELS = {
    "message": "پیام",
    "title": "عنوان",
    "type": "نوع",
    "number": "شماره",
    "from_number": "شماره فرستنده",
    "phonebook_id": "دفترچه تلفن",
    "list": "لیست",
    "params": "پارامترها",
    "sending_type": "نوع ارسال",
    "send_time": "زمان ارسال",
    "recipients": "گیرندگان",
}
MAX_PER_PAGE = 1000
_MISSING = object()


class Problems:
    """Collects what is wrong with one request, to be answered together."""

    def __init__(self, request: Request, violate: Callable[[Violation], None]) -> None:
        self._request = request
        self._violate = violate
        self.errors: dict[str, list[str]] = {}

    def add(self, field: str, text: str) -> None:
        """A value that is refused."""
        self.errors.setdefault(field, []).append(text)

    def violation(self, kind: str, field: str, text: str) -> None:
        """A shape that the document does not allow."""
        self._violate(Violation(kind, field, self._request.method, self._request.path))
        self.add(field, text)

    def check(self) -> None:
        """Raises `Refused` with 422 when anything was found."""
        if self.errors:
            raise Refused(invalid(self.errors))

    def refuse(self, field: str, text: str) -> NoReturn:
        """Answer at once that this value is refused."""
        self.add(field, text)
        raise Refused(invalid(self.errors))


def label(field: str) -> str:
    name = field.rsplit(".", 1)[-1]
    return LABELS.get(name, name)


class Fields:
    """One JSON object with a closed set of fields. Each reader reports its own problems and returns a usable value."""

    def __init__(self, problems: Problems, data: dict[str, Any], allowed: Collection[str], *, prefix: str = "") -> None:
        self.problems = problems
        self._data = data
        self._prefix = prefix
        for name in data:
            if name in allowed:
                continue
            self.problems.violation("undocumented field", self.where(name), f"گزینه {name} شناخته شده نیست")

    def where(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def has(self, name: str) -> bool:
        return name in self._data

    def text(self, name: str, *, required: bool = False, max_length: int | None = None) -> str:
        """A JSON string; "" when it is left out."""
        value: str = self._read(name, str, required)
        if value == "" and required and name in self._data:
            self.problems.add(self.where(name), f"تکمیل گزینه {label(name)} الزامی است")
        if max_length is not None and len(value) > max_length:
            self.problems.violation("limit", self.where(name), f"{label(name)} نباید بیشتر از {max_length} حرف باشد")
        return value

    def integer(self, name: str, *, required: bool = False, default: int = 0) -> int:
        """A JSON integer."""
        value: int = self._read(name, int, required, default)
        return value

    def array(self, name: str, item: type, *, required: bool = False) -> list[Any]:
        """A JSON array whose elements all have this type; [] when it is left out or wrong."""
        values: list[Any] = self._read(name, list, required)
        if required and not values and name in self._data:
            self.problems.add(self.where(name), f"تکمیل گزینه {label(name)} الزامی است")
        good = []
        for index, value in enumerate(values):
            if type(value) is item:
                good.append(value)
            else:
                self._wrong_type(f"{name}.{index}")
        return good

    def mapping(self, name: str, *, required: bool = False) -> dict[str, Any]:
        """A JSON object; {} when it is left out."""
        value: dict[str, Any] = self._read(name, dict, required)
        return value

    def nested(self, name: str, allowed: Collection[str], *, required: bool = False) -> Fields:
        """A JSON object that is itself read strictly."""
        return Fields(self.problems, self.mapping(name, required=required), allowed, prefix=self.where(name) + ".")

    def each(self, name: str, allowed: Collection[str]) -> list[Fields]:
        """A required array of objects, each read strictly."""
        allowed = frozenset(allowed)
        rows = self.array(name, dict, required=True)
        return [Fields(self.problems, row, allowed, prefix=f"{self.where(name)}.{i}.") for i, row in enumerate(rows)]

    def _read(self, name: str, kind: type, required: bool, default: Any = None) -> Any:
        value = self._data.get(name, _MISSING)
        if type(value) is kind:  # not isinstance: true is no integer
            return value
        if value is not _MISSING:
            self._wrong_type(name)
        elif required:
            self.problems.violation("missing", self.where(name), f"تکمیل گزینه {label(name)} الزامی است")
        return kind() if default is None else default

    def _wrong_type(self, name: str) -> None:
        self.problems.violation("wrong type", self.where(name), f"نوع گزینه {label(name)} معتبر نیست")


class Query:
    """The query of a GET, with a closed set of names, each at most once."""

    def __init__(self, problems: Problems, query: str, allowed: Collection[str] = ()) -> None:
        self.problems = problems
        self._values: dict[str, str] = {}
        allowed = frozenset(allowed)
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in allowed or name in self._values:
                problems.violation("undocumented field", name, f"گزینه {name} شناخته شده نیست")
            self._values[name] = value

    def text(self, name: str, *, required: bool = False) -> str:
        if required and not self._values.get(name):
            self.problems.violation("missing", name, f"تکمیل گزینه {label(name)} الزامی است")
        return self._values.get(name, "")

    def integer(self, name: str, default: int, *, minimum: int = 1, maximum: int | None = None) -> int:
        value = self._values.get(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,18}", value):
            self.problems.violation("wrong type", name, f"نوع گزینه {label(name)} معتبر نیست")
            return default
        number = int(value)
        if number < minimum or (maximum is not None and number > maximum):
            self.problems.violation("limit", name, f"مقدار گزینه {label(name)} مجاز نیست")
            return default
        return number

    def pages(self) -> tuple[int, int]:
        """(`page`, `per_page`)."""
        return self.integer("page", 1), self.integer("per_page", 10, maximum=MAX_PER_PAGE)


def parse_body(request: Request, problems: Problems) -> dict[str, Any]:
    """The JSON object of a request that must have one. Raises `Refused`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        problems.violation("content type", "Content-Type", "Content-Type باید application/json باشد")
        problems.check()
    try:
        data = json.loads(request.body.decode("utf-8"))
    except ValueError:
        data = None
    if not isinstance(data, dict):
        problems.violation("wrong type", "body", "بدنه درخواست معتبر نیست")
        problems.check()
        return {}
    return data


def refuse_body(request: Request, problems: Problems) -> None:
    """A request that has no body by the document must not bring one."""
    if request.body:
        problems.violation("undocumented field", "body", "این درخواست بدنه ندارد")
