"""The LOX24 dialect: what it answers, and that it refuses and remembers what the document does not allow."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.sandbox import SandboxServer
from providers.sandbox.lox24.state import CLIENT_ID, LOX24State
from tests.factories import SANDBOX_KEY
from tests.sandbox_fixtures import Reply, SandboxClient

LD, PLAIN = "application/ld+json", "application/json"
TOKEN = f"{CLIENT_ID}:{SANDBOX_KEY}"
SMS = {"text": "Hallo", "sender_id": "ACME", "phone": "+4915200000001"}
BULK = {"text": "Hallo", "sender_id": "ACME"}


def ask(client: SandboxClient, method: str, path: str, body: Any = None, *, accept: str = LD, **headers: str) -> Reply:
    headers = {"X_LOX24_AUTH_TOKEN": TOKEN, "Accept": accept, **headers}
    if body is None:
        return client.raw(method, f"/lox24{path}", **headers)
    return client.raw(method, f"/lox24{path}", json.dumps(body).encode(), **{"Content_Type": PLAIN, **headers})


def held(client: SandboxClient) -> LOX24State:
    state: LOX24State = client.sandbox.state("lox24")
    return state


def violations(client: SandboxClient) -> list[tuple[str, str]]:
    return [(violation.kind, violation.where) for violation in held(client).violations]


@pytest.fixture
def group(client_of_sandbox: SandboxClient) -> int:
    return held(client_of_sandbox).add_group("Newsletter").id


# Logging in


def test_both_ways_to_log_in_are_taken(client_of_sandbox: SandboxClient) -> None:
    assert ask(client_of_sandbox, "GET", "/me").json["id"] == int(CLIENT_ID)
    old = {"X_LOX24_CLIENT_ID": CLIENT_ID, "X_LOX24_AUTH_TOKEN": SANDBOX_KEY}
    assert ask(client_of_sandbox, "GET", "/me", **old).status == 200


@pytest.mark.parametrize("token", ["", SANDBOX_KEY, f"{CLIENT_ID}:", f"41008:{SANDBOX_KEY}", f"Bearer {TOKEN}"])
def test_any_other_token_is_401(client_of_sandbox: SandboxClient, token: str) -> None:
    reply = ask(client_of_sandbox, "GET", "/me", X_LOX24_AUTH_TOKEN=token)
    assert reply.status == 401
    assert "isn't active or invalid" in reply.json["hydra:description"]


def test_the_fourth_bad_login_within_a_minute_shuts_the_address_out(client_of_sandbox: SandboxClient) -> None:
    for _ in range(4):
        assert ask(client_of_sandbox, "GET", "/me", X_LOX24_AUTH_TOKEN="bad").status == 401
    assert ask(client_of_sandbox, "GET", "/me").status == 429
    client_of_sandbox.sandbox.advance(600)
    assert ask(client_of_sandbox, "GET", "/me").status == 200


def test_an_account_that_is_not_active_is_403(client_of_sandbox: SandboxClient) -> None:
    held(client_of_sandbox).is_active = False
    assert ask(client_of_sandbox, "GET", "/me").status == 403


def test_every_answer_has_a_request_id(client_of_sandbox: SandboxClient) -> None:
    replies = [ask(client_of_sandbox, "GET", path) for path in ("/me", "/groups", "/groups/1")]
    ids = {reply.headers["X-LOX24-REQUEST-ID"] for reply in replies}
    assert len(ids) == 3
    assert all(len(one) == 32 and one.isalnum() for one in ids)


def test_the_token_is_never_remembered(client_of_sandbox: SandboxClient) -> None:
    ask(client_of_sandbox, "GET", "/me")
    assert SANDBOX_KEY not in repr(client_of_sandbox.sandbox.requests)


# The form of answers


def test_a_list_has_members_totals_and_links_or_is_bare_as_asked_for(
    client_of_sandbox: SandboxClient, group: int
) -> None:
    full = ask(client_of_sandbox, "GET", "/groups").json
    assert full["hydra:totalItems"] == len(full["hydra:member"]) == 1
    assert full["hydra:view"]["hydra:last"] == "/groups?page=1"
    assert "hydra:next" not in full["hydra:view"]
    assert full["hydra:member"][0]["@id"] == f"/groups/{group}"
    bare = ask(client_of_sandbox, "GET", "/groups", accept=PLAIN).json
    assert [row["id"] for row in bare] == [group]
    assert "@id" not in bare[0]


def test_the_links_of_a_list_lead_over_all_pages_with_its_filters(client_of_sandbox: SandboxClient) -> None:
    held(client_of_sandbox).page_size = 2
    for _ in range(5):
        ask(client_of_sandbox, "POST", "/sms", SMS)
    path, seen = "/sms?sender_id=ACME", []
    while path:
        page = ask(client_of_sandbox, "GET", path).json
        seen += [row["uuid"] for row in page["hydra:member"]]
        path = page["hydra:view"].get("hydra:next")
    assert len(seen) == len(set(seen)) == 5


def test_errors_name_the_field_in_both_forms(client_of_sandbox: SandboxClient, group: int) -> None:
    row = {"phone": "not-a-number"}
    ld = ask(client_of_sandbox, "POST", f"/groups/{group}/phones", row)
    plain = ask(client_of_sandbox, "POST", f"/groups/{group}/phones", row, accept=PLAIN)
    assert (ld.status, plain.status) == (422, 422)
    assert ld.json["hydra:description"] == plain.json["detail"] == "phone: invalid value"
    assert plain.json["violations"] == [{"propertyPath": "phone", "message": "invalid value", "code": None}]
    assert violations(client_of_sandbox) == []


# What the document does not allow


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "where"),
    [
        ("POST", "/groups", {"name": "x", "phones": []}, "undocumented field", "phones"),
        ("POST", "/groups", {"title": "x"}, "undocumented field", "title"),
        ("POST", "/groups", {}, "missing", "name"),
        ("POST", "/groups", {"name": 5}, "wrong type", "name"),
        ("POST", "/groups", {"name": "x" * 51}, "limit", "name"),
        ("POST", "/groups", {"name": "x", "name_a": "y" * 51}, "limit", "name_a"),
        ("POST", "/groups", {"name": "x", "description": "y" * 256}, "limit", "description"),
        ("POST", "/groups", [], "wrong type", "body"),
        ("GET", "/groups?per_page=5", None, "undocumented field", "per_page"),
        ("GET", "/groups?page=0", None, "wrong type", "page"),
        ("PATCH", "/groups/7001", {"name": "x"}, "path", "/groups/7001"),
        ("GET", "/groups/7001/phones?page=1", None, "undocumented field", "page"),
        ("GET", "/groups/7001/phones/900001", None, "path", "/groups/7001/phones/900001"),
        ("POST", "/groups/7001/phones", {"phone": "+4915200000001", "f": "x"}, "undocumented field", "f"),
        ("POST", "/groups/7001/phones", {"phone": "+" + "4" * 30}, "limit", "phone"),
        ("POST", "/groups/7001/phones", {"phone": "+4915200000001", "a": 5}, "wrong type", "a"),
        ("POST", "/groups/7001/phones", {"phone": "+4915200000001", "a": "x" * 1531}, "limit", "a"),
        ("POST", "/groups/7001/phones", {"phone": "+4915200000001", "callback_data": "x" * 37}, "limit", "callback_data"),
        ("POST", "/groups/7001/phones/batch", {"list": []}, "wrong type", "body"),
        ("POST", "/groups/7001/phones/batch", [5], "wrong type", "[0]"),
        ("POST", "/groups/7001/phones/batch", [{"a": "x"}], "missing", "[0].phone"),
        ("POST", "/groups/7001/phones/batch", [{"phone": "+4915200000001"}] * 1001, "limit", "body"),
        ("POST", "/sms", {**SMS, "text": "x" * 1786}, "limit", "text"),
        ("POST", "/sms", {**SMS, "recipient": "x"}, "undocumented field", "recipient"),
        ("POST", "/sms", {**SMS, "service_code": "economy"}, "wrong type", "service_code"),
        ("POST", "/sms", {**SMS, "voice_lang": "DE"}, "wrong type", "voice_lang"),
        ("POST", "/sms", {**SMS, "delivery_at": "tomorrow"}, "wrong type", "delivery_at"),
        ("POST", "/sms", {**SMS, "is_unicode": 1}, "wrong type", "is_unicode"),
        ("POST", "/sms", {**SMS, "source": 2**31}, "limit", "source"),
        ("POST", "/bulks", BULK, "missing", "phones"),
        ("POST", "/bulks", {**BULK, "phones": [], "msg_groups": [7001]}, "missing", "phones"),
        ("POST", "/bulks", {**BULK, "msg_groups": ["7001"]}, "wrong type", "msg_groups[0]"),
        ("POST", "/bulks", {**BULK, "phones": ["+4915200000001"], "callback_data": "x"}, "undocumented field", "callback_data"),
        ("GET", "/sms?order=x", None, "undocumented field", "order"),
        ("GET", "/sms?created_at[from]=5", None, "undocumented field", "created_at[from]"),
        ("GET", "/sms?created_at[gte]=today", None, "wrong type", "created_at[gte]"),
        ("GET", "/sms?status_code=100", None, "undocumented field", "status_code"),
        ("GET", "/bulks?created_at[gte]=5", None, "undocumented field", "created_at[gte]"),
        ("GET", "/bulks?processed_at[between]=0..5", None, "undocumented field", "processed_at[between]"),
        ("GET", "/bulks?_order[created_at]=down", None, "wrong type", "_order[created_at]"),
        ("GET", "/bulks?source=5", None, "undocumented field", "source"),
        ("POST", "/sms/ops/batch_cancel", None, "missing", "uuid[]"),
        ("POST", "/sms/ops/batch_delete?uuid[]=x", None, "path", "/sms/ops/batch_delete"),
        ("GET", "/blocked_numbers?page=1", None, "undocumented field", "page"),
        ("GET", "/incomings", None, "path", "/incomings"),
    ],
)  # fmt: skip
def test_a_shape_that_is_not_documented_is_remembered(
    client_of_sandbox: SandboxClient, group: int, method: str, path: str, body: Any, kind: str, where: str
) -> None:
    reply = ask(client_of_sandbox, method, path, body)
    assert (kind, where) in violations(client_of_sandbox)
    assert reply.status >= 400 or "batch_cancel" in path


def test_a_body_must_be_called_json(client_of_sandbox: SandboxClient) -> None:
    reply = ask(client_of_sandbox, "POST", "/groups", {"name": "x"}, Content_Type="text/plain")
    assert reply.status == 400
    assert violations(client_of_sandbox) == [("content type", "Content-Type")]


# Groups and phones


def test_an_update_sets_everything_and_what_is_left_out_is_gone(client_of_sandbox: SandboxClient) -> None:
    state = held(client_of_sandbox)
    group = state.add_group("Old", description="d", labels={"a": "First name"})
    phone = state.add_phone(group, "+4915200000001", columns={"a": "Sara"}, callback_data="x")
    assert ask(client_of_sandbox, "PUT", f"/groups/{group.id}", {"name": "New"}).status == 200
    assert ask(client_of_sandbox, "PUT", f"/phones/{phone.id}", {"phone": "+4915200000002"}).status == 200
    assert (group.name, group.description, set(group.labels.values())) == ("New", None, {None})
    assert (phone.phone, phone.columns["a"], phone.callback_data) == ("+4915200000002", None, None)


@pytest.mark.parametrize("phone", ["+4915200000001", "004915200000001", "4915200000001", "015200000001"])
def test_numbers_are_kept_in_international_form(client_of_sandbox: SandboxClient, group: int, phone: str) -> None:
    made = ask(client_of_sandbox, "POST", f"/groups/{group}/phones", {"phone": phone})
    assert (made.status, made.json["phone"], made.json["id"]) == (201, "+4915200000001", "900001")


def test_a_number_may_be_in_a_group_twice_unless_the_switch_says_otherwise(
    client_of_sandbox: SandboxClient, group: int
) -> None:
    rows, path = [{"phone": "+4915200000001"}] * 2, f"/groups/{group}/phones/batch"

    def statuses() -> list[int]:
        return [row["status"] for row in ask(client_of_sandbox, "POST", path, rows).json["hydra:member"]]

    assert statuses() == [201, 201]
    held(client_of_sandbox).quirks.add("refuse_duplicates")
    assert statuses() == [422, 422]
    assert len(held(client_of_sandbox).phones_of(group)) == 2


def test_a_phone_that_is_gone_is_404(client_of_sandbox: SandboxClient, group: int) -> None:
    held(client_of_sandbox).add_phone(held(client_of_sandbox).groups[group], "+4915200000001")
    assert ask(client_of_sandbox, "DELETE", "/phones/900001").status == 204
    assert {ask(client_of_sandbox, method, "/phones/900001").status for method in ("GET", "DELETE")} == {404}


# Sends


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender_id": "much too long name"},
        {"phone": "none"},
        {"text": "س" * 671},
        {"text": ""},
        {"delivery_at": 1},
        {"service_code": "text2speech"},
    ],
)
def test_values_that_cannot_be_are_422_and_no_violation(
    client_of_sandbox: SandboxClient, wrong: dict[str, Any]
) -> None:
    held(client_of_sandbox).services = ["direct"]
    assert ask(client_of_sandbox, "POST", "/sms", {**SMS, **wrong}).status == 422
    assert (violations(client_of_sandbox), held(client_of_sandbox).sms) == ([], {})


def test_a_bulk_takes_its_price_and_gives_it_back_when_cancelled(client_of_sandbox: SandboxClient) -> None:
    state = held(client_of_sandbox)
    body = {**BULK, "phones": ["+4915200000001", "+4915200000002"]}
    later = int(state.clock.now()) + 3600
    bulk = ask(client_of_sandbox, "POST", "/bulks", {**body, "delivery_at": later}).json
    assert (round(state.balance, 3), bulk["price"], bulk["msg_total_count"]) == (499.85, 0.15, 0)
    assert ask(client_of_sandbox, "PUT", f"/bulks/{bulk['uuid']}/cancel").json["status_code"] == 15
    assert round(state.balance, 3) == 500
    assert ask(client_of_sandbox, "PUT", f"/bulks/{bulk['uuid']}/cancel").status == 422


def test_a_bulk_under_way_loses_only_what_has_not_left(client_of_sandbox: SandboxClient) -> None:
    sandbox, state = client_of_sandbox.sandbox, held(client_of_sandbox)
    phones = [f"+49152000{number:05d}" for number in range(100, 150)]
    bulk = ask(client_of_sandbox, "POST", "/bulks", {**BULK, "phones": phones}).json
    sandbox.advance(0.35 * sandbox.settings.maturity)
    assert ask(client_of_sandbox, "GET", f"/bulks/{bulk['uuid']}").json["status_code"] == 5
    ask(client_of_sandbox, "PUT", f"/bulks/{bulk['uuid']}/cancel")
    codes = [sms.codes(state.clock.now())[0] for sms in state.sms.values()]
    assert 0 < codes.count(6000) < 50
    assert set(codes) == {100, 6000}


def test_a_bulk_to_an_empty_group_has_no_recipients(client_of_sandbox: SandboxClient, group: int) -> None:
    assert ask(client_of_sandbox, "POST", "/bulks", {**BULK, "msg_groups": [group]}).json["status_code"] == 201
    assert ask(client_of_sandbox, "POST", "/bulks", {**BULK, "msg_groups": [999]}).status == 422


def test_batch_cancel_without_a_filter_would_stop_everything(client_of_sandbox: SandboxClient) -> None:
    later = int(held(client_of_sandbox).clock.now()) + 3600
    uuids = [ask(client_of_sandbox, "POST", "/sms", {**SMS, "delivery_at": later}).json["uuid"] for _ in range(3)]
    one = ask(client_of_sandbox, "POST", f"/sms/ops/batch_cancel?uuid[]={uuids[0]}")
    assert one.json == {"canceled_sms_count": 1}
    assert violations(client_of_sandbox) == []
    assert ask(client_of_sandbox, "POST", "/sms/ops/batch_cancel").json == {"canceled_sms_count": 2}
    assert violations(client_of_sandbox) == [("missing", "uuid[]")]


def test_a_dry_run_changes_nothing(client_of_sandbox: SandboxClient) -> None:
    before = held(client_of_sandbox).dump()
    reply = ask(client_of_sandbox, "POST", "/sms/dryrun", SMS)
    assert (reply.json["price"], reply.json["parts_count"]) == (0.075, 1)
    assert held(client_of_sandbox).dump() == before


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("callback_data=two", 1),
        ("sender_id=OTHER", 0),
        ("phone=%2B4915200000001", 2),
        ("text=ALL", 2),
        ("status_code[]=0&status_code[]=100", 2),
        ("status_code[]=100", 0),
        ("created_at[between]=0..1", 0),
        ("created_at[gt]=1&created_at[lt]=99999999999", 2),
        ("_order[created_at]=desc", 2),
    ],
)
def test_lists_are_filtered_as_documented(client_of_sandbox: SandboxClient, query: str, count: int) -> None:
    for callback_data in ("one", "two"):
        ask(client_of_sandbox, "POST", "/sms", {**SMS, "callback_data": callback_data})
    assert ask(client_of_sandbox, "GET", f"/sms?{query}").json["hydra:totalItems"] == count
    assert violations(client_of_sandbox) == []


# State, portal, page


def test_everything_comes_back_from_a_dump(client_of_sandbox: SandboxClient, group: int) -> None:
    state = held(client_of_sandbox)
    ask(client_of_sandbox, "POST", f"/groups/{group}/phones/batch", [{"phone": "+4915200000001", "a": "Sara"}])
    ask(client_of_sandbox, "POST", "/bulks", {**BULK, "msg_groups": [group]})
    ask(client_of_sandbox, "POST", "/sms", SMS)
    state.block("+4915200000009", type=2)
    state.unsubscribe("+4915200000001")
    state.outcomes["+4915200000001"] = (3000, 0)
    ask(client_of_sandbox, "GET", "/me", X_LOX24_AUTH_TOKEN="bad")
    fresh = LOX24State(state.clock)
    fresh.load(json.loads(json.dumps(state.dump())))
    assert fresh.dump() == state.dump()
    assert SANDBOX_KEY not in json.dumps(state.dump())


def test_the_portal_takes_five_addresses(sandbox: SandboxServer) -> None:
    dialect = sandbox.dialects["lox24"]
    urls = [f"http://127.0.0.1/{number}" for number in range(6)]
    assert dialect.set_up({"callback_urls": urls[:5]}) == {"callback_urls": urls[:5], "inbound_url": ""}
    for wrong in ({"callback_urls": urls}, {"callback_urls": "x"}, {"other": 1}, {"inbound_url": 5}):
        with pytest.raises(ValueError, match=r"address|inbound_url"):
            dialect.set_up(wrong)
    for nothing in ({}, {"from": "", "text": "x"}, {"from": "1"}, {"from": "1", "text": "x", "to": "y"}):
        with pytest.raises(ValueError, match="from and text"):
            dialect.receive(nothing)


def test_the_page_shows_what_is_held(client_of_sandbox: SandboxClient, group: int) -> None:
    state = held(client_of_sandbox)
    state.add_phone(state.groups[group], "+4915200000001", columns={"a": "<b>Sara</b>"})
    ask(client_of_sandbox, "POST", "/bulks", {**BULK, "msg_groups": [group]})
    state.unsubscribe("+4915200000001")
    page = client_of_sandbox.raw("GET", "/").text
    assert "&lt;b&gt;Sara&lt;/b&gt;" in page
    assert "Newsletter" in page
