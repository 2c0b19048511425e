"""Phonebooks: list, create, update, delete."""

from __future__ import annotations

from functools import partial
from typing import Any

from providers.sandbox.ippanel.call import Call, is_id, iso
from providers.sandbox.ippanel.envelope import WRONG_METHOD, failure, ok
from providers.sandbox.ippanel.fields import Fields
from providers.sandbox.ippanel.records import Phonebook
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

MAX_TITLE = 200


def show_options(call: Call, book: Phonebook) -> list[dict[str, Any]]:
    options = (call.state.options[option_id] for option_id in book.option_ids)
    return [{"id": option.id, "title": option.title, "type": option.type} for option in options]


def show_phonebook(call: Call, book: Phonebook) -> dict[str, Any]:
    return {
        "id": book.id,
        "title": book.title,
        "count": book.count,
        "export_status": 0,
        "import_status": 0,
        "created_at": iso(book.created),
        "updated_at": iso(book.updated),
        "options": show_options(call, book),
    }


def list_phonebooks(call: Call) -> Response:
    """With the quirk "phonebooks_by_post" only the spelling of the Persian page is alive, which is a POST."""
    by_post = call.request.method == "POST"
    if by_post != ("phonebooks_by_post" in call.state.quirks):
        return failure(405, "405-1", WRONG_METHOD)
    filters = ("page", "per_page", "title", "id")
    if by_post:
        body = call.body(filters)
        page, per_page = body.integer("page", default=1), body.integer("per_page", default=10)
        wanted_id, title = body.integer("id"), body.text("title")
    else:
        query = call.query(filters)
        page, per_page = query.pages()
        wanted_id, title = query.integer("id", 0), query.text("title")
    call.problems.check()
    rows = find_phonebooks(call, wanted_id, title)
    return call.page(rows, page, per_page, partial(show_phonebook, call))


def find_phonebooks(call: Call, wanted_id: int, title: str) -> list[Phonebook]:
    """`title` fits in part: the document does not say which, so nobody may count on an exact match."""
    title = title.casefold()
    books = call.state.phonebooks.values()
    return [book for book in books if (not wanted_id or book.id == wanted_id) and title in book.title.casefold()]


def read_option_ids(call: Call, body: Fields) -> list[int]:
    """Ids of existing options, as the strings of the document's example."""
    ids = []
    for index, text in enumerate(body.array("options", str)):
        if is_id(text) and int(text) in call.state.options:
            ids.append(int(text))
        else:
            call.problems.add(f"options.{index}", "گزینه انتخاب شده معتبر نیست")
    return list(dict.fromkeys(ids))


def create_phonebook(call: Call) -> Response:
    body = call.body(("title", "options"))
    title = body.text("title", required=True, max_length=MAX_TITLE)
    option_ids = read_option_ids(call, body)
    call.problems.check()
    book = call.state.add_phonebook(title, option_ids=option_ids)
    return ok(
        {
            "id": book.id,
            "title": book.title,
            "count": "0",
            "export_status": None,
            "import_status": None,
            "created_at": iso(book.created),
            "options": show_options(call, book),
        }
    )


def update_phonebook(call: Call, phonebook_id: str) -> Response:
    """Options replace the list that is there."""
    book = call.phonebook(phonebook_id)
    body = call.body(("title", "options"))
    title = body.text("title", max_length=MAX_TITLE)
    option_ids = read_option_ids(call, body)
    call.problems.check()
    book.title = title or book.title
    if body.has("options"):
        book.option_ids = option_ids
    book.updated = call.state.stamp()
    return ok(None)


def delete_phonebooks(call: Call) -> Response:
    body = call.body(("listPhonebooks",))
    ids = body.array("listPhonebooks", int, required=True)
    call.problems.check()
    for phonebook_id in ids:
        call.state.delete_phonebook(phonebook_id)
    return ok(None)


ROUTES = [
    Route("GET", "/api/phonebooks/list-new", list_phonebooks),
    Route("POST", "/api/phonebooks/list-new", list_phonebooks),
    Route("POST", "/api/phonebooks", create_phonebook, changes=True),
    Route("PUT", "/api/phonebooks/{phonebook_id}", update_phonebook, changes=True),
    Route("POST", "/api/phonebooks/delete-list", delete_phonebooks, changes=True),
]
