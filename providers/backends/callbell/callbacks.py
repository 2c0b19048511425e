"""Callbell's webhook: subscribing to it, and reading what it brings."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from providers import values
from providers.answers import read_json
from providers.backends.callbell import facts, forms
from providers.backends.callbell.calls import Calls
from providers.exceptions import NotFound, NotGenuine
from providers.text import gettext_noop
from providers.types import CallbackEvent, CallbackEventKind, CallbackRequest, InboundMessage

_UNSIGNED = gettext_noop("This callback has no valid signature of Callbell's.")
_TOO_OLD = gettext_noop(
    "The signature of this callback is too old or from the future. Check the clock of this machine."
)
_NOT_ITS_FORM = gettext_noop("This callback does not have the form of Callbell's event “%(event)s”.")

Payload = Mapping[str, Any]


class CallbackCalls(Calls):
    def subscribe_callbacks(self, url: str) -> None:
        """Takes the place of the account's only webhook, whoever made it. Safe to repeat."""
        self.post("/webhooks/subscribe", {"url": url, "subscriptions": list(facts.EVENTS)})

    def unsubscribe_callbacks(self) -> None:
        """Takes away the account's only webhook, whoever made it; none there is fine."""
        try:
            self.delete("/webhooks/unsubscribe")
        except NotFound:
            return

    @classmethod
    def read_callback(cls, request: CallbackRequest, *, secret: str, now: dt.datetime) -> tuple[CallbackEvent, ...]:
        """Anything that names no event is a connection check, signed or not: nothing is told, and nothing done."""
        data, _ = read_json(request.body)
        event = data.get("event") if isinstance(data, dict) else None
        if not isinstance(event, str):
            return ()
        secret = secret.strip()
        if secret:
            check_signature(request, secret=secret, now=now)
        read = _READERS.get(event)
        if read is None:
            return ()
        try:
            return read(event, data["payload"], bool(secret), now)
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        raise NotGenuine(_NOT_ITS_FORM, params={"event": event})


def check_signature(request: CallbackRequest, *, secret: str, now: dt.datetime) -> None:
    """Raises `NotGenuine` unless the header signs this very body with the whole secret, at most five minutes from now."""
    header = request.headers.get(facts.SIGNATURE_HEADER, "")
    found = re.fullmatch(r"\s*t=([0-9]{1,12})\s*,\s*v1=([0-9A-Fa-f]{64})\s*", header)
    if found is None:
        raise NotGenuine(_UNSIGNED)
    signed = found[1].encode() + b"." + request.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, found[2].lower()):
        raise NotGenuine(_UNSIGNED)
    if abs(now.timestamp() - int(found[1])) > facts.SIGNATURE_AGE:
        raise NotGenuine(_TOO_OLD)


def _status(event: str, payload: Payload, is_proven: bool, now: dt.datetime) -> tuple[CallbackEvent, ...]:
    reference, status = forms.remote_id(payload["uuid"]), values.text(payload["status"])
    return (
        CallbackEvent(
            CallbackEventKind.DELIVERY,
            key=f"{event}:{reference}:{status}",
            reference=reference,
            our_reference=_our_reference(payload),
            contact_id=_contact_id(payload),
            raw_state=status,
            is_proven=is_proven,
        ),
    )


def _message(event: str, payload: Payload, is_proven: bool, now: dt.datetime) -> tuple[CallbackEvent, ...]:
    """One that came in, or one of ours that went out: that shows no id, only our own reference."""
    status = payload["status"]
    at = forms.moment(payload.get("createdAt"))
    if status == "sent" and (ours := _our_reference(payload)):
        delivery = CallbackEventKind.DELIVERY
        key = f"{event}:{ours}"
        return (CallbackEvent(delivery, key, "", ours, _contact_id(payload), status, at=at, is_proven=is_proven),)
    if status != "received":
        return ()
    # No id comes with it: what a repetition would say again stands for one.
    identity = _digest(
        {name: payload.get(name) for name in ("from", "to", "text", "channel", "createdAt", "attachments")}
    )
    sender, to = values.text(payload["from"]), values.text(payload.get("to"))
    inbound = InboundMessage(identity, forms.e164(sender), forms.e164(to), values.text(payload.get("text")), at or now)
    return (
        CallbackEvent(
            CallbackEventKind.INBOUND,
            key=f"{event}:{identity}",
            contact_id=_contact_id(payload),
            raw_state=status,
            inbound=inbound,
            at=at,
            is_proven=is_proven,
        ),
    )


def _contact(event: str, payload: Payload, is_proven: bool, now: dt.datetime) -> tuple[CallbackEvent, ...]:
    contact_id = forms.remote_id(payload["uuid"])
    kind = CallbackEventKind.CONTACT_DELETED if event == "contact_deleted" else CallbackEventKind.CONTACT_CHANGED
    return (
        CallbackEvent(
            kind,
            key=f"{event}:{contact_id}:{_digest(payload)}",
            contact_id=contact_id,
            at=forms.moment(payload.get("deleted")),
            is_proven=is_proven,
        ),
    )


def _our_reference(payload: Payload) -> str:
    metadata = payload.get("metadata")
    return values.text(metadata.get("call")) if isinstance(metadata, dict) else ""


def _contact_id(payload: Payload) -> str:
    contact = payload.get("contact")
    return values.text(contact.get("uuid")) if isinstance(contact, dict) else ""


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]


_READERS: dict[str, Callable[[str, Payload, bool, dt.datetime], tuple[CallbackEvent, ...]]] = {
    "message_status_updated": _status,
    "message_created": _message,
    "contact_created": _contact,
    "contact_updated": _contact,
    "contact_deleted": _contact,
}
