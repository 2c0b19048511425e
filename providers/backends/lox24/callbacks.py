"""What LOX24 tells by calling us. Nothing of it is signed: a delivery is a hint to ask with `report`."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from providers.backends.lox24 import forms
from providers.backends.lox24.inbox import inbound, message_of
from providers.backends.lox24.messages import SMS, reference_to
from providers.exceptions import NotGenuine
from providers.text import gettext_noop
from providers.types import CallbackEvent, CallbackEventKind, CallbackRequest

_NOT_THEIR_FORM = gettext_noop("The request is not in the form of LOX24's call backs.")
_DELIVERY, _DRY_RUN, _INCOMING = "sms.delivery", "sms.delivery.dryrun", "sms.incoming"


def read_callback(request: CallbackRequest, *, now: dt.datetime) -> tuple[CallbackEvent, ...]:
    """A POST is a notification, a GET is a message from a person in the older way that LOX24 still knows."""
    try:
        if request.method == "POST":
            return _notification(json.loads(request.body), now)
        if request.method == "GET":
            return _older_inbound(request)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        pass
    raise NotGenuine(_NOT_THEIR_FORM)


def _notification(data: Any, now: dt.datetime) -> tuple[CallbackEvent, ...]:
    """One event per notification; the attempts to deliver it share its id. Whatever the number of attempts is called is not needed."""
    name, key = data["name"], forms.remote_id(data["id"])
    if not isinstance(name, str):
        raise TypeError
    if name == _DRY_RUN:
        return ()
    at = forms.moment(data.get("created_at")) or now
    if name == _DELIVERY:
        return (_delivery(data["data"], key, at),)
    if name == _INCOMING:
        return (_incoming(data["data"], key, at),)
    return (CallbackEvent(CallbackEventKind.OTHER, key, raw_state=name[:100], at=at),)


def _delivery(told: Any, key: str, at: dt.datetime) -> CallbackEvent:
    """`callback_data` is our call's reference, or that of the contact where the message was part of a bulk."""
    return CallbackEvent(
        CallbackEventKind.DELIVERY,
        key,
        reference=reference_to(SMS, told["id"]),
        our_reference=forms.text(told.get("callback_data")),
        raw_state=f"{forms.whole(told.get('status_code')) or 0}/{forms.whole(told.get('dlr_code')) or 0}",
        at=at,
    )


def _incoming(told: Any, key: str, at: dt.datetime) -> CallbackEvent:
    """`msg_uuid` is the message of ours that this one replies to."""
    reply_to = told.get("msg_uuid")
    return CallbackEvent(
        CallbackEventKind.INBOUND,
        key,
        reference=reference_to(SMS, reply_to) if reply_to else "",
        inbound=message_of(told),
        at=at,
    )


def _older_inbound(request: CallbackRequest) -> tuple[CallbackEvent, ...]:
    """`sender_id` is the person, `phone` our number, `time` in Unix seconds. A reply to an economy SMS names it by `uuid`."""
    query = request.query
    message = inbound(query["sender_id"], query.get("phone"), query["text"], query["time"])
    reply_to = query.get("uuid", "")
    return (
        CallbackEvent(
            CallbackEventKind.INBOUND,
            key=f"inbound/{message.remote_id}",
            reference=reference_to(SMS, reply_to) if reply_to else "",
            inbound=message,
            at=message.received_at,
        ),
    )
