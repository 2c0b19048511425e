"""IPPanel's account, phonebooks, options and contacts as the sandbox keeps them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from providers.sandbox.ippanel.records import Contact, Phonebook
from providers.sandbox.ippanel.state import IPPanelState
from tests.sandbox_fixtures import SandboxClient

ADD = "/api/phonebooks/numbers/add-list-new"
LIST = "/api/phonebooks/numbers/contact-list"
UPDATE = "/api/phonebooks/numbers/update-new"


@pytest.fixture
def state(client_of_sandbox: SandboxClient) -> IPPanelState:
    held: IPPanelState = client_of_sandbox.sandbox.state("ippanel")
    return held


@pytest.fixture
def book(state: IPPanelState) -> Phonebook:
    return state.add_phonebook("News")


def row(book: Phonebook, number: str, **fields: Any) -> dict[str, Any]:
    return {"number": number, "phonebook_id": str(book.id), **fields}


def add(client: SandboxClient, *rows: dict[str, Any]) -> tuple[int, int, int]:
    reply = client.call("POST", ADD, {"list": list(rows)})
    assert reply.json["meta"]["message_code"] == "201-1"
    return reply.data["added"], reply.data["errors"], reply.data["existences"]


# The account


def test_the_account_tells_who_it_is(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    state.send_block = True
    assert client_of_sandbox.call("POST", "/api/acl/auth/check_token").data == {
        "user_name": "acme",
        "user_id": 41001,
        "document_block": False,
        "is_reseller": False,
        "send_block": True,
        "name": "شرکت نمونه",
    }


def test_credit_is_a_number_with_a_date_without_zone(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    state.credit = 1520300.25
    data = client_of_sandbox.call("GET", "/api/payment/credit/mine").data
    assert data["credit"] == 1520300.25
    assert (data["gift"], data["gift_expires_at"]) == (0, None)
    dt.datetime.strptime(data["updated_at"], "%Y-%m-%d %H:%M:%S")


def test_senders_come_without_pagination(client_of_sandbox: SandboxClient) -> None:
    reply = client_of_sandbox.call("GET", "/api/number/numbers?page=1&per_page=1")
    assert [sorted(number) for number in reply.data] == [
        ["alias", "gets", "id", "is_66_char", "number", "operator_id"],
    ]
    assert "total" not in reply.json["meta"]
    assert client_of_sandbox.call("GET", "/api/number/numbers?page=3&per_page=1").data == []


def test_the_price_is_per_message_and_counts_parts(client_of_sandbox: SandboxClient) -> None:
    def price(message: str) -> dict[str, int]:
        body = {"number": "+983000505", "message": message}
        data: dict[str, int] = client_of_sandbox.call("POST", "/api/send/calculate-price", body).data
        return data

    assert price("آ" * 70) == {"mci_price": 1900, "other_price": 2050, "parts": 1}
    assert price("آ" * 71)["parts"] == 2
    assert price("a" * 161) == {"mci_price": 3800, "other_price": 4100, "parts": 2}
    assert price("€" * 81)["parts"] == 2


# Phonebooks and options


def test_creating_a_phonebook_answers_count_as_text(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    option = state.add_option("سن", "int")
    body = {"title": "خبرنامه", "options": [str(option.id)]}
    data = client_of_sandbox.call("POST", "/api/phonebooks", body).data
    assert data == {
        "id": 1201,
        "title": "خبرنامه",
        "count": "0",
        "export_status": None,
        "import_status": None,
        "created_at": data["created_at"],
        "options": [{"id": option.id, "title": "سن", "type": "int"}],
    }
    assert data["created_at"].endswith("+00:00")


def test_two_phonebooks_may_share_a_title(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    for _ in range(2):
        assert client_of_sandbox.call("POST", "/api/phonebooks", {"title": "News"}).status == 200
    assert [book.title for book in state.phonebooks.values()] == ["News", "News"]


def test_the_list_of_phonebooks_has_pages_and_filters(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    books = [state.add_phonebook(title) for title in ("News", "Old news", "Other")]
    reply = client_of_sandbox.call("GET", "/api/phonebooks/list-new?page=2&per_page=2")
    assert [row["id"] for row in reply.data] == [books[2].id]
    assert reply.data[0]["count"] == 0
    pages = {name: value for name, value in reply.json["meta"].items() if name not in ("status", "message")}
    assert pages == {
        "message_parameters": [],
        "message_code": "200-1",
        "current_page": 2,
        "from": 3,
        "last_page": 2,
        "path": "/v1/api/phonebooks/listNew",
        "per_page": 2,
        "to": 3,
        "total": 3,
    }
    found = client_of_sandbox.call("GET", "/api/phonebooks/list-new?title=news").data
    assert [row["title"] for row in found] == ["News", "Old news"]
    assert len(client_of_sandbox.call("GET", f"/api/phonebooks/list-new?id={books[1].id}").data) == 1
    assert client_of_sandbox.call("GET", "/api/phonebooks/list-new?page=9").data == []


def test_the_list_of_phonebooks_can_answer_post_only(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    state.quirks.add("phonebooks_by_post")
    state.add_phonebook("News")
    assert client_of_sandbox.call("GET", "/api/phonebooks/list-new").status == 405
    assert len(client_of_sandbox.call("POST", "/api/phonebooks/list-new", {"page": 1, "per_page": 10}).data) == 1
    assert state.violations == []


def test_updating_a_phonebook_replaces_its_options(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    first, second = state.add_option("a"), state.add_option("b")
    book = state.add_phonebook("News", option_ids=[first.id])
    path = f"/api/phonebooks/{book.id}"
    assert client_of_sandbox.call("PUT", path, {"title": "Neu"}).data is None
    assert (book.title, book.option_ids) == ("Neu", [first.id])
    client_of_sandbox.call("PUT", path, {"options": [str(second.id)]})
    assert (book.title, book.option_ids) == ("Neu", [second.id])
    assert "options.0" in client_of_sandbox.call("PUT", path, {"options": ["999"]}).errors


def test_deleting_a_phonebook_takes_its_contacts_along(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    gone, kept = state.add_phonebook("A"), state.add_phonebook("B")
    state.add_contact(gone, "+989120000001")
    state.add_contact(kept, "+989120000001")
    body = {"listPhonebooks": [gone.id, 999]}
    for _ in range(2):
        assert client_of_sandbox.call("POST", "/api/phonebooks/delete-list", body).data is None
    assert list(state.phonebooks) == [kept.id]
    assert [contact.phonebook_id for contact in state.contacts.values()] == [kept.id]


def test_options_are_listed_by_type_created_renamed_and_deleted(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    call = client_of_sandbox.call
    made = call("POST", "/api/phonebooks/options", {"type": "date", "title": "تولد"}).data
    assert (made["title"], made["type"]) == ("تولد", "date")
    assert "type" in call("GET", "/api/phonebooks/options/list-new").errors
    assert call("GET", "/api/phonebooks/options/list-new?type=date&per_page=1000").data == [made]
    assert call("GET", "/api/phonebooks/options/list-new?type=int").data == []
    assert "type" in call("GET", "/api/phonebooks/options/list-new?type=choice").errors
    assert call("PUT", f"/api/phonebooks/options/{made['id']}", {"title": "زادروز"}).data is True
    assert "type" in call("PUT", f"/api/phonebooks/options/{made['id']}", {"type": "int"}).errors
    assert call("PUT", "/api/phonebooks/options/1", {"title": "x"}).status == 404
    book = state.add_phonebook("A", option_ids=[made["id"]])
    contact = state.add_contact(book, "+989120000001", options={str(made["id"]): "1992/10/08"})
    assert call("POST", "/api/phonebooks/options/delete-list", {"listOptions": [made["id"]]}).data is None
    assert (state.options, book.option_ids, contact.options) == ({}, [], {})


def test_options_can_need_a_title(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    state.quirks.add("options_need_title")
    state.add_option("سن", "int")
    assert client_of_sandbox.call("GET", "/api/phonebooks/options/list-new?type=int").status == 422
    path = "/api/phonebooks/options/list-new?type=int&title=%D8%B3%D9%86"
    assert len(client_of_sandbox.call("GET", path).data) == 1


# Contacts


def test_adding_counts_what_is_new_bad_and_there_already(
    client_of_sandbox: SandboxClient, state: IPPanelState, book: Phonebook
) -> None:
    rows = [
        row(book, "+989120000001", name="حسن", pre="آقای", email="hasan@example.org"),
        row(book, "+989120000002"),
        row(book, "+989120000002", name="twice in one request"),
        row(book, "09120000003"),
        row(book, "+98912000000"),
        row(book, "+4915112345678"),
        row(book, "+۹۸۹۱۲۰۰۰۰۰۰۱"),
    ]
    assert add(client_of_sandbox, *rows) == (2, 4, 1)
    assert [contact.number for contact in state.contacts_of(book)] == ["+989120000001", "+989120000002"]
    assert state.contact(book, "+989120000001").name == "حسن"


def test_a_number_that_exists_is_not_refreshed(
    client_of_sandbox: SandboxClient, state: IPPanelState, book: Phonebook
) -> None:
    add(client_of_sandbox, row(book, "+989120000001", name="first"))
    assert add(client_of_sandbox, row(book, "+989120000001", name="second")) == (0, 0, 1)
    assert state.contact(book, "+989120000001").name == "first"


def test_one_request_may_feed_several_phonebooks(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    books = [state.add_phonebook("A"), state.add_phonebook("B")]
    assert add(client_of_sandbox, *(row(book, "+989120000001") for book in books)) == (2, 0, 0)


def test_an_unknown_phonebook_refuses_the_whole_request(
    client_of_sandbox: SandboxClient, state: IPPanelState, book: Phonebook
) -> None:
    rows = [row(book, "+989120000001"), {"number": "+989120000002", "phonebook_id": "999"}]
    assert "list.1.phonebook_id" in client_of_sandbox.call("POST", ADD, {"list": rows}).errors
    assert state.contacts == {}


def test_a_full_phonebook_counts_errors(client_of_sandbox: SandboxClient, state: IPPanelState, book: Phonebook) -> None:
    assert state.capacity == 100_000
    state.capacity = 2
    rows = [row(book, f"+98912000000{n}") for n in range(4)]
    assert add(client_of_sandbox, *rows) == (2, 2, 0)


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        ("int", "15", True),
        ("int", "-3", True),
        ("int", "1.5", False),
        ("int", "۱۵", False),
        ("int", "", False),
        ("date", "1992/10/08", True),
        ("date", "2025-05-20", True),
        ("date", "1371/07/16", False),
        ("date", "1992/13/08", False),
        ("date", "1992/2/8", False),
        ("date", "1992-10/08", False),
        ("string", "هر چیزی", True),
    ],
)
def test_values_must_fit_the_type_of_their_option(
    client_of_sandbox: SandboxClient, state: IPPanelState, kind: str, value: str, good: bool
) -> None:
    option = state.add_option("x", kind)
    book = state.add_phonebook("News", option_ids=[option.id])
    added, errors, _ = add(client_of_sandbox, row(book, "+989120000001", options={str(option.id): value}))
    assert (added, errors) == ((1, 0) if good else (0, 1))


def test_lists_and_single_contacts_never_hold_option_values(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    option = state.add_option("city")
    book = state.add_phonebook("News", option_ids=[option.id])
    contact = state.add_contact(book, "+989120000001", name="Sara", options={str(option.id): "Tehran"})
    (listed,) = client_of_sandbox.call("GET", LIST).data
    assert listed == {
        "id": contact.id,
        "phonebook_id": book.id,
        "pre": "",
        "name": "Sara",
        "email": "",
        "number": "+989120000001",
        "created_at": listed["created_at"],
        "updated_at": listed["updated_at"],
        "phonebook_title": "News",
    }
    shown = client_of_sandbox.call("GET", f"{LIST}/{contact.id}").data
    assert shown == {**listed, "is_send_blacklist": False, "is_receive_blacklist": False, "tags": []}
    assert client_of_sandbox.call("GET", f"{LIST}/1").status == 404


def test_contacts_are_filtered_and_paged(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    first, second = state.add_phonebook("A"), state.add_phonebook("B")
    for n in range(5):
        state.add_contact(first, f"+98912000000{n}")
    state.add_contact(second, "+989120000001")

    def numbers(query: str) -> list[tuple[int, str]]:
        rows = client_of_sandbox.call("GET", f"{LIST}?{query}").data
        return [(row["phonebook_id"], row["number"][-1]) for row in rows]

    assert numbers(f"phonebook_id={first.id}&per_page=2&page=2") == [(first.id, "2"), (first.id, "3")]
    assert numbers(f"phonebook_id={first.id}&number=%2B989120000001") == [(first.id, "1")]
    assert numbers("number=%2B989120000001") == [(first.id, "1"), (second.id, "1")]
    assert numbers("phonebook_title=B") == [(second.id, "1")]
    assert numbers("per_page=4&page=2") == [(first.id, "4"), (second.id, "1")]
    assert numbers("phonebook_id=999") == []
    assert numbers("number=%2B989120000009") == []


def test_contacts_created_after_a_second_can_be_asked_for(
    client_of_sandbox: SandboxClient, state: IPPanelState, book: Phonebook
) -> None:
    old = state.add_contact(book, "+989120000001")
    client_of_sandbox.sandbox.advance(10)
    new = state.add_contact(book, "+989120000002")

    def ids(since: int) -> list[int]:
        return [row["id"] for row in client_of_sandbox.call("GET", f"{LIST}?from_created_at={since}").data]

    assert ids(0) == [old.id, new.id]
    assert ids(int(old.created)) == [new.id]
    assert ids(int(new.created)) == []


def test_an_update_sets_what_it_names(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    options = [state.add_option("a"), state.add_option("b")]
    ids = [str(option.id) for option in options]
    book = state.add_phonebook("A", option_ids=[option.id for option in options])
    contact = state.add_contact(book, "+989120000001", name="Sara", email="s@example.org", options={ids[0]: "x"})
    path = f"{UPDATE}/{contact.id}"
    body = row(book, "+989120000002", name="", options={ids[1]: "y"})
    assert client_of_sandbox.call("PUT", path, body).data is None
    assert (contact.number, contact.name, contact.email) == ("+989120000002", "", "s@example.org")
    assert contact.options == {ids[0]: "x", ids[1]: "y"}
    client_of_sandbox.call("PUT", path, row(book, "+989120000002", options={ids[0]: ""}))
    assert contact.options == {ids[1]: "y"}
    assert book.by_number == {"+989120000002": contact.id}
    state.quirks.add("update_blanks_omitted")
    client_of_sandbox.call("PUT", path, row(book, "+989120000002"))
    assert (contact.email, contact.options) == ("", {})


def test_an_update_can_move_a_contact(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    first, second = state.add_phonebook("A"), state.add_phonebook("B")
    contact = state.add_contact(first, "+989120000001")
    later = state.add_contact(second, "+989120000002")
    assert client_of_sandbox.call("PUT", f"{UPDATE}/{contact.id}", row(second, contact.number)).status == 200
    assert (first.contact_ids, first.by_number) == ([], {})
    assert second.contact_ids == [contact.id, later.id]


@pytest.mark.parametrize("number", ["+989120000002", "0912", ""])
def test_an_update_to_a_taken_or_bad_number_is_refused(
    client_of_sandbox: SandboxClient, state: IPPanelState, book: Phonebook, number: str
) -> None:
    contact = state.add_contact(book, "+989120000001", name="Sara")
    state.add_contact(book, "+989120000002")
    reply = client_of_sandbox.call("PUT", f"{UPDATE}/{contact.id}", row(book, number, name="x"))
    assert "number" in reply.errors
    assert (contact.number, contact.name) == ("+989120000001", "Sara")


def test_an_update_of_nobody_or_with_bad_values_is_refused(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    option = state.add_option("age", "int")
    book = state.add_phonebook("A", option_ids=[option.id])
    contact = state.add_contact(book, "+989120000001")
    assert client_of_sandbox.call("PUT", f"{UPDATE}/7", row(book, "+989120000001")).status == 404
    body = row(book, "+989120000001", options={str(option.id): "old"})
    assert "options" in client_of_sandbox.call("PUT", f"{UPDATE}/{contact.id}", body).errors


def test_contacts_are_deleted_by_id_and_once_more_does_no_harm(
    client_of_sandbox: SandboxClient, state: IPPanelState, book: Phonebook
) -> None:
    contacts: list[Contact] = [state.add_contact(book, f"+98912000000{n}") for n in range(3)]
    body = {"listNumbers": [contacts[0].id, contacts[2].id, 999]}
    for _ in range(2):
        assert client_of_sandbox.call("POST", "/api/phonebooks/numbers/delete-list", body).data is None
    assert state.contacts_of(book) == [contacts[1]]
    assert list(book.by_number) == ["+989120000001"]


def test_a_phone_number_given_as_an_id_deletes_nobody(
    client_of_sandbox: SandboxClient, state: IPPanelState, book: Phonebook
) -> None:
    state.add_contact(book, "+989120000001")
    client_of_sandbox.call("POST", "/api/phonebooks/numbers/delete-list", {"listNumbers": [989120000001]})
    assert book.count == 1


def test_a_blacklisted_number_shows_it(client_of_sandbox: SandboxClient, state: IPPanelState, book: Phonebook) -> None:
    by_ending, by_reply, other = (
        state.add_contact(book, number) for number in ("+989120000098", "+989120000001", "+989120000002")
    )
    state.receive(by_reply.number, "لغو11")
    flags = [
        client_of_sandbox.call("GET", f"{LIST}/{contact.id}").data["is_send_blacklist"]
        for contact in (by_ending, by_reply, other)
    ]
    assert flags == [True, True, False]
