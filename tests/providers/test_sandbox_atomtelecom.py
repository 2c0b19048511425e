"""The Atom Telecom dialect: as strict as its document, and as forgetful."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY
from tests.sandbox_fixtures import Reply, SandboxClient

TYPE = "application/json"


class Atom:
    """Calls with the valid token, however wrong the rest is."""

    def __init__(self, client: SandboxClient) -> None:
        self.client = client
        self.state = client.sandbox.state("atomtelecom")

    def raw(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        headers = {"Authorization": f"Bearer {SANDBOX_KEY}", **headers}
        return self.client.raw(method, f"/atomtelecom/api/{path}", body, **headers)

    def post(self, path: str, **body: Any) -> Any:
        return self.raw("POST", path, json.dumps(body).encode(), Content_Type=TYPE).json

    def result(self, path: str, **body: Any) -> Any:
        """The result of a call that must succeed."""
        answer = self.post(path, **body)
        assert answer["status"] == "success", answer
        return answer["result"]

    @property
    def violations(self) -> list[tuple[str, str]]:
        return [(violation.kind, violation.where) for violation in self.state.violations]


@pytest.fixture
def atom(client_of_sandbox: SandboxClient) -> Atom:
    return Atom(client_of_sandbox)


@pytest.fixture
def book_id(atom: Atom) -> int:
    return atom.state.add_book("Newsletter").id


def test_envelopes_are_as_documented(atom: Atom) -> None:
    assert atom.raw("GET", "sender").json == {"status": "success", "result": {"Sender": ["ACME", "61400000000"]}}
    assert atom.post("address-book/list") == {"status": "success", "result": []}
    assert atom.result("address-book/new", name="News") == {"id": 11, "name": "News"}
    assert atom.result("address-book/edit", id=11, name="New") == {"id": "11", "name": "New"}
    assert atom.result("contact/new", group_id=11, phone_number="0491570006", custom_1="VIP") == {"id": 5001}
    assert atom.result("address-book/detail", id=11) == {
        "id": 11,
        "name": "New",
        "contacts": [{"id": 5001, "first_name": "", "last_name": "", "phone_number": "0491570006"}],
    }
    assert atom.result("contact/detail", id="5001") == {
        "contact": {
            "id": 5001,
            "first_name": "",
            "last_name": "",
            "company": "",
            "phone_number": "0491570006",
            "custom_1": "VIP",
            "custom_2": "",
            "custom_3": "",
            "custom_4": "",
        }
    }
    assert atom.result("contact/edit", id=5001, first_name="Jane") == {"id": 5001}
    assert atom.state.contacts[5001].custom_1 == "VIP"
    assert atom.result("contact/delete", id=5001) == {"id": 5001}
    sent = atom.result("sms/send", to="61491570006,61491570156", **{"from": "ACME"}, text="Hello")
    assert sent == {"message_id": "00012345-00000000000ab", "status": "pending"}
    assert atom.result("sms/status", message_id=sent["message_id"])["status"] == "Scheduled"
    assert atom.result("address-book/delete", id=11) == {"id": 11}
    assert atom.violations == []


@pytest.mark.parametrize(
    ("path", "body", "violation"),
    [
        ("address-book/new", {}, ("missing", "name")),
        ("address-book/new", {"name": 5}, ("wrong type", "name")),
        ("address-book/new", {"name": "x", "title": "x"}, ("undocumented field", "title")),
        ("address-book/edit", {"id": "11", "name": "x"}, ("wrong type", "id")),
        ("address-book/detail", {"id": "11"}, ("wrong type", "id")),
        ("address-book/detail", {"id": 11, "page": 1}, ("undocumented field", "page")),
        ("address-book/delete", {"id": True}, ("wrong type", "id")),
        ("address-book/list", {"page": 1}, ("undocumented field", "body")),
        ("contact/new", {"phone_number": "0491570006"}, ("missing", "group_id")),
        ("contact/new", {"group_id": 11}, ("missing", "phone_number")),
        ("contact/new", {"group_id": "11", "phone_number": "0491570006"}, ("wrong type", "group_id")),
        ("contact/new", {"group_id": 11, "phone_number": 61491570006}, ("wrong type", "phone_number")),
        ("contact/new", {"group_id": 11, "phone_number": "0491570006", "custom_1": None}, ("wrong type", "custom_1")),
        ("contact/new", {"group_id": 11, "phone_number": "0491570006", "custom_5": "x"}, ("undocumented field", "custom_5")),
        ("contact/new", {"group_id": 11, "phone_number": "0491570006", "email": "x"}, ("undocumented field", "email")),
        ("contact/detail", {"id": 5001}, ("wrong type", "id")),
        ("contact/edit", {"id": "5001"}, ("wrong type", "id")),
        ("contact/delete", {"id": "5001"}, ("wrong type", "id")),
        ("contact/delete", {"ids": [5001]}, ("undocumented field", "ids")),
        ("sms/send", {"to": "61491570006", "text": "x"}, ("missing", "from")),
        ("sms/send", {"to": ["61491570006"], "from": "ACME", "text": "x"}, ("wrong type", "to")),
        ("sms/send", {"to": "61491570006", "from": "ACME", "text": "x", "at": "now"}, ("undocumented field", "at")),
        ("sms/status", {"id": "1"}, ("missing", "message_id")),
    ],
)  # fmt: skip
def test_another_shape_is_refused_and_remembered(
    atom: Atom, book_id: int, path: str, body: dict[str, Any], violation: tuple[str, str]
) -> None:
    assert atom.post(path, **body)["status"] == "error"
    assert violation in atom.violations
    assert atom.state.contacts == {}
    assert atom.state.messages == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("address-book/detail", {"id": 999}),
        ("address-book/new", {"name": ""}),
        ("contact/new", {"group_id": 999, "phone_number": "0491570006"}),
        ("contact/new", {"group_id": 11, "phone_number": "not a number"}),
        ("contact/detail", {"id": "11"}),
        ("contact/detail", {"id": "abc"}),
        ("contact/edit", {"id": 999}),
        ("contact/delete", {"id": 999}),
        ("sms/send", {"to": "+61491570006", "from": "ACME", "text": "x"}),
        ("sms/send", {"to": "61491570006, 61491570156", "from": "ACME", "text": "x"}),
        ("sms/send", {"to": "61491570006", "from": "Somebody", "text": "x"}),
        ("sms/send", {"to": "61491570006", "from": "ACME", "text": ""}),
        ("sms/status", {"message_id": "1-a"}),
    ],
)
@pytest.mark.parametrize("by_status", [False, True])
def test_a_wrong_value_is_refused_only(
    atom: Atom, book_id: int, path: str, body: dict[str, Any], by_status: bool
) -> None:
    if by_status:
        atom.state.quirks.add("errors_by_status")
    reply = atom.raw("POST", path, json.dumps(body).encode(), Content_Type=TYPE)
    assert reply.json["status"] == "error"
    assert (reply.status in (400, 404)) == by_status
    assert (atom.violations, atom.state.contacts, atom.state.messages) == ([], {}, {})


@pytest.mark.parametrize(
    ("method", "path", "where"),
    [
        ("GET", "address-book/list", "/api/address-book/list"),
        ("POST", "sender", "/api/sender"),
        ("POST", "contact/list", "/api/contact/list"),
        ("PUT", "contact/edit", "/api/contact/edit"),
        ("POST", "contact/new/", "/api/contact/new/"),
    ],
)
def test_an_undocumented_path_or_method_is_remembered(atom: Atom, method: str, path: str, where: str) -> None:
    assert atom.raw(method, path).status == 404
    assert atom.violations == [("path", where)]


def test_a_query_another_content_type_and_no_json_are_remembered(atom: Atom) -> None:
    body = b'{"name": "News"}'
    atom.raw("POST", "address-book/new?name=x", body, Content_Type=TYPE)
    atom.raw("POST", "address-book/new", body, Content_Type="text/plain")
    atom.raw("POST", "address-book/new", b"name=News", Content_Type=TYPE)
    atom.raw("POST", "address-book/new", b"[]", Content_Type=TYPE)
    atom.raw("POST", "address-book/new")
    assert atom.violations == [
        ("undocumented field", "query"),
        ("content type", "Content-Type"),
        ("wrong type", "body"),
        ("wrong type", "body"),
        ("content type", "Content-Type"),
    ]
    assert atom.state.books == {}


def test_a_list_is_given_with_an_empty_object_or_without_any_body(atom: Atom, book_id: int) -> None:
    assert atom.raw("POST", "address-book/list").json["result"] == [{"id": book_id, "name": "Newsletter"}]
    assert len(atom.result("address-book/list")) == 1
    assert atom.violations == []


@pytest.mark.parametrize(
    ("header", "is_remembered"),
    [("", False), ("Bearer wrong", False), (SANDBOX_KEY, True), (f"bearer {SANDBOX_KEY}", True)],
)
def test_a_wrong_token_is_403_and_one_in_another_form_is_remembered(
    client_of_sandbox: SandboxClient, header: str, is_remembered: bool
) -> None:
    headers = {"Authorization": header} if header else {}
    assert client_of_sandbox.raw("GET", "/atomtelecom/api/sender", **headers).status == 403
    violations = client_of_sandbox.sandbox.state("atomtelecom").violations
    assert [violation.kind for violation in violations] == ["authorization"] * is_remembered


def test_a_number_can_be_in_a_book_twice(atom: Atom, book_id: int) -> None:
    ids = [atom.result("contact/new", group_id=book_id, phone_number="0491570006")["id"] for _ in range(2)]
    assert len(set(ids)) == 2
    assert len(atom.result("address-book/detail", id=book_id)["contacts"]) == 2


def test_a_book_takes_its_contacts_with_it(atom: Atom, book_id: int) -> None:
    other = atom.state.add_book("Other")
    atom.state.add_contact(book_id, "0491570006")
    kept = atom.state.add_contact(other, "0491570006")
    atom.result("address-book/delete", id=book_id)
    assert list(atom.state.contacts) == [kept.id]


def test_the_rate_is_kept_with_limits_and_says_when_to_come_again(atom: Atom) -> None:
    atom.client.sandbox.settings.limits = True
    replies = [atom.raw("GET", "sender") for _ in range(30)]
    limited = [reply for reply in replies if reply.status == 429]
    assert limited
    assert limited[0].json["code"] == "rate_limited"
    assert limited[0].headers["Retry-After"] == "1"
    atom.client.sandbox.advance(1)
    assert atom.raw("GET", "sender").status == 200


@pytest.mark.parametrize(
    ("ending", "final"),
    [
        ("06", "Delivered"),
        ("93", "Deleted"),
        ("94", "Skipped"),
        ("95", "Unknown"),
        ("96", "Accepted"),
        ("97", "Expired"),
        ("98", "Rejected"),
        ("99", "Undeliverable"),
    ],
)
def test_a_message_ripens_to_the_state_its_number_asks_for(atom: Atom, ending: str, final: str) -> None:
    sent = atom.result("sms/send", to=f"614915700{ending}", **{"from": "ACME"}, text="Hello")
    seen = []
    for _ in range(3):
        seen.append(atom.result("sms/status", message_id=sent["message_id"])["status"])
        atom.client.sandbox.advance(6)
    assert seen == ["Scheduled", "Enroute", final]


def test_a_yes_adds_where_the_portal_says_so(atom: Atom, book_id: int) -> None:
    sandbox = atom.client.sandbox
    dialect = sandbox.dialects["atomtelecom"]
    dialect.set_up({"automation": True, "group_id": book_id})
    dialect.receive({"from": "+61491570006", "text": "Yes"})
    dialect.receive({"from": "+61491570006", "text": "maybe"})
    assert [contact.phone_number for contact in atom.state.contacts_of(book_id)] == ["61491570006"]
    assert len(atom.state.inbox) == 2


@pytest.mark.parametrize("wrong", [{"webhook": 5}, {"no_such": True}, {"group_id": True}, {"automation": "yes"}])
def test_the_portal_is_set_up_strictly(sandbox: SandboxServer, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        sandbox.dialects["atomtelecom"].set_up(wrong)


def test_everything_is_kept_between_runs_but_the_token(atom: Atom, book_id: int) -> None:
    atom.state.add_contact(book_id, "0491570006", custom_4="x")
    atom.result("sms/send", to="61491570006", **{"from": "ACME"}, text="Hello", callback="http://127.0.0.1/x")
    atom.client.sandbox.dialects["atomtelecom"].receive({"from": "61491570006", "text": "Hi"})
    atom.post("sms/send")
    stored = json.loads(json.dumps(atom.state.dump()))
    assert SANDBOX_KEY not in json.dumps(stored)
    atom.client.sandbox.dialects["atomtelecom"].reset()
    fresh = atom.client.sandbox.state("atomtelecom")
    assert fresh.dump() != stored
    fresh.load(stored)
    assert fresh.dump() == stored


def test_the_page_shows_it(atom: Atom, book_id: int) -> None:
    atom.state.add_contact(book_id, "0491570006", company="<Acme>")
    atom.result("sms/send", to="61491570006", **{"from": "ACME"}, text="Hello there")
    page = atom.client.raw("GET", "/").text
    for words in ("Newsletter", "0491570006", "&lt;Acme&gt;", "Hello there", "Scheduled"):
        assert words in page
