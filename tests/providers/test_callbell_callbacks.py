"""Callbell's webhook: signatures, events, dates, and the whole way from the sandbox to a listening application."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.backends.callbell import Callbell, forms
from providers.exceptions import NotGenuine, Rejected
from providers.sandbox import SandboxServer
from providers.types import CallbackEvent, CallbackEventKind, CallbackRequest, DeliveryState

from .callbell import BOOK, UUID, connect, contact, message, record
from .servers import Recorder

SECRET = "whsec_0123456789abcdef"
NOW = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)
INBOUND = {
    "to": "34600111000",
    "from": "391110000001",
    "text": "Ciao!",
    "attachments": [],
    "status": "received",
    "channel": "whatsapp",
    "contact": contact(uuid=UUID),
    "createdAt": "2022-10-18 17:01:20 +0200",
}


def event(name: str, payload: Any) -> bytes:
    return json.dumps({"event": name, "payload": payload}).encode()


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None, message: bytes | None = None) -> str:
    stamp = int(NOW.timestamp() if at is None else at)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + (message or body), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def read(body: bytes, *, secret: str = "", signature: str = "", now: dt.datetime = NOW) -> tuple[CallbackEvent, ...]:
    headers = {"x-callbell-signature": signature} if signature else {}
    return Callbell.read_callback(CallbackRequest("POST", headers, {}, body), secret=secret, now=now)


STATUS = event(
    "message_status_updated",
    {"uuid": UUID, "status": "delivered", "contact": contact(uuid="c1"), "metadata": {"call": "call-1"}},
)

# Events


def test_a_status_tells_of_a_delivery_by_both_references() -> None:
    (told,) = read(STATUS)
    assert (told.kind, told.reference, told.our_reference) == (CallbackEventKind.DELIVERY, UUID, "call-1")
    assert (told.raw_state, told.contact_id, told.is_proven) == ("delivered", "c1", False)
    (later,) = read(STATUS.replace(b"delivered", b"read"))
    assert later.key != told.key


@pytest.mark.parametrize("metadata", [None, "text", {}, {"call": None}, {"other": "x"}])
def test_a_status_without_our_reference_is_told_too(metadata: object) -> None:
    (told,) = read(event("message_status_updated", {"uuid": UUID, "status": "sent", "metadata": metadata}))
    assert (told.reference, told.our_reference, told.contact_id) == (UUID, "", "")


def test_a_message_from_a_person_is_told_with_an_id_of_its_own() -> None:
    (told,) = read(event("message_created", INBOUND))
    inbound = told.inbound
    assert inbound is not None
    assert (told.kind, told.contact_id) == (CallbackEventKind.INBOUND, UUID)
    assert (inbound.phone, inbound.to, inbound.text) == ("+391110000001", "+34600111000", "Ciao!")
    assert inbound.received_at == dt.datetime(2022, 10, 18, 15, 1, 20, tzinfo=dt.UTC)
    assert inbound.remote_id
    (again,) = read(event("message_created", INBOUND))
    (other,) = read(event("message_created", {**INBOUND, "text": "Ciao?"}))
    assert (again.key, again.inbound) == (told.key, inbound)
    assert other.key != told.key


def test_a_message_from_a_person_is_not_lost_for_its_date() -> None:
    (told,) = read(event("message_created", {**INBOUND, "createdAt": "lately"}))
    assert told.inbound is not None
    assert told.inbound.received_at == NOW


def test_our_own_message_tells_that_it_went_out_and_that_of_an_agent_nothing() -> None:
    ours = {**INBOUND, "status": "sent", "from": "34600111000", "to": "391110000001"}
    (told,) = read(event("message_created", {**ours, "metadata": {"call": "call-1"}}))
    assert (told.kind, told.reference, told.our_reference) == (CallbackEventKind.DELIVERY, "", "call-1")
    assert read(event("message_created", ours)) == ()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("contact_created", CallbackEventKind.CONTACT_CHANGED),
        ("contact_updated", CallbackEventKind.CONTACT_CHANGED),
        ("contact_deleted", CallbackEventKind.CONTACT_DELETED),
    ],
)
def test_contacts_are_told_by_their_id(name: str, kind: CallbackEventKind) -> None:
    payload = {"uuid": UUID, "deleted": "2025-06-01T11:59:00.000+02:00"}
    (told,) = read(event(name, payload))
    assert (told.kind, told.contact_id) == (kind, UUID)
    assert told.at == dt.datetime(2025, 6, 1, 9, 59, tzinfo=dt.UTC)
    assert read(event(name, payload))[0].key == told.key
    assert read(event(name, {**payload, "name": "new"}))[0].key != told.key


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b"[]", b"ping", b"\xff\xfe", b'"event"', b'{"event": 5}', b"[" * 100_000]
)
@pytest.mark.parametrize("secret", ["", SECRET])
def test_a_connection_check_tells_nothing_and_is_no_forgery(body: bytes, secret: str) -> None:
    assert read(body, secret=secret) == ()


@pytest.mark.parametrize("name", ["conversation_closed", "agent_status_updated", "something_new"])
def test_events_we_do_not_act_on_tell_nothing(name: str) -> None:
    assert read(event(name, {"uuid": UUID})) == ()


@pytest.mark.parametrize("name", ["message_status_updated", "message_created", "contact_updated", "contact_deleted"])
@pytest.mark.parametrize("payload", [None, [], "x", {}, {"uuid": 5, "status": "received"}])
def test_an_event_of_another_form_is_refused(name: str, payload: object) -> None:
    with pytest.raises(NotGenuine, match=name):
        read(event(name, payload))


# Signatures


def test_a_valid_signature_proves_the_event() -> None:
    for pasted in (SECRET, f" {SECRET}\n"):
        (told,) = read(STATUS, secret=pasted, signature=signed(STATUS))
        assert told.is_proven


@pytest.mark.parametrize("age", [-300, -1, 0, 300])
def test_a_signature_holds_for_five_minutes_either_way(age: int) -> None:
    assert read(STATUS, secret=SECRET, signature=signed(STATUS, at=NOW.timestamp() - age))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        "t=,v1=",
        signed(STATUS, secret="whsec_another"),
        signed(STATUS, secret=SECRET.removeprefix("whsec_")),
        signed(STATUS, message=STATUS + b" "),
        signed(STATUS).replace("v1=", "v0="),
        signed(STATUS)[:-1],
        signed(STATUS).replace(f"t={int(NOW.timestamp())}", f"t={int(NOW.timestamp()) + 1}"),
        signed(STATUS, at=NOW.timestamp() - 301),
        signed(STATUS, at=NOW.timestamp() + 301),
    ],
)
def test_anything_but_a_fresh_signature_of_this_body_is_refused(signature: str) -> None:
    with pytest.raises(NotGenuine):
        read(STATUS, secret=SECRET, signature=signature)


def test_without_a_secret_a_signature_proves_nothing() -> None:
    assert not read(STATUS, signature=signed(STATUS))[0].is_proven


@given(body=st.binary(max_size=200), signature=st.text(max_size=120))
def test_no_body_and_no_signature_breaks_the_reader(body: bytes, signature: str) -> None:
    try:
        events = read(body, secret=SECRET, signature=signature)
    except NotGenuine:
        return
    assert events == ()


# Dates

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))


@given(moment=st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2100, 1, 1), timezones=ZONES))
def test_every_documented_spelling_of_a_date_is_read(moment: dt.datetime) -> None:
    whole = moment.replace(microsecond=0)
    thousandth = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert forms.moment(whole.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")) == whole
    assert forms.moment(thousandth.isoformat(timespec="milliseconds")) == thousandth
    assert forms.moment(whole.strftime("%Y-%m-%d %H:%M:%S %z")) == whole
    assert forms.moment(whole.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")) == whole


@given(value=st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers())))
def test_what_is_no_date_is_none_or_aware(value: object) -> None:
    moment = forms.moment(value)
    assert moment is None or moment.tzinfo is not None


@pytest.mark.parametrize("value", ["2025-02-30T00:00:00Z", "2025-01-01T25:00:00Z", "2025-01-01T00:00:00", "1735689600"])
def test_a_date_that_cannot_be_is_none(value: str) -> None:
    assert forms.moment(value) is None


# The whole way


@pytest.mark.parametrize("secret", ["", SECRET])
def test_calls_really_come_and_are_believed_as_far_as_they_are_signed(
    sandbox: SandboxServer, recorder: Recorder, secret: str
) -> None:
    state = sandbox.state("callbell")
    state.secret = secret
    for _ in range(20):
        recorder.will_answer({"status": "ok"})
    with connect(sandbox.url("callbell"), secret=secret) as client:
        client.subscribe_callbacks(f"{recorder.url}/callbacks/callbell/random/")
        sandbox.dialects["callbell"].receive({"from": "+391110000001", "message": "Ciao!"})
        reference = client.send(message()).references[0]
        sandbox.advance(3600)
        contact_id = state.contact("+391110000001").uuid
        client.update_contact(BOOK, contact_id, record())
        client.delete_contacts(BOOK, [contact_id])
        sandbox.callbacks.join()
        state_now = client.report(reference)
        client.unsubscribe_callbacks()
    events = []
    for asked in recorder.asked:
        headers = {name.lower(): value for name, value in asked.headers.items()}
        request = CallbackRequest(asked.method, headers, {}, asked.body)
        events += Callbell.read_callback(request, secret=secret, now=dt.datetime.now(dt.UTC))
    assert [(each.kind, each.raw_state) for each in events] == [
        (CallbackEventKind.INBOUND, "received"),
        (CallbackEventKind.DELIVERY, "sent"),
        (CallbackEventKind.DELIVERY, "delivered"),
        (CallbackEventKind.CONTACT_CHANGED, ""),
        (CallbackEventKind.CONTACT_DELETED, ""),
    ]
    assert [each.our_reference for each in events if each.kind is CallbackEventKind.DELIVERY] == ["call-1"] * 2
    assert events[2].reference == reference
    assert state_now.people is not None
    assert state_now.people[0].state is DeliveryState.DELIVERED
    assert {each.contact_id for each in events} == {contact_id}
    assert {each.is_proven for each in events} == {bool(secret)}
    assert state.webhook is None


def test_unsubscribing_where_nothing_is_subscribed_is_fine(callbell: Callbell, sandbox: SandboxServer) -> None:
    callbell.unsubscribe_callbacks()
    assert sandbox.requests[0].status == 404


def test_an_address_callbell_does_not_take_is_refused_in_its_words(callbell: Callbell) -> None:
    with pytest.raises(Rejected, match="url is invalid"):
        callbell.subscribe_callbacks("http://localhost/callbacks/")
