"""What Atom Telecom tells by calling: what became of a message, and what a person wrote. Nothing of it is signed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

from providers import answers
from providers.backends.atomtelecom import forms
from providers.exceptions import NotGenuine
from providers.text import gettext_noop
from providers.types import CallbackEvent, CallbackEventKind, CallbackRequest, InboundMessage

_LONGEST = 100  # characters of an id, a state or a time
_INBOUND = ("to", "from", "timestamp", "type", "message")
_NOT_OURS = gettext_noop("This is not a callback as Atom Telecom's document describes it.")


def read_callback(request: CallbackRequest, *, now: dt.datetime) -> tuple[CallbackEvent, ...]:
    """The one event of a request. Raises `NotGenuine`."""
    if request.method == "GET":
        return (_delivery(request.query, request.reference),)
    data, _is_json = answers.read_json(request.body) if request.method == "POST" else (None, False)
    if not isinstance(data, dict):
        raise NotGenuine(_NOT_OURS)
    if isinstance(data.get("query"), dict):
        return (_delivery(data["query"], request.reference),)
    return (_inbound(data, now),)


def _delivery(fields: Mapping[str, Any], reference: str) -> CallbackEvent:
    """The id in it is not the one the send answered; ours, in the address, says which message is meant."""
    number, state, at = (_short(fields.get(name)) for name in ("id", "status", "timestamp"))
    if not (reference and number and state):
        raise NotGenuine(_NOT_OURS)
    return CallbackEvent(
        CallbackEventKind.DELIVERY,
        key=_digest(reference, number, state.casefold(), at),
        our_reference=reference,
        raw_state=state,
        at=None,  # its time zone is not documented
    )


def _inbound(data: Mapping[str, Any], now: dt.datetime) -> CallbackEvent:
    """A message passed on by the portal's automation. The form of its time is not documented: it counts as received now."""
    if not all(isinstance(data.get(name), str | int) and not isinstance(data[name], bool) for name in _INBOUND):
        raise NotGenuine(_NOT_OURS)
    sender, to, text = str(data["from"]), str(data["to"]), str(data["message"])
    if not (_short(sender) and _short(to)):
        raise NotGenuine(_NOT_OURS)
    key = _digest("inbound", *(str(data[name]) for name in _INBOUND))
    text = text.replace("\x00", "").encode("utf-8", "replace").decode()  # what a database can keep
    message = InboundMessage(remote_id=key, phone=forms.e164(sender), to=forms.e164(to), text=text, received_at=now)
    return CallbackEvent(CallbackEventKind.INBOUND, key=key, inbound=message, at=now)


def _short(value: Any) -> str:
    """A short text, or "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    return text if len(text) <= _LONGEST and text.isprintable() else ""  # which leaves lone surrogates out, too


def _digest(*parts: str) -> str:
    content = "\x00".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:40]
