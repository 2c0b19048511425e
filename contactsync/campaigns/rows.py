"""New recipients on their way into the table, a chunk in one statement: an audience may be a million people."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from contactsync.campaigns.sources import Candidate
from contactsync.models import CampaignTarget, Recipient

_FIELDS = (
    "uuid", "campaign", "target", "contact", "is_stranger", "phone", "name", "remote_id", "text", "template_values",
    "parts", "state", "exclusion", "error", "reference", "delivery", "delivery_raw",
)  # fmt: skip


@dataclass(slots=True)
class NewRecipient:
    """The verdict on one candidate. `encoding` is that of the text, and empty for who is left out."""

    candidate: Candidate
    text: str = ""
    template_values: dict[str, str] | None = None  # None: free text
    parts: int = 0
    encoding: str = ""
    state: str = Recipient.State.PLANNED
    exclusion: str = ""
    error: dict[str, Any] = field(default_factory=dict)


def insert(rows: Sequence[NewRecipient], target: CampaignTarget) -> None:
    """Write the rows in their order, inside the caller's transaction. Building model instances takes several times as long."""
    fields: dict[str, Any] = {field.name: field for field in Recipient._meta.concrete_fields}
    quoted = connection.ops.quote_name
    names = ", ".join(quoted(fields[name].column) for name in _FIELDS)
    places = ", ".join(["%s"] * len(_FIELDS))
    as_json = fields["error"].get_db_prep_save
    has_uuid = connection.features.has_native_uuid_field
    no_error = as_json({}, connection)
    values = [
        (
            uuid.uuid4() if has_uuid else uuid.uuid4().hex,
            target.campaign_id,
            target.pk,
            row.candidate.contact_id,
            row.candidate.contact_id is None,
            row.candidate.phone,
            row.candidate.full_name[:255],
            row.candidate.remote_id,
            row.text,
            None if row.template_values is None else as_json(row.template_values, connection),
            row.parts,
            str(row.state),
            str(row.exclusion),
            as_json(row.error, connection) if row.error else no_error,
            "",
            "",
            "",
        )
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quoted(Recipient._meta.db_table)} ({names}) VALUES ({places})",  # noqa: S608 - the model's own names
            values,
        )


def give_calls(pairs: Sequence[tuple[int, int]]) -> None:
    """Write the call of each recipient: pairs of (call, recipient), inside the caller's transaction."""
    quoted = connection.ops.quote_name
    column = quoted(Recipient._meta.get_field("call").column)
    table, key = quoted(Recipient._meta.db_table), quoted("id")
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", pairs)  # noqa: S608 - the model's own names
