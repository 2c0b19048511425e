"""Atom Telecom: what it tells by calling, from the sandbox's real calls and from anybody's."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.backends.atomtelecom import AtomTelecom
from providers.exceptions import NotGenuine
from providers.sandbox import SandboxServer
from providers.types import CallbackEvent, CallbackEventKind, CallbackKind, CallbackRequest, DeliveryState
from tests.sandbox_fixtures import SandboxClient

from .atomtelecom import connect, message
from .servers import Asked, Recorder

NOW = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)
DELIVERED = {"id": "98765", "status": "Delivered", "timestamp": "2024-03-22 05:44:48"}
INBOUND = {
    "to": "61400000000",
    "from": "61491570006",
    "timestamp": "2024-03-22 05:44:48",
    "type": "sms",
    "message": "Stop",
}


def read(
    body: object = None, *, method: str = "POST", reference: str = "uuid", **query: str
) -> tuple[CallbackEvent, ...]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = CallbackRequest(method, {"content-type": "application/json"}, query, content, reference)
    return AtomTelecom.read_callback(request, secret="", now=NOW)


def as_request(asked: Asked) -> CallbackRequest:
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return CallbackRequest(asked.method, headers, asked.params, asked.body, asked.path.rpartition("/")[2])


def test_the_capabilities_say_how_it_calls() -> None:
    can = AtomTelecom.capabilities
    assert can.callbacks is CallbackKind.PER_SEND
    assert not can.callbacks_are_signed
    assert "Automation" in can.callback_help


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_message_that_ends_is_told_and_the_report_confirms_it(
    sandbox: SandboxServer, recorder: Recorder, method: str
) -> None:
    if method == "GET":
        sandbox.state("atomtelecom").quirks.add("callback_by_get")
    recorder.will_answer({})
    with connect(sandbox.url("atomtelecom")) as atom:
        (reference,) = atom.send(message(callback_url=f"{recorder.url}/callbacks/x/our-uuid")).references
        sandbox.callbacks.join()
        assert recorder.asked == []
        sandbox.advance(3600)
        sandbox.advance(3600)
        sandbox.callbacks.join()
        (asked,) = recorder.asked
        assert asked.method == method
        (event,) = AtomTelecom.read_callback(as_request(asked), secret="", now=NOW)
        assert (event.kind, event.our_reference, event.raw_state) == (
            CallbackEventKind.DELIVERY,
            "our-uuid",
            "Delivered",
        )
        report = atom.report(reference)
    assert report.people is not None
    assert report.people[0].state is DeliveryState.DELIVERED


def test_stop_takes_the_person_out_of_the_book_and_is_passed_on(
    client_of_sandbox: SandboxClient, recorder: Recorder
) -> None:
    sandbox = client_of_sandbox.sandbox
    state = sandbox.state("atomtelecom")
    book = state.add_book("Newsletter")
    state.add_contact(book, "0491570006")
    kept = state.add_contact(book, "61491570156")
    recorder.will_answer({})

    def control(what: str, body: dict[str, Any]) -> None:
        reply = client_of_sandbox.raw(
            "POST", f"/_sandbox/{what}/atomtelecom", json.dumps(body).encode(), Content_Type="application/json"
        )
        assert reply.status < 300

    control("inbound", {"from": "+61491570006", "text": "Stop"})
    assert len(state.contacts_of(book)) == 2
    control("portal", {"automation": True, "webhook": f"{recorder.url}/callbacks/x/"})
    control("inbound", {"from": "+61491570006", "text": "Stop"})
    sandbox.callbacks.join()
    assert state.contacts_of(book) == [kept]
    (event,) = AtomTelecom.read_callback(as_request(recorder.last), secret="", now=NOW)
    assert event.kind is CallbackEventKind.INBOUND
    assert event.inbound is not None
    assert (event.inbound.phone, event.inbound.to, event.inbound.text) == ("+61491570006", "+61400000000", "Stop")
    assert (event.inbound.received_at, event.inbound.remote_id) == (NOW, event.key)


def test_the_same_event_has_the_same_key_and_another_has_another() -> None:
    keys = [
        read({"query": DELIVERED})[0].key,
        read({"query": {**DELIVERED, "status": "DELIVERED"}})[0].key,
        read(method="GET", **DELIVERED)[0].key,
        read({"query": {**DELIVERED, "id": 98765}})[0].key,
    ]
    assert len(set(keys)) == 1
    others = [
        read({"query": {**DELIVERED, "status": "Expired"}})[0].key,
        read({"query": {**DELIVERED, "id": "98766"}})[0].key,
        read({"query": DELIVERED}, reference="other")[0].key,
        read(INBOUND)[0].key,
        read({**INBOUND, "timestamp": "2024-03-22 05:44:49"})[0].key,
        read({**INBOUND, "message": "Yes"})[0].key,
    ]
    assert len({*keys, *others}) == 7


def test_a_delivery_without_a_time_is_one() -> None:
    (event,) = read({"query": {"id": "1", "status": "Delivered"}})
    assert event.at is None


def test_a_text_is_kept_as_a_database_can() -> None:
    (event,) = read({**INBOUND, "message": "a\x00b\ud800 سلام"})
    assert event.inbound is not None
    assert event.inbound.text == "ab? سلام"


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"id=1&status=Delivered",
        b"\xff",
        b"[" * 100_000,
        [],
        {},
        {"query": {}},
        {"query": {"id": "1"}},
        {"query": {"status": "Delivered"}},
        {"query": {"id": "1", "status": ""}},
        {"query": {"id": "1", "status": ["Delivered"]}},
        {"query": {"id": "1", "status": "x" * 101}},
        {"query": {"id": "1", "status": "Deliv\nered"}},
        {"query": {"id": True, "status": "Delivered"}},
        {"query": "id=1"},
        DELIVERED,
        {name: value for name, value in INBOUND.items() if name != "message"},
        {**INBOUND, "from": ""},
        {**INBOUND, "from": {"number": "1"}},
        {**INBOUND, "message": None},
    ],
)
def test_what_is_not_in_the_documented_form_is_not_genuine(body: object) -> None:
    with pytest.raises(NotGenuine):
        read(body)


def test_a_delivery_must_have_our_reference_and_an_incoming_message_needs_none() -> None:
    with pytest.raises(NotGenuine):
        read({"query": DELIVERED}, reference="")
    assert read(INBOUND, reference="")[0].inbound is not None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", ""])
def test_other_methods_are_not_genuine(method: str) -> None:
    with pytest.raises(NotGenuine):
        read({"query": DELIVERED}, method=method)
    with pytest.raises(NotGenuine):
        read(method="GET")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
near_misses = st.dictionaries(st.sampled_from(["query", "id", "status", "timestamp", *INBOUND]), json_values)


@given(body=st.one_of(st.binary(), json_values, near_misses, near_misses.map(lambda fields: {"query": fields})))
def test_whatever_comes_is_an_event_or_not_genuine(body: object) -> None:
    try:
        (event,) = read(body)
    except NotGenuine:
        return
    assert event.key
    assert event.our_reference == "uuid" or event.inbound is not None
    json.dumps([event.key, event.raw_state]).encode()
    if event.inbound is not None:
        event.inbound.text.encode()


@given(number=st.integers(0, 10**12), state=st.text(st.characters(codec="ascii", categories=["L"]), min_size=1))
def test_any_word_for_a_state_is_kept_as_it_came(number: int, state: str) -> None:
    (event,) = read({"query": {"id": str(number), "status": state[:100], "timestamp": ""}})
    assert event.raw_state == state[:100]
