"""What LOX24 tells by calling us. Nothing of it is signed: a delivery is a hint to ask with `report`."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from providers import values
from providers.backends.lox24 import forms
from providers.backends.lox24.messages import SMS, reference_to
from providers.exceptions import NotGenuine
from providers.text import gettext_noop
from providers.types import CallbackEvent, CallbackEventKind, CallbackRequest, InboundMessage

_NOT_THEIR_FORM = gettext_noop("The request is not in the form of LOX24's callbacks.")
_DELIVERY, _DRY_RUN = "sms.delivery", "sms.delivery.dryrun"


def read_callback(request: CallbackRequest, *, now: dt.datetime) -> tuple[CallbackEvent, ...]:
    """A POST is a notification, a GET is a message from a person."""
    try:
        if request.method == "POST":
            return _notification(json.loads(request.body), now)
        if request.method == "GET":
            return (_inbound(request),)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        pass
    raise NotGenuine(_NOT_THEIR_FORM)


def _notification(data: Any, now: dt.datetime) -> tuple[CallbackEvent, ...]:
    """One event per notification; the attempts to deliver it share its id. Whatever the number of attempts is called is not needed."""
    name, key = data["name"], values.remote_id(data["id"])
    if not isinstance(name, str):
        raise TypeError
    if name == _DRY_RUN:
        return ()
    at = values.unix_moment(data.get("created_at")) or now
    if name == _DELIVERY:
        return (_delivery(data["data"], key, at),)
    return (CallbackEvent(CallbackEventKind.OTHER, key, raw_state=name[:100], at=at),)


def _delivery(told: Any, key: str, at: dt.datetime) -> CallbackEvent:
    """`callback_data` is our call's reference, or that of the contact where the message was part of a bulk."""
    return CallbackEvent(
        CallbackEventKind.DELIVERY,
        key,
        reference=reference_to(SMS, told["id"]),
        our_reference=values.text(told.get("callback_data")),
        raw_state=f"{forms.whole(told.get('status_code')) or 0}/{forms.whole(told.get('dlr_code')) or 0}",
        at=at,
    )


def _inbound(request: CallbackRequest) -> CallbackEvent:
    """`sender_id` is the person, `phone` our number, `time` in Unix seconds. Raises `ValueError` without sender or time.

    What `id` and `uuid` name is not told: a message is the same when who, when and what are.
    """
    query = request.query
    phone, at, text = forms.e164(query["sender_id"]), values.unix_moment(query["time"]), query["text"]
    if not phone or at is None:
        raise ValueError
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    remote_id = f"{phone}/{int(at.timestamp())}/{digest}"[-100:]
    message = InboundMessage(
        remote_id=remote_id, phone=phone, to=forms.e164(query.get("phone")), text=text, received_at=at
    )
    return CallbackEvent(CallbackEventKind.INBOUND, key=f"inbound/{remote_id}", inbound=message, at=at)
