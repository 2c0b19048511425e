"""Contacts ("phonebook numbers"): add many, list, show, update, delete."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

from providers.sandbox.ippanel.call import Call, is_id, iso
from providers.sandbox.ippanel.envelope import Refused, not_found, ok
from providers.sandbox.ippanel.fields import Fields, Query
from providers.sandbox.ippanel.options import is_value
from providers.sandbox.ippanel.records import Contact, Phonebook
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

NUMBER = re.compile(r"\+98[0-9]{10}")
FILTER_NUMBER = re.compile(r"\+[0-9]{5,15}")
ROW_FIELDS = frozenset({"number", "pre", "name", "email", "options", "phonebook_id"})


@dataclass
class Row:
    """One contact as it was sent. `good` says that number and option values are acceptable."""

    book: Phonebook | None
    number: str
    pre: str
    name: str
    email: str
    options: dict[str, str]
    good: bool


def read_row(call: Call, fields: Fields) -> Row:
    """The fields shared by adding and updating. Unknown phonebooks and options are refused, bad values are not good."""
    number = fields.text("number", required=True)
    phonebook_id = fields.text("phonebook_id", required=True)
    book = call.state.phonebooks.get(int(phonebook_id)) if is_id(phonebook_id) else None
    if book is None and phonebook_id:
        call.problems.add(fields.where("phonebook_id"), "دفترچه تلفن انتخاب شده معتبر نیست")
    options = fields.mapping("options")
    good = NUMBER.fullmatch(number) is not None
    for key, value in options.items():
        where = fields.where(f"options.{key}")
        option = call.state.options.get(int(key)) if is_id(key) else None
        if type(value) is not str:
            call.problems.violation("wrong type", where, "نوع گزینه معتبر نیست")
        elif option is None:
            call.problems.violation("undocumented field", where, "گزینه انتخاب شده معتبر نیست")
        elif book and option.id not in book.option_ids:
            call.problems.add(where, "گزینه به این دفترچه تلفن متصل نیست")
        else:
            good = good and is_value(option, value)
    return Row(book, number, fields.text("pre"), fields.text("name"), fields.text("email"), options, good)


def add_contacts(call: Call) -> Response:
    """Counts only, as documented: a row that is not good or finds its book full is an error, a known number exists."""
    body = call.body(("list",))
    rows = [read_row(call, fields) for fields in body.each("list", ROW_FIELDS)]
    call.problems.check()
    if len(rows) > 1 and "loses_last_of_batch" in call.state.quirks:
        rows.pop()
    added = errors = existences = 0
    for row in rows:
        if row.book is None or not row.good:
            errors += 1
        elif row.number in row.book.by_number:
            existences += 1
        elif row.book.count >= call.state.capacity:
            errors += 1
        else:
            call.state.add_contact(
                row.book, row.number, pre=row.pre, name=row.name, email=row.email, options=row.options
            )
            added += 1
    if len(rows) > 1 and "counts_short" in call.state.quirks:
        added = max(0, added - 1)
    return ok({"added": added, "errors": errors, "existences": existences}, code="201-1")


def show(call: Call, contact: Contact) -> dict[str, Any]:
    """Never with option values: the API does not give them back."""
    return {
        "id": contact.id,
        "phonebook_id": contact.phonebook_id,
        "pre": contact.pre,
        "name": contact.name,
        "email": contact.email,
        "number": contact.number,
        "created_at": iso(contact.created),
        "updated_at": iso(contact.updated),
        "phonebook_title": call.state.phonebooks[contact.phonebook_id].title,
    }


def list_contacts(call: Call) -> Response:
    """Costs no more than the page asked for, however big the book."""
    query = call.query(("from_created_at", "number", "phonebook_title", "phonebook_id", "page", "per_page"))
    page, per_page = query.pages()
    number = query.text("number")
    if number and not FILTER_NUMBER.fullmatch(number):
        call.problems.violation("wrong type", "number", "شماره معتبر نیست")
    since = query.integer("from_created_at", -1, minimum=0)
    books = filtered_books(call, query)
    call.problems.check()
    lists: list[Sequence[int]] = []
    for book in books:
        if number:
            found = book.by_number.get(number)
            ids: Sequence[int] = [found] if found else []
        else:
            ids = book.contact_ids
        if since >= 0:
            created = call.state.contacts
            ids = ids[bisect_right(ids, since, key=lambda contact_id: int(created[contact_id].created)) :]
        lists.append(ids)
    total = sum(map(len, lists))
    first = (page - 1) * per_page
    wanted: Sequence[int] = (
        lists[0][first : first + per_page]
        if len(lists) == 1
        else list(islice(chain.from_iterable(lists), first, first + per_page))
    )
    contacts = [call.state.contacts[contact_id] for contact_id in wanted]
    return call.page(contacts, page, per_page, partial(show, call), total=total)


def filtered_books(call: Call, query: Query) -> list[Phonebook]:
    """The phonebooks that the filters leave."""
    books = list(call.state.phonebooks.values())
    if phonebook_id := query.integer("phonebook_id", 0):
        book = call.state.phonebooks.get(phonebook_id)
        books = [book] if book else []
    if title := query.text("phonebook_title"):
        books = [book for book in books if book.title == title]
    return books


def find_contact(call: Call, contact_id: str) -> Contact:
    contact = call.state.contacts.get(int(contact_id)) if is_id(contact_id) else None
    if contact is None:
        raise Refused(not_found())
    return contact


def show_contact(call: Call, contact_id: str) -> Response:
    call.nothing()
    contact = find_contact(call, contact_id)
    return ok(
        {
            **show(call, contact),
            "is_send_blacklist": call.state.is_blacklisted(contact.number),
            "is_receive_blacklist": False,
            "tags": [],
        }
    )


def update_contact(call: Call, contact_id: str) -> Response:
    """Fields left out stay as they are, or are emptied with the quirk "update_blanks_omitted"; options likewise.

    An option value "" takes the value away.
    """
    contact = find_contact(call, contact_id)
    fields = call.body(ROW_FIELDS)
    row = read_row(call, fields)
    call.problems.check()
    values_fit = all(not value or is_value(call.state.options[int(key)], value) for key, value in row.options.items())
    if not NUMBER.fullmatch(row.number):
        call.problems.refuse("number", "شماره معتبر نیست")
    if not values_fit:
        call.problems.refuse("options", "مقدار گزینه معتبر نیست")
    book = row.book
    if book is None:
        raise Refused(not_found())
    if book.by_number.get(row.number, contact.id) != contact.id:
        call.problems.refuse("number", "این شماره قبلا در دفترچه تلفن ثبت شده است")
    call.state.rekey_contact(contact, book, row.number)
    blanks = "update_blanks_omitted" in call.state.quirks
    for name in ("pre", "name", "email"):
        if fields.has(name) or blanks:
            setattr(contact, name, getattr(row, name))
    options = {**({} if blanks else contact.options), **row.options}
    contact.options = {key: value for key, value in options.items() if value}
    contact.updated = call.state.stamp()
    return ok(None)


def delete_contacts(call: Call) -> Response:
    """By contact id. Ids that are gone already are passed over."""
    body = call.body(("listNumbers",))
    ids = set(body.array("listNumbers", int, required=True))
    call.problems.check()
    call.state.delete_contacts(ids)
    return ok(None)


ROUTES = [
    Route("POST", "/api/phonebooks/numbers/add-list-new", add_contacts, changes=True),
    Route("GET", "/api/phonebooks/numbers/contact-list", list_contacts),
    Route("GET", "/api/phonebooks/numbers/contact-list/{contact_id}", show_contact),
    Route("PUT", "/api/phonebooks/numbers/update-new/{contact_id}", update_contact, changes=True),
    Route("POST", "/api/phonebooks/numbers/delete-list", delete_contacts, changes=True),
]
