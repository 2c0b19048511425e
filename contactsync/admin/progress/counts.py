"""What long work has come to so far, counted by state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db.models import Count, TextChoices

from contactsync.admin.common import COUNTED
from contactsync.models import Campaign, Recipient, Run, RunItem
from contactsync.sync.equation import STEPS, unsettled

RUN_BUSY = frozenset({Run.State.PLANNING, Run.State.QUEUED, Run.State.RUNNING, Run.State.STOPPING})
#: where a run has not counted its items yet: nothing is done, or next to nothing
UNCOUNTED = frozenset({Run.State.PLANNED, Run.State.QUEUED, Run.State.RUNNING})
#: where nobody sends for a campaign, so that its people stay as they were counted
SETTLED = frozenset(
    {
        Campaign.State.SENT,
        Campaign.State.SCHEDULED,
        Campaign.State.STOPPED,
        Campaign.State.ATTENTION,
        Campaign.State.CANCELLED,
        Campaign.State.FAILED,
    }
)
_IN_THE_AUDIENCE = tuple(state for state in Recipient.State if state != Recipient.State.EXCLUDED)


def item_counts(run: Run) -> dict[str, int]:
    """Items that the run carries out, by state. What is not possible was never planned.

    Of many, as the run itself has counted them last, or as its plan has while nobody has begun: to count a million takes
    longer than to show the page.
    """
    planned = sum(run.plan.get(step, 0) for step in STEPS)
    if not run.counts and run.state in UNCOUNTED and planned > COUNTED:
        return {str(RunItem.State.PLANNED): planned}
    if run.counts.get("planned", 0) > COUNTED and "pending" in run.counts:
        states, pending = RunItem.State, run.counts["pending"]
        counted = {state: run.counts[state] for state in (states.DONE, states.FAILED, states.UNKNOWN)}
        counted |= {states.PLANNED: pending, states.NOT_ATTEMPTED: run.counts["not_attempted"] - pending}
        return {str(state): number for state, number in counted.items() if number}
    # by both, and all rows: as the index has them, which is read alone
    rows = run.items.exclude(operation=RunItem.Operation.CANNOT).order_by().values_list("operation", "state")
    found: Counter[str] = Counter()
    for _operation, state, number in rows.annotate(number=Count("*")):
        found[state] += number
    if found[RunItem.State.PLANNED] and run.started_at:
        for state, number in unsettled(run).items():
            found[state] += number
            found[RunItem.State.PLANNED] -= number
    return {state: number for state, number in found.items() if number}


def recipient_counts(campaign: Campaign, *, sent_by: Run | None = None) -> dict[str, int]:
    """People in the audience, by state, without those left out.

    Of very many, as they were counted last: a moment ago by the run that sends to them now, or when the sending ended.
    """
    kept = counted_at_its_end(campaign)
    if sent_by is not None and sent_by.state in RUN_BUSY:
        kept = sent_by.counts
    if kept.get("recipients", 0) > COUNTED:
        return {str(state): kept[state] for state in _IN_THE_AUDIENCE if kept.get(state)}
    # all rows, as the index has them, which is read alone
    rows = Recipient.objects.filter(campaign=campaign).order_by().values_list("state").annotate(number=Count("*"))
    return {state: number for state, number in rows if state != Recipient.State.EXCLUDED}


def with_noughts(counts: Mapping[str, int], states: type[TextChoices]) -> dict[str, int]:
    """The counts with a nought for each state that nothing is in: on a page that moves, its last number would stay.

    Whoever is left out of a campaign is not among those counted, which is not to say that there is nobody.
    """
    return {str(state): counts.get(state, 0) for state in states if state != Recipient.State.EXCLUDED}


def counted_at_its_end(campaign: Campaign) -> Mapping[str, Any]:
    """The equation of a campaign at rest (`campaigns.settle`), which every decision since has made anew; else nothing.

    Where something was on its way then, a sweep decides about it before it counts: only the rows can tell in between.
    """
    counts: dict[str, Any] = campaign.summary.get("sent", {})
    is_open = counts.get("on_wire") or counts.get("planned")
    return counts if campaign.state in SETTLED and not is_open else {}
