"""What the page shows of a LOX24 account."""

from __future__ import annotations

import datetime as dt

from providers.sandbox.dialect import Section
from providers.sandbox.lox24.records import COLUMNS
from providers.sandbox.lox24.state import LOX24State

SHOWN = 200


def when(stamp: float) -> str:
    return dt.datetime.fromtimestamp(int(stamp), dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def sections(state: LOX24State) -> list[Section]:
    """Account, groups, phones, bulks, messages, blocked numbers, violations."""
    now = state.clock.now()
    phones, bulks = list(state.phones.values())[-SHOWN:], list(state.bulks.values())[-SHOWN:]
    messages = list(state.sms.values())[-SHOWN:]
    return [
        Section(
            "Account",
            ("Client id", "Balance", "Services", "Groups", "Phones", "Messages", "Notifications to"),
            [
                (
                    state.client_id, f"{state.balance:,.2f} {state.currency}", ", ".join(state.services),
                    len(state.groups), len(state.phones), len(state.sms), ", ".join(state.callback_urls),
                )
            ],
        ),
        Section(
            "Groups",
            ("Id", "Name", "Phones", "Description", *(f"Label {column}" for column in COLUMNS)),
            [
                (
                    group.id, group.name, len(group.phone_ids), group.description or "",
                    *(group.labels.get(column) or "" for column in COLUMNS),
                )
                for group in state.groups.values()
            ],
        ),
        Section(
            "Phones",
            ("Id", "Group", "Phone", *COLUMNS, "callback_data", "Unsubscribed (UTC)"),
            [
                (
                    row.id, state.groups[row.group_id].name, row.phone,
                    *(row.columns.get(column) or "" for column in COLUMNS), row.callback_data or "",
                    when(row.unsubscribed_at) if row.unsubscribed_at else "",
                )
                for row in reversed(phones)
            ],
            note=limit_note(len(state.phones)),
        ),
        Section(
            "Bulks",
            ("Uuid", "From", "Text", "Messages", "Status", "Due (UTC)"),
            [
                (bulk.uuid, bulk.sender_id, bulk.text, len(bulk.sms_uuids), bulk.status(now), when(bulk.due))
                for bulk in reversed(bulks)
            ],
            note=limit_note(len(state.bulks)),
        ),
        Section(
            "Messages",
            ("Uuid", "Bulk", "To", "Text", "Parts", "Status", "Delivery", "callback_data"),
            [
                (sms.uuid, sms.bulk_id or "", sms.phone, sms.text, sms.parts, *sms.codes(now), sms.callback_data or "")
                for sms in reversed(messages)
            ],
            note=limit_note(len(state.sms)),
        ),
        Section(
            "Blocked numbers",
            ("Number", "Type", "Since (UTC)"),
            [(row.number, row.type, when(row.added_at)) for row in state.blocked],
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
