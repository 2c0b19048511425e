"""Who gets a send: the `params` and `recipients` of each sending type, read strictly.

Every function returns messages, each a list of (number, text) pairs: one id is given per message.
"""

from __future__ import annotations

import re
from typing import Any

from providers.sandbox.ippanel.account import read_message
from providers.sandbox.ippanel.call import Call, is_id
from providers.sandbox.ippanel.fields import Fields
from providers.sandbox.ippanel.records import Contact, Phonebook

RECIPIENT = re.compile(r"\+[1-9][0-9]{11}")  # 13 characters with the plus
MAX_RECIPIENTS = 1000
MAX_PARAMS = 100
Pairs = list[tuple[str, str]]


def check_recipients(call: Call, where: str, numbers: list[str]) -> list[str]:
    """At most 1000 numbers of exactly 13 characters."""
    if len(numbers) > MAX_RECIPIENTS:
        call.problems.violation("limit", where, f"حداکثر {MAX_RECIPIENTS} گیرنده مجاز است")
    for index, number in enumerate(numbers):
        if not RECIPIENT.fullmatch(number):
            call.problems.add(f"{where}.{index}", "شماره گیرنده معتبر نیست")
    return numbers


def to_numbers(call: Call, body: Fields) -> list[Pairs]:
    """`webservice`: one text to explicit numbers."""
    message = read_message(call, body)
    params = body.nested("params", ("recipients",), required=True)
    numbers = check_recipients(call, "params.recipients", params.array("recipients", str, required=True))
    return [[(number, message) for number in numbers]]


def peer_to_peer(call: Call, body: Fields) -> list[Pairs]:
    """`peer_to_peer`: one message per element of `params`."""
    messages = []
    for fields in body.each("params", ("recipients", "message")):
        text = read_message(call, fields)
        numbers = fields.array("recipients", str, required=True)
        check_recipients(call, fields.where("recipients"), numbers)
        messages.append([(number, text) for number in numbers])
    return messages


def to_phonebooks(call: Call, body: Fields) -> list[Pairs]:
    """`phonebook`: one text to whole phonebooks, slices of them, or chosen contacts."""
    message = read_message(call, body)
    rows = body.array("params", dict, required=True)
    if len(rows) > MAX_PARAMS:
        call.problems.violation("limit", "params", f"حداکثر {MAX_PARAMS} مورد مجاز است")
    contacts: list[Contact] = []
    for index, row in enumerate(rows):
        contacts += read_target(call, row, f"params.{index}.")
    if not contacts:
        call.problems.add("params", "گیرنده ای یافت نشد")
    return [[(contact.number, message) for contact in contacts]]


def read_target(call: Call, row: dict[str, Any], prefix: str) -> list[Contact]:
    """One element of `params`. Raises `Refused` with 404 for a phonebook that does not exist."""
    if row.get("type") == "all":
        fields = Fields(call.problems, row, ("type", "phonebook_ids", "start", "size"), prefix=prefix)
        ids = fields.array("phonebook_ids", str, required=True)
        start, size = read_row_number(fields, "start"), read_row_number(fields, "size")
        call.problems.check()
        books = [call.phonebook(phonebook_id) for phonebook_id in ids]
        contacts = [contact for book in books for contact in call.state.contacts_of(book)]
        first = (start or 1) - 1
        return contacts[first : first + size] if size else contacts[first:]
    fields = Fields(call.problems, row, ("type", "phonebook_id", "number_ids"), prefix=prefix)
    if fields.text("type", required=True) not in ("detail", ""):
        call.problems.violation("wrong type", fields.where("type"), "نوع گزینه معتبر نیست")
    phonebook_id = fields.text("phonebook_id", required=True)
    number_ids = fields.array("number_ids", str, required=True)
    call.problems.check()
    return [
        contact
        for index, contact_id in enumerate(number_ids)
        if (contact := chosen(call, call.phonebook(phonebook_id), contact_id, f"{prefix}number_ids.{index}"))
    ]


def read_row_number(fields: Fields, name: str) -> int:
    """`start` and `size`: a positive number as a string; rows are counted from 1. 0 when it is left out."""
    text = fields.text(name)
    if fields.has(name) and not (is_id(text) and int(text)):
        fields.problems.add(fields.where(name), "مقدار معتبر نیست")
        return 0
    return int(text) if text else 0


def chosen(call: Call, book: Phonebook, contact_id: str, where: str) -> Contact | None:
    contact = call.state.contacts.get(int(contact_id)) if is_id(contact_id) else None
    if contact is None or contact.phonebook_id != book.id:
        call.problems.add(where, "مخاطب در دفترچه تلفن یافت نشد")
        return None
    return contact


def personalised(call: Call, body: Fields) -> list[Pairs]:
    """`keyword_phonebook`: `{ex_<option id>}` is replaced by the contact's value; one message per distinct text."""
    template = read_message(call, body)
    keys = re.findall(r"\{ex_([0-9]+)\}", template)
    by_text: dict[str, Pairs] = {}
    for fields in body.each("params", ("phonebook_id",)):
        phonebook_id = fields.integer("phonebook_id", required=True)
        call.problems.check()
        book = call.phonebook(str(phonebook_id))
        if any(int(key) not in book.option_ids for key in keys):
            call.problems.add("message", "گزینه های پیام در دفترچه تلفن وجود ندارد")
        for contact in call.state.contacts_of(book):
            text = template
            for key in keys:
                text = text.replace(f"{{ex_{key}}}", contact.options.get(key, ""))
            by_text.setdefault(text, []).append((contact.number, text))
    if not by_text:
        call.problems.add("params", "گیرنده ای یافت نشد")
    return list(by_text.values())
