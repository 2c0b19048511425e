"""What the page shows of a Callbell account."""

from __future__ import annotations

from providers.sandbox.callbell.state import CallbellState
from providers.sandbox.dialect import Section
from providers.sandbox.tables import latest, limit_note, violations, when


def sections(state: CallbellState) -> list[Section]:
    """What is made in the dashboard first, then what calls have made."""
    return [
        _account(state),
        _dashboard(state),
        _channels(state),
        _templates(state),
        _contacts(state),
        _sends(state),
        _conversations(state),
        violations(state),
    ]


def _account(state: CallbellState) -> Section:
    webhook = state.webhook
    return Section(
        "Account",
        ("User", "Contacts", "Sends", "Webhook", "Signed"),
        [
            (
                state.user_name, len(state.contacts), len(state.sends),
                f"{webhook.url} ({', '.join(webhook.subscriptions)})" if webhook else "",
                "yes" if state.secret else "no",
            )
        ],
    )  # fmt: skip


def _dashboard(state: CallbellState) -> Section:
    fields = ", ".join(f"{field.name} ({field.type})" for field in state.custom_fields.values())
    return Section(
        "Dashboard",
        ("Tags", "Users", "Custom fields"),
        [(", ".join(state.tags), ", ".join(state.users), fields)],
    )


def _channels(state: CallbellState) -> Section:
    return Section(
        "Channels",
        ("Id", "Title", "Type", "In use"),
        [(c.uuid, c.title, c.type, "no" if c.discarded_at else "yes") for c in state.channels.values()],
    )


def _templates(state: CallbellState) -> Section:
    return Section(
        "Templates",
        ("Id", "Title", "Status", "Text"),
        [(t.uuid, t.title, t.status, t.text) for t in state.templates.values()],
    )


def _contacts(state: CallbellState) -> Section:
    return Section(
        "Contacts",
        ("Id", "Number", "Name", "Tags", "Custom fields", "Assigned", "Bot", "Note"),
        [
            (
                c.uuid, c.phone, c.name, ", ".join(c.tags),
                ", ".join(f"{name}: {value}" for name, value in c.custom_fields.items()),
                c.assigned_user or "", c.bot_status, c.note or "",
            )
            for c in latest(state.contacts.values())
        ],
        note=limit_note(len(state.contacts)),
    )  # fmt: skip


def _sends(state: CallbellState) -> Section:
    return Section(
        "Sends",
        ("Id", "To", "Text", "Status", "Bot", "Metadata", "Accepted (UTC)"),
        [
            (s.uuid, s.phone, s.text, s.told, s.bot_status, s.metadata, when(s.created))
            for s in latest(state.sends.values())
        ],
        note=limit_note(len(state.sends)),
    )


def _conversations(state: CallbellState) -> Section:
    return Section(
        "Conversations",
        ("Number", "Direction", "Text", "Time (UTC)"),
        [(m.phone, m.status, m.text, when(m.created)) for m in latest(state.messages)],
        note=limit_note(len(state.messages)),
    )
