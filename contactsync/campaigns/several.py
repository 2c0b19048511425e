"""A send whose calls are made several at once: its books, which stay in the task's thread.

Each call is looked at once more right before it is put on the wire, together with the few that leave at the same moment.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from contactsync.campaigns import outcomes
from contactsync.campaigns.calls import sender_and_time
from contactsync.campaigns.counts import Standing
from contactsync.campaigns.last_look import glance, look
from contactsync.campaigns.patience import UNKNOWN_IN_A_ROW, asks_for_a_person
from contactsync.campaigns.settle import leave_call_out
from contactsync.models import Call, Recipient, Run
from contactsync.sync import sends, shutdown
from contactsync.sync.connect import SENDS, Provider, reason_of
from contactsync.sync.jobs import Job
from contactsync.sync.line import Line
from contactsync.sync.sends import Performed, SendReceipt, Verdict
from contactsync.sync.steps import Steps
from contactsync.sync.together import perform_together
from contactsync.sync.worker import Halt, Refusals

COUNTED_EVERY = 2.0  # seconds


class Several:
    """Holds the run of a send (`together.Holder`). `renew` keeps its lease, and is False when it was asked to stop."""

    def __init__(
        self,
        run: Run,
        *,
        owner: str,
        line: Line,
        renew: Callable[[], bool],
        make_alone: Callable[[Call], Performed[SendReceipt]],
    ) -> None:
        self.run = run
        self.owner = owner
        self._line = line
        self._renew = renew
        self._make_alone = make_alone
        self._frame = sender_and_time(run)
        self._standing = Standing(run)
        self._told_at = -math.inf
        self._unknown_in_a_row = 0
        self._refusals = Refusals(run)

    def send(self) -> None:
        """Make the planned calls. Raises `Halt` where a person is to be asked, or the run has to wait or to end."""
        steps = Steps(
            prepare=lambda calls: [Job(call, _not_looked_at) for call in calls],
            last_look=self._last_look,
            on_claim=self._on_claim,
            on_return=self._on_return,
            keep=self._keep,
            make_alone=self._alone,
            most_unknown=UNKNOWN_IN_A_ROW,
        )
        perform_together(self, self._planned, steps)

    def _planned(self) -> QuerySet[Call]:
        ready = Q(not_before=None) | Q(not_before__lte=timezone.now())
        return Call.objects.filter(ready, run=self.run, state=Call.State.PLANNED, operation__in=SENDS)

    # The lease

    def hold(self) -> None:
        if shutdown.is_asked_for():
            raise Halt(None, until=timezone.now())
        if not self._renew():
            raise Halt(Run.State.STOPPED)

    def keep(self) -> None:
        self.hold()
        if time.monotonic() - self._told_at > COUNTED_EVERY:
            Run.objects.filter(pk=self.run.pk).update(counts=self._standing.counts())
            self._told_at = time.monotonic()

    def weigh(self, call: Call, performed: Performed[SendReceipt]) -> None:
        self._unknown_in_a_row = self._unknown_in_a_row + 1 if performed.verdict is Verdict.UNKNOWN else 0
        self._refusals.weigh(performed)
        if performed.error is None:
            return
        if asks_for_a_person(performed, attempts=call.attempts, unknown=self._unknown_in_a_row):
            raise Halt(Run.State.PAUSED, reason_of(performed.error))
        if performed.verdict is Verdict.RETRY:
            raise Halt(None, reason_of(performed.error), until=call.not_before)

    # The calls

    def _last_look(self, jobs: list[Job]) -> list[Job]:
        """Those that may leave now, ready to be made. What needs a question to the provider first is made alone."""
        asked, changed = glance(self.run, [job.call for job in jobs])
        ready = []
        for job in jobs:
            job.is_alone = job.call.pk in asked
            if job.call.pk in changed:
                self._standing.is_stale = True
                if problem := look(self.run, job.call, self._line):
                    leave_call_out(job.call, problem)
                    continue
            ready.append(job)
        texts = _texts([job.call for job in ready if not job.is_alone])
        return [job for job in ready if job.is_alone or self._is_ready(job, texts[job.call.pk])]

    def _is_ready(self, job: Job, text: str) -> bool:
        call, account, (sender, send_at) = job.call, self.run.account, self._frame
        if problem := sends.message_problem(account, call.target, sender=sender, text=text, send_at=send_at):
            leave_call_out(call, problem)
            self._standing.is_stale = True
            return False
        message = sends.message_of(call, account=account, sender=sender, text=text, send_at=send_at)
        job.make = lambda provider: provider.send(message)
        return True

    def _alone(self, call: Call) -> Performed[SendReceipt]:
        self.hold()
        self._standing.is_stale = True
        return self._make_alone(call)

    def _on_claim(self, jobs: Sequence[Job]) -> None:
        calls = [job.call for job in jobs]
        outcomes.put_on_wire(calls)
        self._standing.move(calls, Call.State.PLANNED, Call.State.ON_WIRE)

    def _on_return(self, jobs: Sequence[Job]) -> None:
        calls = [job.call for job in jobs]
        outcomes.put_back(calls)
        self._standing.move(calls, Call.State.ON_WIRE, Call.State.PLANNED)

    def _keep(self, results: Sequence[tuple[Job, Performed[Any]]]) -> None:
        outcomes.keep([(job.call, performed) for job, performed in results])
        for job, _ in results:
            self._standing.move([job.call], Call.State.ON_WIRE, job.call.state)


def _not_looked_at(provider: Provider) -> SendReceipt:
    raise AssertionError("A call is made only after the last look at it.")


def _texts(calls: Sequence[Call]) -> dict[int, str]:
    """The text of each call, by its id; one with several texts has them in its target."""
    first = Recipient.objects.filter(call=OuterRef("pk")).order_by("pk").values("text")[:1]
    rows = Call.objects.filter(pk__in=[call.pk for call in calls if "texts" not in call.target])
    texts = dict(rows.order_by().values_list("pk", Subquery(first)))
    return {call.pk: texts.get(call.pk) or "" for call in calls}
