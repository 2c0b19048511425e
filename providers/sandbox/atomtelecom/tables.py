"""What the page shows of an Atom Telecom account."""

from __future__ import annotations

from collections import Counter

from providers.sandbox.atomtelecom.delivery import stamp, status
from providers.sandbox.atomtelecom.state import AtomTelecomState
from providers.sandbox.dialect import Section

SHOWN = 200


def sections(state: AtomTelecomState) -> list[Section]:
    """Account, address books, contacts, messages, received messages, violations."""
    now = state.clock.now()
    counts = Counter(contact.group_id for contact in state.contacts.values())
    contacts = list(state.contacts.values())[-SHOWN:]
    messages = list(state.messages.values())[-SHOWN:]
    return [
        Section(
            "Account",
            ("Senders", "Automation", "Webhook", "Address books", "Contacts", "Messages"),
            [
                (
                    ", ".join(state.senders), "on" if state.portal.automation else "off", state.portal.webhook,
                    len(state.books), len(state.contacts), len(state.messages),
                )
            ],
        ),
        Section(
            "Address books",
            ("Id", "Name", "Contacts"),
            [(book.id, book.name, counts[book.id]) for book in state.books.values()],
        ),
        Section(
            "Contacts",
            ("Id", "Address book", "Number", "First name", "Last name", "Company", "1", "2", "3", "4"),
            [
                (
                    c.id, state.books[c.group_id].name, c.phone_number, c.first_name, c.last_name, c.company,
                    c.custom_1, c.custom_2, c.custom_3, c.custom_4,
                )
                for c in reversed(contacts)
            ],
            note=limit_note(len(state.contacts)),
        ),
        Section(
            "Messages",
            ("Id", "From", "To", "Text", "Status", "Accepted (UTC)"),
            [
                (m.message_id, m.sender, ", ".join(m.to), m.text, status(m, now), stamp(m.created))
                for m in reversed(messages)
            ],
            note=limit_note(len(state.messages)),
        ),
        Section(
            "Received messages",
            ("From", "To", "Text", "Time (UTC)"),
            [(row["from"], row["to"], row["message"], row["timestamp"]) for row in reversed(state.inbox[-SHOWN:])],
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
