"""The IPPanel dialect refuses what the document does not allow, and remembers it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.factories import SANDBOX_KEY
from tests.sandbox_fixtures import Reply, SandboxClient

ADD = "/api/phonebooks/numbers/add-list-new"
SEND = {"sending_type": "webservice", "from_number": "+983000505", "message": "x", "params": {"recipients": []}}


@pytest.fixture
def book_id(client_of_sandbox: SandboxClient) -> str:
    return str(client_of_sandbox.sandbox.state("ippanel").add_phonebook("News").id)


def violations(client: SandboxClient) -> list[tuple[str, str]]:
    return [(v.kind, v.where) for v in client.sandbox.state("ippanel").violations]


def refused(reply: Reply, field: str) -> bool:
    meta = reply.json["meta"]
    return (
        reply.status == 422
        and reply.json["data"] is None
        and meta["status"] is False
        and meta["message_code"] == "400-2"
        and field in meta["errors"]
        and meta["message"].startswith(next(iter(meta["errors"].values()))[0])
    )


@pytest.mark.parametrize("key", ["wrong", "", f"{SANDBOX_KEY} ", f'"{SANDBOX_KEY}"'])
def test_a_wrong_key_is_401_with_the_documents_body(client_of_sandbox: SandboxClient, key: str) -> None:
    headers = {"Authorization": key} if key else {}
    reply = client_of_sandbox.raw("POST", "/ippanel/v1/api/acl/auth/check_token", **headers)
    assert reply.status == 401
    assert reply.json == {
        "data": None,
        "meta": {
            "status": False,
            "message": "اطلاعات وارد شده صحیح نمی باشد",
            "message_parameters": [],
            "message_code": "400-1",
            "errors": {},
        },
    }
    assert violations(client_of_sandbox) == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "AccessKey"])
def test_a_scheme_before_the_key_is_refused_and_remembered(client_of_sandbox: SandboxClient, scheme: str) -> None:
    reply = client_of_sandbox.call("POST", "/api/acl/auth/check_token", key=f"{scheme} {SANDBOX_KEY}")
    assert reply.status == 401
    assert violations(client_of_sandbox) == [("authorization", "Authorization")]


def test_an_undocumented_field_is_refused_wherever_it_stands(client_of_sandbox: SandboxClient, book_id: str) -> None:
    call = client_of_sandbox.call
    row = {"number": "+989120000001", "phonebook_id": book_id, "last_name": "x"}
    assert refused(call("POST", "/api/phonebooks", {"title": "A", "colour": "red"}), "colour")
    assert refused(call("POST", ADD, {"list": [row]}), "list.0.last_name")
    assert refused(call("GET", "/api/phonebooks/list-new?sort=id"), "sort")
    assert refused(call("GET", "/api/phonebooks/list-new?page=1&page=2"), "page")
    assert refused(call("POST", "/api/phonebooks?page=1", {"title": "A"}), "page")
    assert refused(call("POST", "/api/report/new_list", {"filters": {"sender": "x"}}), "filters.sender")
    assert refused(call("POST", "/api/acl/auth/check_token", {}), "body")
    assert refused(call("GET", "/api/payment/credit/mine", {}), "body")
    assert {kind for kind, _ in violations(client_of_sandbox)} == {"undocumented field"}
    assert len(violations(client_of_sandbox)) == 8


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/phonebooks", {"title": 5}, "title"),
        ("POST", "/api/phonebooks", {"title": None}, "title"),
        ("POST", "/api/phonebooks", {"title": "A", "options": [1]}, "options.0"),
        ("POST", "/api/phonebooks", {"title": "A", "options": "1"}, "options"),
        ("POST", "/api/phonebooks/delete-list", {"listPhonebooks": ["1"]}, "listPhonebooks.0"),
        ("POST", "/api/phonebooks/numbers/delete-list", {"listNumbers": ["1"]}, "listNumbers.0"),
        ("POST", "/api/phonebooks/numbers/delete-list", {"listNumbers": [True]}, "listNumbers.0"),
        ("POST", "/api/phonebooks/options/delete-list", {"listOptions": [1.0]}, "listOptions.0"),
        ("POST", ADD, {"list": {}}, "list"),
        ("POST", ADD, {"list": ["+989120000001"]}, "list.0"),
        ("POST", ADD, {"list": [{"number": "+989120000001", "phonebook_id": 1201}]}, "list.0.phonebook_id"),
        ("POST", ADD, {"list": [{"number": 989120000001, "phonebook_id": "1201"}]}, "list.0.number"),
        ("POST", ADD, {"list": [{"number": "+989120000001", "phonebook_id": "1201", "email": None}]}, "list.0.email"),
        ("POST", ADD, {"list": [{"number": "+989120000001", "phonebook_id": "1201", "options": []}]}, "list.0.options"),
        ("POST", "/api/send/cancel", {"message_outbox_id": "1"}, "message_outbox_id"),
        ("POST", "/api/send", {**SEND, "sending_type": "file"}, "sending_type"),
        ("POST", "/api/send", {**SEND, "sending_type": ["webservice"]}, "sending_type"),
        ("POST", "/api/send", {**SEND, "params": []}, "params"),
        ("POST", "/api/send", {**SEND, "params": {"recipients": [989120000001]}}, "params.recipients.0"),
        ("POST", "/api/send", {**SEND, "send_time": 1}, "send_time"),
        ("POST", "/api/send", {**SEND, "send_time": "2030-01-01T10:00:00Z"}, "send_time"),
        ("POST", "/api/send", {**SEND, "send_time": ""}, "send_time"),
        ("POST", "/api/report/new_list", {"page": "1"}, "page"),
        ("POST", "/api/report/new_list", {"filters": {"create_from_date": 1}}, "filters.create_from_date"),
        ("POST", "/api/report/new_list", {"filters": {"create_from_date": "today"}}, "filters.create_from_date"),
        ("POST", "/api/report/messages-inbox", {"filters": {"from_id": "7"}}, "filters.from_id"),
        ("GET", "/api/phonebooks/list-new?page=one", None, "page"),
        ("GET", "/api/phonebooks/numbers/contact-list?number=09120000001", None, "number"),
        ("GET", "/api/phonebooks/numbers/contact-list?number=+989120000001", None, "number"),
    ],
)
def test_a_wrong_type_is_refused(
    client_of_sandbox: SandboxClient, book_id: str, method: str, path: str, body: Any, field: str
) -> None:
    assert refused(client_of_sandbox.call(method, path, body), field)
    assert ("wrong type", field) in violations(client_of_sandbox)


def test_option_values_are_strings_under_ids_of_attached_options(client_of_sandbox: SandboxClient) -> None:
    state = client_of_sandbox.sandbox.state("ippanel")
    attached, other = state.add_option("age", "int"), state.add_option("city")
    book = state.add_phonebook("News", option_ids=[attached.id])

    def add(options: dict[str, Any]) -> Reply:
        row = {"number": "+989120000001", "phonebook_id": str(book.id), "options": options}
        return client_of_sandbox.call("POST", ADD, {"list": [row]})

    assert refused(add({str(attached.id): 15}), f"list.0.options.{attached.id}")
    assert refused(add({"age": "15"}), "list.0.options.age")
    assert refused(add({"999": "15"}), "list.0.options.999")
    assert refused(add({str(other.id): "x"}), f"list.0.options.{other.id}")
    assert state.contacts == {}
    assert add({str(attached.id): "15"}).data == {"added": 1, "errors": 0, "existences": 0}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/phonebooks", {}, "title"),
        (ADD, {}, "list"),
        (ADD, {"list": [{"phonebook_id": "1201"}]}, "list.0.number"),
        (ADD, {"list": [{"number": "+989120000001"}]}, "list.0.phonebook_id"),
        ("/api/phonebooks/delete-list", {}, "listPhonebooks"),
        ("/api/phonebooks/options", {"title": "x"}, "type"),
        ("/api/send/cancel", {}, "message_outbox_id"),
        ("/api/send/calculate-price", {"message": "x"}, "number"),
        ("/api/send", {"sending_type": "webservice", "from_number": "+983000505", "message": "x"}, "params"),
    ],
)
def test_what_is_required_cannot_be_left_out(
    client_of_sandbox: SandboxClient, book_id: str, path: str, body: Any, field: str
) -> None:
    assert refused(client_of_sandbox.call("POST", path, body), field)
    assert ("missing", field) in violations(client_of_sandbox)


def test_a_missing_message_is_refused_with_the_documents_text(client_of_sandbox: SandboxClient) -> None:
    body = {"sending_type": "webservice", "from_number": "+983000505", "params": {"recipients": ["+989120000001"]}}
    reply = client_of_sandbox.call("POST", "/api/send", body)
    assert reply.json["meta"] == {
        "status": False,
        "message": "تکمیل گزینه پیام الزامی است",
        "message_parameters": [],
        "message_code": "400-2",
        "errors": {"message": ["تکمیل گزینه پیام الزامی است"]},
    }


def test_several_problems_are_told_together(client_of_sandbox: SandboxClient) -> None:
    reply = client_of_sandbox.call("POST", "/api/phonebooks/options", {"type": "colour", "size": 1})
    assert set(reply.errors) == {"size", "title", "type"}
    assert reply.json["meta"]["message"].endswith("(and 2 more errors)")


def test_empty_is_not_enough_for_a_required_field(client_of_sandbox: SandboxClient) -> None:
    assert refused(client_of_sandbox.call("POST", "/api/phonebooks", {"title": ""}), "title")
    assert refused(client_of_sandbox.call("POST", ADD, {"list": []}), "list")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_needs_the_json_content_type(client_of_sandbox: SandboxClient, content_type: str) -> None:
    headers = {"Content_Type": content_type} if content_type else {}
    body = json.dumps({"title": "A"}).encode()
    reply = client_of_sandbox.raw(
        "POST", "/ippanel/v1/api/phonebooks", body, Authorization=SANDBOX_KEY, **headers
    )  # fmt: skip
    assert refused(reply, "Content-Type")
    assert violations(client_of_sandbox) == [("content type", "Content-Type")]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(client_of_sandbox: SandboxClient, body: bytes) -> None:
    reply = client_of_sandbox.raw(
        "POST", "/ippanel/v1/api/phonebooks", body, Authorization=SANDBOX_KEY, Content_Type="application/json"
    )
    assert refused(reply, "body")


def test_a_charset_beside_the_content_type_is_fine(client_of_sandbox: SandboxClient) -> None:
    reply = client_of_sandbox.raw(
        "POST", "/ippanel/v1/api/phonebooks", '{"title": "کتاب"}'.encode(),
        Authorization=SANDBOX_KEY, Content_Type="application/json; charset=utf-8",
    )  # fmt: skip
    assert reply.status == 200


@pytest.mark.parametrize("per_page", [0, 1001, 99999])
def test_pages_hold_at_most_1000_rows(client_of_sandbox: SandboxClient, per_page: int) -> None:
    for path in ("/api/phonebooks/list-new", "/api/phonebooks/numbers/contact-list"):
        assert refused(client_of_sandbox.call("GET", f"{path}?per_page={per_page}"), "per_page")
    assert violations(client_of_sandbox) == [("limit", "per_page")] * 2
    assert client_of_sandbox.call("GET", "/api/phonebooks/list-new?per_page=1000").status == 200


def test_a_title_has_at_most_200_characters(client_of_sandbox: SandboxClient) -> None:
    assert client_of_sandbox.call("POST", "/api/phonebooks", {"title": "آ" * 200}).status == 200
    assert refused(client_of_sandbox.call("POST", "/api/phonebooks", {"title": "آ" * 201}), "title")


def test_unknown_paths_and_methods_are_refused_and_remembered(client_of_sandbox: SandboxClient) -> None:
    call = client_of_sandbox.call
    assert call("GET", "/api/nothing").json["meta"]["message_code"] == "404-1"
    assert call("PUT", "/api/send", SEND).status == 405
    assert call("POST", "/api/phonebooks/list-new", {}).status == 405
    assert client_of_sandbox.raw("GET", "/ippanel/api/number/numbers", Authorization=SANDBOX_KEY).status == 404
    assert [kind for kind, _ in violations(client_of_sandbox)] == ["path"] * 3


def test_a_value_that_is_merely_refused_is_no_violation(client_of_sandbox: SandboxClient, book_id: str) -> None:
    call = client_of_sandbox.call
    assert call("POST", ADD, {"list": [{"number": "0912", "phonebook_id": book_id}]}).data["errors"] == 1
    assert call("PUT", "/api/phonebooks/999", {"title": "x"}).status == 404
    assert refused(call("POST", "/api/send/calculate-price", {"number": "+981", "message": "x"}), "number")
    assert violations(client_of_sandbox) == []
