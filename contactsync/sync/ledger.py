"""Every remote call that changes something goes through here, so that each is on record before its first byte.

A call is claimed with one conditional UPDATE and a lease, committed as `on_wire`, made outside any transaction,
and its outcome is recorded at once. A worker that dies in between leaves an `on_wire` row with a lease that runs
out; `sync.sweep` decides what becomes of it.

The lease of a call is long, because a slow call that were decided before it has ended could be made twice, or be
called unknown although its answer is on the way. The price is that a call of a killed worker waits up to ten minutes
to be decided. Its run does not wait with it: the lease of the run is renewed with every call and is shorter, so the
next worker makes the other calls meanwhile and leaves the run only for this last one. A worker that breaks down on
an error of ours, and is not killed, lets go of its calls at once (`sweep.abandon_calls`).

A worker may also be frozen, with its machine or alone, for longer than that: between the claim and the first byte, while
it waits for its turn or for a connection. When it goes on, the call may be decided, or even made by another. So
the transport looks once more at the clocks right before the bytes (`wire.leaving_before`), and what would be late
does not leave: it is planned again where the row still is this worker's, and else put beside what was decided. Left is
the moment between that look and the system call, and a pause of a virtual machine that is hidden from both its clocks.
"""

from __future__ import annotations

import datetime as dt
import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from contactsync.models import Call, ProviderAccount
from contactsync.sync import accounts, guard, leases
from contactsync.sync import line as lines
from contactsync.sync.call_record import facts_of, keep_late_answer, what_was_said, with_late_answer
from contactsync.sync.connect import Exchange, Provider, ProviderError, stop_reason
from contactsync.sync.database import drop_if_broken
from contactsync.sync.line import Line
from contactsync.sync.policy import CALL_STATE_AFTER, InternalError, Verdict, judge, pause_before_retry
from providers.deadline import Deadline
from providers.wire import leaving_before

logger = logging.getLogger(__name__)
T = TypeVar("T")

LEASE = leases.CALL_LEASE
#: seconds after its claim in which a request of a call leaves, or does not leave at all: its answer is there within the
#: lease then, which leaves more than the longest answer may take
LAST_DEPARTURE = LEASE.total_seconds() - 210.0
ATTEMPTS_AT_ONCE = 5  # attempts by one worker before it lets go of a call
PAUSES_BEFORE_WRITING_AGAIN = (1.0, 5.0, 15.0, 30.0)  # seconds
LONGEST_WAIT = 30.0  # seconds a worker waits itself; beyond, the call waits as `not_before`


@dataclass(frozen=True, slots=True)
class Performed(Generic[T]):
    """What came of one call: a value (`verdict` done), or an error and what follows from it."""

    value: T | None
    error: ProviderError | None
    verdict: Verdict

    @property
    def is_done(self) -> bool:
        return self.verdict is Verdict.DONE


def claim(call: Call, owner: str, *, on_claim: Callable[[], None] | None = None) -> bool:
    """Put a planned call on the wire for `owner`, in one committed transaction with what `on_claim` writes.

    False when it is not planned any more. Raises `RuntimeError` inside another transaction: the row
    must be committed before the call goes out; and `guard.HeldBack` when no call may.
    """
    now = timezone.now()
    changes: dict[str, Any] = {
        "state": Call.State.ON_WIRE,
        "lease_owner": owner,
        "lease_until": now + LEASE,
        "started_at": now,
        "finished_at": None,
    }
    with guard.leaving(owner) as departing:
        mine = Call.objects.filter(pk=call.pk, state=Call.State.PLANNED).update(attempts=F("attempts") + 1, **changes)
        if mine and on_claim is not None:
            on_claim()
        departing += [call] * mine
    if not mine:
        return False
    for name, value in {**changes, "attempts": call.attempts + 1}.items():
        setattr(call, name, value)
    return True


def perform(
    call: Call,
    provider_call: Callable[[Provider], T],
    *,
    account: ProviderAccount,
    owner: str,
    line: Line | None = None,
    on_claim: Callable[[], None] | None = None,
    on_outcome: Callable[[Performed[T]], None] | None = None,
) -> Performed[T]:
    """Make one planned call and record its outcome at once; one attempt, no waiting, never raises `ProviderError`.

    `on_claim` runs in the transaction that puts the call on the wire, `on_outcome` in the one that records
    what came of it, so rows that belong to the call change with it or not at all. Without `line` a
    connection is opened for this call only.
    """
    if stopped := stop_reason(account):
        return Performed(None, stopped, Verdict.PAUSE_ACCOUNT)
    if line is None:
        try:
            opened = Line(account)
        except ProviderError as error:
            return Performed(None, error, Verdict.PAUSE_ACCOUNT)
        with opened:
            return perform(
                call, provider_call, account=account, owner=owner, line=opened, on_claim=on_claim, on_outcome=on_outcome
            )
    deadline = last_departure()
    try:
        if not claim(call, owner, on_claim=on_claim):
            return Performed(None, None, Verdict.TAKEN)
    except guard.HeldBack as error:
        return Performed(None, error, Verdict.STOP_RUN)
    line.exchanges.clear()
    performed = make(call, provider_call, line, deadline)
    if not _record(call, performed, line, on_outcome):
        logger.warning("Call %s came back after its lease had run out; its outcome was decided without it.", call.pk)
        keep_late_answer(call, performed.error, line.exchanges)
        return Performed(None, performed.error, Verdict.TAKEN)
    return performed


def perform_patiently(
    call: Call,
    provider_call: Callable[[Provider], T],
    *,
    account: ProviderAccount,
    owner: str,
    line: Line | None = None,
    on_claim: Callable[[], None] | None = None,
    on_outcome: Callable[[Performed[T]], None] | None = None,
) -> Performed[T]:
    """As `perform`, and again after a short wait while the verdict is `retry`, at most `ATTEMPTS_AT_ONCE` times.

    A pulse of `line` is felt while it waits, and may end the work: the call is planned then.
    When it still says `retry` then, the call is planned with `not_before` set, and a later worker takes it up.
    """
    for attempt in range(1, ATTEMPTS_AT_ONCE + 1):
        performed = perform(
            call, provider_call, account=account, owner=owner, line=line, on_claim=on_claim, on_outcome=on_outcome
        )
        if line is not None:
            line.end_if_interrupted()
        pause = pause_before_retry(attempt, performed.error, waited=call.seconds or 0.0)
        if performed.verdict is not Verdict.RETRY or attempt == ATTEMPTS_AT_ONCE or pause > LONGEST_WAIT:
            break
        if line is None:
            lines.wait(pause)
        else:
            line.rest(pause)
    return performed


def last_departure() -> Deadline:
    """Until when the requests of a call may leave that is claimed after this."""
    return Deadline.after(LAST_DEPARTURE)


def make(
    call: Call, provider_call: Callable[[Provider], T], line: Line, deadline: Deadline | None = None
) -> Performed[T]:
    """Make the call over this line and judge what came of it. Touches no row; never raises `Exception`.

    After the `deadline` nothing leaves any more (`NotSent`): a worker that was frozen may have lost the call meanwhile.
    """
    try:
        with leaving_before(deadline):
            return Performed(provider_call(line.provider), None, Verdict.DONE)
    except ProviderError as error:
        return Performed(None, error, judge(error, operation=call.operation, capabilities=line.capabilities))
    except Exception as error:
        # Only the kind and the place go to the log: a message could quote what was sent.
        logger.error(
            "Call %s (%s) met %s\n%s",
            call.pk,
            call.operation,
            type(error).__name__,
            "".join(traceback.format_tb(error.__traceback__)),
        )
        return Performed(None, InternalError(type(error).__name__), Verdict.UNKNOWN)


def changes_after(call: Call, performed: Performed[Any], exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """The columns of a call after it was made, but for its `error`."""
    now = timezone.now()
    changes: dict[str, Any] = {
        "state": CALL_STATE_AFTER[performed.verdict],
        "lease_until": None,
        "finished_at": now,
        "not_before": None,
        **what_was_said(exchanges),
        **facts_of(performed.value),
    }
    if performed.verdict is Verdict.RETRY:
        waited = changes.get("seconds") or 0.0
        pause = pause_before_retry(call.attempts, performed.error, waited=waited)
        changes["not_before"] = now + dt.timedelta(seconds=pause)
    if changes.get("status") is None and performed.error is not None:
        changes["status"] = performed.error.status
    return changes


def _record(
    call: Call,
    performed: Performed[T],
    line: Line,
    on_outcome: Callable[[Performed[T]], None] | None,
) -> bool:
    return record(call, performed, account=line.account, exchanges=line.exchanges, on_outcome=on_outcome)


def record(
    call: Call,
    performed: Performed[T],
    *,
    account: ProviderAccount,
    exchanges: Sequence[Exchange],
    on_outcome: Callable[[Performed[T]], None] | None,
) -> bool:
    """Write the outcome in one transaction. False when the lease ran out and the call was planned again meanwhile.

    With patience: an answer that is known must not become unknown because the database is away for a moment. What
    cannot be written then is raised, and the call is left to the sweep.
    """
    for pause in PAUSES_BEFORE_WRITING_AGAIN:
        try:
            return _write(call, performed, account=account, exchanges=exchanges, on_outcome=on_outcome)
        except (InterfaceError, OperationalError) as error:
            if connection.in_atomic_block:
                raise
            logger.warning("The outcome of call %s could not be written (%s); it is tried again.", call.pk, error)
        drop_if_broken()
        lines.wait(pause)
    return _write(call, performed, account=account, exchanges=exchanges, on_outcome=on_outcome)


def _write(
    call: Call,
    performed: Performed[T],
    *,
    account: ProviderAccount,
    exchanges: Sequence[Exchange],
    on_outcome: Callable[[Performed[T]], None] | None,
) -> bool:
    changes = changes_after(call, performed, exchanges)
    state = changes["state"]
    # A sweep may have called it unknown meanwhile; then what is known now still counts, but nothing is planned again.
    allowed = Q(state=Call.State.ON_WIRE)
    if state in {Call.State.ACCEPTED, Call.State.REFUSED, Call.State.UNKNOWN}:
        allowed |= Q(state=Call.State.UNKNOWN)
    with transaction.atomic(durable=True):
        changes["error"] = with_late_answer(call, performed.error)
        kept = Call.objects.filter(allowed, pk=call.pk, lease_owner=call.lease_owner).update(**changes)
        if kept:
            for name, value in changes.items():
                setattr(call, name, value)
            if performed.error is not None:
                accounts.pause(account, performed.error)
            if on_outcome is not None:
                on_outcome(performed)
        return bool(kept) or _is_written(call)


def _is_written(call: Call) -> bool:
    """Whether this very outcome is on record: written before, by a transaction of which only the answer was lost."""
    ours = Call.objects.filter(pk=call.pk, lease_owner=call.lease_owner, state=call.state)
    return call.finished_at is not None and ours.filter(finished_at=call.finished_at).exists()
