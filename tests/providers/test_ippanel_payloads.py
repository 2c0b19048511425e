"""What goes over the wire to IPPanel, held against the examples of its documents."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest

from providers.backends.ippanel import IPPanel
from providers.types import (
    AccountConfig,
    BookRef,
    ChosenContacts,
    ContactRecord,
    OptionKind,
    OptionSpec,
    OptionValue,
    OutboundMessage,
    PhonebookSpec,
    TemplateUse,
    TextForNumbers,
    WholePhonebooks,
)

from .servers import Recorder

KEY = "OWVjZTYtkey-0123456789=="
BOOK = BookRef("1234")
DONE = {"status": True, "message": "انجام شد", "message_parameters": [], "message_code": "200-1"}

# The request and the answers of the document on adding contacts in bulk, as they stand there.
ADD_REQUEST = json.loads("""{
"list": [
{
"number": "+989121236547",
"pre": "آقای",
"name": "حسن",
"email" : "hasan@gmail.com",
"options": {
"46258": "15",
"46027" : "1992/10/08"
},
"phonebook_id": "1234"
}
]
}""")
ADD_CURL = json.loads("""{
"list": [
{
"number": "+989121236547",
"pre": "آقای",
"name": "حسن",
"options": {
"46258": "15",
"46027" : "1992/10/08"
},
"phonebook_id": "1234"
}
]
}""")
ADD_ANSWER = b"""{
"data": {
"added": 1,
"errors": 0,
"existences": 0
},
"meta": {
"status": true,
"message": "\xd8\xa7\xd9\x86\xd8\xac\xd8\xa7\xd9\x85 \xd8\xb4\xd8\xaf",
"message_parameters": [],
"message_code": "201-1"
}
}"""

# The request and the answer of the document on sending to phonebooks.
SEND_REQUEST = json.loads("""{
"sending_type": "phonebook",
"from_number": "+983000505",
"message": "تست",
"params": [
{
"phonebook_ids": [
"123654"
],
"type": "all",
"start": "1",
"size": "2"
},
{
"phonebook_id": "456987",
"type": "detail",
"number_ids": [
"123",
"456",
"789"
]
}
]
}""")
SEND_ANSWER = {"data": {"message_outbox_ids": [1123594208]}, "meta": DONE}

HASAN = ContactRecord(
    reference="r1",
    phone="+989121236547",
    prefix="آقای",
    first_name="حسن",
    email="hasan@gmail.com",
    options={"46258": OptionValue("15", OptionKind.INTEGER), "46027": OptionValue("1992-10-08", OptionKind.DATE)},
)


@pytest.fixture
def provider(recorder: Recorder) -> Iterator[IPPanel]:
    with IPPanel(AccountConfig(slug="ippanel", credentials={"api_key": KEY}, base_url=recorder.url)) as client:
        yield client


def answer(data: object, **meta: object) -> dict[str, Any]:
    return {"data": data, "meta": {**DONE, **meta}}


def same(sent: bytes, expected: object) -> bool:
    """Equal with the types: to Python alone, 1, 1.0 and True are the same."""
    return json.dumps(json.loads(sent), sort_keys=True) == json.dumps(expected, sort_keys=True)


# Adding contacts


def test_a_contact_is_added_as_in_the_document(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(ADD_ANSWER)
    result = provider.create_contacts(BOOK, [HASAN])
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/phonebooks/numbers/add-list-new")
    assert same(recorder.last.body, ADD_REQUEST)
    assert result.counters == {"added": 1, "errors": 0, "existences": 0}


def test_an_email_that_is_not_known_is_left_out_as_in_the_documents_curl(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(ADD_ANSWER)
    provider.create_contacts(BOOK, [ContactRecord(**{**fields(HASAN), "email": ""})])
    assert same(recorder.last.body, ADD_CURL)


def test_a_contact_of_which_only_the_number_is_known_has_two_fields(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(ADD_ANSWER)
    nothing = {"46258": OptionValue("", OptionKind.INTEGER)}
    provider.create_contacts(BOOK, [ContactRecord(reference="r", phone="+989120000001", options=nothing)])
    assert same(recorder.last.body, {"list": [{"number": "+989120000001", "phonebook_id": "1234"}]})


def test_what_ippanel_has_no_field_for_is_not_sent(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(ADD_ANSWER)
    record = ContactRecord(
        reference="r",
        phone="+989120000001",
        first_name="Sara",
        last_name="Example",
        company="Acme",
        tags=("a",),
        assigned_user="x",
    )
    provider.create_contacts(BOOK, [record])
    expected = {"number": "+989120000001", "name": "Sara Example", "phonebook_id": "1234"}
    assert same(recorder.last.body, {"list": [expected]})


# Sending


def test_a_send_to_phonebooks_is_as_in_the_document(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(SEND_ANSWER)
    receipt = provider.send(
        OutboundMessage(
            sender="+983000505",
            text="تست",
            reference="our-own",
            targets=(
                WholePhonebooks((BookRef("123654"),), start=1, size=2),
                ChosenContacts(BookRef("456987"), ("123", "456", "789")),
            ),
        )
    )
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/send")
    assert same(recorder.last.body, SEND_REQUEST)
    assert receipt.references == ("1123594208",)


def test_whole_phonebooks_have_neither_start_nor_size(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(SEND_ANSWER)
    books = WholePhonebooks((BookRef("1"), BookRef("2")))
    provider.send(OutboundMessage(sender="+983000505", text="تست", reference="r", targets=(books,)))
    assert same(
        recorder.last.body,
        {
            "sending_type": "phonebook",
            "from_number": "+983000505",
            "message": "تست",
            "params": [{"phonebook_ids": ["1", "2"], "type": "all"}],
        },
    )


def test_a_send_to_numbers_has_an_object_of_recipients_and_its_time_in_utc(
    provider: IPPanel, recorder: Recorder
) -> None:
    recorder.will_answer(SEND_ANSWER)
    in_tehran = dt.timezone(dt.timedelta(hours=3, minutes=30))
    when = (dt.datetime.now(in_tehran) + dt.timedelta(days=2)).replace(hour=19, minute=0, second=0, microsecond=0)
    numbers = ("+989120000001", "+989120000002")
    provider.send(OutboundMessage(sender="+983000505", text="Sale", reference="r", numbers=numbers, send_at=when))
    assert same(
        recorder.last.body,
        {
            "sending_type": "webservice",
            "from_number": "+983000505",
            "message": "Sale",
            "params": {"recipients": ["+989120000001", "+989120000002"]},
            "send_time": f"{when:%Y-%m-%d} 15:30:00",
        },
    )


def test_placeholders_go_to_whole_phonebooks_whose_ids_are_numbers(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(SEND_ANSWER)
    text = f"سلام {provider.keyword('701')}"
    books = (WholePhonebooks((BookRef("8600"), BookRef("8601"))), WholePhonebooks((BookRef("8602"),)))
    provider.send(OutboundMessage(sender="+983000505", text=text, reference="r", targets=books, is_keyworded=True))
    assert same(
        recorder.last.body,
        {
            "sending_type": "keyword_phonebook",
            "from_number": "+983000505",
            "message": "سلام {ex_701}",
            "params": [{"phonebook_id": 8600}, {"phonebook_id": 8601}, {"phonebook_id": 8602}],
        },
    )


def test_several_texts_are_an_array_with_a_message_each(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(SEND_ANSWER)
    in_two_days = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).replace(microsecond=0)
    texts = (
        TextForNumbers(("+989120000001", "+989120000002"), "Hello both"),
        TextForNumbers(("+989120000003",), "Hello you"),
    )
    provider.send(OutboundMessage(sender="+983000505", text="", reference="r", texts=texts, send_at=in_two_days))
    assert same(
        recorder.last.body,
        {
            "sending_type": "peer_to_peer",
            "from_number": "+983000505",
            "params": [
                {"recipients": ["+989120000001", "+989120000002"], "message": "Hello both"},
                {"recipients": ["+989120000003"], "message": "Hello you"},
            ],
            "send_time": f"{in_two_days:%Y-%m-%d %H:%M:%S}",
        },
    )


@pytest.mark.parametrize("values", [{"code": "متن جایگذاری"}, {}])
def test_a_template_goes_to_one_number_at_the_top_level(
    provider: IPPanel, recorder: Recorder, values: dict[str, str]
) -> None:
    recorder.will_answer(SEND_ANSWER)
    template = TemplateUse("xxxxxxxxxxxxxxx", values)
    provider.send(
        OutboundMessage(
            sender="+983000505", text="for the record", reference="r", numbers=("+989120000000",), template=template
        )
    )
    assert same(
        recorder.last.body,
        {
            "sending_type": "pattern",
            "from_number": "+983000505",
            "code": "xxxxxxxxxxxxxxx",
            "recipients": ["+989120000000"],
            "params": values,
        },
    )


def test_templates_are_asked_for_a_hundred_at_a_time(provider: IPPanel, recorder: Recorder) -> None:
    rows = [
        {
            "pattern_code": "abc",
            "pattern_message": "Code %code% for %name%",
            "pattern_status": status,
            "variable": [{"name": "code", "type": "integer", "len": 6}, {"name": "name", "type": "string", "len": 20}],
            "delimiter": "%",
        }
        for status in ("active", "inactive", "pending")
    ]
    recorder.will_answer(answer(rows, last_page=1))
    templates = list(provider.list_templates())
    assert (recorder.last.method, recorder.last.path) == ("GET", "/api/patterns")
    assert recorder.last.params == {"page": "1", "per_page": "100"}
    assert [(template.is_usable, template.raw_state) for template in templates] == [
        (True, "active"),
        (False, "inactive"),
        (False, "pending"),
    ]
    assert (templates[0].remote_id, templates[0].text) == ("abc", "Code %code% for %name%")
    assert templates[0].variables == ("code", "name")
    assert all(provider.template_place(name) in templates[0].text for name in templates[0].variables)


def test_messages_from_people_are_asked_for_from_an_id_on(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer([]))
    recorder.will_answer(answer([]))
    assert list(provider.list_inbox()) == list(provider.list_inbox(after="7001")) == []
    assert {(asked.method, asked.path) for asked in recorder.asked} == {("POST", "/api/report/messages-inbox")}
    assert same(recorder.asked[0].body, {"page": 1, "per_page": 100})
    assert same(recorder.asked[1].body, {"page": 1, "per_page": 100, "filters": {"from_id": 7001}})


def test_cancelling_sends_the_id_as_a_number(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    provider.cancel_send("1148300000")
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/send/cancel")
    assert same(recorder.last.body, {"message_outbox_id": 1148300000})


def test_a_price_is_asked_for_the_sender_and_the_text(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"mci_price": 1900, "other_price": 2050, "parts": 1}))
    provider.estimate_price(sender="+983000505", text="تست", number="+989120000001")
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/send/calculate-price")
    assert same(recorder.last.body, {"number": "+983000505", "message": "تست"})


# Contacts


def test_a_contact_is_updated_with_everything_that_is_known(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    provider.update_contact(BOOK, "55", HASAN)
    assert (recorder.last.method, recorder.last.path) == ("PUT", "/api/phonebooks/numbers/update-new/55")
    assert same(
        recorder.last.body,
        {
            "number": "+989121236547",
            "phonebook_id": "1234",
            "pre": "آقای",
            "name": "حسن",
            "email": "hasan@gmail.com",
            "options": {"46258": "15", "46027": "1992-10-08"},
        },
    )


def test_an_update_empties_what_is_empty_here(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    gone = {"46258": OptionValue("", OptionKind.INTEGER)}
    provider.update_contact(BOOK, "55", ContactRecord(reference="r", phone="+989120000001", options=gone))
    assert same(
        recorder.last.body,
        {
            "number": "+989120000001",
            "phonebook_id": "1234",
            "pre": "",
            "name": "",
            "email": "",
            "options": {"46258": ""},
        },
    )


def test_deleting_contacts_sends_their_ids_as_numbers(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    recorder.will_answer(answer(None, status=False), status=404)
    provider.delete_contacts(BOOK, ["1234", "1235"])
    assert (recorder.asked[0].method, recorder.asked[0].path) == ("POST", "/api/phonebooks/numbers/delete-list")
    assert same(recorder.asked[0].body, {"listNumbers": [1234, 1235]})


def test_the_contacts_of_a_phonebook_are_asked_for_a_thousand_at_a_time(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer([], last_page=1))
    list(provider.list_contacts(BOOK, created_since=dt.datetime(2025, 6, 1, 12, 0, 0, 999, dt.UTC)))
    assert (recorder.last.method, recorder.last.path) == ("GET", "/api/phonebooks/numbers/contact-list")
    expected = {"phonebook_id": "1234", "from_created_at": "1748779200", "page": "1", "per_page": "1000"}
    assert recorder.last.params == expected
    assert recorder.last.body == b""


def test_the_plus_of_a_number_is_escaped_in_an_address(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer([], last_page=1))
    assert provider.find_contact(BOOK, "+989120000001") is None
    assert "number=%2B989120000001" in recorder.last.query


def test_one_contact_is_read_by_its_id(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"id": 55, "number": "+989120000001", "pre": "", "name": "", "email": ""}))
    provider.get_contact("55")
    assert (recorder.last.method, recorder.last.path) == ("GET", "/api/phonebooks/numbers/contact-list/55")
    assert recorder.last.query == ""


# Phonebooks and options


def test_phonebooks_are_listed_by_title_and_by_id(provider: IPPanel, recorder: Recorder) -> None:
    for _ in range(3):
        recorder.will_answer(answer([], last_page=1))
    list(provider.list_phonebooks())
    list(provider.list_phonebooks(title="خبرنامه"))
    list(provider.list_phonebooks(remote_id="860"))
    assert {(asked.method, asked.path) for asked in recorder.asked} == {("GET", "/api/phonebooks/list-new")}
    pages = {"page": "1", "per_page": "1000"}
    assert [asked.params for asked in recorder.asked] == [
        pages,
        {"title": "خبرنامه", **pages},
        {"id": "860", **pages},
    ]


def test_a_phonebook_is_created_with_the_ids_of_its_options_as_text(provider: IPPanel, recorder: Recorder) -> None:
    created = {"id": 860, "title": "Newsletter", "count": "0", "export_status": None, "options": []}
    recorder.will_answer(answer(created))
    provider.create_phonebook(PhonebookSpec("Newsletter", {"701": "Age", "702": "Birthday"}, description="ours"))
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/phonebooks")
    assert same(recorder.last.body, {"title": "Newsletter", "options": ["701", "702"]})


def test_a_phonebook_without_options_is_created_by_its_title_alone(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"id": 860, "title": "Newsletter", "count": "0"}))
    provider.create_phonebook(PhonebookSpec("Newsletter"))
    assert same(recorder.last.body, {"title": "Newsletter"})


def test_a_phonebook_is_updated_with_the_whole_list_of_options(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    recorder.will_answer(answer(None))
    provider.update_phonebook(BookRef("860"), PhonebookSpec("News", {"701": "Age"}))
    provider.update_phonebook(BookRef("860"), PhonebookSpec("News"))
    assert (recorder.last.method, recorder.last.path) == ("PUT", "/api/phonebooks/860")
    assert same(recorder.asked[0].body, {"title": "News", "options": ["701"]})
    assert same(recorder.asked[1].body, {"title": "News", "options": []})


def test_phonebooks_are_deleted_by_numbers(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    provider.delete_phonebooks([BookRef("860"), BookRef("861")])
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/phonebooks/delete-list")
    assert same(recorder.last.body, {"listPhonebooks": [860, 861]})


@pytest.mark.parametrize(
    ("kind", "name"), [(OptionKind.TEXT, "string"), (OptionKind.INTEGER, "int"), (OptionKind.DATE, "date")]
)
def test_an_option_is_created_with_its_type(provider: IPPanel, recorder: Recorder, kind: OptionKind, name: str) -> None:
    recorder.will_answer(answer({"id": 701, "title": "Age", "type": name, "created_at": "2025-06-01T12:00:00+00:00"}))
    option = provider.create_option(OptionSpec("Age", kind))
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/phonebooks/options")
    assert same(recorder.last.body, {"type": name, "title": "Age"})
    assert (option.remote_id, option.kind) == ("701", kind)


def test_an_option_is_renamed_and_deleted(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(True))
    recorder.will_answer(answer(None))
    provider.rename_option("701", "Years")
    provider.delete_options(["701", "702"])
    assert (recorder.asked[0].method, recorder.asked[0].path) == ("PUT", "/api/phonebooks/options/701")
    assert same(recorder.asked[0].body, {"title": "Years"})
    assert (recorder.asked[1].method, recorder.asked[1].path) == ("POST", "/api/phonebooks/options/delete-list")
    assert same(recorder.asked[1].body, {"listOptions": [701, 702]})


# The account and reports


def test_the_key_is_checked_without_a_body(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"user_name": "acme", "name": "Acme Ltd"}))
    provider.check()
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/acl/auth/check_token")
    assert (recorder.last.body, recorder.last.query) == (b"", "")


def test_credit_and_senders_are_read(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"credit": 1520300.25, "gift": 0}))
    recorder.will_answer(answer([{"id": 1, "number": "+983000505", "alias": None}]))
    provider.balance()
    provider.senders()
    assert [(asked.method, asked.path, asked.params) for asked in recorder.asked] == [
        ("GET", "/api/payment/credit/mine", {}),
        ("GET", "/api/number/numbers", {"page": "1", "per_page": "10"}),
    ]


def test_reports_are_asked_for_by_the_name_each_call_has_for_the_id(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"messages_outbox_id": "1123594208", "state_id": 6}))
    recorder.will_answer(answer([], last_page=1))
    recorder.will_answer(answer([], last_page=1))
    provider.report("1123594208")
    list(provider.recipient_reports("1123594208"))
    since = dt.datetime(2025, 6, 1, 12, 0, 0, 500_000, dt.UTC)
    list(provider.find_sends(sender="+983000505", text="تست", since=since))
    by_bulk, recipients, new_list = recorder.asked
    assert (by_bulk.method, by_bulk.path) == ("GET", "/api/report/by_bulk")
    assert by_bulk.params == {"messages_outbox_id": "1123594208"}
    assert (recipients.method, recipients.path) == ("GET", "/api/report/recipients")
    assert recipients.params == {"bulk_id": "1123594208", "page": "1", "per_page": "1000"}
    assert (new_list.method, new_list.path) == ("POST", "/api/report/new_list")
    assert same(
        new_list.body,
        {
            "page": 1,
            "limit": 100,
            "filters": {"number": "+983000505", "message": "تست", "create_from_date": "1748779200"},
        },
    )


def test_every_request_carries_the_bare_key_and_asks_for_json(provider: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"user_name": "acme"}))
    recorder.will_answer(ADD_ANSWER)
    provider.check()
    provider.create_contacts(BOOK, [HASAN])
    for asked in recorder.asked:
        assert asked.headers["Authorization"] == KEY
        assert asked.headers["Accept"] == "application/json"
    assert recorder.last.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("ending", ["", "/", "/api", "/api/"])
def test_an_address_pasted_with_api_at_its_end_works_too(recorder: Recorder, ending: str) -> None:
    recorder.will_answer(answer({"user_name": "acme"}))
    account = AccountConfig(slug="ippanel", credentials={"api_key": KEY}, base_url=recorder.url + "/v1" + ending)
    with IPPanel(account) as client:
        client.check()
    assert recorder.last.path == "/v1/api/acl/auth/check_token"


def fields(record: ContactRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ContactRecord.__dataclass_fields__}
