"""What killed workers have left behind, and what may be done about it.

The rows tell: a call on the wire with a lease that ran out was made by a worker that is gone. A send becomes
unknown, with its recipients, and is never repeated by a machine. What is safe to repeat is planned again. Anything
else becomes unknown and is looked for at the provider by the next worker on the run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.models import Call, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.sync.connect import SENDS, capabilities
from contactsync.sync.database import drop_if_broken
from contactsync.sync.equation import COUNTED, counts_of
from contactsync.sync.leases import WORKABLE, State

INTERRUPTED = gettext_noop(
    "The worker ended while this call was on its way, so its outcome is not known. It is not sent again by itself."
)
REPEATED = gettext_noop("The worker ended while this call was on its way. It is safe to repeat, so it is made again.")
FORGOTTEN = dt.timedelta(minutes=2)  # a queued run without any lease


def expired_runs() -> list[int]:
    """Runs that nobody works on although somebody should: wake a worker for each (`execute` plans those still in planning).

    Calls of dead workers are decided first, so that it is safe to look at a run before its worker comes.
    """
    now = timezone.now()
    workable = Q(state__in=WORKABLE)
    due = Q(lease_until__lt=now) | Q(lease_until=None, created_at__lt=now - FORGOTTEN)
    runs = list(Run.objects.filter(workable, due).select_related("account").order_by("pk"))
    for run in runs:
        recover_calls(run)
    return [run.pk for run in runs]


def recover_calls(run: Run) -> None:
    """Decide the run's calls on the wire whose lease ran out."""
    _decide(run, _lost_calls().filter(run=run))


def recover_lost_calls(*, then: Callable[[Run], object] = lambda run: None) -> list[Run]:
    """Decide every call on the wire whose lease ran out, whatever has become of its run. Returns the runs they belong to.

    A run may be paused, stopped or closed while a call of a dead worker still holds its lease. Such a run is
    not taken up by `expired_runs`, so its counts are made anew here. `then` does that for sends, together with their
    campaign, before the next run is looked at: should it raise, the calls of the others are still found by the next sweep.
    """
    runs = list(Run.objects.filter(pk__in=_lost_calls().values("run")).select_related("account").order_by("pk"))
    for run in runs:
        _decide(run, _lost_calls().filter(run=run))
        count_at_rest(run)
        then(run)
    return runs


def count_at_rest(run: Run) -> None:
    """Make the counts of a run anew that rests or has ended, after something was decided about it all the same."""
    if run.kind in COUNTED and run.state not in WORKABLE:
        Run.objects.filter(pk=run.pk, state=run.state).update(counts=counts_of(run))
        run.refresh_from_db(fields=["counts"])


def _lost_calls() -> QuerySet[Call]:
    expired = Q(lease_until__lt=timezone.now()) | Q(lease_until=None)
    return Call.objects.filter(expired, state=Call.State.ON_WIRE)


def _decide(run: Run, dead: QuerySet[Call]) -> None:
    repeatable = capabilities(run.account).safe_to_repeat if dead.exists() else frozenset()
    for call in dead:
        if call.operation in SENDS:
            _close_send(call)
        elif call.operation in repeatable:
            _settle(call, Call.State.PLANNED, REPEATED)
        else:
            _settle(call, Call.State.UNKNOWN, INTERRUPTED)


def _close_send(call: Call) -> None:
    with transaction.atomic():
        if _settle(call, Call.State.UNKNOWN, INTERRUPTED):
            Recipient.objects.filter(call=call, state=Recipient.State.ON_WIRE).update(
                state=Recipient.State.UNKNOWN, error=reason(INTERRUPTED)
            )


def _settle(call: Call, state: str, why: str) -> bool:
    """False when the row is not as it was read: its worker may be alive after all, and be making the call again."""
    read = Call.objects.filter(
        pk=call.pk, state=Call.State.ON_WIRE, lease_owner=call.lease_owner, lease_until=call.lease_until
    )
    return bool(read.update(state=state, lease_until=None, error=reason(why), finished_at=timezone.now()))


def abandon_calls(run: Run, owner: str) -> None:
    """This worker broke down on an error of our own: what it left on the wire has an unknown outcome."""
    drop_if_broken()
    for call in Call.objects.filter(run=run, state=Call.State.ON_WIRE, lease_owner=owner):
        if call.operation in SENDS:
            _close_send(call)
        else:
            _settle(call, Call.State.UNKNOWN, INTERRUPTED)


def finish_stopping(run_id: int) -> None:
    """A run that was asked to stop and whose worker is gone: stopped, and counted, which nobody else would do."""
    now = timezone.now()
    free = Q(lease_owner="") | Q(lease_until=None) | Q(lease_until__lt=now)
    stopped = Run.objects.filter(free, pk=run_id, state=State.STOPPING).update(
        state=State.STOPPED, lease_owner="", lease_until=None, finished_at=now
    )
    if stopped:
        count_at_rest(Run.objects.get(pk=run_id))
