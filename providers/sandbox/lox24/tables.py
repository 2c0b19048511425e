"""What the page shows of a LOX24 account."""

from __future__ import annotations

from providers.sandbox.dialect import Section
from providers.sandbox.lox24.records import COLUMNS
from providers.sandbox.lox24.state import LOX24State
from providers.sandbox.tables import latest, limit_note, violations, when


def sections(state: LOX24State) -> list[Section]:
    """Everything, in the order in which it comes about."""
    return [
        _account(state),
        _groups(state),
        _phones(state),
        _bulks(state),
        _messages(state),
        _blocked(state),
        violations(state),
    ]


def _account(state: LOX24State) -> Section:
    return Section(
        "Account",
        ("Client id", "Balance", "Services", "Groups", "Phones", "Messages", "Notifications to"),
        [
            (
                state.client_id, f"{state.balance:,.2f} {state.currency}", ", ".join(state.services),
                len(state.groups), len(state.phones), len(state.sms), ", ".join(state.callback_urls),
            )
        ],
    )  # fmt: skip


def _groups(state: LOX24State) -> Section:
    return Section(
        "Groups",
        ("Id", "Name", "Phones", "Description", *(f"Label {column}" for column in COLUMNS)),
        [
            (
                group.id, group.name, len(group.phone_ids), group.description or "",
                *(group.labels.get(column) or "" for column in COLUMNS),
            )
            for group in state.groups.values()
        ],
    )  # fmt: skip


def _phones(state: LOX24State) -> Section:
    return Section(
        "Phones",
        ("Id", "Group", "Phone", *COLUMNS, "callback_data", "Unsubscribed (UTC)"),
        [
            (
                row.id, state.groups[row.group_id].name, row.phone,
                *(row.columns.get(column) or "" for column in COLUMNS), row.callback_data or "",
                when(row.unsubscribed_at) if row.unsubscribed_at else "",
            )
            for row in latest(state.phones.values())
        ],
        note=limit_note(len(state.phones)),
    )  # fmt: skip


def _bulks(state: LOX24State) -> Section:
    now = state.clock.now()
    return Section(
        "Bulks",
        ("Uuid", "From", "Text", "Messages", "Status", "Due (UTC)"),
        [
            (bulk.uuid, bulk.sender_id, bulk.text, len(bulk.sms_uuids), bulk.status(now), when(bulk.due))
            for bulk in latest(state.bulks.values())
        ],
        note=limit_note(len(state.bulks)),
    )


def _messages(state: LOX24State) -> Section:
    now = state.clock.now()
    return Section(
        "Messages",
        ("Uuid", "Bulk", "To", "Text", "Parts", "Status", "Delivery", "callback_data"),
        [
            (sms.uuid, sms.bulk_id or "", sms.phone, sms.text, sms.parts, *sms.codes(now), sms.callback_data or "")
            for sms in latest(state.sms.values())
        ],
        note=limit_note(len(state.sms)),
    )


def _blocked(state: LOX24State) -> Section:
    return Section(
        "Blocked numbers",
        ("Number", "Type", "Since (UTC)"),
        [(row.number, row.type, when(row.added_at)) for row in state.blocked],
    )
