"""New recipients on their way into the table, a chunk in one statement: an audience may be a million people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from contactsync.campaigns.sources import Candidate
from contactsync.models import CampaignTarget, Recipient
from contactsync.models.bulk import Inserter, time_ordered_uuids

_FIELDS = (
    "uuid", "contact", "is_stranger", "phone", "name", "remote_id", "text", "template_values",
    "parts", "state", "exclusion", "error",
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
    shared = {"campaign": target.campaign_id, "target": target.pk}
    Inserter(Recipient, _FIELDS, shared=shared).insert(
        (
            number,
            row.candidate.contact_id,
            row.candidate.contact_id is None,
            row.candidate.phone,
            row.candidate.full_name[:255],
            row.candidate.remote_id,
            row.text,
            row.template_values,
            row.parts,
            str(row.state),
            str(row.exclusion),
            row.error or "{}",
        )
        for number, row in zip(time_ordered_uuids(len(rows)), rows, strict=True)
    )
