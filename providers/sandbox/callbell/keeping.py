"""A Callbell account as JSON-ready values, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from providers.sandbox.callbell.records import Channel, Contact, CustomField, Message, Send, Template, Webhook
from providers.sandbox.dialect import Violation

if TYPE_CHECKING:
    from providers.sandbox.callbell.state import CallbellState


def dump_state(state: CallbellState) -> dict[str, Any]:
    """Everything as JSON-ready values, without the signature secret."""
    return {
        "account": {"user_name": state.user_name, "user_email": state.user_email},
        "quirks": sorted(state.quirks),
        "channels": [asdict(row) for row in state.channels.values()],
        "templates": [asdict(row) for row in state.templates.values()],
        "custom_fields": [asdict(row) for row in state.custom_fields.values()],
        "tags": list(state.tags),
        "users": dict(state.users),
        "teams": dict(state.teams),
        "contacts": [asdict(row) for row in state.contacts.values()],
        "messages": [asdict(row) for row in state.messages],
        "sends": [asdict(row) for row in state.sends.values()],
        "webhook": asdict(state.webhook) if state.webhook else None,
        "violations": [asdict(row) for row in state.violations],
        "next_number": state.next_number,
    }


def load_state(state: CallbellState, data: dict[str, Any]) -> None:
    """Undo `dump_state` on a fresh state."""
    for name, value in data["account"].items():
        setattr(state, name, value)
    state.quirks = set(data["quirks"])
    state.channels = {row["uuid"]: Channel(**row) for row in data["channels"]}
    state.templates = {row["uuid"]: Template(**row) for row in data["templates"]}
    state.custom_fields = {row["name"]: CustomField(**row) for row in data["custom_fields"]}
    state.tags = list(data["tags"])
    state.users, state.teams = dict(data["users"]), dict(data["teams"])
    state.contacts = {row["uuid"]: Contact(**row) for row in data["contacts"]}
    state.by_phone = {}
    for contact in state.contacts.values():
        state.by_phone.setdefault(contact.phone, []).append(contact.uuid)
    for row in data["messages"]:
        state.keep_message(Message(**row))
    state.sends = {row["uuid"]: Send(**row) for row in data["sends"]}
    state.waiting = [send for send in state.sends.values() if not send.is_final]
    state.webhook = Webhook(**data["webhook"]) if data["webhook"] else None
    state.violations = [Violation(**row) for row in data["violations"]]
    state.next_number = data["next_number"]
