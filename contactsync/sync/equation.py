"""The sum at the end of a run: planned = done + failed + unknown + not attempted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from contactsync.models import Call, Run, RunItem
from providers.types import ItemOutcome

#: kinds of runs whose items make up the sum; the others count what they read
COUNTED = (Run.Kind.PUSH, Run.Kind.DELETE, Run.Kind.RECONCILE, Run.Kind.REMOVE)
#: what a plan counts as to be done; `here` is what a reconciliation changes on this side
STEPS = ("create", "update", "delete", "adopt", "here")
#: the parts of the sum, in the order in which they are shown
PARTS = ("done", "failed", "unknown", "not_attempted")


def counts_of(run: Run) -> dict[str, Any]:
    """The counts of a run from its items, against what its plan said. `balances` is False when they do not add up.

    `pending` items are not attempted yet; they stand under `not_attempted` too, so the sum holds at any time. What was
    attempted and is not settled yet counts as what is known of it (`unsettled`).
    """
    by_state: Counter[str] = Counter()
    by_operation: Counter[str] = Counter()
    done_by_operation: Counter[str] = Counter()
    rows = RunItem.objects.filter(run=run).order_by().values_list("operation", "state").annotate(number=Count("pk"))
    for operation, state, number in rows:
        by_operation[operation] += number
        if operation != RunItem.Operation.CANNOT:
            by_state[state] += number
            if state == RunItem.State.DONE:
                done_by_operation[operation] += number
    plan = run.plan
    planned = sum(plan.get(step, 0) for step in STEPS)
    for state, number in unsettled(run).items() if by_state[RunItem.State.PLANNED] else ():
        by_state[state] += number
        by_state[RunItem.State.PLANNED] -= number
        done_by_operation[RunItem.Operation.CREATE] += number * (state == RunItem.State.DONE)
    pending = by_state[RunItem.State.PLANNED]
    counts = {
        "planned": planned,
        "done": by_state[RunItem.State.DONE],
        "failed": by_state[RunItem.State.FAILED],
        "unknown": by_state[RunItem.State.UNKNOWN],
        "not_attempted": by_state[RunItem.State.NOT_ATTEMPTED] + pending,
        "pending": pending,
        "cannot": by_operation[RunItem.Operation.CANNOT],
        "unchanged": plan.get("unchanged", 0),
        "contacts": plan.get("contacts", 0),
        "created": done_by_operation[RunItem.Operation.CREATE],
        "updated": done_by_operation[RunItem.Operation.UPDATE],
        "deleted": done_by_operation[RunItem.Operation.DELETE],
        "adopted": done_by_operation[RunItem.Operation.ADOPT],
    }
    adds_up = planned == sum(counts[part] for part in PARTS)
    is_whole = counts["contacts"] == planned + counts["cannot"] + counts["unchanged"]
    return {**counts, "balances": adds_up and is_whole}


def carried_out() -> Q:
    """Items that the provider said it made, and that wait to be read back because it did not name them."""
    return _MADE & Q(answer=ItemOutcome.DONE.value)


def in_doubt(run: Run) -> Q:
    """Items whose call left and of which nobody can say yet what became of them: it was lost, or told totals only.

    They stay planned until they are looked for, which a run that was stopped or paused does when it goes on.
    """
    lost = list(run.calls.filter(state=Call.State.UNKNOWN).values_list("pk", flat=True))
    return (_MADE & Q(answer=ItemOutcome.UNRESOLVED.value)) | Q(state=RunItem.State.PLANNED, call__in=lost)


_MADE = Q(operation=RunItem.Operation.CREATE, state=RunItem.State.PLANNED, call__state=Call.State.ACCEPTED)


def unsettled(run: Run) -> dict[str, int]:
    """How many items are planned by their own state, and by what is known of their call done, or unknown."""
    items = RunItem.objects.filter(run=run).order_by()
    return {
        str(RunItem.State.DONE): items.filter(carried_out()).count(),
        str(RunItem.State.UNKNOWN): items.filter(in_doubt(run)).count(),
    }


def taken_up_again(run: Run) -> dict[str, Any]:
    """What the speed of a run that had begun before is reckoned from: when this worker took it up, and the items done by then.

    What only reads begins anew.
    """
    at = {"resumed_at": timezone.now().isoformat()}
    if run.kind not in COUNTED:
        return at
    counts = counts_of(run)
    return {**at, "resumed_from": counts["planned"] - counts["pending"]}


def is_clean(counts: dict[str, Any]) -> bool:
    """Whether the run may be called finished: it balances, and nothing failed, is unknown or was left."""
    return bool(counts["balances"]) and not any(counts[part] for part in PARTS[1:])
