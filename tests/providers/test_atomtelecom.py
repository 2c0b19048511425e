"""Atom Telecom: the contract, and every quirk of its documents by number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.backends.atomtelecom import AtomTelecom, forms
from providers.exceptions import (
    AuthFailed,
    OutcomeUnknown,
    Rejected,
    Throttled,
)
from providers.sandbox import SandboxServer
from providers.types import (
    BookRef,
    CallbackEventKind,
    CallbackRequest,
    DeliveryState,
    ItemOutcome,
    PhonebookSpec,
    RecipientReport,
    SendState,
)
from providers.values import is_e164
from tests.factories import SANDBOX_KEY

from .atomtelecom import BOOK, SENDER, SLOTS, answer, connect, message, record, refusal
from .contract import ProviderContract
from .servers import Recorder

PHONE = "+61491570006"


class TestContract(ProviderContract):
    slug = "atomtelecom"
    credentials = {"token": SANDBOX_KEY}
    wrong_credentials = {"token": "another-token-that-is-wrong-987654"}
    sender = SENDER
    phones = (PHONE, "+61491570156", "+447700900123", "+61491570110")
    refused_phone = "0491570006"
    unknown_id = "999999"
    create_path = "POST /api/contact/new"
    send_path = "POST /api/sms/send"
    settings = {"read_timeout": 1}

    def messages_to(self, sandbox: SandboxServer, phone: str) -> list[str]:
        return sandbox.state("atomtelecom").messages_to(phone)

    def numbers_in(self, sandbox: SandboxServer, book: BookRef) -> list[str]:
        contacts = sandbox.state("atomtelecom").contacts_of(int(book.remote_id))
        return [forms.e164(contact.phone_number) for contact in contacts]

    def option_values(self, sandbox: SandboxServer, book: BookRef, phone: str) -> Mapping[str, str]:
        for contact in sandbox.state("atomtelecom").contacts_of(int(book.remote_id)):
            if forms.e164(contact.phone_number) == phone:
                return {slot: getattr(contact, slot) for slot in SLOTS}
        raise KeyError(phone)

    def write_to_us(self, sandbox: SandboxServer, phone: str, text: str) -> None:
        sandbox.dialects["atomtelecom"].receive({"from": phone, "text": text})


# Quirks, by their number in the document


def test_a1_an_id_is_text_to_be_read_and_an_integer_to_be_changed(
    scripted_atom: AtomTelecom, recorder: Recorder
) -> None:
    recorder.will_answer(answer({"contact": {"id": 5001, "phone_number": "61491570006"}}))
    recorder.will_answer(answer({"id": 5001}))
    recorder.will_answer(answer({"id": 5001}))
    scripted_atom.get_contact("5001")
    scripted_atom.update_contact(BOOK, "5001", record())
    scripted_atom.delete_contacts(BOOK, ["5001"])
    assert [asked.json["id"] for asked in recorder.asked] == ["5001", 5001, 5001]


@pytest.mark.parametrize("number", [11, "11"])
def test_a2_an_id_is_compared_as_text_whichever_it_comes_as(
    scripted_atom: AtomTelecom, recorder: Recorder, number: int | str
) -> None:
    recorder.will_answer(answer({"id": number, "name": "Newsletter"}))
    recorder.will_answer(answer([{"id": number, "name": "Newsletter"}, {"id": 12, "name": "Newsletter"}]))
    made = scripted_atom.create_phonebook(PhonebookSpec("Newsletter"))
    assert made.remote_id == "11"
    assert list(scripted_atom.list_phonebooks(title="Newsletter", remote_id="11")) == [made]


def test_a3_a_call_back_is_known_by_the_address_and_not_by_its_id(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    request = CallbackRequest(
        "POST", {}, {}, b'{"query": {"id": "98765", "status": "Delivered", "timestamp": "2024-03-22 05:44:48"}}', "uuid"
    )
    (event,) = AtomTelecom.read_callback(request, secret="", now=dt.datetime.now(dt.UTC))
    assert (event.kind, event.our_reference, event.reference) == (CallbackEventKind.DELIVERY, "uuid", "")
    assert (event.raw_state, event.at, event.is_proven) == ("Delivered", None, False)
    (receipt,) = atom.send(message()).references
    assert receipt == "00012345-00000000000ab"


@pytest.mark.parametrize(
    ("form", "phone", "written"),
    [
        ("international", PHONE, "61491570006"),
        ("national", PHONE, "0491570006"),
        ("international", "+447700900123", "447700900123"),
        ("national", "+447700900123", "447700900123"),
    ],
)
def test_a4_contacts_have_the_form_of_the_setting_and_messages_have_no_plus(
    recorder: Recorder, form: str, phone: str, written: str
) -> None:
    recorder.will_answer(answer({"id": 5001}))
    recorder.will_answer(answer({"message_id": "1-a", "status": "pending"}))
    with connect(recorder.url, contact_number_form=form) as client:
        client.create_contacts(BOOK, [record(phone=phone)])
        client.send(message(numbers=(phone,)))
    assert recorder.asked[0].json["phone_number"] == written
    assert recorder.asked[1].json["to"] == phone.removeprefix("+")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0491570006", PHONE),
        ("0491 570 006", PHONE),
        ("61491570006", PHONE),
        ("+61491570006", PHONE),
        ("(04) 9157-0006", PHONE),
        ("0011447700900123", "0011447700900123"),
        ("Sara", "Sara"),
        ("", ""),
        (None, ""),
    ],
)
def test_a4_a_leading_zero_stands_for_61(written: str | None, read: str) -> None:
    assert forms.e164(written) == read


numbers = st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z").filter(str.isascii)


@given(phone=numbers, form=st.sampled_from(["international", "national"]))
def test_a4_every_number_comes_back_as_it_was(phone: str, form: str) -> None:
    assert is_e164(phone)
    assert forms.e164(forms.contact_number(phone, form)) == phone


@given(st.text())
def test_a4_no_text_in_place_of_a_number_is_a_problem(text: str) -> None:
    read = forms.e164(text)
    assert is_e164(read) or read == text.strip()


def test_a4_a_contact_in_either_form_is_found(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    state = sandbox.state("atomtelecom")
    book = state.add_book("Newsletter")
    national, other = state.add_contact(book, "0491570006"), state.add_contact(book, "61491570156")
    ref = BookRef(str(book.id))
    found = [atom.find_contact(ref, phone) for phone in (PHONE, "+61491570156", "+61491570157")]
    assert [contact and contact.remote_id for contact in found] == [str(national.id), str(other.id), None]


def test_a5_the_book_is_the_group_of_its_contacts(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer(answer({"id": 5001}))
    recorder.will_answer(answer({"id": 5001}))
    scripted_atom.create_contacts(BOOK, [record()])
    scripted_atom.update_contact(BOOK, "5001", record())
    assert [asked.json["group_id"] for asked in recorder.asked] == [11, 11]


@pytest.mark.parametrize("result", [None, {}, [], "ok", {"id": None}, {"id": True}, {"contacts": [{"id": 1}]}])
def test_a6_an_answer_of_another_form_is_not_taken_for_a_success(
    scripted_atom: AtomTelecom, recorder: Recorder, result: object
) -> None:
    calls = [
        lambda: scripted_atom.create_contacts(BOOK, [record()]),
        lambda: scripted_atom.create_phonebook(PhonebookSpec("x")),
        lambda: list(scripted_atom.list_contacts(BOOK)),
        lambda: scripted_atom.senders(),
        lambda: scripted_atom.send(message()),
        lambda: scripted_atom.report("1-a"),
    ]
    for call in calls:
        recorder.will_answer(answer(result))
        with pytest.raises(OutcomeUnknown):
            call()


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [b"", b"<h1>Forbidden</h1>", b'{"code": "forbidden"}'])
def test_a7_401_and_403_are_bad_credentials(
    scripted_atom: AtomTelecom, recorder: Recorder, status: int, body: bytes
) -> None:
    recorder.will_answer(body, status=status)
    with pytest.raises(AuthFailed):
        scripted_atom.check()


@pytest.mark.parametrize(
    ("body", "words", "code"),
    [
        (refusal("phone_number is not valid", code="invalid"), "phone_number is not valid", "invalid"),
        ({"status": "failed", "error": {"message": "No credit", "code": 17}}, "No credit", "17"),
        ({"status": "error", "error": "Nope", "error_code": "E1"}, "Nope", "E1"),
        ({"status": "error", "result": "Nope"}, "Nope", ""),
        ({"status": "fail", "reasons": ["a"]}, '{"status": "fail", "reasons": ["a"]}', ""),
        ({"status": "error", "message": "x" * 900}, "x" * 499 + "…", ""),
    ],
)
def test_a8_another_status_in_a_200_is_a_refusal_in_the_providers_words(
    scripted_atom: AtomTelecom, recorder: Recorder, body: object, words: str, code: str
) -> None:
    recorder.will_answer(body)
    with pytest.raises(Rejected) as caught:
        scripted_atom.send(message())
    assert caught.value.params["words"] == words
    assert caught.value.code == code


@pytest.mark.parametrize("body", [{}, {"result": {"id": 1}}, {"status": None}, [], b"<h1>Fine</h1>", b""])
def test_a8_an_answer_without_a_status_leaves_it_unknown(
    scripted_atom: AtomTelecom, recorder: Recorder, body: object
) -> None:
    recorder.will_answer(body)
    with pytest.raises(OutcomeUnknown):
        scripted_atom.create_contacts(BOOK, [record()])


def test_a8_a_contact_that_cannot_be_is_refused_here(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    (item,) = scripted_atom.create_contacts(BOOK, [record(phone="0491570006")]).items
    assert (item.outcome, item.params) == (ItemOutcome.REFUSED, {"phone": "0491570006"})
    with pytest.raises(Rejected):
        scripted_atom.update_contact(BOOK, "5001", record(phone="0491570006"))
    with pytest.raises(Rejected):
        scripted_atom.create_phonebook(PhonebookSpec("  "))
    assert recorder.asked == []


def test_a9_books_are_asked_for_with_an_empty_object_and_its_header(
    scripted_atom: AtomTelecom, recorder: Recorder
) -> None:
    recorder.will_answer(answer([]))
    assert list(scripted_atom.list_phonebooks()) == []
    assert (recorder.last.body, recorder.last.headers["Content-Type"]) == (b"{}", "application/json")


@pytest.mark.parametrize(("status", "body"), [(200, refusal()), (400, refusal()), (500, refusal()), (422, b"no")])
def test_a9_where_a_body_is_refused_none_is_sent_from_then_on(
    scripted_atom: AtomTelecom, recorder: Recorder, status: int, body: object
) -> None:
    recorder.will_answer(body, status=status)
    recorder.will_answer(answer([{"id": 11, "name": "Newsletter"}]))
    recorder.will_answer(answer([]))
    assert [book.title for book in scripted_atom.list_phonebooks()] == ["Newsletter"]
    assert list(scripted_atom.list_phonebooks()) == []
    assert [asked.body for asked in recorder.asked] == [b"{}", b"", b""]
    assert "Content-Type" not in recorder.last.headers


def test_a9_the_sandbox_may_refuse_a_body(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    state = sandbox.state("atomtelecom")
    state.add_book("Newsletter")
    state.quirks.add("list_without_body")
    assert [book.title for book in atom.list_phonebooks()] == ["Newsletter"]
    state.violations.clear()  # the first try, which this quirk is about


def test_a9_neither_bad_credentials_nor_too_many_requests_are_tried_again(
    scripted_atom: AtomTelecom, recorder: Recorder
) -> None:
    for status, error in ((403, AuthFailed), (429, Throttled)):
        recorder.will_answer({}, status=status)
        with pytest.raises(error):
            list(scripted_atom.list_phonebooks())
    assert len(recorder.asked) == 2


def test_a10_a_contact_is_edited_in_its_book_which_its_details_do_not_tell(
    atom: AtomTelecom, sandbox: SandboxServer
) -> None:
    state = sandbox.state("atomtelecom")
    one, other = state.add_book("One"), state.add_book("Other")
    contact = state.add_contact(one, "61491570006")
    assert "group_id" not in atom.get_contact(str(contact.id)).raw
    atom.update_contact(BookRef(str(other.id)), str(contact.id), record())
    assert state.contacts_of(one) == []
    assert state.contacts_of(other) == [contact]


def test_a11_the_token_stands_behind_bearer_as_in_this_product(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer(answer({"Sender": [SENDER]}))
    assert scripted_atom.check().can_send
    assert recorder.last.headers["Authorization"] == f"Bearer {SANDBOX_KEY}"


def test_a12_one_number_per_call(scripted_atom: AtomTelecom, recorder: Recorder) -> None:
    assert AtomTelecom.capabilities.max_numbers_per_send == 1
    with pytest.raises(Rejected, match="one at a time"):
        scripted_atom.send(message(numbers=(PHONE, "+61491570156")))
    assert recorder.asked == []


@pytest.mark.parametrize(
    ("word", "send", "delivery"),
    [
        ("pending", SendState.QUEUED, DeliveryState.QUEUED),
        ("Pending", SendState.QUEUED, DeliveryState.QUEUED),
        ("Scheduled", SendState.QUEUED, DeliveryState.QUEUED),
        ("Enroute", SendState.SENDING, DeliveryState.SENT),
        ("ENROUTE", SendState.SENDING, DeliveryState.SENT),
        ("Unknown", SendState.SENDING, DeliveryState.SENT),
        ("Delivered", SendState.SENT, DeliveryState.DELIVERED),
        ("delivered", SendState.SENT, DeliveryState.DELIVERED),
        ("Accepted", SendState.SENT, DeliveryState.SENT),
        ("Expired", SendState.FAILED, DeliveryState.FAILED),
        ("Deleted", SendState.FAILED, DeliveryState.FAILED),
        ("Undeliverable", SendState.FAILED, DeliveryState.FAILED),
        ("Rejected", SendState.FAILED, DeliveryState.FAILED),
        ("Skipped", SendState.FAILED, DeliveryState.FAILED),
        ("Teleported", SendState.UNRECOGNISED, DeliveryState.UNRECOGNISED),
    ],
)
def test_a13_states_are_read_in_any_spelling_and_kept_as_they_came(
    scripted_atom: AtomTelecom, recorder: Recorder, word: str, send: SendState, delivery: DeliveryState
) -> None:
    recorder.will_answer(answer({"message_id": "1-a", "status": word}))
    report = scripted_atom.report("1-a")
    assert (report.reference, report.state, report.raw_state) == ("1-a", send, word)
    assert report.people == (RecipientReport("", delivery, word),)
