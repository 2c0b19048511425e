"""What the page shows of a Callbell account."""

from __future__ import annotations

import datetime as dt

from providers.sandbox.callbell.state import CallbellState
from providers.sandbox.dialect import Section

SHOWN = 200


def when(stamp: float) -> str:
    return dt.datetime.fromtimestamp(int(stamp), dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def sections(state: CallbellState) -> list[Section]:
    """Account, what is predefined, contacts, messages, violations."""
    contacts = list(state.contacts.values())[-SHOWN:]
    messages = state.messages[-SHOWN:]
    sends = list(state.sends.values())[-SHOWN:]
    webhook = state.webhook
    return [
        Section(
            "Account",
            ("User", "Contacts", "Sends", "Webhook", "Signed"),
            [
                (
                    state.user_name, len(state.contacts), len(state.sends),
                    f"{webhook.url} ({', '.join(webhook.subscriptions)})" if webhook else "",
                    "yes" if state.secret else "no",
                )
            ],
        ),
        Section(
            "Dashboard",
            ("Tags", "Users", "Custom fields"),
            [
                (
                    ", ".join(state.tags), ", ".join(state.users),
                    ", ".join(f"{field.name} ({field.type})" for field in state.custom_fields.values()),
                )
            ],
        ),
        Section(
            "Channels",
            ("Id", "Title", "Type", "In use"),
            [(c.uuid, c.title, c.type, "no" if c.discarded_at else "yes") for c in state.channels.values()],
        ),
        Section(
            "Templates",
            ("Id", "Title", "Status", "Text"),
            [(t.uuid, t.title, t.status, t.text) for t in state.templates.values()],
        ),
        Section(
            "Contacts",
            ("Id", "Number", "Name", "Tags", "Custom fields", "Assigned", "Bot", "Note"),
            [
                (
                    c.uuid, c.phone, c.name, ", ".join(c.tags),
                    ", ".join(f"{name}: {value}" for name, value in c.custom_fields.items()),
                    c.assigned_user or "", c.bot_status, c.note or "",
                )
                for c in reversed(contacts)
            ],
            note=limit_note(len(state.contacts)),
        ),
        Section(
            "Sends",
            ("Id", "To", "Text", "Status", "Bot", "Metadata", "Accepted (UTC)"),
            [
                (s.uuid, s.phone, s.text, s.told, s.bot_status, s.metadata, when(s.created))
                for s in reversed(sends)
            ],
            note=limit_note(len(state.sends)),
        ),
        Section(
            "Conversations",
            ("Number", "Direction", "Text", "Time (UTC)"),
            [(m.phone, m.status, m.text, when(m.created)) for m in reversed(messages)],
            note=limit_note(len(state.messages)),
        ),
        Section(
            "Violations",
            ("Kind", "Where", "Request"),
            [(v.kind, v.where, f"{v.method} {v.path}") for v in reversed(state.violations[-SHOWN:])],
            note="Requests that the provider’s document does not allow.",
        ),
    ]  # fmt: skip


def limit_note(total: int) -> str:
    return f"The latest {SHOWN} of {total:,}." if total > SHOWN else ""
