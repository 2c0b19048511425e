"""What the page shows of an IPPanel account."""

from __future__ import annotations

import datetime as dt

from providers.sandbox.dialect import Section
from providers.sandbox.ippanel.delivery import LABELS
from providers.sandbox.ippanel.state import IPPanelState

SHOWN = 200
DELIVERY = {"": "waiting", "0": "handed over", "1": "at the operator", "2": "delivered", "3": "not delivered",
            "4": "blacklisted"}  # fmt: skip


def when(stamp: float) -> str:
    return dt.datetime.fromtimestamp(int(stamp), dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def sections(state: IPPanelState) -> list[Section]:
    """Account, phonebooks, contacts, options, sends, recipients, violations."""
    now = state.clock.now()
    titles = {str(option.id): option.title for option in state.options.values()}
    contacts = list(state.contacts.values())[-SHOWN:]
    sends = list(state.sends.values())[-SHOWN:]
    messages = [(send, message) for send in sends for message in send.messages][-SHOWN:]
    return [
        Section(
            "Account",
            ("User", "Credit (Rial)", "Senders", "Phonebooks", "Contacts", "Sends"),
            [
                (
                    state.user_name, f"{state.credit:,.0f}", ", ".join(row.number for row in state.numbers),
                    len(state.phonebooks), len(state.contacts), len(state.sends),
                )
            ],
        ),
        Section(
            "Phonebooks",
            ("Id", "Title", "Contacts", "Options", "Created (UTC)"),
            [
                (b.id, b.title, b.count, ", ".join(state.options[i].title for i in b.option_ids), when(b.created))
                for b in state.phonebooks.values()
            ],
        ),
        Section(
            "Options",
            ("Id", "Title", "Type"),
            [(option.id, option.title, option.type) for option in state.options.values()],
        ),
        Section(
            "Contacts",
            ("Id", "Phonebook", "Number", "Prefix", "Name", "E-mail", "Options"),
            [
                (
                    c.id, state.phonebooks[c.phonebook_id].title, c.number, c.pre, c.name, c.email,
                    ", ".join(f"{titles.get(key, key)}: {value}" for key, value in c.options.items()),
                )
                for c in reversed(contacts)
            ],
            note=limit_note(len(state.contacts)),
        ),
        Section(
            "Sends",
            ("Id", "Type", "From", "Text", "Recipients", "Cost (Rial)", "State", "Due (UTC)"),
            [
                (
                    send.id, send.type, send.sender, send.text, len(send.messages), f"{send.cost:,.0f}",
                    f"{int(send.status(now))} {LABELS[send.status(now)][0]}", when(send.due),
                )
                for send in reversed(sends)
            ],
            note=limit_note(len(state.sends)),
        ),
        Section(
            "Recipients",
            ("Send", "Number", "Text", "Parts", "Delivery"),
            [
                (send.id, m.recipient, m.text, m.parts, DELIVERY[send.message_status(m, now)])
                for send, m in reversed(messages)
            ],
            note=limit_note(sum(len(send.messages) for send in state.sends.values())),
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
