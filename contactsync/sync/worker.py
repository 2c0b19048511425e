"""One worker on one run: keeps the lease, makes the calls, and turns verdicts into the end of the run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.models import Call, Phonebook, Run, RunItem
from contactsync.models.reasons import reason
from contactsync.sync import leases, shutdown
from contactsync.sync.connect import Operation, Provider, ProviderError, capabilities, reason_of
from contactsync.sync.equation import COUNTED, counts_of, taken_up_again
from contactsync.sync.leases import State
from contactsync.sync.ledger import Performed, perform_patiently
from contactsync.sync.line import Line
from contactsync.sync.policy import InternalError, Verdict, is_held_back

T = TypeVar("T")

MOST_ATTEMPTS = 15  # of one call, over all its workers
MOST_UNKNOWN = 5  # calls in a row
MOST_REFUSED = 20  # calls in a row, until a person has said that the run is to go on all the same
COUNT_EVERY = 2.0  # seconds
COUNT_SHARE = 20  # counting a big run takes long: at most one part in so many of the time
TELL_EVERY = 1.0  # seconds
LONGEST_ANSWER = 60.0  # seconds that a backend may be set to wait for one
CALLS_AT_ONCE = 500  # read from the database

TOO_MANY_UNKNOWN = gettext_noop(
    "%(count)s calls in a row ended without a clear answer, so the run paused. The last one: %(reason)s"
)
TOO_MANY_REFUSED = gettext_noop(
    "The provider refused %(count)s calls in a row, so the run paused: the next ones would probably be refused too. If the run "
    "continues, it does not pause for this again. The last one: %(reason)s"
)
TOO_MANY_ATTEMPTS = gettext_noop("A call did not get through in %(count)s attempts, so the run paused. %(reason)s")
#: whoever has seen these says when the run goes on; a mended account is no reason
FOR_A_PERSON = (TOO_MANY_UNKNOWN, TOO_MANY_REFUSED, TOO_MANY_ATTEMPTS)


class Halt(Exception):
    """The run ends or rests here. `state` None: rest until `until`, or leave it alone when that is None too."""

    def __init__(self, state: str | None, why: dict[str, Any] | None = None, *, until: Any = None) -> None:
        self.state = state
        self.why = why or {}
        self.until = until
        super().__init__(str(state))


class Refusals:
    """How many calls of a run were refused in a row. A person who resumes the run has seen it, and is not asked again."""

    def __init__(self, run: Run) -> None:
        self._are_seen = bool(run.plan.get("resumed"))
        self._in_a_row = 0

    def weigh(self, performed: Performed[Any]) -> None:
        """Raises `Halt` after too many: so many are no single contacts that something is wrong with."""
        if performed.verdict is Verdict.DONE:
            self._in_a_row = 0
        elif performed.verdict is Verdict.FAIL_ITEM and performed.error is not None:
            self._in_a_row += 1
            if self._in_a_row >= MOST_REFUSED and not self._are_seen:
                why = reason(TOO_MANY_REFUSED, count=self._in_a_row, reason=reason_of(performed.error))
                raise Halt(State.PAUSED, why)


class Worker:
    """Everything the phases of a run share."""

    def __init__(self, run: Run, phonebook: Phonebook, line: Line, *, owner: str) -> None:
        self.run = run
        self.phonebook = phonebook
        self.line = line
        self.owner = owner
        self.limits = capabilities(run.account)
        self._unknown_in_a_row = 0
        self._refusals = Refusals(run)
        self._counted_at = time.monotonic()
        self._count_again = COUNT_EVERY
        self._told_at = -math.inf
        self._begin = taken_up_again(run) if run.counts else {}
        if run.counts and run.kind in COUNTED:
            self._count()

    # The lease

    def hold(self) -> None:
        """Renew the lease. Raises `Halt` when the run was stopped or taken over, or when this process is to end."""
        if shutdown.is_asked_for():
            raise Halt(None, until=timezone.now())
        if not leases.keep(self.run, self.owner):
            asked_to_stop = Run.objects.filter(pk=self.run.pk, state=State.STOPPING, lease_owner=self.owner).exists()
            raise Halt(State.STOPPED if asked_to_stop else None)

    def keep(self) -> None:
        """As `hold`, and renews the counts from time to time."""
        self.hold()
        if self.run.kind in COUNTED and time.monotonic() - self._counted_at > self._count_again:
            began = time.monotonic()
            self._count()
            self._counted_at = time.monotonic()
            self._count_again = max(COUNT_EVERY, COUNT_SHARE * (self._counted_at - began))

    def _count(self) -> None:
        Run.objects.filter(pk=self.run.pk).update(counts={**counts_of(self.run), **self._begin})

    def tell(self, **counts: int) -> None:
        """How far the reading has come, for the bar on the page, from time to time. For runs that count for themselves."""
        if time.monotonic() - self._told_at > TELL_EVERY:
            self._told_at = time.monotonic()
            Run.objects.filter(pk=self.run.pk, lease_owner=self.owner).update(counts={**counts, **self._begin})

    # Rows

    def items(self, *, operation: str | None = None, state: str = RunItem.State.PLANNED) -> QuerySet[RunItem]:
        items = RunItem.objects.filter(run=self.run, state=state)
        return items.filter(operation=operation) if operation else items

    def planned_calls(self, operation: Operation) -> Iterator[Call]:
        """The planned calls of this operation in their order, including those added on the way, until none is left."""
        planned = Call.objects.filter(run=self.run, operation=operation.value, state=Call.State.PLANNED)
        while calls := list(planned.order_by("sequence")[:CALLS_AT_ONCE]):
            yield from calls

    def add_call(
        self, operation: Operation, items: Sequence[RunItem] = (), target: dict[str, Any] | None = None
    ) -> Call:
        """Plan one more call for these items, behind all others of the run, in one transaction."""
        with transaction.atomic():
            last = Call.objects.filter(run=self.run).aggregate(last=Max("sequence"))["last"] or 0
            call = Call.objects.create(
                run=self.run,
                sequence=last + 1,
                operation=operation.value,
                item_count=len(items),
                target=target or {"phonebook": self.phonebook.pk, "title": self.phonebook.title},
            )
            if items:
                RunItem.objects.filter(pk__in=[item.pk for item in items]).update(call=call)
        return call

    def drop_call(self, call: Call, why: dict[str, Any]) -> None:
        """A planned or unknown call that shall not be made: not sent, with the reason."""
        Call.objects.filter(pk=call.pk, state__in=[Call.State.PLANNED, Call.State.UNKNOWN]).update(
            state=Call.State.NOT_SENT, error=why, finished_at=timezone.now()
        )

    def let_arrive(self, calls: Iterable[Call]) -> None:
        """Hold on for as long again as the answers to these calls were waited for, where their outcome is not known.

        A provider that is slow may still be carrying them out: what is looked for too early is not there, and is made twice.
        """
        waited = [call for call in calls if call.state == Call.State.UNKNOWN and call.finished_at and call.seconds]
        left = [(call.finished_at - timezone.now()).total_seconds() + call.seconds for call in waited]  # type: ignore[operator]
        self.line.rest(min(max(left, default=0.0), LONGEST_ANSWER))

    # Calls

    def perform(
        self,
        call: Call,
        provider_call: Callable[[Provider], T],
        *,
        on_outcome: Callable[[Performed[T]], None] | None = None,
    ) -> Performed[T]:
        """Make the call, with patience. Returns when it is done, refused, unknown or taken; raises `Halt` for what ends the run."""
        self.keep()
        performed = perform_patiently(
            call,
            provider_call,
            account=self.run.account,
            owner=self.owner,
            line=self.line,
            on_claim=self.hold,  # a stop that was asked for in this moment counts too
            on_outcome=on_outcome,
        )
        self.weigh(call, performed)
        return performed

    def weigh(self, call: Call, performed: Performed[Any]) -> None:
        """Raises `Halt` when the run is to end with this outcome, or has to wait."""
        error = performed.error
        if performed.verdict is Verdict.UNKNOWN and error is not None:
            self._count_unknown(error)
        elif performed.verdict is not Verdict.TAKEN:
            self._unknown_in_a_row = 0
        self._refusals.weigh(performed)
        if error is None:
            return
        if performed.verdict in {Verdict.PAUSE_ACCOUNT, Verdict.STOP_RUN}:
            raise Halt(State.PAUSED, reason_of(error))
        if performed.verdict is Verdict.RETRY:
            raise self._out_of_patience(call, error)

    def _count_unknown(self, error: ProviderError) -> None:
        if isinstance(error, InternalError):
            raise Halt(State.FAILED, reason_of(error))
        self._unknown_in_a_row += 1
        if self._unknown_in_a_row >= MOST_UNKNOWN:
            raise Halt(State.PAUSED, reason(TOO_MANY_UNKNOWN, count=self._unknown_in_a_row, reason=reason_of(error)))

    def _out_of_patience(self, call: Call, error: ProviderError) -> Halt:
        if call.attempts >= MOST_ATTEMPTS and not is_held_back(error):
            return Halt(State.PAUSED, reason(TOO_MANY_ATTEMPTS, count=call.attempts, reason=reason_of(error)))
        return Halt(None, reason_of(error), until=call.not_before or timezone.now())
