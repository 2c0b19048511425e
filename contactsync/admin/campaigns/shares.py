"""What became of the messages of a campaign, as stretches of one bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from contactsync.admin.common import COUNTED
from contactsync.admin.progress.counts import counted_at_its_end, recipient_counts
from contactsync.models import Campaign, Recipient
from contactsync.templatetags.contactsync import tone


@dataclass(frozen=True, slots=True)
class Share:
    """One stretch of the bar: `start` and `width` in thousandths of the whole."""

    name: str
    label: str
    count: int
    start: int
    width: int

    @property
    def tone(self) -> str:
        """As the badges have it, but what is only on its way is not good yet."""
        return {"sent": "busy", "accepted": "info"}.get(self.name) or tone(self.name)


#: from what reached people to what did not
SHARE_ORDER = (
    "delivered",
    "read",
    "sent",
    "queued",
    "accepted",
    "on_wire",
    "planned",
    "unrecognised",
    "unknown",
    "undelivered",
    "blocked",
    "failed",
    "refused",
    "cancelled",
    "not_sent",
)


def shares(campaign: Campaign) -> list[Share]:
    """What became of every message: by delivery where it is known, else by what the call said."""
    counts = _as_last_read(campaign) or _counted(campaign)
    labels: dict[str, Any] = {
        **dict(Recipient.State.choices),
        **dict(Recipient.Delivery.choices),
        Recipient.State.ACCEPTED: _("accepted, no report yet"),
    }
    total, start, found = sum(counts.values()), 0, []
    for name in sorted(counts, key=SHARE_ORDER.index):
        width = round(1000 * (start + counts[name]) / total) - round(1000 * start / total)
        found.append(Share(name, str(labels[name]), counts[name], round(1000 * start / total), width))
        start += counts[name]
    return found


def _counted(campaign: Campaign) -> dict[str, int]:
    rows = (
        campaign.recipients.exclude(state=Recipient.State.EXCLUDED)
        .order_by()
        .values_list("state", "delivery")
        .annotate(Count("id"))
    )
    counts: dict[str, int] = {}
    for state, delivery, count in rows:
        name = delivery or state
        counts[name] = counts.get(name, 0) + count
    return counts


def _as_last_read(campaign: Campaign) -> dict[str, int]:
    """Of very many people, as they were counted when the report was read; the page says when. Nothing when only the rows can tell.

    Where a send may still be cancelled, deliveries change without a report.
    """
    states = {str(state): count for state, count in recipient_counts(campaign).items()} if _is_large(campaign) else {}
    told = campaign.summary.get("report", {}).get("states", {})
    if campaign.reported_at is None:
        told = {"none": states.get(Recipient.State.ACCEPTED, 0)}
    accepted = states.pop(Recipient.State.ACCEPTED, 0)
    if not accepted or sum(told.values()) != accepted:
        return {}
    delivered = {Recipient.State.ACCEPTED.value if name == "none" else name: count for name, count in told.items()}
    return states | {name: count for name, count in delivered.items() if count}


def _is_large(campaign: Campaign) -> bool:
    at_rest = campaign.state == Campaign.State.SENT
    return at_rest and bool(counted_at_its_end(campaign).get("recipients", 0) > COUNTED)
