"""Every call of the SMS API."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from providers.sandbox.atomtelecom.delivery import status
from providers.sandbox.atomtelecom.fields import Call, ok, only
from providers.sandbox.atomtelecom.state import TEXTS, Book, Contact
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

_LISTED = ("id", "first_name", "last_name", "phone_number")
_DETAILS = ("id", "first_name", "last_name", "company", "phone_number", "custom_1", "custom_2", "custom_3", "custom_4")
_OPTIONAL = dict.fromkeys(TEXTS, str)
_PHONE = re.compile(r"\+?[1-9][0-9]{6,14}|0[1-9][0-9]{8}")
_RECIPIENTS = re.compile(r"[1-9][0-9]{6,14}(,[1-9][0-9]{6,14})*")


def senders(call: Call) -> Response:
    call.nothing()
    return ok({"Sender": list(call.state.senders)})


# Address books


def new_book(call: Call) -> Response:
    book = call.state.add_book(call.body({"name": str})["name"])
    return ok({"id": book.id, "name": book.name})


def edit_book(call: Call) -> Response:
    """Answers the id as text."""
    body = call.body({"id": int}, {"name": str})
    book = _book(call, body["id"])
    book.name = body.get("name") or book.name
    return ok({"id": str(book.id), "name": book.name})


def list_books(call: Call) -> Response:
    call.nothing(empty_object="list_without_body" not in call.state.quirks)
    return ok([asdict(book) for book in call.state.books.values()])


def book_detail(call: Call) -> Response:
    book = _book(call, call.body({"id": int})["id"])
    contacts = [only(asdict(contact), _LISTED) for contact in call.state.contacts_of(book)]
    return ok({"id": book.id, "name": book.name, "contacts": contacts})


def delete_book(call: Call) -> Response:
    book = _book(call, call.body({"id": int})["id"])
    call.state.delete_book(book.id)
    return ok({"id": book.id})


# Contacts


def new_contact(call: Call) -> Response:
    """A second contact with the number of another is made: whether it would be is not documented."""
    body = call.body({"group_id": int, "phone_number": str}, _OPTIONAL)
    _check_phone(call, body["phone_number"])
    book = _book(call, body["group_id"])
    contact = call.state.add_contact(book, body["phone_number"], **only(body, TEXTS))
    return ok({"id": contact.id})


def contact_detail(call: Call) -> Response:
    """Takes the id as text, unlike the other calls, and does not tell the address book."""
    wanted = call.body({"id": str})["id"]
    contact = _contact(call, int(wanted) if re.fullmatch(r"[0-9]{1,18}", wanted) else 0)
    return ok({"contact": only(asdict(contact), _DETAILS)})


def edit_contact(call: Call) -> Response:
    """Changes what is named and keeps the rest."""
    body = call.body({"id": int}, {"group_id": int, "phone_number": str, **_OPTIONAL})
    contact = _contact(call, body["id"])
    if "phone_number" in body:
        _check_phone(call, body["phone_number"])
    if "group_id" in body:
        _book(call, body["group_id"])
    for name, value in body.items():
        setattr(contact, name, value)
    return ok({"id": contact.id})


def delete_contact(call: Call) -> Response:
    contact = _contact(call, call.body({"id": int})["id"])
    del call.state.contacts[contact.id]
    return ok({"id": contact.id})


# Messages


def send(call: Call) -> Response:
    """One id, however many numbers."""
    body = call.body({"to": str, "from": str, "text": str}, {"callback": str})
    if not _RECIPIENTS.fullmatch(body["to"]):
        call.refuse("to must be numbers like 61400000001, separated by commas")
    if body["from"] not in call.state.senders:
        call.refuse("from is not one of your senders")
    message = call.state.add_message(
        body["to"].split(","), body["from"], body["text"], body.get("callback", ""), maturity=call.settings.maturity
    )
    return ok({"message_id": message.message_id, "status": "pending"})


def message_status(call: Call) -> Response:
    message = call.state.messages.get(call.body({"message_id": str})["message_id"])
    if message is None:
        call.gone("message")
    return ok({"message_id": message.message_id, "status": status(message, call.state.clock.now())})


def _book(call: Call, book_id: int) -> Book:
    return call.state.books.get(book_id) or call.gone("address book")


def _contact(call: Call, contact_id: int) -> Contact:
    return call.state.contacts.get(contact_id) or call.gone("contact")


def _check_phone(call: Call, phone: Any) -> None:
    if not _PHONE.fullmatch(phone):
        call.refuse("phone_number is not valid")


ROUTES = [
    Route("GET", "/api/sender", senders),
    Route("POST", "/api/address-book/new", new_book, changes=True),
    Route("POST", "/api/address-book/edit", edit_book, changes=True),
    Route("POST", "/api/address-book/list", list_books),
    Route("POST", "/api/address-book/detail", book_detail),
    Route("POST", "/api/address-book/delete", delete_book, changes=True),
    Route("POST", "/api/contact/new", new_contact, changes=True),
    Route("POST", "/api/contact/detail", contact_detail),
    Route("POST", "/api/contact/edit", edit_contact, changes=True),
    Route("POST", "/api/contact/delete", delete_contact, changes=True),
    Route("POST", "/api/sms/send", send, changes=True),
    Route("POST", "/api/sms/status", message_status),
]
