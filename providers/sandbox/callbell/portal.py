"""What happens without the API: a person writes, the owner changes the dashboard."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from providers.sandbox.callbell.hooks import tell_message
from providers.sandbox.callbell.records import FIELD_TYPES, CustomField
from providers.sandbox.callbell.state import CallbellState, digits
from providers.sandbox.dialect import Settings


def receive(state: CallbellState, settings: Settings, message: dict[str, Any]) -> dict[str, Any]:
    """`from` and `message`, and `channel` (an id) where it is not the main one."""
    given = {name: message.get(name, "") for name in ("from", "message", "channel")}
    is_text = all(isinstance(value, str) for value in given.values())
    if not is_text or not digits(given["from"]) or not given["message"]:
        raise ValueError("a message to callbell needs “from” and “message”, both text, and may have “channel”")
    if given["channel"] and given["channel"] not in state.channels:
        raise ValueError(f"callbell has no channel {given['channel']}")
    row = state.receive(given["from"], given["message"], channel=given["channel"])
    tell_message(state, settings, row, {})
    return asdict(row)


def set_up(state: CallbellState, portal: dict[str, Any]) -> dict[str, Any]:
    """Any of `tags` (names), `users` (addresses), `custom_fields` (name, type, options) to add, and the `secret` of calls back."""
    unknown = set(portal) - {"tags", "users", "custom_fields", "secret"}
    if unknown:
        raise ValueError(f"callbell's portal has no {', '.join(sorted(unknown))}")
    names, users, secret = portal.get("tags", []), portal.get("users", []), portal.get("secret", state.secret)
    if not all(isinstance(name, str) for name in (*names, *users, secret)):
        raise ValueError("tags and users are lists of text, the secret is text")
    try:
        fields = [CustomField(**row) for row in portal.get("custom_fields", [])]
    except TypeError:
        raise ValueError("a custom field has name, type and options") from None
    if any(field.type not in FIELD_TYPES for field in fields):
        raise ValueError(f"a custom field is one of {', '.join(FIELD_TYPES)}")
    state.tags += [name for name in names if name not in state.tags]
    state.users |= {address: address for address in users}
    state.custom_fields |= {field.name: field for field in fields}
    state.secret = secret
    return {
        "tags": state.tags,
        "users": list(state.users),
        "custom_fields": [asdict(field) for field in state.custom_fields.values()],
        "signs": bool(state.secret),
    }
