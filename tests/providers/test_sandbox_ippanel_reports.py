"""The IPPanel dialect of the sandbox: what becomes of a send as time passes, its reports, and the inbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.sandbox import SandboxServer
from providers.sandbox.ippanel.state import IPPanelState
from tests.sandbox_fixtures import Reply, SandboxClient

from .ippanel_sandbox import FINAL, FIRST, SENDER, make_book, report, sent, statuses, to_books, to_numbers


@pytest.fixture(autouse=True)
def _slow_maturity(sandbox: SandboxServer) -> None:
    sandbox.settings.maturity = FINAL


@pytest.fixture
def state(client_of_sandbox: SandboxClient) -> IPPanelState:
    held: IPPanelState = client_of_sandbox.sandbox.state("ippanel")
    return held


# Delivery


def test_a_send_passes_its_states_and_its_recipients_follow(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    numbers = [f"+9891200001{n:02d}" for n in range(1, 100)]
    send = sent(state, to_numbers(client_of_sandbox, *numbers))
    seen_states: list[int] = []
    seen: list[set[str]] = []
    for _ in range(24):
        seen_states.append(report(client_of_sandbox, send)["state_id"])
        seen.append(set(statuses(client_of_sandbox, send)))
        client_of_sandbox.sandbox.advance(FINAL / 20)
    assert list(dict.fromkeys(seen_states)) == [1, 5, 2, 6]
    assert seen[0] == {""}
    assert any(step == {"0", "4"} for step in seen)
    assert any("1" in step and "2" in step for step in seen)
    assert seen[-1] == {"2", "3", "4"}
    final = dict(zip(numbers, statuses(client_of_sandbox, send), strict=True))
    assert final["+989120000199"] == "3"
    assert final["+989120000198"] == "4"
    assert sum(status == "2" for status in final.values()) == 97


def test_with_no_maturity_everything_is_final_at_once(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    client_of_sandbox.sandbox.settings.maturity = 0
    send = sent(state, to_numbers(client_of_sandbox, FIRST, "+989120000099"))
    assert report(client_of_sandbox, send)["state_id"] == 6
    assert statuses(client_of_sandbox, send) == ["2", "3"]


def test_credit_goes_down_by_parts_and_operator(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    to_numbers(client_of_sandbox, FIRST, "+989350000001", message="آ" * 71)
    client_of_sandbox.sandbox.advance(FINAL)
    data = client_of_sandbox.call("GET", "/api/payment/credit/mine").data
    assert data["credit"] == 50_000_000 - 2 * 1900 - 2 * 2050


def test_too_little_credit_ends_in_state_8(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    state.credit = 1899
    send = sent(state, to_numbers(client_of_sandbox, FIRST))
    client_of_sandbox.sandbox.advance(FINAL)
    assert report(client_of_sandbox, send)["state_id"] == 8
    assert statuses(client_of_sandbox, send) == [""]
    assert state.credit == 1899


def test_the_monitoring_can_reject(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    send = sent(state, to_numbers(client_of_sandbox, FIRST, message="buy #reject now"))
    assert report(client_of_sandbox, send)["state_id"] == 1
    client_of_sandbox.sandbox.advance(FINAL)
    rejected = report(client_of_sandbox, send)
    assert (rejected["state_id"], rejected["cost"], bool(rejected["reject_comment"])) == (3, 0, True)
    assert client_of_sandbox.call("GET", "/api/payment/credit/mine").data["credit"] == 50_000_000


# Reports


def test_a_report_has_the_documented_types(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    send = sent(state, to_numbers(client_of_sandbox, FIRST))
    client_of_sandbox.sandbox.advance(FINAL)
    data = report(client_of_sandbox, send)
    assert data["messages_outbox_id"] == str(send.id)
    assert (data["state"], data["state_id"], data["number"], data["message"]) == ("finish", 6, SENDER, "تست")
    for name in ("time", "time_send", "rcpts_count", "exit_count"):
        assert data[name].isdigit()
    assert client_of_sandbox.call("GET", "/api/report/by_bulk").status == 422
    assert client_of_sandbox.call("GET", "/api/report/by_bulk?messages_outbox_id=7").status == 404
    row = client_of_sandbox.call("GET", f"/api/report/recipients?bulk_id={send.id}").data[0]
    assert row == {
        "recipient": FIRST,
        "message": "تست",
        "is_readable": True,
        "msg_parts": "1",
        "message_status": "2",
    }
    assert client_of_sandbox.call("GET", "/api/report/recipients").status == 422


def test_recipients_come_in_pages(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    book = make_book(state, "A", 25)
    send = sent(state, to_books(client_of_sandbox, {"type": "all", "phonebook_ids": [str(book.id)]}))
    reply = client_of_sandbox.call("GET", f"/api/report/recipients?bulk_id={send.id}&page=3")
    assert (len(reply.data), reply.json["meta"]["last_page"], reply.json["meta"]["total"]) == (5, 3, 25)


def test_sends_are_listed_newest_first_and_filtered(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    first = sent(state, to_numbers(client_of_sandbox, FIRST, message="sale"))
    client_of_sandbox.sandbox.advance(FINAL)
    second = sent(state, to_numbers(client_of_sandbox, FIRST, message="news", from_number="+9810001234"))

    def found(**filters: Any) -> list[int]:
        reply = client_of_sandbox.call("POST", "/api/report/new_list", {"page": 1, "limit": 10, "filters": filters})
        return [int(row["messages_outbox_id"]) for row in reply.data]

    assert found() == [second.id, first.id]
    assert found(number=SENDER) == [first.id]
    assert found(message="sal") == [first.id]
    assert found(messages_outbox_id=str(second.id)) == [second.id]
    assert found(create_from_date=str(int(second.created))) == [second.id]
    assert found(create_to_date=str(int(first.created))) == [first.id]
    assert found(send_from_date=str(int(second.created)), send_to_date="9999999999") == [second.id]
    assert found(state_id="6") == [first.id]
    assert found(from_exit_count=1, to_exit_count=1) == [first.id]
    assert found(username="ac*") == [second.id, first.id]
    assert found(username="x*") == []
    rows = client_of_sandbox.call("POST", "/api/report/new_list", {"limit": 1}).data
    assert len(rows) == 1
    assert {"return", "reject_comment"}.isdisjoint(rows[0])
    wrong = client_of_sandbox.call("POST", "/api/report/new_list", {"filters": {"state_id": "77"}})
    assert (wrong.status, wrong.json["meta"]["message_code"]) == (422, "400-31")
    assert client_of_sandbox.call("POST", "/api/report/new_list", {"per_page": 10}).status == 422


def test_statistics_mix_integers_and_texts(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    send = sent(state, to_numbers(client_of_sandbox, FIRST, "+989350000001", "+989350000099", message="hello"))
    client_of_sandbox.sandbox.advance(FINAL)
    data = client_of_sandbox.call("GET", f"/api/report/bulk_stats?bulk_id={send.id}").data
    assert data["operators_delivered"] == {"irancell": {"en": "1", "fa": "0"}, "mci": {"en": 1, "fa": 0}}
    assert data["operators_failed"]["irancell"]["en"] == "1"
    assert len(data) == 5


def test_the_inbox_is_read_from_an_id_on(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    first, second = state.receive(FIRST, "سلام"), state.receive(FIRST, "لغو11")
    path = "/api/report/messages-inbox"
    rows = client_of_sandbox.call("POST", path, {"page": 1, "per_page": 10}).data
    assert [row["messages_inbox_id"] for row in rows] == [second.id, first.id]
    assert (rows[0]["from"], rows[0]["seen"], type(rows[0]["time"])) == (FIRST, "0", int)
    rows = client_of_sandbox.call("POST", path, {"filters": {"from_id": first.id}}).data
    assert [row["message"] for row in rows] == ["لغو11"]
    send = sent(state, to_numbers(client_of_sandbox, FIRST))
    client_of_sandbox.sandbox.advance(FINAL)
    assert statuses(client_of_sandbox, send) == ["4"]


def test_people_write_and_patterns_are_made_over_the_control_api(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    def control(path: str, body: dict[str, Any]) -> Reply:
        return client_of_sandbox.raw("POST", path, json.dumps(body).encode(), Content_Type="application/json")

    assert control("/_sandbox/inbound/ippanel", {"from": FIRST, "message": "سلام"}).status == 201
    assert [(row.sender, row.number, row.message) for row in state.inbox] == [(FIRST, SENDER, "سلام")]
    assert control("/_sandbox/inbound/ippanel", {"from": FIRST}).status == 400
    pattern = {"code": "abc", "message": "Code %code%", "variables": {"code": "integer"}}
    assert control("/_sandbox/portal/ippanel", {"patterns": [pattern]}).json["patterns"][0]["status"] == "active"
    assert list(state.patterns) == ["abc"]
    assert control("/_sandbox/portal/ippanel", {"patterns": [{"title": "x"}]}).status == 400
