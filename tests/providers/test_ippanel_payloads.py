"""What goes over the wire to IPPanel for contacts, phonebooks, the account and reports, held against its documents."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from providers.backends.ippanel import IPPanel
from providers.types import (
    BookRef,
    ContactRecord,
    OptionKind,
    OptionSpec,
    OptionValue,
    PhonebookSpec,
)
from tests.factories import SANDBOX_KEY

from .ippanel import answer, connect
from .servers import Recorder, same

BOOK = BookRef("1234")

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

HASAN = ContactRecord(
    reference="r1",
    phone="+989121236547",
    prefix="آقای",
    first_name="حسن",
    email="hasan@gmail.com",
    options={"46258": OptionValue("15", OptionKind.INTEGER), "46027": OptionValue("1992-10-08", OptionKind.DATE)},
)


# Adding contacts


def test_a_contact_is_added_as_in_the_document(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(ADD_ANSWER)
    result = scripted.create_contacts(BOOK, [HASAN])
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/phonebooks/numbers/add-list-new")
    assert same(recorder.last.body, ADD_REQUEST)
    assert result.counters == {"added": 1, "errors": 0, "existences": 0}


def test_an_email_that_is_not_known_is_left_out_as_in_the_documents_curl(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(ADD_ANSWER)
    scripted.create_contacts(BOOK, [ContactRecord(**{**fields(HASAN), "email": ""})])
    assert same(recorder.last.body, ADD_CURL)


def test_a_contact_of_which_only_the_number_is_known_has_two_fields(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(ADD_ANSWER)
    nothing = {"46258": OptionValue("", OptionKind.INTEGER)}
    scripted.create_contacts(BOOK, [ContactRecord(reference="r", phone="+989120000001", options=nothing)])
    assert same(recorder.last.body, {"list": [{"number": "+989120000001", "phonebook_id": "1234"}]})


def test_what_ippanel_has_no_field_for_is_not_sent(scripted: IPPanel, recorder: Recorder) -> None:
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
    scripted.create_contacts(BOOK, [record])
    expected = {"number": "+989120000001", "name": "Sara Example", "phonebook_id": "1234"}
    assert same(recorder.last.body, {"list": [expected]})


# Contacts


def test_a_contact_is_updated_with_everything_that_is_known(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    scripted.update_contact(BOOK, "55", HASAN)
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


def test_an_update_empties_what_is_empty_here(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    gone = {"46258": OptionValue("", OptionKind.INTEGER)}
    scripted.update_contact(BOOK, "55", ContactRecord(reference="r", phone="+989120000001", options=gone))
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


def test_deleting_contacts_sends_their_ids_as_numbers(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    recorder.will_answer(answer(None, status=False), status=404)
    scripted.delete_contacts(BOOK, ["1234", "1235"])
    assert (recorder.asked[0].method, recorder.asked[0].path) == ("POST", "/api/phonebooks/numbers/delete-list")
    assert same(recorder.asked[0].body, {"listNumbers": [1234, 1235]})


def test_the_contacts_of_a_phonebook_are_asked_for_a_thousand_at_a_time(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer([], last_page=1))
    list(scripted.list_contacts(BOOK, created_since=dt.datetime(2025, 6, 1, 12, 0, 0, 999, dt.UTC)))
    assert (recorder.last.method, recorder.last.path) == ("GET", "/api/phonebooks/numbers/contact-list")
    expected = {"phonebook_id": "1234", "from_created_at": "1748779200", "page": "1", "per_page": "1000"}
    assert recorder.last.params == expected
    assert recorder.last.body == b""


def test_the_plus_of_a_number_is_escaped_in_an_address(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer([], last_page=1))
    assert scripted.find_contact(BOOK, "+989120000001") is None
    assert "number=%2B989120000001" in recorder.last.query


def test_one_contact_is_read_by_its_id(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"id": 55, "number": "+989120000001", "pre": "", "name": "", "email": ""}))
    scripted.get_contact("55")
    assert (recorder.last.method, recorder.last.path) == ("GET", "/api/phonebooks/numbers/contact-list/55")
    assert recorder.last.query == ""


# Phonebooks and options


def test_phonebooks_are_listed_by_title_and_by_id(scripted: IPPanel, recorder: Recorder) -> None:
    for _ in range(3):
        recorder.will_answer(answer([], last_page=1))
    list(scripted.list_phonebooks())
    list(scripted.list_phonebooks(title="خبرنامه"))
    list(scripted.list_phonebooks(remote_id="860"))
    assert {(asked.method, asked.path) for asked in recorder.asked} == {("GET", "/api/phonebooks/list-new")}
    pages = {"page": "1", "per_page": "1000"}
    assert [asked.params for asked in recorder.asked] == [
        pages,
        {"title": "خبرنامه", **pages},
        {"id": "860", **pages},
    ]


def test_a_phonebook_is_created_with_the_ids_of_its_options_as_text(scripted: IPPanel, recorder: Recorder) -> None:
    created = {"id": 860, "title": "Newsletter", "count": "0", "export_status": None, "options": []}
    recorder.will_answer(answer(created))
    scripted.create_phonebook(PhonebookSpec("Newsletter", {"701": "Age", "702": "Birthday"}, description="ours"))
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/phonebooks")
    assert same(recorder.last.body, {"title": "Newsletter", "options": ["701", "702"]})


def test_a_phonebook_without_options_is_created_by_its_title_alone(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"id": 860, "title": "Newsletter", "count": "0"}))
    scripted.create_phonebook(PhonebookSpec("Newsletter"))
    assert same(recorder.last.body, {"title": "Newsletter"})


def test_a_phonebook_is_updated_with_the_whole_list_of_options(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    recorder.will_answer(answer(None))
    scripted.update_phonebook(BookRef("860"), PhonebookSpec("News", {"701": "Age"}))
    scripted.update_phonebook(BookRef("860"), PhonebookSpec("News"))
    assert (recorder.last.method, recorder.last.path) == ("PUT", "/api/phonebooks/860")
    assert same(recorder.asked[0].body, {"title": "News", "options": ["701"]})
    assert same(recorder.asked[1].body, {"title": "News", "options": []})


def test_phonebooks_are_deleted_by_numbers(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    scripted.delete_phonebooks([BookRef("860"), BookRef("861")])
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/phonebooks/delete-list")
    assert same(recorder.last.body, {"listPhonebooks": [860, 861]})


@pytest.mark.parametrize(
    ("kind", "name"), [(OptionKind.TEXT, "string"), (OptionKind.INTEGER, "int"), (OptionKind.DATE, "date")]
)
def test_an_option_is_created_with_its_type(scripted: IPPanel, recorder: Recorder, kind: OptionKind, name: str) -> None:
    recorder.will_answer(answer({"id": 701, "title": "Age", "type": name, "created_at": "2025-06-01T12:00:00+00:00"}))
    option = scripted.create_option(OptionSpec("Age", kind))
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/phonebooks/options")
    assert same(recorder.last.body, {"type": name, "title": "Age"})
    assert (option.remote_id, option.kind) == ("701", kind)


def test_an_option_is_renamed_and_deleted(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(True))
    recorder.will_answer(answer(None))
    scripted.rename_option("701", "Years")
    scripted.delete_options(["701", "702"])
    assert (recorder.asked[0].method, recorder.asked[0].path) == ("PUT", "/api/phonebooks/options/701")
    assert same(recorder.asked[0].body, {"title": "Years"})
    assert (recorder.asked[1].method, recorder.asked[1].path) == ("POST", "/api/phonebooks/options/delete-list")
    assert same(recorder.asked[1].body, {"listOptions": [701, 702]})


# The account and reports


def test_the_key_is_checked_without_a_body(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"user_name": "acme", "name": "Acme Ltd"}))
    scripted.check()
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/acl/auth/check_token")
    assert (recorder.last.body, recorder.last.query) == (b"", "")


def test_credit_and_senders_are_read(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"credit": 1520300.25, "gift": 0}))
    recorder.will_answer(answer([{"id": 1, "number": "+983000505", "alias": None}]))
    scripted.balance()
    scripted.senders()
    assert [(asked.method, asked.path, asked.params) for asked in recorder.asked] == [
        ("GET", "/api/payment/credit/mine", {}),
        ("GET", "/api/number/numbers", {"page": "1", "per_page": "10"}),
    ]


def test_reports_are_asked_for_by_the_name_each_call_has_for_the_id(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"messages_outbox_id": "1123594208", "state_id": 6}))
    recorder.will_answer(answer([], last_page=1))
    recorder.will_answer(answer([], last_page=1))
    scripted.report("1123594208")
    list(scripted.recipient_reports("1123594208"))
    since = dt.datetime(2025, 6, 1, 12, 0, 0, 500_000, dt.UTC)
    list(scripted.find_sends(sender="+983000505", text="تست", since=since))
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


def test_all_sends_of_a_time_are_asked_for_by_both_ends_of_it_and_nothing_else(
    scripted: IPPanel, recorder: Recorder
) -> None:
    recorder.will_answer(answer([]))
    since = dt.datetime(2025, 6, 1, 4, 0, 0, 500_000, tzinfo=dt.UTC)
    until = since + dt.timedelta(minutes=10)
    assert list(scripted.find_sends(sender="+983000505", text="", since=since, until=until)) == []
    filters = {"create_from_date": "1748750400", "create_to_date": "1748751001"}
    assert same(recorder.last.body, {"page": 1, "limit": 100, "filters": filters})


def test_every_request_carries_the_bare_key_and_asks_for_json(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"user_name": "acme"}))
    recorder.will_answer(ADD_ANSWER)
    scripted.check()
    scripted.create_contacts(BOOK, [HASAN])
    for asked in recorder.asked:
        assert asked.headers["Authorization"] == SANDBOX_KEY
        assert asked.headers["Accept"] == "application/json"
    assert recorder.last.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("ending", ["", "/", "/api", "/api/"])
def test_an_address_pasted_with_api_at_its_end_works_too(recorder: Recorder, ending: str) -> None:
    recorder.will_answer(answer({"user_name": "acme"}))
    with connect(recorder.url + "/v1" + ending) as client:
        client.check()
    assert recorder.last.path == "/v1/api/acl/auth/check_token"


def fields(record: ContactRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ContactRecord.__dataclass_fields__}
