"""The ledger of many calls at a time: they are put on the wire, and what came of them is written, in groups.

A group is one transaction. Where that cannot be written, each call is written by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from contactsync.models import Call
from contactsync.sync import accounts, guard, ledger
from contactsync.sync.bulk import save_fields
from contactsync.sync.call_record import keep_late_answer, with_late_answer
from contactsync.sync.jobs import Job, Result
from contactsync.sync.ledger import Performed, changes_after
from contactsync.sync.steps import Holder, Steps

logger = logging.getLogger(__name__)

RECORDED = [
    "state", "lease_until", "finished_at", "not_before", "request_line", "request_excerpt", "response_excerpt", "status",
    "provider_request_id", "seconds", "references", "counters", "error",
]  # fmt: skip


class GroupLedger:
    """What the calls of one kind need written, for whoever holds the run."""

    def __init__(self, worker: Holder, steps: Steps) -> None:
        self.worker = worker
        self.account = worker.run.account
        self.steps = steps

    def claim(self, jobs: list[Job]) -> list[Job]:
        """Put them on the wire in one committed transaction, with the lease of the run. Those that are somebody else's are left."""
        now, owner, deadline = timezone.now(), self.worker.owner, ledger.last_departure()
        changes: dict[str, Any] = {
            "state": Call.State.ON_WIRE,
            "lease_owner": owner,
            "lease_until": now + ledger.LEASE,
            "started_at": now,
            "finished_at": None,
        }
        calls = Call.objects.filter(pk__in=[job.call.pk for job in jobs])
        with guard.leaving(owner) as departing:
            self.worker.hold()
            mine = calls.filter(state=Call.State.PLANNED).update(attempts=F("attempts") + 1, **changes)
            if mine != len(jobs):
                claimed = calls.filter(state=Call.State.ON_WIRE, lease_owner=owner, started_at=now)
                keys = set(claimed.values_list("pk", flat=True))
                jobs = [job for job in jobs if job.call.pk in keys]
            self.steps.on_claim(jobs)
            departing += [job.call for job in jobs]
        for job in jobs:
            job.deadline = deadline
            for name, value in {**changes, "attempts": job.call.attempts + 1}.items():
                setattr(job.call, name, value)
        return jobs

    def record(self, begun: Sequence[Result]) -> list[tuple[Job, Performed[Any]]]:
        """Write what came of them. Returns that, where another's decision was not faster."""
        try:
            if self._record_group(begun):
                return [(result.job, result.performed) for result in begun if result.performed]
        except Exception:
            logger.exception(
                "The outcomes of %s calls could not be written together; each is written by itself.", len(begun)
            )
        return self._record_each(begun)

    def _record_group(self, results: Sequence[Result]) -> bool:
        """In one transaction. False when one of the calls is not ours any more; then nothing is written."""
        keys = [result.job.call.pk for result in results]
        with transaction.atomic(durable=True):
            rows = Call.objects.select_for_update().filter(pk__in=keys, state=Call.State.ON_WIRE)
            errors = dict(rows.filter(lease_owner=self.worker.owner).values_list("pk", "error"))
            if len(errors) != len(keys):
                return False
            for result in results:
                call, performed = result.job.call, result.performed
                assert performed is not None  # noqa: S101 - for the type checker
                changes = changes_after(call, performed, result.exchanges)
                changes["error"] = with_late_answer(call, performed.error, kept=errors[call.pk])
                for name, value in changes.items():
                    setattr(call, name, value)
                if performed.error is not None:
                    accounts.pause(self.account, performed.error)
            save_fields([result.job.call for result in results], RECORDED)
            self.steps.keep([(result.job, result.performed) for result in results if result.performed])
        return True

    def _record_each(self, results: Sequence[Result]) -> list[tuple[Job, Performed[Any]]]:
        """One by one, so that one that cannot be written takes no other with it. Raises what the first of those met."""
        recorded = []
        failure: Exception | None = None
        for result in results:
            job, performed = result.job, result.performed
            assert performed is not None  # noqa: S101 - for the type checker
            try:
                kept = ledger.record(
                    job.call,
                    performed,
                    account=self.account,
                    exchanges=result.exchanges,
                    on_outcome=lambda performed, job=job: self.steps.keep([(job, performed)]),  # type: ignore[misc]
                )
                if kept:
                    recorded.append((job, performed))
                else:
                    keep_late_answer(job.call, performed.error, result.exchanges)
            except Exception as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return recorded

    def put_back(self, jobs: Sequence[Job]) -> None:
        """They were not begun, so they are planned as before."""
        calls = Call.objects.filter(pk__in=[job.call.pk for job in jobs], lease_owner=self.worker.owner)
        with transaction.atomic(durable=True):
            calls.filter(state=Call.State.ON_WIRE).update(
                state=Call.State.PLANNED, lease_until=None, attempts=F("attempts") - 1
            )
            self.steps.on_return(jobs)
        for job in jobs:
            job.call.attempts -= 1
