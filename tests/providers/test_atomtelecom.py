"""Atom Telecom: the contract, and every quirk of its documents by number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.backends.atomtelecom import AtomTelecom, forms
from providers.exceptions import (
    AuthFailed,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Throttled,
)
from providers.sandbox import SandboxServer
from providers.types import (
    AccountConfig,
    BookRef,
    CallbackEventKind,
    CallbackRequest,
    ContactRecord,
    DeliveryState,
    ItemOutcome,
    PhonebookSpec,
    RecipientReport,
    SendState,
)
from tests.factories import SANDBOX_KEY

from .atomtelecom import BOOK, SENDER, SLOTS, answer, connect, message, options, record, refusal
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


@pytest.fixture
def atom(sandbox: SandboxServer) -> Iterator[AtomTelecom]:
    """A client of the sandbox. At the end: nothing it asked was against the document."""
    with connect(sandbox.url("atomtelecom"), read_timeout=1) as client:
        yield client
    assert sandbox.state("atomtelecom").violations == []


@pytest.fixture
def scripted(recorder: Recorder) -> Iterator[AtomTelecom]:
    """A client of the recorder."""
    with connect(recorder.url) as client:
        yield client


# Quirks, by their number in the document


def test_a1_an_id_is_text_to_be_read_and_an_integer_to_be_changed(scripted: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer(answer({"contact": {"id": 5001, "phone_number": "61491570006"}}))
    recorder.will_answer(answer({"id": 5001}))
    recorder.will_answer(answer({"id": 5001}))
    scripted.get_contact("5001")
    scripted.update_contact(BOOK, "5001", record())
    scripted.delete_contacts(BOOK, ["5001"])
    assert [asked.json["id"] for asked in recorder.asked] == ["5001", 5001, 5001]


@pytest.mark.parametrize("number", [11, "11"])
def test_a2_an_id_is_compared_as_text_whichever_it_comes_as(
    scripted: AtomTelecom, recorder: Recorder, number: int | str
) -> None:
    recorder.will_answer(answer({"id": number, "name": "Newsletter"}))
    recorder.will_answer(answer([{"id": number, "name": "Newsletter"}, {"id": 12, "name": "Newsletter"}]))
    made = scripted.create_phonebook(PhonebookSpec("Newsletter"))
    assert made.remote_id == "11"
    assert list(scripted.list_phonebooks(title="Newsletter", remote_id="11")) == [made]


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
    assert forms.is_number(phone)
    assert forms.e164(forms.contact_number(phone, form)) == phone


@given(st.text())
def test_a4_no_text_in_place_of_a_number_is_a_problem(text: str) -> None:
    read = forms.e164(text)
    assert forms.is_number(read) or read == text.strip()


def test_a4_a_contact_in_either_form_is_found(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    state = sandbox.state("atomtelecom")
    book = state.add_book("Newsletter")
    national, other = state.add_contact(book, "0491570006"), state.add_contact(book, "61491570156")
    ref = BookRef(str(book.id))
    found = [atom.find_contact(ref, phone) for phone in (PHONE, "+61491570156", "+61491570157")]
    assert [contact and contact.remote_id for contact in found] == [str(national.id), str(other.id), None]


def test_a5_the_book_is_the_group_of_its_contacts(scripted: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer(answer({"id": 5001}))
    recorder.will_answer(answer({"id": 5001}))
    scripted.create_contacts(BOOK, [record()])
    scripted.update_contact(BOOK, "5001", record())
    assert [asked.json["group_id"] for asked in recorder.asked] == [11, 11]


@pytest.mark.parametrize("result", [None, {}, [], "ok", {"id": None}, {"id": True}, {"contacts": [{"id": 1}]}])
def test_a6_an_answer_of_another_form_is_not_taken_for_a_success(
    scripted: AtomTelecom, recorder: Recorder, result: object
) -> None:
    calls = [
        lambda: scripted.create_contacts(BOOK, [record()]),
        lambda: scripted.create_phonebook(PhonebookSpec("x")),
        lambda: list(scripted.list_contacts(BOOK)),
        lambda: scripted.senders(),
        lambda: scripted.send(message()),
        lambda: scripted.report("1-a"),
    ]
    for call in calls:
        recorder.will_answer(answer(result))
        with pytest.raises(OutcomeUnknown):
            call()


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [b"", b"<h1>Forbidden</h1>", b'{"code": "forbidden"}'])
def test_a7_401_and_403_are_bad_credentials(
    scripted: AtomTelecom, recorder: Recorder, status: int, body: bytes
) -> None:
    recorder.will_answer(body, status=status)
    with pytest.raises(AuthFailed):
        scripted.check()


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
    scripted: AtomTelecom, recorder: Recorder, body: object, words: str, code: str
) -> None:
    recorder.will_answer(body)
    with pytest.raises(Rejected) as caught:
        scripted.send(message())
    assert caught.value.params["words"] == words
    assert caught.value.code == code


@pytest.mark.parametrize("body", [{}, {"result": {"id": 1}}, {"status": None}, [], b"<h1>Fine</h1>", b""])
def test_a8_an_answer_without_a_status_leaves_it_unknown(
    scripted: AtomTelecom, recorder: Recorder, body: object
) -> None:
    recorder.will_answer(body)
    with pytest.raises(OutcomeUnknown):
        scripted.create_contacts(BOOK, [record()])


def test_a8_a_contact_that_cannot_be_is_refused_here(scripted: AtomTelecom, recorder: Recorder) -> None:
    (item,) = scripted.create_contacts(BOOK, [record(phone="0491570006")]).items
    assert (item.outcome, item.params) == (ItemOutcome.REFUSED, {"phone": "0491570006"})
    with pytest.raises(Rejected):
        scripted.update_contact(BOOK, "5001", record(phone="0491570006"))
    with pytest.raises(Rejected):
        scripted.create_phonebook(PhonebookSpec("  "))
    assert recorder.asked == []


def test_a9_books_are_asked_for_with_an_empty_object_and_its_header(scripted: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer(answer([]))
    assert list(scripted.list_phonebooks()) == []
    assert (recorder.last.body, recorder.last.headers["Content-Type"]) == (b"{}", "application/json")


@pytest.mark.parametrize(("status", "body"), [(200, refusal()), (400, refusal()), (500, refusal()), (422, b"no")])
def test_a9_where_a_body_is_refused_none_is_sent_from_then_on(
    scripted: AtomTelecom, recorder: Recorder, status: int, body: object
) -> None:
    recorder.will_answer(body, status=status)
    recorder.will_answer(answer([{"id": 11, "name": "Newsletter"}]))
    recorder.will_answer(answer([]))
    assert [book.title for book in scripted.list_phonebooks()] == ["Newsletter"]
    assert list(scripted.list_phonebooks()) == []
    assert [asked.body for asked in recorder.asked] == [b"{}", b"", b""]
    assert "Content-Type" not in recorder.last.headers


def test_a9_the_sandbox_may_refuse_a_body(atom: AtomTelecom, sandbox: SandboxServer) -> None:
    state = sandbox.state("atomtelecom")
    state.add_book("Newsletter")
    state.quirks.add("list_without_body")
    assert [book.title for book in atom.list_phonebooks()] == ["Newsletter"]
    state.violations.clear()  # the first try, which this quirk is about


def test_a9_neither_bad_credentials_nor_too_many_requests_are_tried_again(
    scripted: AtomTelecom, recorder: Recorder
) -> None:
    for status, error in ((403, AuthFailed), (429, Throttled)):
        recorder.will_answer({}, status=status)
        with pytest.raises(error):
            list(scripted.list_phonebooks())
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


def test_a11_the_token_stands_behind_bearer_as_in_this_product(scripted: AtomTelecom, recorder: Recorder) -> None:
    recorder.will_answer(answer({"Sender": [SENDER]}))
    assert scripted.check().can_send
    assert recorder.last.headers["Authorization"] == f"Bearer {SANDBOX_KEY}"


def test_a12_one_number_per_call(scripted: AtomTelecom, recorder: Recorder) -> None:
    assert AtomTelecom.capabilities.max_numbers_per_send == 1
    with pytest.raises(Rejected, match="one at a time"):
        scripted.send(message(numbers=(PHONE, "+61491570156")))
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
    scripted: AtomTelecom, recorder: Recorder, word: str, send: SendState, delivery: DeliveryState
) -> None:
    recorder.will_answer(answer({"message_id": "1-a", "status": word}))
    report = scripted.report("1-a")
    assert (report.reference, report.state, report.raw_state) == ("1-a", send, word)
    assert report.people == (RecipientReport("", delivery, word),)


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


def test_a_429_without_a_time_waits_longer_each_time(scripted: AtomTelecom, recorder: Recorder) -> None:
    waits = []
    for headers in ({}, {}, {"Retry_After": "9"}, {}):
        recorder.will_answer({"code": "rate_limited"}, status=429, **headers)
        with pytest.raises(Throttled) as caught:
            scripted.send(message())
        assert caught.value.code == "rate_limited"
        waits.append(caught.value.retry_after)
    assert waits == [1, 2, 9, 4]
    recorder.will_answer(answer({"Sender": []}))
    recorder.will_answer({}, status=429)
    scripted.senders()
    with pytest.raises(Throttled) as caught:
        scripted.senders()
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


def test_ids_of_another_form_are_not_asked_for(scripted: AtomTelecom, recorder: Recorder) -> None:
    for call in (
        lambda: scripted.get_contact("abc"),
        lambda: scripted.update_contact(BOOK, "-1", record()),
        lambda: scripted.delete_contacts(BOOK, ["5001.0"]),
        lambda: list(scripted.list_contacts(BookRef(""))),
    ):
        with pytest.raises(NotFound):
            call()
    assert recorder.asked == []


def test_one_contact_per_call(scripted: AtomTelecom, recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="at most 1"):
        scripted.create_contacts(BOOK, [record(6), record(7)])
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
    scripted: AtomTelecom, recorder: Recorder, fields: dict[str, object], words: str | None
) -> None:
    problem = AtomTelecom.problem_with_message(message(**fields), now=dt.datetime.now(dt.UTC))
    assert (problem and words in problem.reason) == (words and True)
    if words:
        with pytest.raises(Rejected):
            scripted.send(message(**fields))
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
