"""An IPPanel account as JSON-ready values, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from providers.sandbox.dialect import Violation
from providers.sandbox.ippanel.delivery import Send
from providers.sandbox.ippanel.records import Contact, Inbound, Option, Pattern, Phonebook, SenderNumber

if TYPE_CHECKING:
    from providers.sandbox.ippanel.state import IPPanelState


def dump_state(state: IPPanelState) -> dict[str, Any]:
    """Everything as JSON-ready values."""
    return {
        "account": {
            "user_name": state.user_name,
            "name": state.name,
            "document_block": state.document_block,
            "send_block": state.send_block,
            "credit": state.credit,
            "capacity": state.capacity,
        },
        "quirks": sorted(state.quirks),
        "rejected_words": sorted(state.rejected_words),
        "numbers": [asdict(row) for row in state.numbers],
        "options": [asdict(row) for row in state.options.values()],
        "phonebooks": [
            {"id": b.id, "title": b.title, "option_ids": list(b.option_ids), "created": b.created, "updated": b.updated}
            for b in state.phonebooks.values()
        ],
        "contacts": [
            {
                "id": c.id, "phonebook_id": c.phonebook_id, "number": c.number, "pre": c.pre, "name": c.name,
                "email": c.email, "options": dict(c.options), "created": c.created, "updated": c.updated,
            }
            for c in state.contacts.values()
        ],
        "sends": [send.dump() for send in state.sends.values()],
        "blacklist": sorted(state.blacklist),
        "inbox": [asdict(row) for row in state.inbox],
        "patterns": [asdict(row) for row in state.patterns.values()],
        "violations": [asdict(row) for row in state.violations],
        "next_ids": dict(state.next_ids),
        "last_stamp": state.last_stamp,
    }  # fmt: skip


def load_state(state: IPPanelState, data: dict[str, Any]) -> None:
    """Undo `dump_state` on a fresh state."""
    for name, value in data["account"].items():
        setattr(state, name, value)
    state.quirks = set(data["quirks"])
    state.rejected_words = set(data["rejected_words"])
    state.numbers = [SenderNumber(**row) for row in data["numbers"]]
    state.options = {row["id"]: Option(**row) for row in data["options"]}
    state.phonebooks = {row["id"]: Phonebook(**row) for row in data["phonebooks"]}
    state.contacts = {row["id"]: Contact(**row) for row in data["contacts"]}
    for contact in sorted(state.contacts.values(), key=lambda row: row.id):
        book = state.phonebooks[contact.phonebook_id]
        book.contact_ids.append(contact.id)
        book.by_number[contact.number] = contact.id
    state.sends = {row["id"]: Send.restore(row) for row in data["sends"]}
    state.waiting = [send for send in state.sends.values() if send.waits]
    state.blacklist = set(data["blacklist"])
    state.inbox = [Inbound(**row) for row in data["inbox"]]
    state.patterns = {row["code"]: Pattern(**row) for row in data["patterns"]}
    state.violations = [Violation(**row) for row in data["violations"]]
    state.next_ids = data["next_ids"]
    state.last_stamp = data["last_stamp"]
