"""Calls back: the notification `sms.delivery`, and messages from people."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from providers.sandbox.callbacks import Callbacks
from providers.sandbox.lox24.delivery import Sms
from providers.sandbox.lox24.state import LOX24State

MOST_URLS = 5
API_VERSION = "2022-05-25"


def delivery(state: LOX24State, sms: Sms) -> dict[str, Any]:
    status, dlr_code = sms.codes(state.clock.now())
    return {
        "id": sms.uuid,
        "key_id": 3,
        "dlr_code": dlr_code,
        "status_code": status,
        "callback_data": sms.callback_data,
    }


def notify(state: LOX24State, callbacks: Callbacks, name: str, data: dict[str, Any]) -> None:
    """Call every address entered about one event."""
    event = {
        "id": state.new_uuid(),
        "api_version": API_VERSION,
        "name": name,
        "created_at": int(state.clock.now()),
        "attempt_total": 4,
        "attempt_number": 1,
        "notification_task_id": state.new_uuid(),
        "data": data,
    }
    for url in state.callback_urls:
        callbacks.deliver(url, json.dumps(event).encode(), {"Content-Type": "application/json"})


def tell(state: LOX24State, callbacks: Callbacks) -> None:
    """Call every address entered about every message whose codes have changed since the last time."""
    now = state.clock.now()
    for sms in state.open:
        codes = sms.codes(now)
        if codes == sms.told:
            continue
        sms.told = codes
        if state.callback_urls and state.is_made(sms):
            notify(state, callbacks, "sms.delivery", delivery(state, sms))
    state.open = [sms for sms in state.open if not sms.is_settled(now)]


def receive(state: LOX24State, callbacks: Callbacks, message: dict[str, Any]) -> dict[str, Any]:
    """A person writes to the inbound number: `from` and `text` are needed. Raises `ValueError`.

    It is told by a GET where an address is entered for that, and kept nowhere.
    """
    unknown = set(message) - {"from", "text"}
    sender, text = message.get("from"), message.get("text")
    if unknown or not isinstance(sender, str) or not sender or not isinstance(text, str):
        raise ValueError("a message needs the texts from and text, and nothing else")
    told = {
        "id": state.next_id("inbound"),
        "phone": state.inbound_number,
        "sender_id": sender,
        "text": text,
        "time": int(state.clock.now()),
        "uuid": state.new_uuid(),
    }
    if state.inbound_url:
        joint = "&" if "?" in state.inbound_url else "?"
        callbacks.deliver(f"{state.inbound_url}{joint}{urlencode(told)}", method="GET")
    return told


def set_up(state: LOX24State, portal: dict[str, Any]) -> dict[str, Any]:
    """Settings, Notifications in the web account. Raises `ValueError`."""
    unknown = set(portal) - {"callback_urls", "inbound_url"}
    urls, inbound = portal.get("callback_urls", state.callback_urls), portal.get("inbound_url", state.inbound_url)
    if unknown or not isinstance(urls, list) or not all(isinstance(url, str) and url for url in urls):
        raise ValueError("the portal has callback_urls, a list of addresses, and inbound_url")
    if len(urls) > MOST_URLS:
        raise ValueError(f"at most {MOST_URLS} addresses")
    if not isinstance(inbound, str):
        raise ValueError("inbound_url must be a text")
    state.callback_urls, state.inbound_url = list(urls), inbound
    return {"callback_urls": state.callback_urls, "inbound_url": state.inbound_url}
