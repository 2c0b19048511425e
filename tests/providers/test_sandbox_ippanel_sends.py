"""IPPanel's sends: who gets them, what is refused, and what becomes of them as time passes."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from providers.sandbox import SandboxServer
from providers.sandbox.ippanel.delivery import Send, SendStatus, count_parts
from providers.sandbox.ippanel.records import Pattern, Phonebook
from providers.sandbox.ippanel.state import IPPanelState
from tests.sandbox_fixtures import Reply, SandboxClient

SENDER = "+983000505"
FIRST = "+989120000001"
FINAL = 1000  # seconds until everything has its last state: so long that a slow machine changes nothing


@pytest.fixture(autouse=True)
def _slow_maturity(sandbox: SandboxServer) -> None:
    sandbox.settings.maturity = FINAL


@pytest.fixture
def state(client_of_sandbox: SandboxClient) -> IPPanelState:
    held: IPPanelState = client_of_sandbox.sandbox.state("ippanel")
    return held


def make_book(state: IPPanelState, title: str, numbers: int) -> Phonebook:
    book = state.add_phonebook(title)
    for n in range(1, numbers + 1):
        state.add_contact(book, f"+98912{book.id:04d}{n:03d}")
    return book


def to_books(client: SandboxClient, *params: dict[str, Any], message: str = "تست", **fields: Any) -> Reply:
    body = {"sending_type": "phonebook", "from_number": SENDER, "message": message, "params": list(params), **fields}
    return client.call("POST", "/api/send", body)


def to_numbers(client: SandboxClient, *numbers: str, message: str = "تست", **fields: Any) -> Reply:
    params = {"recipients": list(numbers)}
    body = {"sending_type": "webservice", "from_number": SENDER, "message": message, "params": params, **fields}
    return client.call("POST", "/api/send", body)


def sent(state: IPPanelState, reply: Reply) -> Send:
    (send_id,) = reply.data["message_outbox_ids"]
    return state.sends[send_id]


def endings(send: Send) -> list[int]:
    return [int(message.recipient[-3:]) for message in send.messages]


# To phonebooks


def test_a_whole_phonebook_gets_it_in_the_order_of_the_list(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    book = make_book(state, "A", 4)
    reply = to_books(client_of_sandbox, {"type": "all", "phonebook_ids": [str(book.id)]})
    assert reply.json["meta"]["message_code"] == "200-1"
    assert endings(sent(state, reply)) == [1, 2, 3, 4]
    assert state.messages_to(f"+98912{book.id}002") == ["تست"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"start": "1", "size": "2"}, [1, 2]),
        ({"start": "3", "size": "2"}, [3, 4]),
        ({"start": "4", "size": "9"}, [4, 5]),
        ({"start": "4"}, [4, 5]),
        ({"size": "2"}, [1, 2]),
    ],
)
def test_start_and_size_cut_a_slice_counted_from_1(
    client_of_sandbox: SandboxClient, state: IPPanelState, fields: dict[str, str], expected: list[int]
) -> None:
    book = make_book(state, "A", 5)
    target = {"type": "all", "phonebook_ids": [str(book.id)], **fields}
    assert endings(sent(state, to_books(client_of_sandbox, target))) == expected


def test_chosen_contacts_and_several_phonebooks_make_one_message_id(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    first, second = make_book(state, "A", 2), make_book(state, "B", 3)
    chosen = [str(second.contact_ids[2]), str(second.contact_ids[0])]
    reply = to_books(
        client_of_sandbox,
        {"type": "all", "phonebook_ids": [str(first.id), str(second.id)]},
        {"type": "detail", "phonebook_id": str(second.id), "number_ids": chosen},
    )
    assert endings(sent(state, reply)) == [1, 2, 1, 2, 3, 3, 1]
    assert state.messages_to(f"+98912{second.id}001") == ["تست", "تست"]


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ({"type": "all"}, "phonebook_ids"),
        ({"type": "all", "phonebook_ids": []}, "phonebook_ids"),
        ({"type": "all", "phonebook_ids": [1201]}, "phonebook_ids.0"),
        ({"type": "all", "phonebook_ids": ["1201"], "start": 1}, "start"),
        ({"type": "all", "phonebook_ids": ["1201"], "size": "0"}, "size"),
        ({"type": "all", "phonebook_ids": ["1201"], "start": ""}, "start"),
        ({"type": "all", "phonebook_ids": ["1201"], "number_ids": ["1"]}, "number_ids"),
        ({"type": "detail", "phonebook_id": 1201, "number_ids": ["1"]}, "phonebook_id"),
        ({"type": "detail", "phonebook_id": "1201", "number_ids": [5000001]}, "number_ids.0"),
        ({"type": "detail", "phonebook_id": "1201", "number_ids": ["1"]}, "number_ids.0"),
        ({"type": "detail", "phonebook_id": "1201", "number_ids": ["+989121201001"]}, "number_ids.0"),
        ({"type": "detail", "phonebook_id": "1201", "number_ids": ["5000001"], "start": "1"}, "start"),
        ({"type": "some", "phonebook_id": "1201", "number_ids": ["5000001"]}, "type"),
        ({"phonebook_ids": ["1201"]}, "type"),
    ],
)
def test_a_target_that_is_not_as_documented_is_refused(
    client_of_sandbox: SandboxClient, state: IPPanelState, target: dict[str, Any], field: str
) -> None:
    assert make_book(state, "A", 2).id == 1201
    reply = to_books(client_of_sandbox, target)
    assert reply.status == 422
    assert f"params.0.{field}" in reply.errors
    assert state.sends == {}


def test_a_missing_phonebook_is_404(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    for target in (
        {"type": "all", "phonebook_ids": ["999"]},
        {"type": "detail", "phonebook_id": "999", "number_ids": ["1"]},
    ):
        reply = to_books(client_of_sandbox, target)
        assert (reply.status, reply.json["meta"]["message_code"]) == (404, "404-1")
    assert state.sends == {}


def test_an_empty_phonebook_is_refused(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    book = make_book(state, "A", 0)
    assert "params" in to_books(client_of_sandbox, {"type": "all", "phonebook_ids": [str(book.id)]}).errors


def test_more_than_100_params_are_refused(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    target = {"type": "all", "phonebook_ids": [str(make_book(state, "A", 1).id)]}
    assert to_books(client_of_sandbox, *[target] * 100).status == 200
    assert "params" in to_books(client_of_sandbox, *[target] * 101, message="b").errors


# To numbers


def test_explicit_numbers_get_it(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    reply = to_numbers(client_of_sandbox, FIRST, "+989120000002")
    assert [message.recipient for message in sent(state, reply).messages] == [FIRST, "+989120000002"]


@pytest.mark.parametrize("number", ["09120000001", "+98912000001", "+9891200000012", "989120000001", "+98912000000a"])
def test_a_recipient_must_have_13_characters(
    client_of_sandbox: SandboxClient, state: IPPanelState, number: str
) -> None:
    assert "params.recipients.1" in to_numbers(client_of_sandbox, FIRST, number).errors
    assert state.sends == {}


def test_more_than_1000_numbers_are_refused(client_of_sandbox: SandboxClient) -> None:
    numbers = [f"+98912{n:07d}" for n in range(1001)]
    assert "params.recipients" in to_numbers(client_of_sandbox, *numbers).errors
    assert to_numbers(client_of_sandbox, *numbers[:1000]).status == 200


def test_a_sender_of_somebody_else_is_refused(client_of_sandbox: SandboxClient) -> None:
    assert "from_number" in to_numbers(client_of_sandbox, FIRST, from_number="+983000506").errors


def test_a_blocked_account_cannot_send(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    state.send_block = True
    assert to_numbers(client_of_sandbox, FIRST).status == 422


def test_a_message_has_at_most_1400_characters_and_20_parts(client_of_sandbox: SandboxClient) -> None:
    assert to_numbers(client_of_sandbox, FIRST, message="a" * 1400).status == 200
    assert "message" in to_numbers(client_of_sandbox, FIRST, message="a" * 1401).errors
    assert "message" in to_numbers(client_of_sandbox, FIRST, message="آ" * (20 * 67 + 1)).errors


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("[" * 80, 1), ("[" * 81, 2),
        ("آ" * 70, 1), ("آ" * 71, 2), ("آ" * 134, 2), ("آ" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2),
    ],
)  # fmt: skip
def test_parts_are_counted_as_networks_do(text: str, parts: int) -> None:
    assert count_parts(text) == parts


def test_peer_to_peer_gives_one_id_per_element(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    params = [{"recipients": [FIRST], "message": "A"}, {"recipients": ["+989120000002"], "message": "B"}]
    body = {"sending_type": "peer_to_peer", "from_number": SENDER, "params": params}
    ids = client_of_sandbox.call("POST", "/api/send", body).data["message_outbox_ids"]
    assert [state.sends[send_id].text for send_id in ids] == ["A", "B"]
    assert client_of_sandbox.call("POST", "/api/send", {**body, "message": "x"}).status == 422


def test_keyword_phonebook_fills_in_option_values(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    option = state.add_option("city")
    book = state.add_phonebook("A", option_ids=[option.id])
    for n, city in enumerate(("Tehran", "Shiraz", "Tehran")):
        state.add_contact(book, f"+98912000000{n}", options={str(option.id): city})
    body: dict[str, Any] = {
        "sending_type": "keyword_phonebook",
        "from_number": SENDER,
        "message": f"Hello {{ex_{option.id}}}",
        "params": [{"phonebook_id": book.id}],
    }
    ids = client_of_sandbox.call("POST", "/api/send", body).data["message_outbox_ids"]
    assert [(state.sends[i].text, len(state.sends[i].messages)) for i in ids] == [
        ("Hello Tehran", 2),
        ("Hello Shiraz", 1),
    ]
    call = client_of_sandbox.call
    assert "message" in call("POST", "/api/send", {**body, "message": "{ex_1}"}).errors
    assert call("POST", "/api/send", {**body, "params": [{"phonebook_id": str(book.id)}]}).status == 422
    assert call("POST", "/api/send", {**body, "params": [{"phonebook_id": 999}]}).status == 404


def test_a_pattern_goes_to_exactly_one_and_may_store_a_contact(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    state.patterns["abc"] = Pattern("abc", "Code %code%", {"code": "string"})
    book = state.add_phonebook("A")
    body = {"sending_type": "pattern", "from_number": SENDER, "code": "abc", "recipients": [FIRST]}
    call = client_of_sandbox.call
    reply = call("POST", "/api/send", {**body, "params": {"code": "7"}, "phonebook": {"id": book.id, "name": "Sara"}})
    assert sent(state, reply).text == "Code 7"
    assert state.contact(book, FIRST).name == "Sara"
    assert "params.code" in call("POST", "/api/send", {**body, "params": {}}).errors
    two = {**body, "params": {"code": "7"}, "recipients": [FIRST, "+989120000002"]}
    assert "recipients" in call("POST", "/api/send", two).errors
    assert call("POST", "/api/send", {**body, "code": "nope", "params": {}}).status == 404
    assert [row["pattern_code"] for row in call("GET", "/api/patterns").data] == ["abc"]
    assert call("GET", "/api/patterns/abc").data["pattern_status"] == "active"
    assert call("GET", "/api/patterns/xyz").status == 404
    assert "per_page" in call("GET", "/api/patterns?per_page=101").errors


def test_values_of_a_pattern_are_texts_that_fit_their_variables(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    state.patterns["abc"] = Pattern("abc", "%name%: %code%", {"name": "string", "code": "integer"})
    body = {"sending_type": "pattern", "from_number": SENDER, "code": "abc", "recipients": [FIRST]}

    def errors(**values: Any) -> set[str]:
        reply = client_of_sandbox.call("POST", "/api/send", {**body, "params": values})
        return set(reply.errors) if reply.status == 422 else set()

    assert errors(name="Sara", code="seven") == {"params.code"}
    assert errors(name="x" * 101, code="7") == {"params.name"}
    assert state.violations == []
    assert errors(name=7, code=7) == {"params.name"}
    assert [violation.where for violation in state.violations] == ["params.name"]
    assert errors(name="Sara", code="7") == set()
    assert state.messages_to(FIRST) == ["Sara: 7"]


# The 40-second rule


def test_the_same_text_to_the_same_number_within_40_seconds_is_429(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    assert to_numbers(client_of_sandbox, FIRST, "+989120000002").status == 200
    client_of_sandbox.sandbox.advance(20)
    assert to_numbers(client_of_sandbox, "+989120000003", FIRST).status == 429
    assert state.messages_to("+989120000003") == []
    assert to_numbers(client_of_sandbox, FIRST, message="other").status == 200
    assert to_numbers(client_of_sandbox, FIRST, from_number="+9810001234").status == 200
    assert to_numbers(client_of_sandbox, "+989120000003").status == 200
    client_of_sandbox.sandbox.advance(21)
    assert to_numbers(client_of_sandbox, FIRST).status == 200


# Time


def utc(client: SandboxClient, seconds: float) -> str:
    moment = dt.datetime.fromtimestamp(client.sandbox.clock.now() + seconds, dt.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("ahead", "status"), [(299, 422), (-3600, 422), (400, 200), (91 * 86400, 200), (93 * 86400, 422)]
)
def test_a_send_time_lies_between_5_minutes_and_3_months_ahead(
    client_of_sandbox: SandboxClient, ahead: float, status: int
) -> None:
    assert to_numbers(client_of_sandbox, FIRST, send_time=utc(client_of_sandbox, ahead)).status == status


def test_a_scheduled_send_waits_costs_nothing_and_can_be_cancelled(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    credit = state.credit
    send = sent(state, to_numbers(client_of_sandbox, FIRST, send_time=utc(client_of_sandbox, 3600)))
    client_of_sandbox.sandbox.advance(3200)
    assert send.status(state.clock.now()) is SendStatus.QUEUED
    assert client_of_sandbox.call("GET", "/api/payment/credit/mine").data["credit"] == credit
    assert client_of_sandbox.call("POST", "/api/send/cancel", {"message_outbox_id": send.id}).data is None
    client_of_sandbox.sandbox.advance(3600)
    assert report(client_of_sandbox, send)["state_id"] == 7
    assert statuses(client_of_sandbox, send) == [""]
    assert client_of_sandbox.call("GET", "/api/payment/credit/mine").data["credit"] == credit


def test_a_scheduled_send_goes_out_at_its_time(client_of_sandbox: SandboxClient, state: IPPanelState) -> None:
    send = sent(state, to_numbers(client_of_sandbox, FIRST, send_time=utc(client_of_sandbox, 3600)))
    client_of_sandbox.sandbox.advance(3601)
    assert report(client_of_sandbox, send)["state_id"] == 2
    client_of_sandbox.sandbox.advance(FINAL)
    assert report(client_of_sandbox, send)["state_id"] == 6
    assert state.credit == 50_000_000 - 1900


@pytest.mark.parametrize("advance", [3301, 4000])
def test_less_than_5_minutes_before_it_is_too_late_to_cancel(
    client_of_sandbox: SandboxClient, state: IPPanelState, advance: int
) -> None:
    send = sent(state, to_numbers(client_of_sandbox, FIRST, send_time=utc(client_of_sandbox, 3600)))
    client_of_sandbox.sandbox.advance(advance)
    assert client_of_sandbox.call("POST", "/api/send/cancel", {"message_outbox_id": send.id}).status == 404


def test_what_is_not_scheduled_or_cancelled_already_cannot_be_cancelled(
    client_of_sandbox: SandboxClient, state: IPPanelState
) -> None:
    cancel = "/api/send/cancel"
    now = sent(state, to_numbers(client_of_sandbox, FIRST))
    later = sent(state, to_numbers(client_of_sandbox, "+989120000002", send_time=utc(client_of_sandbox, 3600)))
    assert client_of_sandbox.call("POST", cancel, {"message_outbox_id": later.id}).status == 200
    for send_id in (now.id, later.id, 7):
        reply = client_of_sandbox.call("POST", cancel, {"message_outbox_id": send_id})
        assert (reply.status, reply.json["meta"]["message_code"]) == (404, "404-1")


def report(client: SandboxClient, send: Send) -> dict[str, Any]:
    data: dict[str, Any] = client.call("GET", f"/api/report/by_bulk?messages_outbox_id={send.id}").data
    return data


def statuses(client: SandboxClient, send: Send) -> list[str]:
    rows = client.call("GET", f"/api/report/recipients?bulk_id={send.id}&per_page=1000").data
    return [row["message_status"] for row in rows]


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
