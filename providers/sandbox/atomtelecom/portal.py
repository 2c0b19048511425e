"""The portal's automation: messages from people change an address book and are passed on to a webhook."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from providers.sandbox.atomtelecom.delivery import stamp
from providers.sandbox.callbacks import Callbacks

if TYPE_CHECKING:
    from providers.sandbox.atomtelecom.state import AtomTelecomState

_KINDS = {"automation": bool, "webhook": str, "adding": list, "removing": list, "group_id": int}


def set_up(state: AtomTelecomState, given: dict[str, Any]) -> dict[str, Any]:
    """Change what `given` names: "automation", "webhook", the words "adding" and "removing", "group_id"."""
    for name, value in given.items():
        if type(value) is not _KINDS.get(name):
            raise ValueError(f"{name} is not known here or of the wrong type")
    for name, value in given.items():
        setattr(state.portal, name, value)
    return asdict(state.portal)


def receive(state: AtomTelecomState, callbacks: Callbacks, given: dict[str, Any]) -> dict[str, Any]:
    """Someone writes: `from` and `text`, and `to` where it is not the first number of the account."""
    sender, text = given.get("from"), given.get("text")
    if not isinstance(sender, str) or not isinstance(text, str) or not sender:
        raise ValueError("from and text must be given")
    own = next((each for each in state.senders if each.isdigit()), "")
    message = {
        "to": str(given.get("to") or own),
        "from": sender.removeprefix("+"),
        "timestamp": stamp(state.clock.now()),
        "type": "sms",
        "message": text,
    }
    state.inbox.append(message)
    if state.portal.automation:
        _change_books(state, message["from"], text.strip().casefold())
        if state.portal.webhook:
            body = json.dumps(message, ensure_ascii=False).encode()
            callbacks.deliver(state.portal.webhook, body, {"Content-Type": "application/json"})
    return message


def _change_books(state: AtomTelecomState, number: str, word: str) -> None:
    portal = state.portal
    if word in portal.removing:
        for contact in list(state.contacts.values()):
            concerned = portal.group_id in (0, contact.group_id)
            if concerned and _national(contact.phone_number) == _national(number):
                del state.contacts[contact.id]
    elif word in portal.adding and portal.group_id in state.books:
        state.add_contact(portal.group_id, number)


def _national(number: str) -> str:
    return re.sub(r"^(\+?61|0)", "", number)
