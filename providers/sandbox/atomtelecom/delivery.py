"""What becomes of a message as time goes by, and the callback at its end."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from providers.sandbox.callbacks import Callbacks

if TYPE_CHECKING:
    from providers.sandbox.atomtelecom.state import AtomTelecomState, Message

#: How a message ends, by the last two digits of its number.
ENDS = {
    "93": "Deleted",
    "94": "Skipped",
    "95": "Unknown",
    "96": "Accepted",
    "97": "Expired",
    "98": "Rejected",
    "99": "Undeliverable",
}
INTERMEDIATE = frozenset({"Scheduled", "Enroute", "Unknown"})


def status(message: Message, now: float, to: str = "") -> str:
    """The status of the message at this moment, for one of its numbers or the first of them."""
    age = now - message.created
    if age < 0.2 * message.maturity:
        return "Scheduled"
    return ENDS.get((to or message.to[0])[-2:], "Delivered") if age >= message.maturity else "Enroute"


def stamp(now: float) -> str:
    """A time as the callbacks write it."""
    return dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def tell(state: AtomTelecomState, callbacks: Callbacks) -> None:
    """Callback about every message that has become final since the last time. The lock is held."""
    now = state.clock.now()
    for message in state.messages.values():
        if message.told or not message.callback or now - message.created < message.maturity:
            continue
        message.told = True
        for to in message.to:
            word = status(message, now, to)
            if word not in INTERMEDIATE:
                _call_back(state, callbacks, message.callback, word)


def _call_back(state: AtomTelecomState, callbacks: Callbacks, url: str, word: str) -> None:
    """The id is not the one that the send answered."""
    fields = {"id": str(state.next_id("callback")), "status": word, "timestamp": stamp(state.clock.now())}
    if "callback_by_get" in state.quirks:
        callbacks.deliver(f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}", method="GET")
    else:
        callbacks.deliver(url, json.dumps({"query": fields}).encode(), {"Content-Type": "application/json"})
