"""Who works on an import: one worker at a time, for as long as it shows signs of life."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from contactsync.models import ImportJob

LEASE = dt.timedelta(minutes=2)
State = ImportJob.State
WORKING_STATES = (State.CHECKING, State.APPLYING)


class LeaseLost(Exception):
    """The import is somebody else's now, or began anew; what was not committed must not be."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on an import in one state. Every write of the worker goes through it."""

    job_id: int
    owner: str
    state: str

    def commit(self, **changes: Any) -> bool:
        """Record progress and stay the owner; within the transaction of the work it vouches for.

        Returns whether to go on: `False` when somebody has asked to stop. Raises `LeaseLost`.
        """
        mine = ImportJob.objects.filter(pk=self.job_id, lease_owner=self.owner, state__in=[self.state, State.STOPPED])
        if not mine.update(lease_until=timezone.now() + LEASE, **changes):
            raise LeaseLost
        return ImportJob.objects.filter(pk=self.job_id, state=self.state).exists()

    def finish(self, state: str, **changes: Any) -> bool:
        """Enter the state and let go. Returns `False` when the import was stopped in the last moment."""
        mine = ImportJob.objects.filter(pk=self.job_id, lease_owner=self.owner)
        finished = mine.filter(state=self.state).update(
            state=state, lease_owner="", lease_until=None, finished_at=timezone.now(), **changes
        )
        if not finished:
            self.release()
        return bool(finished)

    def release(self) -> None:
        """Let go without a change of state."""
        ImportJob.objects.filter(pk=self.job_id, lease_owner=self.owner).update(lease_owner="", lease_until=None)


def claim(job_id: int, state: str) -> Lease | None:
    """The lease, if the import is in this state and nobody alive holds it. One conditional UPDATE decides."""
    now = timezone.now()
    lease = Lease(job_id, uuid.uuid4().hex, state)
    claimed = (
        ImportJob.objects.filter(pk=job_id, state=state)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .update(lease_owner=lease.owner, lease_until=now + LEASE, started_at=now, finished_at=None)
    )
    return lease if claimed else None


def expired_jobs() -> list[tuple[int, str]]:
    """(id, state) of imports that should be worked on and are not: the worker died, or the wake-up call was lost."""
    limit = timezone.now() - LEASE
    unattended = Q(lease_until__lt=timezone.now()) | Q(lease_until=None, started_at__lt=limit)
    return list(ImportJob.objects.filter(unattended, state__in=WORKING_STATES).values_list("pk", "state"))
