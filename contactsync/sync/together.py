"""Many calls of one kind, several on the wire at a time, with their rows written in groups.

As with a single call each is on record as on the wire, committed, before its first byte, and its outcome after; what is
written for the calls of a group is written in one transaction. Calls given here must not depend on each other.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from contactsync.models import Call, Run
from contactsync.sync import guard
from contactsync.sync import line as lines
from contactsync.sync.brake import fares_no_better
from contactsync.sync.connect import Operation, calls_at_once, reason_of, stop_reason
from contactsync.sync.crew import Crew
from contactsync.sync.group_ledger import GroupLedger
from contactsync.sync.jobs import Job, Result
from contactsync.sync.ledger import ATTEMPTS_AT_ONCE, LONGEST_WAIT, Performed
from contactsync.sync.policy import Verdict, pause_before_retry
from contactsync.sync.steps import After, Holder, Keep, Prepare, Steps, nothing
from contactsync.sync.worker import Halt, Worker

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.25  # seconds between two looks whether the run was stopped
LOOKED_BACK = 8  # times that results were collected
SHARE_EVERY = 2.0  # seconds between two looks who else works for the account


def perform_all(worker: Worker, operation: Operation, prepare: Prepare, keep: Keep, after: After = nothing) -> bool:
    """Make all planned calls of the operation, including those added on the way. False when there was none. Raises `Halt`."""
    if calls_at_once(worker.run.account) == 1:
        return _one_by_one(worker, operation, prepare, keep, after)
    planned = Call.objects.filter(run=worker.run, operation=operation.value, state=Call.State.PLANNED)
    return perform_together(worker, lambda: planned, Steps(prepare, keep, after))


def perform_together(worker: Holder, planned: Callable[[], QuerySet[Call]], steps: Steps) -> bool:
    """Make all calls that are `planned`, as many at once as the account may have. False when there was none. Raises `Halt`."""
    found = False
    while planned().exists():
        found = True
        _Together(worker, planned, steps).work()
    return found


def _one_by_one(worker: Worker, operation: Operation, prepare: Prepare, keep: Keep, after: After) -> bool:
    call = None
    for call in worker.planned_calls(operation):
        for job in prepare([call]):
            after(worker.perform(call, job.make, on_outcome=lambda performed, job=job: keep([(job, performed)])))  # type: ignore[misc]
    return call is not None


class _Together:
    def __init__(self, worker: Holder, planned: Callable[[], QuerySet[Call]], steps: Steps) -> None:
        self.worker = worker
        self.account = worker.run.account
        self.at_once = calls_at_once(self.account)
        self.steps = steps
        self._ledger = GroupLedger(worker, steps)
        self._share = self.at_once
        self._calls = self._pages(planned)
        self._ready: deque[Job] = deque()
        self._alone: deque[Job] = deque()
        self._later: list[tuple[float, Job]] = []  # to be tried again, from this moment on
        self._hold_until = 0.0  # nothing is begun before
        self._is_probing = False  # then one call at a time, until one gets through
        self._rested_until = 0.0  # a moment that counts as past
        self._looked_at = self._shared_at = -math.inf
        self._came_back = deque([0], maxlen=LOOKED_BACK)  # results each time

    def work(self) -> None:
        """Make the calls. Raises `Halt`, once everything that was on the wire is on record."""
        with Crew(self.account, self.at_once, most_unknown=self.steps.most_unknown) as crew:
            try:
                while self._has_more() or crew.in_hand:
                    self._look()
                    self._give(crew)
                    if crew.in_hand:
                        results = crew.collect(LOOK_EVERY)
                        self._came_back.append(len(results))
                        self._weigh(self._record(results))
                        crew.go_on()
                    elif self._alone and self._now() >= self._hold_until:
                        self._make_alone(self._alone.popleft())
                    else:
                        self._rest()
            except Exception:
                self._come_in(crew)
                raise

    # What is to be done

    def _pages(self, planned: Callable[[], QuerySet[Call]]) -> Iterator[list[Call]]:
        """The planned calls once each, in their order, a few at a time."""
        last = 0
        while calls := list(planned().filter(sequence__gt=last).order_by("sequence")[: 2 * self.at_once]):
            last = calls[-1].sequence
            yield calls

    def _has_more(self) -> bool:
        """Reads on, but not far ahead, because people go on editing. False when nothing is left to be begun."""
        while len(self._ready) < self.at_once and (calls := next(self._calls, None)):
            self._ready.extend(self.steps.prepare(calls))
        return bool(self._ready or self._later or self._alone)

    def _look(self) -> None:
        """Now and then: whether the run was stopped, and whether other runs of the account are at work, which get their share."""
        now = time.monotonic()
        if now - self._looked_at > LOOK_EVERY:
            self._looked_at = now
            self.worker.keep()
        if now - self._shared_at > SHARE_EVERY:
            self._shared_at = now
            at_work = Run.objects.filter(account=self.account, state=Run.State.RUNNING, lease_until__gt=timezone.now())
            others = at_work.exclude(pk=self.worker.run.pk).exclude(lease_owner="").count()
            self._share = max(1, self.at_once // (1 + others))

    def _now(self) -> float:
        return max(time.monotonic(), self._rested_until)

    def _rest(self) -> None:
        """Nothing is on the wire, and nothing may be begun yet."""
        due = (
            self._hold_until
            if self._ready or self._alone
            else max(self._hold_until, min((at for at, _ in self._later), default=0.0))
        )
        left = due - self._now()
        while left > 0:
            lines.wait(min(left, lines.LOOK_EVERY))
            left -= lines.LOOK_EVERY
            self.worker.keep()
        self._rested_until = due

    # Out

    def _give(self, crew: Crew) -> None:
        now = self._now()
        # As many stand ready as may come back before the next look at the books, so that no thread waits for them.
        ahead = min(self._share, 1 + max(self._came_back)) if self._share == self.at_once else 0
        free = crew.room(self._share + ahead)
        if self._is_probing:
            free = 0 if crew.in_hand else 1
        if now < self._hold_until or free <= 0 or self._alone:
            return
        due = [job for at, job in self._later if at <= now]
        jobs = sorted(due, key=lambda job: -job.call.attempts)[:free]
        self._later = [(at, job) for at, job in self._later if job not in jobs]
        while len(jobs) < free and self._ready:
            jobs.append(self._ready.popleft())
        if not jobs:
            return
        if (stopped := stop_reason(self.account)) is not None:
            raise Halt(Run.State.PAUSED, reason_of(stopped))
        jobs = self.steps.last_look(jobs)
        self._alone.extend(job for job in jobs if job.is_alone)
        jobs = [job for job in jobs if not job.is_alone]
        crew.hire(crew.in_hand + len(jobs))
        try:
            claimed = self._ledger.claim(jobs) if jobs else []
        except guard.HeldBack as error:
            raise Halt(Run.State.PAUSED, reason_of(error)) from error
        for job in claimed:
            crew.give(job)

    def _make_alone(self, job: Job) -> None:
        assert self.steps.make_alone is not None  # noqa: S101 - for the type checker
        performed = self.steps.make_alone(job.call)
        self.worker.weigh(job.call, performed)
        self.steps.after(performed)

    # And back

    def _record(self, results: Sequence[Result]) -> list[tuple[Job, Performed[Any]]]:
        """Write what came of them. Returns that, where another's decision was not faster."""
        begun = [result for result in results if result.performed is not None]
        try:
            return self._ledger.record(begun) if begun else []
        finally:
            self._put_back([result.job for result in results if result.performed is None])

    def _put_back(self, jobs: Sequence[Job]) -> None:
        """They were not begun, and are tried again."""
        if jobs:
            self._ledger.put_back(jobs)
            self._later += [(self._now(), job) for job in jobs]

    def _weigh(self, outcomes: Sequence[tuple[Job, Performed[Any]]]) -> None:
        """What follows from them. Raises the first `Halt`."""
        halt: Halt | None = None
        for job, performed in outcomes:
            try:
                if performed.verdict is Verdict.RETRY:
                    self._try_again(job, performed)
                else:
                    self._is_probing = False
                    self.worker.weigh(job.call, performed)
                    self.steps.after(performed)
            except Halt as this:
                halt = halt or this
        if halt is not None:
            raise halt

    def _try_again(self, job: Job, performed: Performed[Any]) -> None:
        job.attempts += 1
        pause = pause_before_retry(job.attempts, performed.error, waited=job.call.seconds or 0.0)
        if job.attempts >= ATTEMPTS_AT_ONCE or pause > LONGEST_WAIT:
            self.worker.weigh(job.call, performed)
        self._later.append((self._now() + pause, job))
        if fares_no_better(performed):
            self._is_probing = True
            self._hold_until = max(self._hold_until, self._now() + pause)

    def _come_in(self, crew: Crew) -> None:
        """Nothing more is begun; what is on the wire is waited for and written."""
        crew.begin_nothing_more()
        while crew.in_hand:
            try:
                self._record(crew.collect(LOOK_EVERY))
            except Exception:
                logger.exception("An outcome could not be written; its call is decided by the sweep.")
