"""What became of the messages of a campaign, as stretches of one bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

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
    rows = list(
        campaign.recipients.exclude(state=Recipient.State.EXCLUDED)
        .order_by()
        .values_list("state", "delivery")
        .annotate(Count("id"))
    )
    counts: dict[str, int] = {}
    for state, delivery, count in rows:
        name = delivery or state
        counts[name] = counts.get(name, 0) + count
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
