"""Atom Telecom: what goes over the wire, against the examples of its documents."""

from __future__ import annotations

from typing import Any

import pytest

from providers.backends.atomtelecom import AtomTelecom
from providers.types import BookRef, ItemOutcome, PhonebookSpec, RemotePhonebook
from tests.factories import SANDBOX_KEY

from .atomtelecom import BOOK, answer, connect, message, options, record
from .servers import Asked, Recorder

ALL = options(company="Acme", custom_1="VIP", custom_2="b", custom_3="c", custom_4="d")
EMPTY = options(company="", custom_1="", custom_2="", custom_3="", custom_4="")


def exactly(asked: Asked, path: str, body: Any) -> None:
    """A POST to this path with this body, the types included, and the documented headers."""
    assert (asked.method, asked.path, asked.query) == ("POST", f"/api/{path}", "")
    assert asked.json == body
    assert {name: type(value) for name, value in asked.json.items()} == {
        name: type(value) for name, value in body.items()
    }
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Authorization"] == f"Bearer {SANDBOX_KEY}"
    assert asked.headers["Accept"] == "application/json"


# Contacts: the page “Contacts” of the SMS API


def test_a_new_contact_with_every_field(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer({"status": "success", "result": {"id": 123456}})
    full = record(first_name="John", last_name="Doe", options=ALL)
    (item,) = scripted_atom.create_contacts(BookRef("1"), [full]).items
    assert (item.outcome, item.remote_id, item.reference) == (ItemOutcome.DONE, "123456", "r6")
    exactly(
        recorder.last,
        "contact/new",
        {
            "group_id": 1,
            "phone_number": "61491570006",
            "first_name": "John",
            "last_name": "Doe",
            "company": "Acme",
            "custom_1": "VIP",
            "custom_2": "b",
            "custom_3": "c",
            "custom_4": "d",
        },
    )


def test_a_new_contact_as_in_the_example(recorder: Recorder) -> None:
    recorder.will_answer({"status": "success", "result": {"id": 123456}})
    with connect(recorder.url, contact_number_form="national") as client:
        client.create_contacts(
            BookRef("1"), [record(phone="+61412345678", first_name="John", last_name="Doe", options=EMPTY)]
        )
    exactly(
        recorder.last,
        "contact/new",
        {"group_id": 1, "phone_number": "0412345678", "first_name": "John", "last_name": "Doe"},
    )


def test_a_contact_in_detail_as_in_the_example(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer(
        {
            "status": "success",
            "result": {
                "contact": {
                    "id": 1,
                    "first_name": "John",
                    "last_name": "Doe",
                    "company": "ABC Inc.",
                    "phone_number": "1234567890",
                    "custom_1": "Custom Data 1",
                    "custom_2": "Custom Data 2",
                    "custom_3": "Custom Data 3",
                    "custom_4": "Custom Data 4",
                }
            },
        }
    )
    contact = scripted_atom.get_contact("1")
    exactly(recorder.last, "contact/detail", {"id": "1"})
    assert (contact.remote_id, contact.first_name, contact.last_name) == ("1", "John", "Doe")
    assert contact.options == {
        "company": "ABC Inc.",
        "custom_1": "Custom Data 1",
        "custom_2": "Custom Data 2",
        "custom_3": "Custom Data 3",
        "custom_4": "Custom Data 4",
    }
    untold = (contact.prefix, contact.name, contact.company, contact.email, contact.note, contact.is_opted_out)
    assert untold == (None,) * 6


def test_an_edit_sends_every_known_field_and_empties_with_empty_text(
    scripted_atom: AtomTelecom, recorder: Recorder
) -> None:
    recorder.will_answer({"status": "success", "result": {"id": 123456}})
    recorder.will_answer({"status": "success", "result": {"id": 123456}})
    result = scripted_atom.update_contact(BookRef("1"), "123456", record(first_name="Jane", options=ALL))
    assert (result.outcome, result.remote_id) == (ItemOutcome.DONE, "123456")
    scripted_atom.update_contact(BookRef("1"), "123456", record(first_name="Jane", options=EMPTY))
    known = {
        "id": 123456,
        "group_id": 1,
        "phone_number": "61491570006",
        "first_name": "Jane",
        "last_name": "",
    }
    values = {slot: value.value for slot, value in ALL.items()}
    exactly(recorder.asked[0], "contact/edit", {**known, **values})
    exactly(recorder.asked[1], "contact/edit", {**known, **dict.fromkeys(values, "")})


def test_contacts_are_deleted_one_by_one(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer({"status": "success", "result": {"id": 1234}})
    recorder.will_answer({"status": "success", "result": {"id": 1235}})
    scripted_atom.delete_contacts(BOOK, ["1234", "1235"])
    exactly(recorder.asked[0], "contact/delete", {"id": 1234})
    exactly(recorder.asked[1], "contact/delete", {"id": 1235})


# Address books


def test_a_book_is_created_by_name_and_its_labels_stay_here(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer(answer({"id": 11, "name": "Newsletter"}))
    made = scripted_atom.create_phonebook(PhonebookSpec("Newsletter", {"custom_1": "VIP"}, description="ours"))
    assert made == RemotePhonebook("11", "Newsletter", count=None)
    exactly(recorder.last, "address-book/new", {"name": "Newsletter"})


def test_a_book_is_renamed_shown_and_deleted_by_its_integer_id(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    rows = [{"id": 5001, "first_name": None, "last_name": "Doe", "phone_number": "0491570006"}]
    recorder.will_answer(answer({"id": "11", "name": "News"}))
    recorder.will_answer(answer({"id": 11, "name": "News", "contacts": rows}))
    recorder.will_answer({"status": "success"})
    scripted_atom.update_phonebook(BOOK, PhonebookSpec("News"))
    (contact,) = scripted_atom.list_contacts(BOOK)
    assert (contact.remote_id, contact.phone, contact.first_name, contact.last_name) == (
        "5001",
        "+61491570006",
        "",
        "Doe",
    )
    scripted_atom.delete_phonebooks([BOOK])
    exactly(recorder.asked[0], "address-book/edit", {"id": 11, "name": "News"})
    exactly(recorder.asked[1], "address-book/detail", {"id": 11})
    exactly(recorder.asked[2], "address-book/delete", {"id": 11})


# Messages


def test_senders_are_the_only_get(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer({"status": "success", "result": {"Sender": ["ACME", "61400000000"]}})
    assert [sender.value for sender in scripted_atom.senders()] == ["ACME", "61400000000"]
    assert (recorder.last.method, recorder.last.path, recorder.last.body) == ("GET", "/api/sender", b"")


@pytest.mark.parametrize("url", ["", "https://app.example.org/hooks/atom/abc"])
def test_a_message_and_its_address_for_the_call_back(scripted_atom: AtomTelecom, recorder: Recorder, url: str) -> None:
    result = {"message_id": "00012345-00000000000ab", "status": "pending"}
    recorder.will_answer({"status": "success", "result": result})
    receipt = scripted_atom.send(message(callback_url=url))
    assert receipt.references == ("00012345-00000000000ab",)
    body = {"to": "61491570006", "from": "ACME", "text": "Hello"}
    exactly(recorder.last, "sms/send", {**body, "callback": url} if url else body)


def test_the_state_of_a_message_is_asked_by_its_id(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer(answer({"message_id": "00012345-00000000000ab", "status": "Delivered"}))
    scripted_atom.report("00012345-00000000000ab")
    exactly(recorder.last, "sms/status", {"message_id": "00012345-00000000000ab"})
