"""The account's one webhook: subscribing, and the calls that are really made."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlsplit

from providers.sandbox.callbell.call import Call, iso, webhook_date
from providers.sandbox.callbell.contacts import show, spelled
from providers.sandbox.callbell.envelope import Refused, not_found
from providers.sandbox.callbell.records import Message, Send, Webhook
from providers.sandbox.callbell.state import CallbellState
from providers.sandbox.dialect import Settings
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response, json_response

EVENTS = frozenset(
    {
        "message_created",
        "message_status_updated",
        "contact_created",
        "contact_updated",
        "contact_deleted",
        "conversation_opened",
        "conversation_closed",
        "agent_status_updated",
        "agent_session_updated",
        "team_membership_updated",
    }
)


def subscribe(call: Call) -> Response:
    """Takes the place of whatever was subscribed."""
    body = call.body(("url", "subscriptions"))
    url = body.text("url", required=True)
    names = body.texts("subscriptions", required=True)
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.hostname == "localhost"):
        call.problems.add("url is invalid")
    for name in names:
        if name not in EVENTS:
            call.problems.violation("wrong value", "subscriptions", f"{name} is no event")
    call.problems.check()
    call.state.webhook = webhook = Webhook(url, names, call.state.clock.now())
    shown = {"url": url, "subscriptions": names, "createdAt": iso(webhook.created), "enabled": True}
    return json_response(201, {"webhook": shown})


def unsubscribe(call: Call) -> Response:
    call.nothing()
    if call.state.webhook is None:
        raise Refused(not_found())
    call.state.webhook = None
    return json_response(200, {"status": "webhook was destroyed"})


def tell(state: CallbellState, settings: Settings, event: str, payload: dict[str, Any]) -> None:
    """Call the subscribed address, signed where a secret has been made."""
    webhook = state.webhook
    if webhook is None or event not in webhook.subscriptions:
        return
    if event == "contact_deleted":
        payload = {**payload, "deleted": iso(state.clock.now())}
    body = json.dumps({"event": event, "payload": payload}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if state.secret:
        # Signed by the machine's own time: the application's clock does not travel with the sandbox's.
        headers["X-Callbell-Signature"] = sign(body, state.secret, int(state.clock.now() - state.clock.offset))
    settings.callbacks.deliver(webhook.url, body, headers)


def sign(body: bytes, secret: str, at: int) -> str:
    """The header's value."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def tell_message(state: CallbellState, settings: Settings, message: Message, metadata: dict[str, str]) -> None:
    """`message_created`, which shows no id of the message."""
    ours = state.channels[message.channel].title
    is_received = message.status == "received"
    payload: dict[str, Any] = {
        "to": ours if is_received else message.phone,
        "from": message.phone if is_received else ours,
        "text": message.text,
        "attachments": [],
        "status": message.status,
        "channel": state.channels[message.channel].type,
        "contact": shown_contact(state, message.phone),
        "createdAt": webhook_date(message.created),
    }
    tell(state, settings, "message_created", {**payload, **({"metadata": metadata} if metadata else {})})


def tell_status(state: CallbellState, settings: Settings, send: Send) -> None:
    payload: dict[str, Any] = {
        "uuid": send.uuid,
        "status": send.told,
        "contact": shown_contact(state, send.phone),
        "messageStatusPayload": vendor_payload(send),
    }
    if send.metadata:
        payload["metadata"] = send.metadata
    tell(state, settings, "message_status_updated", payload)


def vendor_payload(send: Send) -> dict[str, Any]:
    """What the channel says, in a form of its own."""
    content = {"reason": send.reason} if send.told == "failed" else {}
    if send.told == "mismatch":
        content = {"wa_id": send.phone}
    return {"id": send.uuid[:16], "type": send.told, "payload": content, "destination": send.phone}


def shown_contact(state: CallbellState, phone: str) -> dict[str, Any]:
    uuids = state.by_phone.get(phone, ())
    return show(state, state.contacts[uuids[0]]) if uuids else {"phoneNumber": spelled(phone)}


def settle(state: CallbellState, settings: Settings) -> None:
    """Tell of every status that has come since it was last looked at."""
    now = state.clock.now()
    for send in state.waiting:
        status = send.status(now)
        if status != send.told:
            send.told = status
            tell_status(state, settings, send)
    state.waiting = [send for send in state.waiting if not send.is_final]


ROUTES = [
    Route("POST", "/webhooks/subscribe", subscribe, changes=True),
    Route("DELETE", "/webhooks/unsubscribe", unsubscribe, changes=True),
]
