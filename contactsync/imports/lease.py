"""Who works on an import, or on undoing it: one worker at a time, for as long as it shows signs of life."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from contactsync.models import ImportJob, ImportUndo
from contactsync.models.moments import bring_nearer
from contactsync.sync import shutdown
from contactsync.sync.leases import WAKE_AGAIN

LEASE = dt.timedelta(minutes=2)
State = ImportJob.State
WORKING_STATES = (State.CHECKING, State.APPLYING)
Leased = type[ImportJob] | type[ImportUndo]


class LeaseLost(Exception):
    """The import is somebody else's now, or began anew; what was not committed must not be."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on an import (or an undo) in one state. Every write of the worker goes through it."""

    job_id: int
    owner: str
    state: str
    model: Leased = ImportJob

    def commit(self, **changes: Any) -> bool:
        """Record progress and stay the owner; within the transaction of the work it vouches for.

        Returns whether to go on: `False` when somebody has asked to stop, or this process to end. Raises `LeaseLost`.
        """
        mine = self.model._default_manager.filter(
            pk=self.job_id, lease_owner=self.owner, state__in=[self.state, State.STOPPED]
        )
        if not mine.update(lease_until=timezone.now() + LEASE, **changes):
            raise LeaseLost
        if shutdown.is_asked_for():
            return False
        return self.model._default_manager.filter(pk=self.job_id, state=self.state).exists()

    def finish(self, state: str, **changes: Any) -> bool:
        """Enter the state and let go. Returns `False` when the import was stopped in the last moment."""
        mine = self.model._default_manager.filter(pk=self.job_id, lease_owner=self.owner)
        finished = mine.filter(state=self.state).update(
            state=state, lease_owner="", lease_until=None, finished_at=timezone.now(), **changes
        )
        if not finished:
            self.release()
        return bool(finished)

    def release(self) -> None:
        """Let go without a change of state. Where this process was asked to end, another worker is woken for the rest at once."""
        mine = self.model._default_manager.filter(pk=self.job_id, lease_owner=self.owner)
        mine.update(lease_owner="", lease_until=timezone.now() if shutdown.is_asked_for() else None)


def claim(job_id: int, state: str, *, model: Leased = ImportJob) -> Lease | None:
    """The lease, if the row is in this state and nobody alive holds it. One conditional UPDATE decides."""
    now = timezone.now()
    lease = Lease(job_id, uuid.uuid4().hex, state, model)
    claimed = (
        model._default_manager.filter(pk=job_id, state=state)
        .filter(Q(lease_owner="") | Q(lease_until=None) | Q(lease_until__lt=now))
        .update(lease_owner=lease.owner, lease_until=now + LEASE, started_at=now, finished_at=None)
    )
    return lease if claimed else None


def expired_jobs(model: Leased = ImportJob, states: Sequence[str] = WORKING_STATES) -> list[tuple[int, str]]:
    """(id, state) of rows that should be worked on and are not: the worker died, or the wake-up call was lost."""
    bring_nearer(model._default_manager.filter(state__in=states), "lease_until", longest=WAKE_AGAIN, to=LEASE)
    now = timezone.now()
    began = Q(started_at__lt=now - LEASE) | Q(started_at__gt=now + LEASE)  # then the clock was set back
    unattended = Q(lease_until__lt=now) | Q(began, lease_until=None)
    return list(model._default_manager.filter(unattended, state__in=states).values_list("pk", "state"))
