"""LOX24: what its calls to us tell."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.backends.lox24 import Lox24
from providers.exceptions import NotGenuine, Unsupported
from providers.sandbox import SandboxServer
from providers.types import CallbackEvent, CallbackEventKind, CallbackKind, CallbackRequest, InboundMessage

from .lox24 import UUID, message
from .servers import Recorder

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)

# The example of the document.
DELIVERY: dict[str, Any] = json.loads("""{
"id": "0d4a1a52-0000-4000-8000-000000000009", "api_version": "2022-05-25", "name": "sms.delivery",
"created_at": 1767171600, "attempt_total": 4, "attempt_number": 1, "notification_task_id": 12,
"data": {"id": "5be7c0de-0000-4000-8000-000000000001", "key_id": 3, "dlr_code": 1, "status_code": 100, "callback_data": "call-1"}}
""")


def told(body: object) -> tuple[CallbackEvent, ...]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Lox24.read_callback(CallbackRequest("POST", {}, {}, content), secret="", now=NOW)


def written(**query: str) -> tuple[CallbackEvent, ...]:
    return Lox24.read_callback(CallbackRequest("GET", {}, query, b""), secret="", now=NOW)


def test_a_delivery_names_the_message_and_proves_nothing() -> None:
    (event,) = told(DELIVERY)
    assert event == CallbackEvent(
        CallbackEventKind.DELIVERY,
        key="0d4a1a52-0000-4000-8000-000000000009",
        reference=f"sms:{UUID}",
        our_reference="call-1",
        raw_state="100/1",
        at=dt.datetime.fromtimestamp(1767171600, dt.UTC),
        is_proven=False,
    )


def test_every_attempt_to_tell_it_has_the_same_key() -> None:
    again = {**DELIVERY, "attempts_total": DELIVERY["attempt_total"], "attempt_number": 3}
    del again["attempt_total"]
    assert told(again) == told(DELIVERY)


def test_a_dry_run_tells_nothing() -> None:
    assert told({**DELIVERY, "name": "sms.delivery.dryrun"}) == ()


def test_other_notifications_are_taken_and_not_acted_on() -> None:
    assert [event.kind for event in told({**DELIVERY, "name": "short_link.click", "data": {}})] == [
        CallbackEventKind.OTHER
    ]


@pytest.mark.parametrize(
    "given", [{"key_id": "3"}, {"callback_data": None}, {"dlr_code": None}, {"status_code": "100"}]
)
def test_types_that_are_not_told_may_vary(given: dict[str, Any]) -> None:
    assert [event.reference for event in told({**DELIVERY, "data": {**DELIVERY["data"], **given}})] == [f"sms:{UUID}"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", {}, {**DELIVERY, "data": None}, {**DELIVERY, "data": {}}, {**DELIVERY, "id": None},
     {**DELIVERY, "data": {"id": "../me"}}, {**DELIVERY, "name": 5}],
)  # fmt: skip
def test_what_is_not_of_the_documents_form_is_not_genuine(body: object) -> None:
    with pytest.raises(NotGenuine):
        told(body)


@given(st.binary(max_size=60))
def test_no_bytes_whatever_break_the_reader(body: bytes) -> None:
    with pytest.raises(NotGenuine):
        told(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id", "name", "data", "created_at", "status_code"]), inner, max_size=4)
        ),
        max_leaves=10,
    )
)
def test_no_json_whatever_breaks_the_reader(body: Any) -> None:
    try:
        events = told(body)
    except NotGenuine:
        return
    assert all(event.kind is CallbackEventKind.OTHER for event in events)


# The parameters of the document.
INBOUND = {
    "id": "501", "phone": "+4915199900001", "sender_id": "4915200000001", "text": "Ja, bitte", "time": "1767171600",
    "uuid": "e7d23bd5-dd8e-42fd-87eb-636511ccc8ed",
}  # fmt: skip


def test_a_message_from_a_person_comes_as_a_get() -> None:
    at = dt.datetime.fromtimestamp(1767171600, dt.UTC)
    remote_id = "+4915200000001/1767171600/104ba89ac1d3054e"
    message = InboundMessage(remote_id, phone="+4915200000001", to="+4915199900001", text="Ja, bitte", received_at=at)
    assert written(**INBOUND) == (
        CallbackEvent(CallbackEventKind.INBOUND, key=f"inbound/{remote_id}", inbound=message, at=at),
    )


@pytest.mark.parametrize("given", [{"id": "502"}, {"uuid": UUID}, {"uuid": "/"}])
def test_a_message_that_is_told_again_has_the_same_key_whatever_id_and_uuid_name(given: dict[str, str]) -> None:
    assert written(**{**INBOUND, **given}) == written(**INBOUND)


@pytest.mark.parametrize("given", [{"sender_id": "4915200000002"}, {"text": "Nein"}, {"time": "1767171601"}])
def test_another_person_text_or_time_is_another_message(given: dict[str, str]) -> None:
    (one,), (other,) = written(**INBOUND), written(**{**INBOUND, **given})
    assert one.key != other.key


@pytest.mark.parametrize(
    "query", [{}, {"text": "x"}, {**INBOUND, "sender_id": ""}, {**INBOUND, "time": ""}, {"sender_id": "+49152"}]
)
def test_a_get_without_sender_text_or_time_is_not_genuine(query: dict[str, str]) -> None:
    with pytest.raises(NotGenuine):
        written(**query)


def test_any_other_method_is_not_genuine() -> None:
    with pytest.raises(NotGenuine):
        Lox24.read_callback(CallbackRequest("PUT", {}, {}, b"{}"), secret="", now=NOW)


def test_people_are_told_where_to_enter_the_address() -> None:
    assert Lox24.capabilities.callbacks is CallbackKind.PORTAL
    assert "Settings, Notifications" in Lox24.capabilities.callback_help
    assert "five" in Lox24.capabilities.callback_help


def test_the_sandbox_tells_of_every_change_in_the_form_that_is_read(
    sandbox: SandboxServer, lox24: Lox24, recorder: Recorder
) -> None:
    sandbox.dialects["lox24"].set_up({"callback_urls": [f"{recorder.url}/hook"]})
    for _ in range(9):
        recorder.will_answer({})
    reference = lox24.send(message(numbers=("+4915200000001",))).references[0]
    sandbox.advance(3600)
    sandbox.callbacks.join()
    events = [event for asked in recorder.asked for event in told(asked.body)]
    assert {(event.reference, event.our_reference) for event in events} == {(reference, "call-1")}
    assert events[-1].raw_state == "100/1"
    assert len({event.key for event in events}) == len(events)


def test_the_sandbox_hands_over_what_a_person_writes_by_a_get_alone(sandbox: SandboxServer, recorder: Recorder) -> None:
    urls = {"callback_urls": [f"{recorder.url}/hook"], "inbound_url": f"{recorder.url}/inbound"}
    sandbox.dialects["lox24"].set_up(urls)
    recorder.will_answer({})
    sandbox.dialects["lox24"].receive({"from": "+4915200000001", "text": "Grüß Gott & سلام"})
    sandbox.callbacks.join()
    assert [(asked.method, asked.path) for asked in recorder.asked] == [("GET", "/inbound")]
    assert set(recorder.last.params) == set(INBOUND)
    (event,) = written(**recorder.last.params)
    assert event.inbound is not None
    assert (event.inbound.phone, event.inbound.text) == ("+4915200000001", "Grüß Gott & سلام")


def test_replies_are_not_listed(lox24: Lox24) -> None:
    with pytest.raises(Unsupported, match="by calling our address only"):
        lox24.list_inbox()
