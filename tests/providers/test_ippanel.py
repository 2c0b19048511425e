"""IPPanel: the contract, and every quirk of its documents by number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest

from providers.backends.ippanel import IPPanel
from providers.exceptions import (
    AuthFailed,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Rejected,
)
from providers.sandbox import SandboxServer
from providers.sandbox.ippanel.records import Pattern
from providers.types import (
    BookRef,
    ChosenContacts,
    OptionKind,
    OptionValue,
    PhonebookSpec,
    WholePhonebooks,
)
from tests.factories import SANDBOX_KEY

from .contract import ProviderContract
from .ippanel import BOOK, SENDER, answer, connect, message, record, refusal
from .servers import Recorder


class TestContract(ProviderContract):
    slug = "ippanel"
    credentials = {"api_key": SANDBOX_KEY}
    wrong_credentials = {"api_key": "another-key-that-is-wrong-987654"}
    sender = SENDER
    phones = ("+989121110001", "+989351110002", "+989121110003", "+989011110004")
    refused_phone = "+98912111000"
    unknown_id = "999999"
    create_path = "POST /api/phonebooks/numbers/add-list-new"
    send_path = "POST /api/send$"
    settings = {"read_timeout": 1}

    def messages_to(self, sandbox: SandboxServer, phone: str) -> list[str]:
        return sandbox.state("ippanel").messages_to(phone)

    def numbers_in(self, sandbox: SandboxServer, book: BookRef) -> list[str]:
        return [contact.number for contact in sandbox.state("ippanel").contacts_of(int(book.remote_id))]

    def option_values(self, sandbox: SandboxServer, book: BookRef, phone: str) -> Mapping[str, str]:
        return sandbox.state("ippanel").contact(int(book.remote_id), phone).options

    def write_to_us(self, sandbox: SandboxServer, phone: str, text: str) -> None:
        sandbox.state("ippanel").receive(phone, text)

    def opt_out(self, sandbox: SandboxServer, phone: str) -> None:
        sandbox.state("ippanel").receive(phone, "لغو11")

    def approve_template(self, sandbox: SandboxServer) -> str:
        sandbox.state("ippanel").patterns["abc"] = Pattern("abc", "کد شما %code%", {"code": "integer"})
        return "abc"


# Quirks, by their number in the document


def test_q1_chosen_contacts_are_sent_as_contact_ids_in_text(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"message_outbox_ids": [1]}))
    scripted.send(message(targets=(ChosenContacts(BOOK, ("55", "56")),)))
    assert recorder.last.json["params"][0]["number_ids"] == ["55", "56"]


def test_q2_contacts_are_deleted_by_id_and_one_is_looked_up_after(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    book = state.add_phonebook("Newsletter")
    kept, gone = state.add_contact(book, "+989120000001"), state.add_contact(book, "+989120000002")
    ippanel.delete_contacts(BookRef(str(book.id)), [str(gone.id)])
    assert [contact.id for contact in state.contacts_of(book)] == [kept.id]
    assert [request.method for request in sandbox.requests] == ["POST", "GET"]


def test_q2_a_deletion_that_did_not_happen_is_told(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    recorder.will_answer(answer({"id": 55, "number": "+989120000001"}))
    with pytest.raises(Rejected, match="55 is still there"):
        scripted.delete_contacts(BOOK, ["55"])


def test_q2_a_deletion_that_stopped_half_way_is_told(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    recorder.will_answer(answer({"id": 57, "number": "+989120000003"}))
    with pytest.raises(Rejected, match="57 is still there"):
        scripted.delete_contacts(BOOK, ["55", "56", "57"])
    assert recorder.last.path.endswith("/57")


@pytest.mark.parametrize("status", [200, 404, 422])
def test_q2_however_an_unknown_id_is_answered_it_means_gone(scripted: IPPanel, recorder: Recorder, status: int) -> None:
    recorder.will_answer(answer(None))
    recorder.will_answer(answer(None, status=status == 200), status=status)
    scripted.delete_contacts(BOOK, ["55"])


def test_q2_phone_digits_are_never_taken_for_an_id(scripted: IPPanel, recorder: Recorder) -> None:
    with pytest.raises(NotFound):
        scripted.delete_contacts(BOOK, ["+989120000001"])
    assert recorder.asked == []


def test_q3_contacts_are_deleted_at_the_delete_address(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    recorder.will_answer(refusal(), status=404)
    scripted.delete_contacts(BOOK, ["55"])
    assert recorder.asked[0].path == "/api/phonebooks/numbers/delete-list"


def test_q4_options_are_deleted_by_the_name_in_the_body(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    scripted.delete_options(["701"])
    assert recorder.last.json == {"listOptions": [701]}


@pytest.mark.parametrize(
    ("settings", "added", "updated"),
    [
        ({}, "0992/01/08", "0992-01-08"),
        (
            {"add_date_form": "YYYY-MM-DD", "update_date_form": "YYYY/MM/DD"},
            "0992-01-08",
            "0992/01/08",
        ),
    ],
)
def test_q5_dates_have_the_form_of_the_call_padded_and_by_setting(
    recorder: Recorder, settings: dict[str, str], added: str, updated: str
) -> None:
    birthday = record(options={"702": OptionValue("0992-01-08", OptionKind.DATE)})
    recorder.will_answer(answer({"added": 1, "errors": 0, "existences": 0}))
    recorder.will_answer(answer(None))
    with connect(recorder.url, **settings) as scripted:
        scripted.create_contacts(BOOK, [birthday])
        scripted.update_contact(BOOK, "55", birthday)
    assert recorder.asked[0].json["list"][0]["options"] == {"702": added}
    assert recorder.asked[1].json["options"] == {"702": updated}


def test_q6_options_are_listed_once_per_type_without_a_title(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    state.add_option("Age", "int"), state.add_option("VIP"), state.add_option("Birthday", "date")
    assert {(option.title, option.kind) for option in ippanel.list_options()} == {
        ("Age", OptionKind.INTEGER),
        ("VIP", OptionKind.TEXT),
        ("Birthday", OptionKind.DATE),
    }
    assert len(sandbox.requests) == 3


@pytest.mark.violations_expected  # where the document means what it says, the first question is one too many
def test_q6_where_a_title_is_required_each_title_is_looked_up(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    state.quirks.add("options_need_title")
    age, _other = state.add_option("Age", "int"), state.add_option("Age of the dog", "int")
    vip = state.add_option("VIP")
    found = ippanel.list_options(titles=["Age", "VIP", "Nothing", "Age"])
    assert sorted(option.remote_id for option in found) == [str(age.id), str(vip.id)]
    assert list(ippanel.list_options()) == []


def test_q6_any_other_refusal_of_the_list_is_told(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(refusal(), status=400)
    with pytest.raises(Rejected):
        list(scripted.list_options(titles=["Age"]))


def test_q7_phonebooks_are_listed_by_post_where_get_is_refused(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    state.quirks.add("phonebooks_by_post")
    book = state.add_phonebook("Newsletter")
    for _ in range(2):
        found = list(ippanel.list_phonebooks(title="Newsletter", remote_id=str(book.id)))
        assert [remote.remote_id for remote in found] == [str(book.id)]
    assert [request.method for request in sandbox.requests] == ["GET", "POST", "POST"]
    assert sandbox.requests[1].json == {"title": "Newsletter", "id": book.id, "page": 1, "per_page": 1000}


def test_q8_the_path_in_meta_is_not_followed(scripted: IPPanel, recorder: Recorder) -> None:
    path = f"{recorder.url}/api/phonebooks/listNew"
    recorder.will_answer(answer([{"id": 1, "title": "a"}], path=path, last_page=2))
    recorder.will_answer(answer([{"id": 2, "title": "b"}], path=path, last_page=2))
    assert [book.remote_id for book in scripted.list_phonebooks()] == ["1", "2"]
    assert {asked.path for asked in recorder.asked} == {"/api/phonebooks/list-new"}
    assert [asked.params["page"] for asked in recorder.asked] == ["1", "2"]


@pytest.mark.parametrize(("status", "error"), [(401, AuthFailed), (404, NotFound), (422, Rejected)])
def test_q9_the_status_decides_not_the_code(
    scripted: IPPanel, recorder: Recorder, status: int, error: type[ProviderError]
) -> None:
    recorder.will_answer(refusal(code="400-1"), status=status)
    with pytest.raises(error) as caught:
        scripted.cancel_send("1148300000")
    assert type(caught.value) is error
    assert caught.value.code == "400-1"


@pytest.mark.parametrize(("count", "read"), [("0", 0), (12, 12), ("12", 12), (None, None)])
def test_q10_a_count_is_a_number_a_text_or_nothing(
    scripted: IPPanel, recorder: Recorder, count: object, read: int | None
) -> None:
    recorder.will_answer(answer({"id": 860, "title": "Newsletter", "count": count}))
    assert scripted.create_phonebook(PhonebookSpec("Newsletter")).count == read


def test_q11_phonebook_ids_are_text_in_bodies_of_contacts_whatever_was_answered(
    scripted: IPPanel, recorder: Recorder
) -> None:
    recorder.will_answer(answer({"id": 860, "title": "Newsletter", "count": "0"}))
    recorder.will_answer(answer({"added": 1, "errors": 0, "existences": 0}))
    made = scripted.create_phonebook(PhonebookSpec("Newsletter"))
    assert made.remote_id == "860"
    scripted.create_contacts(BookRef(made.remote_id), [record()])
    assert recorder.last.json["list"][0]["phonebook_id"] == "860"


def test_q11_phonebook_ids_are_numbers_where_placeholders_are_filled_in_and_text_in_every_other_send(
    scripted: IPPanel, recorder: Recorder
) -> None:
    for _ in range(3):
        recorder.will_answer(answer({"message_outbox_ids": [1]}))
    whole = (WholePhonebooks((BOOK,)),)
    scripted.send(message(targets=whole, is_keyworded=True))
    scripted.send(message(targets=whole))
    scripted.send(message(targets=(ChosenContacts(BOOK, ("55",)),)))
    keywords, all_of_it, chosen = (asked.json["params"][0] for asked in recorder.asked)
    assert keywords == {"phonebook_id": 1201}
    assert all_of_it["phonebook_ids"] == ["1201"]
    assert chosen["phonebook_id"] == "1201"


def test_q12_the_send_time_is_sent_in_utc(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"message_outbox_ids": [1]}))
    send_at = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(hours=3)
    scripted.send(message(targets=(WholePhonebooks((BOOK,)),), send_at=send_at))
    assert recorder.last.json["send_time"] == f"{send_at:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("ahead", "fits"),
    [
        (dt.timedelta(minutes=4, seconds=59), False),
        (dt.timedelta(minutes=5), True),
        (dt.timedelta(days=89), True),
        (dt.timedelta(days=93), False),
        (dt.timedelta(days=-1), False),
    ],
)
def test_q12_a_time_under_five_minutes_or_over_three_months_is_refused_here(ahead: dt.timedelta, fits: bool) -> None:
    now = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)
    problem = IPPanel.problem_with_message(message(numbers=("+989120000001",), send_at=now + ahead), now=now)
    assert (problem is None) == fits


def test_q13_the_key_stands_alone_in_its_header(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"user_name": "acme"}))
    scripted.check()
    assert recorder.last.headers["Authorization"] == SANDBOX_KEY


def test_q14_persian_texts_are_kept_and_never_decide(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"user_name": "acme"}, message="اطلاعات وارد شده صحیح نمی باشد"))
    recorder.will_answer(refusal("انجام شد"), status=422)
    assert scripted.check().identity == "acme"
    with pytest.raises(Rejected, match="انجام شد") as caught:
        scripted.check()
    assert caught.value.params["words"] == "انجام شد"


def test_q15_option_values_are_not_pretended_to_be_known(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    option = state.add_option("VIP")
    book = state.add_phonebook("Newsletter", option_ids=[option.id])
    contact = state.add_contact(book, "+989120000001", options={str(option.id): "yes"})
    assert ippanel.get_contact(str(contact.id)).options is None
    assert next(ippanel.list_contacts(BookRef(str(book.id)))).options is None
    assert not ippanel.capabilities.reads_option_values


@pytest.mark.parametrize("count", [0, 9, 10, 11, 25])
def test_q16_senders_are_read_until_a_page_is_short(ippanel: IPPanel, sandbox: SandboxServer, count: int) -> None:
    row = type(sandbox.state("ippanel").numbers[0])
    sandbox.state("ippanel").numbers = [row(number, f"+98300{number:04d}", alias=None) for number in range(count)]
    assert [sender.value for sender in ippanel.senders()] == [f"+98300{number:04d}" for number in range(count)]
    assert len(sandbox.requests) == count // 10 + 1


def test_q16_a_list_that_ignores_the_page_ends(scripted: IPPanel, recorder: Recorder) -> None:
    rows = [{"id": number, "number": f"+98300{number:04d}"} for number in range(10)]
    for _ in range(3):
        recorder.will_answer(answer(rows))
    assert len(scripted.senders()) == 10
    assert len(recorder.asked) == 2


def test_q17_every_id_of_a_send_is_kept(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"message_outbox_ids": [1123594208, "1123594209"]}))
    assert scripted.send(message(numbers=("+989120000001",))).references == ("1123594208", "1123594209")


@pytest.mark.parametrize("ids", [[], None, "1123594208", [None], [True], {}])
def test_q17_a_send_accepted_without_an_id_is_unknown(scripted: IPPanel, recorder: Recorder, ids: object) -> None:
    recorder.will_answer(answer({"message_outbox_ids": ids}))
    with pytest.raises(OutcomeUnknown):
        scripted.send(message(numbers=("+989120000001",)))


def test_q18_complaints_are_found_beside_meta_and_inside_it(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(refusal("ناموفق", "422-1", errors={"password": ["wrong"]}), status=422)
    inside = refusal("تکمیل گزینه پیام الزامی است (and 1 more error)")
    inside["meta"]["errors"] = {"message": ["تکمیل گزینه پیام الزامی است"], "variable.0.name": ["نام", "تکراری"]}
    recorder.will_answer(inside, status=422)
    with pytest.raises(Rejected) as beside:
        scripted.check()
    assert beside.value.fields == {"password": ["wrong"]}
    assert beside.value.params["words"] == "ناموفق; wrong"
    with pytest.raises(Rejected) as within:
        scripted.check()
    assert within.value.fields["variable.0.name"] == ["نام", "تکراری"]
    assert within.value.params["words"] == "تکمیل گزینه پیام الزامی است (and 1 more error); نام; تکراری"


def test_q19_the_nameless_field_is_email(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"added": 1, "errors": 0, "existences": 0}))
    scripted.create_contacts(BOOK, [record(email="hasan@gmail.com")])
    assert recorder.last.json["list"][0]["email"] == "hasan@gmail.com"


def test_q20_an_unknown_email_is_left_out(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"added": 1, "errors": 0, "existences": 0}))
    scripted.create_contacts(BOOK, [record()])
    assert "email" not in recorder.last.json["list"][0]
