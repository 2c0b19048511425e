"""Who works on a run, for how long, and how it ends."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from contactsync.models import Call, Campaign, Run
from contactsync.models.moments import bring_nearer

State = Run.State
WORKABLE = [State.PLANNING, State.QUEUED, State.RUNNING, State.STOPPING]

LEASE = dt.timedelta(minutes=5)
# Longer than any one call can take: 60 s to connect and 3 × 60 s for the answer at the most a backend may be set to,
# twice for a backend that proves its call by a second request.
CALL_LEASE = dt.timedelta(minutes=10)
LONGEST_REST = dt.timedelta(hours=1)  # as `pace.LONGEST_BLOCK`: then the provider is asked again
GRACE = dt.timedelta(minutes=1)  # how long a run may wait for its first worker before the sweep wakes another
WAKE_AGAIN = dt.timedelta(minutes=10)  # how long a row for which the sweep woke a worker waits before another is woken


def new_owner() -> str:
    """A name for one worker's hold on rows; never used twice."""
    return uuid.uuid4().hex


def waiting() -> dict[str, Any]:
    """Fields of a run that waits for a worker from now on."""
    return {"lease_owner": "", "lease_until": timezone.now() + GRACE}


def claim(run_id: int, owner: str, *, states: Collection[str], to: str) -> Run | None:
    """Take a run that nobody holds, in one conditional UPDATE. None when it is held, or in no such state.

    What it waited for is over then: its `error` is empty.
    """
    now = timezone.now()
    free = Q(lease_owner="") | Q(lease_until=None) | Q(lease_until__lt=now)
    mine = Run.objects.filter(free, pk=run_id, state__in=states).update(
        state=to, lease_owner=owner, lease_until=now + LEASE, error={}
    )
    if not mine:
        return None
    if to == State.RUNNING:
        Run.objects.filter(pk=run_id, started_at=None).update(started_at=now)
    return Run.objects.select_related("account", "phonebook__account").get(pk=run_id)


def mend() -> None:
    """After the clock was set back: leases of runs and calls end in time again, and what rests does not rest for hours."""
    workable = Run.objects.filter(state__in=WORKABLE)
    bring_nearer(workable.exclude(lease_owner=""), "lease_until", longest=LEASE, to=LEASE)
    # A campaign that waits here for its time waits as long as a person has said.
    resting = workable.filter(lease_owner="").exclude(campaign__state=Campaign.State.WAITING)
    bring_nearer(resting, "lease_until", longest=LONGEST_REST, to=dt.timedelta(0))
    calls = Call.objects.filter(run__state__in=WORKABLE, state=Call.State.PLANNED)
    bring_nearer(calls, "not_before", longest=LONGEST_REST)
    bring_nearer(Call.objects.filter(state=Call.State.ON_WIRE), "lease_until", longest=CALL_LEASE, to=CALL_LEASE)


def keep(run: Run, owner: str, **changes: Any) -> bool:
    """Renew the hold, and write these columns with it. False when the run is not ours to work on any more: stopped, or taken over
    after the lease ran out."""
    mine = Run.objects.filter(pk=run.pk, lease_owner=owner, state=run.state)
    return bool(mine.update(lease_until=timezone.now() + LEASE, **changes))


def end(run: Run, owner: str, to: str, **changes: Any) -> bool:
    """Let go of the run in its next state. False when it was not ours any more; then nothing is written."""
    changed = Run.objects.filter(pk=run.pk, lease_owner=owner, state__in=Run.TRANSITIONS[State(to)]).update(
        state=to, lease_owner="", lease_until=None, **changes
    )
    if changed:
        run.refresh_from_db()
    return bool(changed)


def await_worker(rows: QuerySet[Any], **changes: Any) -> bool:
    """Note on rows whose lease is over that a worker was woken for them. False when there is none: it was taken, or this was noted.

    Whoever held them is gone, or too late. A worker may take them at any time; only the sweep wakes no other for a while,
    because not every queue tells it whether the first wake-up call still waits there.
    """
    now = timezone.now()
    is_over = Q(lease_until=None) | Q(lease_until__lt=now)
    return bool(rows.filter(is_over).update(lease_owner="", lease_until=now + WAKE_AGAIN, **changes))


def hand_back(run: Run, owner: str, *, until: dt.datetime, **changes: Any) -> bool:
    """Let go of a run for now; the sweep wakes a worker after `until`. False when it is not as it was: it was asked to stop, or is not ours."""
    mine = Run.objects.filter(pk=run.pk, lease_owner=owner, state=run.state)
    return bool(mine.update(lease_owner="", lease_until=until, **changes))
