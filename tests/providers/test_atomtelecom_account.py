"""Atom Telecom: its account, its rate, what is not there, and what is looked at before any call."""

from __future__ import annotations

import datetime as dt

import pytest

from providers.backends.atomtelecom import AtomTelecom
from providers.exceptions import (
    Misconfigured,
    NotFound,
    ProviderError,
    Rejected,
    Throttled,
)
from providers.sandbox import SandboxServer
from providers.types import (
    AccountConfig,
    BookRef,
    ContactRecord,
    PhonebookSpec,
)
from tests.factories import SANDBOX_KEY

from .atomtelecom import BOOK, answer, connect, message, options, record
from .servers import Recorder

# The account


@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/", "  "])
def test_the_address_may_end_in_api_or_not(recorder: Recorder, suffix: str) -> None:
    recorder.will_answer(answer({"Sender": []}))
    with connect(recorder.url + suffix) as client:
        client.senders()
    assert recorder.last.path == "/api/sender"


def test_there_is_no_address_to_fall_back_on() -> None:
    with pytest.raises(Misconfigured, match="API URL"):
        AtomTelecom(AccountConfig(slug="atomtelecom", credentials={"token": SANDBOX_KEY}))


def test_an_account_without_senders_is_told_that_it_cannot_send(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    sandbox.state("atomtelecom").senders = []
    account = atom.check()
    assert not account.can_send
    assert len(account.warnings) == 1


# Rate


def test_a_429_without_a_time_waits_longer_each_time(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    waits = []
    for headers in ({}, {}, {"Retry_After": "9"}, {}):
        recorder.will_answer({"code": "rate_limited"}, status=429, **headers)
        with pytest.raises(Throttled) as caught:
            scripted_atom.send(message())
        assert caught.value.code == "rate_limited"
        waits.append(caught.value.retry_after)
    assert waits == [1, 2, 9, 4]
    recorder.will_answer(answer({"Sender": []}))
    recorder.will_answer({}, status=429)
    scripted_atom.senders()
    with pytest.raises(Throttled) as caught:
        scripted_atom.senders()
    assert caught.value.retry_after == 1


def test_the_documented_rate_is_kept_by_the_sandbox_with_limits(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    sandbox.settings.limits = True
    with pytest.raises(Throttled) as caught:
        list(map(AtomTelecom.senders, [atom] * 1000))
    assert caught.value.retry_after == 1
    sandbox.advance(1)
    assert atom.senders()


# What is not there


@pytest.mark.parametrize("by_status", [False, True])
def test_what_is_gone_is_gone_however_it_is_refused(atom: AtomTelecom, sandbox: SandboxServer, by_status: bool) -> None:
    state = sandbox.state("atomtelecom")
    state.quirks |= {"errors_by_status"} if by_status else set()
    book = BookRef(str(state.add_book("Newsletter").id))
    gone = BookRef("999")
    atom.delete_contacts(book, ["999"])
    atom.delete_phonebooks([gone])
    calls = [
        lambda: atom.create_contacts(gone, [record()]),
        lambda: atom.get_contact("999"),
        lambda: atom.update_contact(book, "999", record()),
        lambda: list(atom.list_contacts(gone)),
        lambda: atom.update_phonebook(gone, PhonebookSpec("New")),
        lambda: atom.report("999"),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()


@pytest.mark.parametrize("call", ["update_contact", "delete_contacts", "update_phonebook", "delete_phonebooks", "list"])
def test_a_refusal_about_something_that_is_there_is_told(atom: AtomTelecom, sandbox: SandboxServer, call: str) -> None:
    state = sandbox.state("atomtelecom")
    made = state.add_book("Newsletter")
    book, contact_id = BookRef(str(made.id)), str(state.add_contact(made, "61491570006").id)
    calls = {
        "update_contact": ("contact/edit", lambda: atom.update_contact(book, contact_id, record())),
        "delete_contacts": ("contact/delete", lambda: atom.delete_contacts(book, [contact_id])),
        "update_phonebook": ("address-book/edit", lambda: atom.update_phonebook(book, PhonebookSpec("x"))),
        "delete_phonebooks": ("address-book/delete", lambda: atom.delete_phonebooks([book])),
        "list": ("address-book/detail", lambda: list(atom.list_contacts(book))),
    }
    path, act = calls[call]
    sandbox.fault("status_422", f"POST /api/{path}")
    with pytest.raises(Rejected) as caught:
        act()
    assert not isinstance(caught.value, NotFound)
    assert caught.value.params["words"] == "Invalid request"


def test_ids_of_another_form_are_not_asked_for(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    for call in (
        lambda: scripted_atom.get_contact("abc"),
        lambda: scripted_atom.update_contact(BOOK, "-1", record()),
        lambda: scripted_atom.delete_contacts(BOOK, ["5001.0"]),
        lambda: list(scripted_atom.list_contacts(BookRef(""))),
    ):
        with pytest.raises(NotFound):
            call()
    assert recorder.asked == []


def test_one_contact_per_call(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="at most 1"):
        scripted_atom.create_contacts(BOOK, [record(6), record(7)])
    assert recorder.asked == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, None),
        ({"phone": "+447700900123"}, None),
        ({"phone": "61491570006"}, "61491570006"),
        ({"phone": "+0491570006"}, "+0491570006"),
        ({"phone": "+61491570006789012"}, "+61491570006789012"),
        ({"options": options(company="Acme", custom_4="x" * 5000)}, None),
        ({"options": options(custom_5="x")}, "custom_5"),
    ],
)
def test_contacts_are_looked_at_before_any_call(fields: dict[str, object], words: str | None) -> None:
    problem: ProviderError | None = AtomTelecom.problem_with_contact(record(**fields))
    assert (problem and words in problem.reason) == (words and True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, None),
        ({"text": "x" * 2000}, None),
        ({"sender": " "}, "no sender"),
        ({"text": "\n"}, "empty"),
        ({"numbers": ()}, "for nobody"),
        ({"numbers": ("0491570006",)}, "0491570006"),
        ({"send_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)}, "cannot send later"),
    ],
)
def test_messages_are_looked_at_before_any_call(
    scripted_atom: AtomTelecom, recorder: Recorder, fields: dict[str, object], words: str | None
) -> None:
    problem = AtomTelecom.problem_with_message(message(**fields), now=dt.datetime.now(dt.UTC))
    assert (problem and words in problem.reason) == (words and True)
    if words:
        with pytest.raises(Rejected):
            scripted_atom.send(message(**fields))
    assert recorder.asked == []


def test_a_contact_of_the_list_tells_four_fields_and_by_itself_all(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    book = BookRef(str(sandbox.state("atomtelecom").add_book("Newsletter").id))
    made = record(first_name="Sara", last_name="Example", options=options(company="Acme", custom_1="VIP"))
    (item,) = atom.create_contacts(book, [made]).items
    (listed,) = atom.list_contacts(book)
    assert (listed.first_name, listed.last_name, listed.options, listed.company) == ("Sara", "Example", None, None)
    assert atom.get_contact(item.remote_id).options == {
        "company": "Acme",
        "custom_1": "VIP",
        "custom_2": "",
        "custom_3": "",
        "custom_4": "",
    }


def test_a_place_nobody_asked_about_is_left_as_it_is(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    state = sandbox.state("atomtelecom")
    book = state.add_book("Newsletter")
    contact = state.add_contact(book, "61491570006", custom_1="by hand", custom_2="ours")
    atom.update_contact(BookRef(str(book.id)), str(contact.id), record(options=options(custom_2="")))
    assert (contact.custom_1, contact.custom_2) == ("by hand", "")


def test_the_number_of_a_contact_can_change(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    state = sandbox.state("atomtelecom")
    book = state.add_book("Newsletter")
    contact = state.add_contact(book, "61491570006")
    new = ContactRecord("r", "+61491570156")
    assert AtomTelecom.capabilities.can_change_phone
    atom.update_contact(BookRef(str(book.id)), str(contact.id), new)
    assert contact.phone_number == "61491570156"
