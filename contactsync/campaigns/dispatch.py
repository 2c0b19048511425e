"""Carrying out an approved send: call by call, each on record before its first byte, none twice."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns import outcomes
from contactsync.campaigns.calls import plan_calls, sender_and_time
from contactsync.campaigns.counts import COUNT_SHARE, progress
from contactsync.campaigns.last_look import look
from contactsync.campaigns.lease import LeaseLost
from contactsync.campaigns.left_out import to_leave_out
from contactsync.campaigns.patience import asks_for_a_person
from contactsync.campaigns.problems import CampaignProblem
from contactsync.campaigns.resolve import hear_late_answers
from contactsync.campaigns.settle import leave_call_out, lock, settle, settle_again
from contactsync.campaigns.several import Several
from contactsync.campaigns.waiting import begin_if_due, missed
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.models.transitions import TransitionRefused, transition
from contactsync.sync import accounts, leases, sends, shutdown
from contactsync.sync.connect import SENDS, ProviderError, calls_at_once, key_mark, reason_of
from contactsync.sync.line import Line
from contactsync.sync.policy import rest_after
from contactsync.sync.sends import Performed, SendReceipt, Verdict
from contactsync.sync.sweep import abandon_calls
from contactsync.sync.worker import Halt, Refusals

__all__ = ["execute", "plan_calls"]
logger = logging.getLogger(__name__)

PAGE = 200  # planned calls read at a time
COUNTED_EVERY = 2.0  # seconds


class Stopped(Exception):
    """A person wants this run stopped, or this process is to end: nothing more is to go out from here."""


class _Changed(Exception):
    """Somebody in a call is to be left out since the last look at it."""


def execute(run_id: int) -> None:
    """Make the planned calls of an approved send. Does nothing when another worker is at it or the run is in another state.

    Never touches a call that is on the wire or unknown. Ends with run and campaign finished, stopped,
    paused (account refused, no credit, provider out of reach) or in need of a decision; or, when calls
    have to wait, with the run left to the sweep.
    """
    owner = leases.new_owner()
    begin_if_due(run_id)
    run = _claim(run_id, owner)
    if run is None:
        return
    try:
        _carry_out_or_settle(run, owner)
    except LeaseLost:
        logger.warning("Run %s was taken over by another worker.", run_id)
        settle_again(run)  # an answer that came late may be the one a person was to decide
        hear_late_answers(run.campaign)  # or the one that a person has decided wrongly


def _carry_out_or_settle(run: Run, owner: str) -> None:
    try:
        _carry_out(run, owner)
    except CampaignProblem as problem:
        settle(run, owner=owner, why_unsent=problem.reasons[0])
    except ProviderError as error:  # a look before a call that did not get through, with all its patience
        rest = rest_after(error)
        if rest is None:
            _pause(run, reason_of(error), owner=owner)
        else:
            _end(run, owner, not_before=timezone.now() + rest, why=reason_of(error))
    except LeaseLost:
        raise
    except Exception:
        abandon_calls(run, owner)
        settle(
            run,
            owner=owner,
            why_unsent=reason(
                gettext_noop("An internal error came up while sending. It is in the log; please report it.")
            ),
        )
        raise


def _claim(run_id: int, owner: str) -> Run | None:
    """Take an approved send that nobody works on; None otherwise, and for a run whose campaign was not approved."""
    at_work = [Campaign.State.SENDING, Campaign.State.STOPPING]
    if not Run.objects.filter(pk=run_id, kind=Run.Kind.SEND, campaign__state__in=at_work).exists():
        return None
    going: set[str] = {Run.State.QUEUED, Run.State.RUNNING}
    return leases.claim(run_id, owner, states=going, to=Run.State.RUNNING) or leases.claim(
        run_id, owner, states={Run.State.STOPPING}, to=Run.State.STOPPING
    )


def _renew(run: Run, owner: str) -> bool:
    """Keep the lease; False when a person wants the run stopped. Raises `LeaseLost` when the run is somebody else's."""
    mine = Run.objects.filter(pk=run.pk, lease_owner=owner)
    until = timezone.now() + leases.LEASE
    if mine.filter(state=Run.State.RUNNING).update(lease_until=until):
        return True
    if mine.filter(state=Run.State.STOPPING).update(lease_until=until):
        return False
    raise LeaseLost


def _carry_out(run: Run, owner: str) -> None:
    if why := missed(run):
        _pause(run, why, owner=owner)
        return
    if not run.calls.exists() and not _plan(run, owner):
        return
    with Line(run.account, pulse=lambda: _go_on(run, owner)) as line:
        _note_key(run, owner)
        if calls_at_once(run.account) > 1:
            _several(run, owner, line)
        else:
            _one_by_one(run, owner, line)


def _plan(run: Run, owner: str) -> bool:
    """Plan the calls of a run that has none. False when it was left to the next worker instead."""
    try:
        with transaction.atomic():
            _renew(run, owner)
            plan_calls(run, pulse=shutdown.end_if_asked)
    except shutdown.Ending:
        leases.hand_back(run, owner, until=timezone.now())
        return False
    return True


def _note_key(run: Run, owner: str) -> None:
    """Keep with which key its calls are made: what another one shows says nothing of them."""
    keys = run.plan.get("keys", [])
    if (mark := key_mark(run.account)) not in keys:
        run.plan = {**run.plan, "keys": [*keys, mark]}
        Run.objects.filter(pk=run.pk, lease_owner=owner).update(plan=run.plan)


def _several(run: Run, owner: str, line: Line) -> None:
    several = Several(
        run,
        owner=owner,
        line=line,
        renew=lambda: _renew(run, owner),
        make_alone=lambda call: _send(run, call, owner=owner, line=line),
    )
    try:
        several.send()
    except Stopped:
        _end(run, owner)
    except Halt as halt:
        if halt.state == Run.State.PAUSED:
            _pause_if_planned(run, halt.why, owner=owner)
        else:
            _end(run, owner, not_before=halt.until, why=halt.why)
    else:
        _end(run, owner)


def _one_by_one(run: Run, owner: str, line: Line) -> None:
    unknown, refusals = 0, Refusals(run)
    count_at = time.monotonic() + COUNTED_EVERY
    for call in _planned_calls(run):
        try:
            _go_on(run, owner)
            outcome = _send(run, call, owner=owner, line=line)
        except Stopped:
            break  # what is left is for the next worker, or for nobody
        if (began := time.monotonic()) >= count_at:
            Run.objects.filter(pk=run.pk).update(counts=progress(run))
            count_at = time.monotonic() + max(COUNTED_EVERY, COUNT_SHARE * (time.monotonic() - began))
        unknown = unknown + 1 if outcome.verdict is Verdict.UNKNOWN else 0
        try:
            refusals.weigh(outcome)
        except Halt as halt:
            _pause_if_planned(run, halt.why, owner=owner)
            return
        if outcome.error and asks_for_a_person(outcome, attempts=call.attempts, unknown=unknown):
            _pause_if_planned(run, reason_of(outcome.error), owner=owner)
            return
        if outcome.error and outcome.verdict is Verdict.RETRY:
            _end(run, owner, not_before=call.not_before, why=reason_of(outcome.error))
            return
    _end(run, owner)


def _go_on(run: Run, owner: str) -> None:
    """Keep the lease; raises `Stopped` or `LeaseLost` when this work is to end."""
    if shutdown.is_asked_for() or not _renew(run, owner):
        raise Stopped


def _planned_calls(run: Run) -> Iterator[Call]:
    """What is ready to be made, in order, also when it was added meanwhile. Read in pages: there may be very many."""
    last = 0
    while True:
        ready = Q(not_before=None) | Q(not_before__lte=timezone.now())
        planned = run.calls.filter(ready, state=Call.State.PLANNED, operation__in=SENDS, sequence__gt=last)
        page = list(planned.order_by("sequence")[:PAGE])
        if not page:
            return
        yield from page
        last = page[-1].sequence


def _send(run: Run, call: Call, *, owner: str, line: Line) -> Performed[SendReceipt]:
    """Make one call. It is looked at once more when somebody in it was suppressed or deleted while it waited."""
    while True:
        try:
            return _send_as_looked_at(run, call, owner=owner, line=line)
        except _Changed:
            continue


def _send_as_looked_at(run: Run, call: Call, *, owner: str, line: Line) -> Performed[SendReceipt]:
    """Its recipients change with it in the same transactions."""
    if problem := look(run, call, line):
        leave_call_out(call, problem)
        return Performed(None, None, Verdict.TAKEN)
    (sender, send_at), text = sender_and_time(run), _text(call)
    if problem := sends.message_problem(run.account, call.target, sender=sender, text=text, send_at=send_at):
        leave_call_out(call, problem)
        return Performed(None, None, Verdict.TAKEN)

    def on_claim() -> None:
        _go_on(run, owner)  # the lease of a call must not outlast that of its run
        if to_leave_out(Recipient.objects.filter(call=call, state=Recipient.State.PLANNED)).exists():
            raise _Changed
        outcomes.put_on_wire([call])

    return sends.send_call(
        call,
        account=run.account,
        sender=sender,
        text=text,
        send_at=send_at,
        owner=owner,
        line=line,
        on_claim=on_claim,
        on_outcome=lambda performed: outcomes.keep([(call, performed)]),
    )


def _text(call: Call) -> str:
    """The text of a call. One with several texts has them in its target."""
    texts = Recipient.objects.filter(call=call).values_list("text", flat=True)
    return "" if "texts" in call.target else texts.first() or ""


def _pause_if_planned(run: Run, error: dict[str, Any], *, owner: str) -> None:
    """Wait for a person with what is left; when nothing is, this is the end."""
    if run.calls.filter(state=Call.State.PLANNED, operation__in=SENDS).exists():
        _pause(run, error, owner=owner)
    else:
        _end(run, owner)


def _pause(run: Run, error: dict[str, Any], *, owner: str) -> None:
    """Wait for a person; nothing is lost: what is planned stays planned."""
    try:
        with transaction.atomic():
            campaign = lock(run, owner=owner)
            transition(campaign, Campaign.State.PAUSED, table=Campaign.TRANSITIONS, error=error)
            release: dict[str, Any] = {"lease_owner": "", "lease_until": None}
            transition(run, Run.State.PAUSED, table=Run.TRANSITIONS, error=error, counts=progress(run), **release)
    except TransitionRefused:  # a person stopped it at the same moment
        settle(run, owner=owner)


def _end(run: Run, owner: str, *, not_before: dt.datetime | None = None, why: dict[str, Any] | None = None) -> None:
    """Settle the run, or leave it to the sweep while something is on the wire or has to wait, until `not_before` at least."""
    run.refresh_from_db(fields=["state"])
    open_calls = run.calls.filter(operation__in=SENDS)
    on_wire = open_calls.filter(state=Call.State.ON_WIRE).order_by("-lease_until").first()
    waiting = open_calls.filter(state=Call.State.PLANNED).order_by(F("not_before").asc(nulls_first=True)).first()
    until = None
    if on_wire:
        until = on_wire.lease_until or timezone.now()
    elif waiting and run.state == Run.State.RUNNING:
        until = max(waiting.not_before or timezone.now(), not_before or timezone.now())
        why = why or waiting.error
    if until is None:
        settle(run, owner=owner)
        accounts.note_balance(run.account)  # what the send has cost
        return
    if not leases.hand_back(run, owner, until=until, counts=progress(run), error=why or {}):
        _renew(run, owner)
        _end(run, owner)  # it was asked to stop in this moment
