"""Patterns (templates): list, show, and sending one."""

from __future__ import annotations

import re
from typing import Any

from providers.sandbox.ippanel.audience import check_recipients
from providers.sandbox.ippanel.call import Call
from providers.sandbox.ippanel.envelope import Refused, not_found, ok
from providers.sandbox.ippanel.fields import MAX_PER_PAGE, Fields
from providers.sandbox.ippanel.records import Pattern
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

MAX_PATTERNS_PER_PAGE = 100
LONGEST_VALUE = 100  # `len` of every variable here
FILTERS = tuple(f"filter[{name}]" for name in ("code", "title", "is_share", "state", "type"))


def show(pattern: Pattern) -> dict[str, Any]:
    return {
        "pattern_code": pattern.code,
        "pattern_message": pattern.message,
        "pattern_status": pattern.status,
        "variable": [{"name": name, "type": kind, "len": LONGEST_VALUE} for name, kind in pattern.variables.items()],
        "delimiter": "%",
    }


def list_patterns(call: Call) -> Response:
    query = call.query(("page", "per_page", *FILTERS))
    page, per_page = query.pages()
    if per_page > MAX_PATTERNS_PER_PAGE:
        call.problems.violation("limit", "per_page", f"حداکثر {MAX_PATTERNS_PER_PAGE} مورد مجاز است")
    call.problems.check()
    code, state = query.text("filter[code]"), query.text("filter[state]")
    rows = [row for row in call.state.patterns.values() if code in ("", row.code) and state in ("", row.status)]
    return call.page(rows, page, min(per_page, MAX_PER_PAGE), show)


def show_pattern(call: Call, code: str) -> Response:
    call.nothing()
    pattern = call.state.patterns.get(code)
    if pattern is None:
        raise Refused(not_found())
    return ok(show(pattern))


def fill_pattern(call: Call, body: Fields) -> list[list[tuple[str, str]]]:
    """`pattern`: exactly one recipient, every variable of the pattern given; may store the recipient as a contact."""
    code = body.text("code", required=True)
    numbers = check_recipients(call, "recipients", body.array("recipients", str, required=True))
    if len(numbers) > 1:
        call.problems.violation("limit", "recipients", "فقط یک گیرنده مجاز است")
    values = body.mapping("params", required=True)
    call.problems.check()
    pattern = call.state.patterns.get(code)
    if pattern is None or pattern.status != "active":
        raise Refused(not_found())
    text = pattern.message
    for name in values.keys() ^ pattern.variables.keys():
        call.problems.add(f"params.{name}", "متغیرهای الگو کامل نیست")
    for name, value in values.items():
        text = text.replace(f"%{name}%", read_value(call, name, value, pattern.variables.get(name, "string")))
    if body.has("phonebook"):
        store_recipient(call, body, numbers[0])
    return [[(numbers[0], text)]]


def read_value(call: Call, name: str, value: Any, kind: str) -> str:
    """A text; for a variable of the type integer digits in a text, or a number."""
    if type(value) is not str and (kind != "integer" or type(value) is not int):
        call.problems.violation("wrong type", f"params.{name}", "نوع متغیر الگو معتبر نیست")
    text = str(value)
    if kind == "integer" and not re.fullmatch(r"-?[0-9]+", text):
        call.problems.add(f"params.{name}", "مقدار متغیر الگو باید عدد باشد")
    if len(text) > LONGEST_VALUE:
        call.problems.add(f"params.{name}", f"مقدار متغیر الگو نباید بیشتر از {LONGEST_VALUE} حرف باشد")
    return text


def store_recipient(call: Call, body: Fields, number: str) -> None:
    """Keep the recipient as a contact; a full phonebook or a known number changes nothing."""
    fields = body.nested("phonebook", ("id", "name", "pre", "email", "options"))
    book = call.phonebook(str(fields.integer("id", required=True)))
    name, pre, email = fields.text("name"), fields.text("pre"), fields.text("email")
    options = fields.mapping("options")
    call.problems.check()
    if number not in book.by_number and book.count < call.state.capacity:
        call.state.add_contact(book, number, name=name, pre=pre, email=email, options=options)


ROUTES = [
    Route("GET", "/api/patterns", list_patterns),
    Route("GET", "/api/patterns/{code}", show_pattern),
]
