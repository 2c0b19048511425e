"""What the page shows of an Atom Telecom account."""

from __future__ import annotations

from collections import Counter

from providers.sandbox.atomtelecom.delivery import stamp, status
from providers.sandbox.atomtelecom.state import AtomTelecomState
from providers.sandbox.dialect import Section
from providers.sandbox.tables import latest, limit_note, violations


def sections(state: AtomTelecomState) -> list[Section]:
    """Everything, in the order in which it comes about."""
    return [
        _account(state),
        _books(state),
        _contacts(state),
        _messages(state),
        _received(state),
        violations(state),
    ]


def _account(state: AtomTelecomState) -> Section:
    return Section(
        "Account",
        ("Senders", "Automation", "Webhook", "Address books", "Contacts", "Messages"),
        [
            (
                ", ".join(state.senders), "on" if state.portal.automation else "off", state.portal.webhook,
                len(state.books), len(state.contacts), len(state.messages),
            )
        ],
    )  # fmt: skip


def _books(state: AtomTelecomState) -> Section:
    counts = Counter(contact.group_id for contact in state.contacts.values())
    return Section(
        "Address books",
        ("Id", "Name", "Contacts"),
        [(book.id, book.name, counts[book.id]) for book in state.books.values()],
    )


def _contacts(state: AtomTelecomState) -> Section:
    return Section(
        "Contacts",
        ("Id", "Address book", "Number", "First name", "Last name", "Company", "1", "2", "3", "4"),
        [
            (
                c.id, state.books[c.group_id].name, c.phone_number, c.first_name, c.last_name, c.company,
                c.custom_1, c.custom_2, c.custom_3, c.custom_4,
            )
            for c in latest(state.contacts.values())
        ],
        note=limit_note(len(state.contacts)),
    )  # fmt: skip


def _messages(state: AtomTelecomState) -> Section:
    now = state.clock.now()
    return Section(
        "Messages",
        ("Id", "From", "To", "Text", "Status", "Accepted (UTC)"),
        [
            (m.message_id, m.sender, ", ".join(m.to), m.text, status(m, now), stamp(m.created))
            for m in latest(state.messages.values())
        ],
        note=limit_note(len(state.messages)),
    )


def _received(state: AtomTelecomState) -> Section:
    return Section(
        "Received messages",
        ("From", "To", "Text", "Time (UTC)"),
        [(row["from"], row["to"], row["message"], row["timestamp"]) for row in latest(state.inbox)],
        note=limit_note(len(state.inbox)),
    )
