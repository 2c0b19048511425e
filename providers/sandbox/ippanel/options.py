"""Options (custom fields): list, create, rename, delete, and what their values may be."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from providers.sandbox.ippanel.call import Call, is_id, iso
from providers.sandbox.ippanel.envelope import Refused, not_found, ok
from providers.sandbox.ippanel.records import Option
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

TYPES = frozenset({"int", "string", "date"})


def is_value(option: Option, text: str) -> bool:
    """Whether an option takes this text: digits for `int`, a zero-padded Gregorian date for `date`."""
    if option.type == "int":
        return re.fullmatch(r"-?[0-9]+", text) is not None
    if option.type == "date":
        return is_date(text)
    return True


def is_date(text: str) -> bool:
    """Both documented spellings; a year before 1800 is a Jalali date that was not converted."""
    if not re.fullmatch(r"[0-9]{4}([-/])[0-9]{2}\1[0-9]{2}", text):
        return False
    try:
        return dt.date.fromisoformat(text.replace("/", "-")).year >= 1800
    except ValueError:
        return False


def show(option: Option) -> dict[str, Any]:
    return {"id": option.id, "title": option.title, "type": option.type, "created_at": iso(option.created)}


def list_options(call: Call) -> Response:
    query = call.query(("type", "title", "page", "per_page"))
    page, per_page = query.pages()
    kind = query.text("type", required=True)
    title = query.text("title", required="options_need_title" in call.state.quirks).casefold()
    if kind and kind not in TYPES:
        call.problems.add("type", "نوع گزینه معتبر نیست")
    call.problems.check()
    rows = [row for row in call.state.options.values() if row.type == kind and title in row.title.casefold()]
    return call.page(rows, page, per_page, show)


def create_option(call: Call) -> Response:
    body = call.body(("type", "title"))
    kind = body.text("type", required=True)
    title = body.text("title", required=True)
    if kind and kind not in TYPES:
        call.problems.add("type", "نوع گزینه معتبر نیست")
    call.problems.check()
    return ok(show(call.state.add_option(title, kind)))


def rename_option(call: Call, option_id: str) -> Response:
    option = call.state.options.get(int(option_id)) if is_id(option_id) else None
    if option is None:
        raise Refused(not_found())
    body = call.body(("title",))
    title = body.text("title")
    call.problems.check()
    option.title = title or option.title
    return ok(True)


def delete_options(call: Call) -> Response:
    """Takes the options off every phonebook and contact."""
    body = call.body(("listOptions",))
    ids = set(body.array("listOptions", int, required=True))
    call.problems.check()
    state = call.state
    gone = {option_id for option_id in ids if state.options.pop(option_id, None)}
    if gone:
        for book in state.phonebooks.values():
            book.option_ids = [option_id for option_id in book.option_ids if option_id not in gone]
        for contact in state.contacts.values():
            for option_id in gone:
                contact.options.pop(str(option_id), None)
    return ok(None)


ROUTES = [
    Route("GET", "/api/phonebooks/options/list-new", list_options),
    Route("POST", "/api/phonebooks/options", create_option, changes=True),
    Route("PUT", "/api/phonebooks/options/{option_id}", rename_option, changes=True),
    Route("POST", "/api/phonebooks/options/delete-list", delete_options, changes=True),
]
