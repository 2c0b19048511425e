"""The Callbell dialect of the sandbox: sends, the webhook, and what people do beside the API."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from providers.sandbox import SandboxServer
from providers.sandbox.callbell.records import (
    CLOSED_CHANNEL,
    INSTAGRAM_CHANNEL,
    MAIN_CHANNEL,
    Send,
    Webhook,
    make_id,
)
from tests.factories import SANDBOX_KEY
from tests.sandbox_fixtures import Reply, SandboxClient

from .callbell_sandbox import NEW, PHONE, ask, state_of, violations
from .servers import Recorder

SEND = {
    "from": "whatsapp",
    "channel_uuid": MAIN_CHANNEL,
    "to": PHONE,
    "type": "text",
    "content": {"text": "Ciao"},
}
WELCOME, ORDER, PAUSED = (make_id("template", number) for number in (1, 2, 4))


# Sends


@pytest.mark.parametrize(
    ("change", "kind", "where"),
    [
        ({"channel_uuid": None}, "wrong type", "channel_uuid"),
        ({"from": "instagram"}, "wrong value", "from"),
        ({"type": "audio"}, "wrong value", "type"),
        ({"content": "Ciao"}, "wrong type", "content"),
        ({"content": {"text": "Ciao", "caption": "x"}}, "undocumented field", "content.caption"),
        ({"send_at": "2030-01-01"}, "undocumented field", "send_at"),
        ({"optin_contact": True}, "undocumented field", "template_values"),
        ({"metadata": {"call": 5}}, "limit", "metadata"),
        ({"metadata": {"k" * 51: "x"}}, "limit", "metadata"),
        ({"metadata": {"call": "x" * 501}}, "limit", "metadata"),
        ({"metadata": {str(number): "x" for number in range(11)}}, "limit", "metadata"),
        ({"to": 391110000001}, "wrong type", "to"),
        ({"template_uuid": WELCOME}, "missing", "optin_contact"),
        (
            {"template_uuid": ORDER, "optin_contact": True, "template_values": ["one"]},
            "wrong value",
            "template_values",
        ),
        (
            {"template_uuid": WELCOME, "optin_contact": True, "template_values": ["one"]},
            "wrong value",
            "template_values",
        ),
    ],
)
def test_a_send_of_another_shape_is_remembered_and_reaches_nobody(
    client_of_sandbox: SandboxClient, change: dict[str, Any], kind: str, where: str
) -> None:
    assert ask(client_of_sandbox, "POST", "/messages/send", {**SEND, **change}).status == 422
    assert (kind, where) in violations(client_of_sandbox)
    assert state_of(client_of_sandbox).sends == {}


@pytest.mark.parametrize("name", ["from", "type", "content", "channel_uuid", "to"])
def test_what_a_send_needs_must_be_there(client_of_sandbox: SandboxClient, name: str) -> None:
    body = {key: value for key, value in SEND.items() if key != name}
    assert ask(client_of_sandbox, "POST", "/messages/send", body).status == 422
    assert ("missing", name) in violations(client_of_sandbox)


@pytest.mark.parametrize(
    "change",
    [
        {"channel_uuid": CLOSED_CHANNEL},
        {"channel_uuid": "0" * 32},
        {"to": "abc"},
        {"content": {"text": " "}},
        {"template_uuid": PAUSED, "optin_contact": True},
        {"template_uuid": WELCOME, "optin_contact": True, "content": {"text": ""}},
    ],
)
def test_a_send_that_cannot_be_is_refused_without_being_a_violation(
    client_of_sandbox: SandboxClient, change: dict[str, Any]
) -> None:
    assert ask(client_of_sandbox, "POST", "/messages/send", {**SEND, **change}).status == 422
    assert violations(client_of_sandbox) == []
    assert state_of(client_of_sandbox).sends == {}


def status(client: SandboxClient, uuid: str) -> str:
    return str(ask(client, "GET", f"/messages/status/{uuid}").json["message"]["status"])


@pytest.mark.parametrize(
    ("ending", "last"), [("01", "delivered"), ("97", "read"), ("99", "failed"), ("96", "mismatch")]
)
def test_a_message_matures_to_the_end_its_number_has(client_of_sandbox: SandboxClient, ending: str, last: str) -> None:
    client_of_sandbox.sandbox.settings.maturity = 10
    phone = PHONE[:-2] + ending
    state_of(client_of_sandbox).receive(phone, "Ciao")
    uuid = ask(client_of_sandbox, "POST", "/messages/send", {**SEND, "to": phone}).json["message"]["uuid"]
    seen = [status(client_of_sandbox, uuid)]
    for _ in range(12):
        client_of_sandbox.sandbox.advance(1)
        seen.append(status(client_of_sandbox, uuid))
    between = ["delivered"] if last == "read" else []
    assert list(dict.fromkeys(seen)) == ["enqueued", "sent", *between, last]


@pytest.mark.parametrize(
    ("change", "last"),
    [
        ({}, "failed"),
        ({"template_uuid": WELCOME, "optin_contact": True}, "delivered"),
        ({"from": "instagram", "channel_uuid": INSTAGRAM_CHANNEL}, "delivered"),
    ],
)
def test_a_text_to_whatsapp_arrives_only_within_24_hours(
    client_of_sandbox: SandboxClient, change: dict[str, Any], last: str
) -> None:
    state_of(client_of_sandbox).receive(PHONE, "Ciao")
    client_of_sandbox.sandbox.advance(24 * 3600 + 1)
    uuid = ask(client_of_sandbox, "POST", "/messages/send", {**SEND, **change}).json["message"]["uuid"]
    client_of_sandbox.sandbox.advance(3600)
    assert status(client_of_sandbox, uuid) == last


def test_one_template_is_shown(client_of_sandbox: SandboxClient) -> None:
    shown = ask(client_of_sandbox, "GET", f"/templates/{WELCOME}").json["template"]
    assert (shown["title"], shown["status"], shown["templateType"]) == ("welcome", "approved", "text")
    assert ask(client_of_sandbox, "GET", "/templates/none").status == 404


# The webhook


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ({"url": "http://127.0.0.1:1/"}, [("missing", "subscriptions")]),
        ({"subscriptions": ["message_created"]}, [("missing", "url")]),
        ({"url": "http://127.0.0.1:1/", "subscriptions": ["sms"]}, [("wrong value", "subscriptions")]),
        ({"url": "ftp://127.0.0.1/", "subscriptions": ["message_created"]}, []),
        ({"url": "http://localhost/", "subscriptions": ["message_created"]}, []),
        ({"url": "127.0.0.1/x", "subscriptions": ["message_created"]}, []),
    ],
)
def test_a_subscription_of_another_form_is_refused(
    client_of_sandbox: SandboxClient, body: dict[str, Any], seen: list[tuple[str, str]]
) -> None:
    assert ask(client_of_sandbox, "POST", "/webhooks/subscribe", body).status == 422
    assert violations(client_of_sandbox) == seen
    assert state_of(client_of_sandbox).webhook is None


def test_a_new_subscription_takes_the_place_of_the_old_one_and_only_its_events_come(
    client_of_sandbox: SandboxClient, recorder: Recorder
) -> None:
    sandbox, state = client_of_sandbox.sandbox, state_of(client_of_sandbox)
    state.secret = "whsec_abc"
    for number in (1, 2):
        body = {"url": f"{recorder.url}/{number}", "subscriptions": ["contact_created"]}
        assert ask(client_of_sandbox, "POST", "/webhooks/subscribe", body).json["webhook"]["enabled"] is True
    recorder.will_answer({"status": "ok"})
    uuid = ask(client_of_sandbox, "POST", "/contacts", NEW).json["contact"][0]["uuid"]
    ask(client_of_sandbox, "PATCH", f"/contacts/{uuid}", {"name": "New"})
    sandbox.callbacks.join()
    (asked,) = recorder.asked
    assert asked.path == "/2"
    assert asked.json["event"] == "contact_created"
    assert asked.json["payload"]["uuid"] == uuid
    stamp, _, digest = asked.headers["X-Callbell-Signature"].partition(",v1=")
    content = stamp.removeprefix("t=").encode() + b"." + asked.body
    assert hmac.new(b"whsec_abc", content, hashlib.sha256).hexdigest() == digest


def test_statuses_are_told_by_the_clock_alone(sandbox: SandboxServer, recorder: Recorder) -> None:
    state = sandbox.state("callbell")
    state.webhook = Webhook(recorder.url, ["message_status_updated"], 0.0)
    recorder.will_answer({"status": "ok"})
    with state.lock:
        state.add_send(
            Send(make_id("send", 1), PHONE, MAIN_CHANNEL, "x", state.clock.now(), 10.0, "delivered", {"call": "c"})
        )
    sandbox.advance(3600)
    sandbox.callbacks.join()
    payload = recorder.last.json["payload"]
    assert (payload["status"], payload["metadata"]) == ("delivered", {"call": "c"})


# Beside the API


def control(client: SandboxClient, path: str, body: dict[str, Any]) -> Reply:
    return client.raw("POST", f"/_sandbox/{path}/callbell", json.dumps(body).encode(), Content_Type="application/json")


def test_a_person_writes_and_becomes_a_contact(client_of_sandbox: SandboxClient) -> None:
    reply = control(client_of_sandbox, "inbound", {"from": "+39 111 000 0001", "message": "Ciao"})
    assert reply.status == 201
    uuid = state_of(client_of_sandbox).contact(PHONE).uuid
    (message,) = ask(client_of_sandbox, "GET", f"/contacts/{uuid}/messages?page=1").json["messages"]
    assert (message["text"], message["status"], message["from"]) == ("Ciao", "received", PHONE)
    for body in ({"from": PHONE}, {"message": "x"}, {"from": PHONE, "message": "x", "channel": "none"}):
        assert control(client_of_sandbox, "inbound", body).status == 400


def test_the_dashboard_takes_tags_users_fields_and_a_secret(client_of_sandbox: SandboxClient) -> None:
    field = {"name": "Shoe", "type": "number"}
    portal = {"tags": ["Neu"], "users": ["new@example.org"], "custom_fields": [field], "secret": "whsec_x"}
    shown = control(client_of_sandbox, "portal", portal).json
    assert shown["signs"] is True
    assert "whsec_x" not in json.dumps(shown)
    body = {**NEW, "tags": ["Neu"], "assigned_user": "new@example.org", "custom_fields": {"Shoe": "42"}}
    assert ask(client_of_sandbox, "POST", "/contacts", body).status == 201
    for wrong in ({"phonebooks": []}, {"tags": [1]}, {"custom_fields": [{"title": "x"}]}, {"secret": 5}):
        assert control(client_of_sandbox, "portal", wrong).status == 400
    assert control(client_of_sandbox, "portal", {"custom_fields": [{"name": "x", "type": "map"}]}).status == 400


def test_everything_is_kept_between_runs_but_the_secret(tmp_path: Path) -> None:
    data = tmp_path / "sandbox.json"
    with SandboxServer(key=SANDBOX_KEY, data=data) as first:
        state = first.state("callbell")
        with state.lock:
            state.secret = "whsec_kept_nowhere"
            state.add_contact(PHONE, "Sara", tags=["VIP"], custom_fields={"Interests": ["Pane"]})
            state.receive(PHONE, "Ciao")
        client = SandboxClient(first)
        ask(client, "POST", "/webhooks/subscribe", {"url": "http://127.0.0.1:1/", "subscriptions": ["contact_deleted"]})
        ask(client, "POST", "/messages/send", SEND)
        client.connection.close()
        with state.lock:
            before = state.dump()
    assert "whsec_kept_nowhere" not in data.read_text(encoding="utf-8")
    with SandboxServer(key=SANDBOX_KEY, data=data) as second:
        after = second.state("callbell")
        with after.lock:
            assert after.dump() == before
            assert after.contact(PHONE).name == "Sara"
            assert [send.status(after.clock.now()) for send in after.waiting] == ["enqueued"]


def test_the_page_shows_the_account_without_its_secret(client_of_sandbox: SandboxClient) -> None:
    state = state_of(client_of_sandbox)
    state.secret = "whsec_abcdef"
    ask(client_of_sandbox, "POST", "/messages/send", SEND)
    state.add_contact(PHONE, "<b>Sara</b>", tags=["VIP"])
    page = client_of_sandbox.raw("GET", "/").text
    assert "&lt;b&gt;Sara&lt;/b&gt;" in page
    assert "whsec_abcdef" not in page
