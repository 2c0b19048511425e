"""The equation of a campaign: everybody considered is accounted for, or the campaign says so."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum

from contactsync.campaigns.summary import rows_by_exclusion
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.sync.connect import SENDS


@dataclass(frozen=True, slots=True)
class Equation:
    """considered = recipients + duplicate + excluded; recipients = the sum of the states below."""

    considered: int
    recipients: int
    duplicate: int
    excluded: dict[str, int]
    accepted: int
    refused: int
    unknown: int
    not_sent: int
    on_wire: int
    planned: int

    @property
    def balances(self) -> bool:
        states = self.accepted + self.refused + self.unknown + self.not_sent + self.on_wire + self.planned
        return (
            self.considered == self.recipients + self.duplicate + sum(self.excluded.values())
            and self.recipients == states
        )

    @property
    def as_counts(self) -> dict[str, Any]:
        """To store with a run or campaign."""
        return {**asdict(self), "balances": self.balances}


COUNT_SHARE = 20  # counting may take at most one part in so many of the time
_STATES = ("accepted", "refused", "unknown", "not_sent", "on_wire", "planned")


def equation(campaign: Campaign) -> Equation:
    """What was considered and frozen, as noted then, against what the rows say now."""
    rows = Recipient.objects.filter(campaign=campaign).order_by()
    states = dict(rows.values_list("state").annotate(number=Count("*")))
    excluded = rows_by_exclusion(campaign)
    excluded.pop("", None)
    noted = campaign.summary
    return Equation(
        considered=noted.get("considered", 0),
        recipients=noted.get("recipients", 0),
        duplicate=noted.get("duplicate", 0),
        excluded=excluded,
        **{state: states.get(state, 0) for state in _STATES},
    )


class Standing:
    """How far a send is (`progress`), kept along while its calls are made: counting them takes long when they are many.

    Counted anew after something else changed them: then it `is_stale`.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.is_stale = True
        self._people: dict[str, Any] = {}
        self._count_again_at = 0.0

    def move(self, calls: Iterable[Call], before: str, after: str) -> None:
        """The people of these calls stand elsewhere now."""
        for call in calls:
            self._people[before] = self._people.get(before, 0) - call.item_count
            self._people[after] = self._people.get(after, 0) + call.item_count

    def counts(self) -> dict[str, Any]:
        """As `progress`."""
        began = time.monotonic()
        if self.is_stale and began >= self._count_again_at:
            self._people = progress(self.run)
            self.is_stale = False
            self._count_again_at = time.monotonic() + COUNT_SHARE * (time.monotonic() - began)
        return dict(self._people)


def progress(run: Run) -> dict[str, Any]:
    """How far a campaign is, counted over the calls of all its runs: cheap enough to store now and then.

    Who was not sent to by an earlier run is in a call of this one; who was refused there may be, too.
    """
    of_campaign = {"run__campaign": run.campaign_id} if run.campaign_id else {"run": run}
    calls = Call.objects.filter(**of_campaign, operation__in=SENDS).order_by()
    rows = list(calls.values_list("run", "state").annotate(Sum("item_count")))
    counts = dict.fromkeys(_STATES, 0)
    for run_id, state, people in rows:
        if run_id == run.pk or state in {Call.State.ACCEPTED, Call.State.UNKNOWN, Call.State.ON_WIRE}:
            counts[state] += people
    if any(run_id != run.pk for run_id, _, _ in rows):
        everybody = Campaign.objects.filter(runs=run).values_list("summary__recipients", flat=True).first()
        counts["refused"] += max(0, (everybody or 0) - sum(counts.values()))
    return {"recipients": sum(counts.values()), **counts}


def add_to_summary(campaign: Campaign, **parts: Any) -> None:
    """Set these keys of the summary and leave the others as they are, whoever else writes at the same time."""
    with transaction.atomic():
        fresh = Campaign.objects.select_for_update().get(pk=campaign.pk)
        campaign.summary = {**fresh.summary, **parts}
        Campaign.objects.filter(pk=campaign.pk).update(summary=campaign.summary)
