"""The right of one worker to work on one campaign, for a while and renewable."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db.models import Q
from django.utils import timezone

from contactsync.models import Campaign
from contactsync.models.moments import bring_nearer
from contactsync.sync import shutdown
from contactsync.sync.leases import LONGEST_REST

DURATION = dt.timedelta(minutes=2)


class LeaseLost(Exception):
    """The campaign left the state this work belongs to, or another worker took over: whatever is not committed must go."""


def mend() -> None:
    """After the clock was set back: leases end in time again, and what rests does not rest for hours."""
    held = Campaign.objects.exclude(lease_owner="")
    bring_nearer(held, "lease_until", longest=DURATION, to=DURATION)
    resting = Campaign.objects.filter(lease_owner="")
    bring_nearer(resting, "lease_until", longest=LONGEST_REST, to=dt.timedelta(0))


class CampaignLease:
    """Held while the campaign is in one of these states. Two workers cannot hold it at the same time."""

    def __init__(self, campaign_id: int, *states: str) -> None:
        self.campaign_id = campaign_id
        self.states = states
        self.owner = uuid.uuid4().hex

    def claim(self) -> bool:
        """Take the lease when it is free; False when the state is another or somebody else works on it."""
        free = Q(lease_owner="") | Q(lease_until=None) | Q(lease_until__lt=timezone.now())
        return self._set(free, error={})

    def renew(self, **changes: Any) -> None:
        """Keep the lease, and write these columns with it. Called first in every transaction of the work; raises `LeaseLost`
        when it is gone, and `shutdown.Ending` when this process is to end."""
        shutdown.end_if_asked()
        if not self._set(Q(lease_owner=self.owner), **changes):
            raise LeaseLost

    def rest(self, until: dt.datetime | None, why: dict[str, Any]) -> None:
        """Let go of the campaign until then; the sweep finds it (None: only a person does). `why` is shown meanwhile."""
        mine = Campaign.objects.filter(pk=self.campaign_id, state__in=self.states, lease_owner=self.owner)
        mine.update(lease_owner="", lease_until=until, error=why)

    def end(self, state: str, **changes: Any) -> bool:
        """Let go of the campaign in this state. False when it was not ours any more; then nothing is written."""
        mine = Campaign.objects.filter(pk=self.campaign_id, state__in=self.states, lease_owner=self.owner)
        return bool(mine.update(state=state, lease_owner="", lease_until=None, **changes))

    def _set(self, condition: Q, **changes: Any) -> bool:
        row = Campaign.objects.filter(condition, pk=self.campaign_id, state__in=self.states)
        return row.update(lease_owner=self.owner, lease_until=timezone.now() + DURATION, **changes) == 1
