"""What the page shows of an IPPanel account."""

from __future__ import annotations

from providers.sandbox.dialect import Section
from providers.sandbox.ippanel.delivery import LABELS
from providers.sandbox.ippanel.state import IPPanelState
from providers.sandbox.tables import SHOWN, latest, limit_note, violations, when

DELIVERY = {"": "waiting", "0": "handed over", "1": "at the operator", "2": "delivered", "3": "not delivered",
            "4": "blacklisted"}  # fmt: skip


def sections(state: IPPanelState) -> list[Section]:
    """Everything, in the order in which it comes about."""
    return [
        _account(state),
        _phonebooks(state),
        _options(state),
        _contacts(state),
        _sends(state),
        _recipients(state),
        violations(state),
    ]


def _account(state: IPPanelState) -> Section:
    return Section(
        "Account",
        ("User", "Credit (Rial)", "Senders", "Phonebooks", "Contacts", "Sends"),
        [
            (
                state.user_name, f"{state.credit:,.0f}", ", ".join(row.number for row in state.numbers),
                len(state.phonebooks), len(state.contacts), len(state.sends),
            )
        ],
    )  # fmt: skip


def _phonebooks(state: IPPanelState) -> Section:
    return Section(
        "Phonebooks",
        ("Id", "Title", "Contacts", "Options", "Created (UTC)"),
        [
            (b.id, b.title, b.count, ", ".join(state.options[i].title for i in b.option_ids), when(b.created))
            for b in state.phonebooks.values()
        ],
    )


def _options(state: IPPanelState) -> Section:
    return Section(
        "Options",
        ("Id", "Title", "Type"),
        [(option.id, option.title, option.type) for option in state.options.values()],
    )


def _contacts(state: IPPanelState) -> Section:
    titles = {str(option.id): option.title for option in state.options.values()}
    return Section(
        "Contacts",
        ("Id", "Phonebook", "Number", "Prefix", "Name", "E-mail", "Options"),
        [
            (
                c.id, state.phonebooks[c.phonebook_id].title, c.number, c.pre, c.name, c.email,
                ", ".join(f"{titles.get(key, key)}: {value}" for key, value in c.options.items()),
            )
            for c in latest(state.contacts.values())
        ],
        note=limit_note(len(state.contacts)),
    )  # fmt: skip


def _sends(state: IPPanelState) -> Section:
    now = state.clock.now()
    return Section(
        "Sends",
        ("Id", "Type", "From", "Text", "Recipients", "Cost (Rial)", "State", "Due (UTC)"),
        [
            (
                send.id, send.type, send.sender, send.text, len(send.messages), f"{send.cost:,.0f}",
                f"{int(send.status(now))} {LABELS[send.status(now)][0]}", when(send.due),
            )
            for send in latest(state.sends.values())
        ],
        note=limit_note(len(state.sends)),
    )  # fmt: skip


def _recipients(state: IPPanelState) -> Section:
    now = state.clock.now()
    sends = list(state.sends.values())[-SHOWN:]
    return Section(
        "Recipients",
        ("Send", "Number", "Text", "Parts", "Delivery"),
        [
            (send.id, m.recipient, m.text, m.parts, DELIVERY[send.message_status(m, now)])
            for send, m in latest((send, message) for send in sends for message in send.messages)
        ],
        note=limit_note(sum(len(send.messages) for send in state.sends.values())),
    )
