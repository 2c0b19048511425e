"""The IPPanel dialect of the sandbox: who gets a send, what is refused, and what its time means."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from providers.sandbox import SandboxServer
from providers.sandbox.ippanel.delivery import SendStatus, count_parts
from providers.sandbox.ippanel.records import Pattern
from providers.sandbox.ippanel.state import IPPanelState
from tests.sandbox_fixtures import SandboxClient

from .ippanel_sandbox import FINAL, FIRST, SENDER, endings, make_book, report, sent, statuses, to_books, to_numbers


@pytest.fixture(autouse=True)
def _slow_maturity(sandbox: SandboxServer) -> None:
    sandbox.settings.maturity = FINAL


@pytest.fixture
def state(client_of_sandbox: SandboxClient) -> IPPanelState:
    held: IPPanelState = client_of_sandbox.sandbox.state("ippanel")
    return held


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
