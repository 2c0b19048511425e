"""How a send ends: counted, compared, and given the state that is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.counts import Equation, add_to_summary, equation
from contactsync.campaigns.lease import LeaseLost
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.models.transitions import transition
from contactsync.sync.connect import SENDS, Operation

_STOPPED = reason(gettext_noop("Not sent: the campaign was stopped."))


def leave_unsent(run: Run, why: dict[str, Any]) -> None:
    """What was not begun of this run is not going to be: calls and recipients become `not_sent`, with the reason."""
    with transaction.atomic():
        Call.objects.filter(run=run, state=Call.State.PLANNED).update(
            state=Call.State.NOT_SENT, error=why, finished_at=timezone.now()
        )
        Recipient.objects.filter(campaign=run.campaign_id, state=Recipient.State.PLANNED).update(
            state=Recipient.State.NOT_SENT, error=why
        )


def leave_call_out(call: Call, why: dict[str, Any]) -> None:
    """Refuse a planned call here, before it goes out."""
    with transaction.atomic():
        planned = Call.objects.filter(pk=call.pk, state=Call.State.PLANNED)
        if planned.update(state=Call.State.NOT_SENT, error=why, finished_at=timezone.now()):
            Recipient.objects.filter(call=call, state=Recipient.State.PLANNED).update(
                state=Recipient.State.NOT_SENT, error=why
            )


def settle(run: Run, *, owner: str = "", why_unsent: dict[str, Any] | None = None) -> None:
    """End a run of which no call is on the wire. What is still planned is left unsent (stopped, unless told otherwise).

    Run and campaign get their end states and the checked equation in one transaction. Raises `LeaseLost`
    when the run is not `owner`'s.
    """
    with transaction.atomic():
        campaign = lock(run, owner=owner)
        stopping = run.state == Run.State.STOPPING
        leave_unsent(run, why_unsent or _STOPPED)
        sums = equation(campaign)
        campaign_state, why = _campaign_end(campaign, sums, stopping=stopping)
        run_state = _run_end(run, sums, campaign_state, stopping=stopping)
        now = timezone.now()
        run_why = {} if run_state == Run.State.FINISHED else why
        release: dict[str, Any] = {"lease_until": None, "lease_owner": "", "finished_at": now}
        run_error = why_unsent or run_why
        transition(run, run_state, table=Run.TRANSITIONS, counts=sums.as_counts, error=run_error, **release)
        transition(campaign, campaign_state, table=_ENDS, error=why_unsent or why, finished_at=now)
        add_to_summary(campaign, sent=sums.as_counts)


#: of what went out before, everything may have been cancelled at the provider while the rest was sent to
_CANCELLED_MEANWHILE = frozenset({Campaign.State.SENDING, Campaign.State.STOPPING})
_ENDS = {
    **Campaign.TRANSITIONS,
    Campaign.State.CANCELLED: Campaign.TRANSITIONS[Campaign.State.CANCELLED] | _CANCELLED_MEANWHILE,
}


def settle_again(run: Run) -> None:
    """After a decision about a call, by a person or by the sweep: the counts, and the states when nothing is open any more.

    Every run of the campaign without an open call is closed. A campaign at rest of which a call turned out
    to be unknown waits for a person. A call that did not get through when its run had ended is left unsent.
    """
    with transaction.atomic():
        campaign = lock(run)
        if campaign.state == Campaign.State.ATTENTION:  # no run is under way that would make what did not get through
            leave_unsent(run, _STOPPED)
        sums = equation(campaign)
        Run.objects.filter(pk=run.pk).update(counts=sums.as_counts)
        add_to_summary(campaign, sent=sums.as_counts)
        close_runs(campaign)
        run.refresh_from_db(fields=["state"])
        if campaign.state in _AT_REST and sums.unknown:
            transition(campaign, Campaign.State.ATTENTION, table=Campaign.TRANSITIONS, error=_unknown(sums))
        elif campaign.state == Campaign.State.ATTENTION and not (sums.on_wire or sums.planned):
            state, why = _campaign_end(campaign, sums, stopping=True)
            if state == Campaign.State.ATTENTION:
                Campaign.objects.filter(pk=campaign.pk).update(error=why)
            else:
                transition(campaign, state, table=Campaign.TRANSITIONS, error=why)


_AT_REST = {Campaign.State.STOPPED, Campaign.State.SENT, Campaign.State.SCHEDULED, Campaign.State.CANCELLED}


def close_runs(campaign: Campaign) -> None:
    """Finish the runs of the campaign that waited for a decision and have no open call any more."""
    still_open = Call.objects.filter(run__campaign=campaign, state__in=[Call.State.UNKNOWN, Call.State.ON_WIRE])
    waiting = Run.objects.filter(campaign=campaign, kind=Run.Kind.SEND, state=Run.State.ATTENTION)
    for run in waiting.exclude(pk__in=still_open.values("run")):
        transition(run, Run.State.FINISHED, table=Run.TRANSITIONS, error={})


def lock(run: Run, *, owner: str | None = None) -> Campaign:
    """The campaign first, then its run: the order everybody keeps. Raises `LeaseLost` when the run is not `owner`'s."""
    campaign = Campaign.objects.select_for_update().get(runs=run)
    row = Run.objects.select_for_update().get(pk=run.pk)
    if owner is not None and row.lease_owner != owner:
        raise LeaseLost
    run.state = row.state
    return campaign


def _campaign_end(campaign: Campaign, sums: Equation, *, stopping: bool) -> tuple[str, dict[str, Any]]:
    """The state the sums mean, and the sentence a person needs first. Only what went as approved is handed over."""
    attention = Campaign.State.ATTENTION
    if not sums.balances:
        return attention, _UNBALANCED
    if sums.unknown or sums.on_wire:
        return attention, _unknown(sums)
    if is_cancelled(campaign):
        return Campaign.State.CANCELLED, {}
    if sums.not_sent:
        return (Campaign.State.STOPPED, {}) if stopping else (attention, _words_of(campaign, Call.State.NOT_SENT))
    if sums.refused:
        why = _refused(campaign, sums)
        # what was refused by contact ids can still be sent by number
        again = resumable_refusals(campaign).exists()
        return (attention if sums.accepted or again or stopping else Campaign.State.FAILED), why
    if differs := differences(campaign.summary):
        return attention, differs
    return handed_over(campaign), {}


def _run_end(run: Run, sums: Equation, campaign_state: str, *, stopping: bool) -> str:
    """By the calls of this run alone: what an earlier run left open is not this one's."""
    own = Recipient.objects.filter(call__run=run)
    open_calls = Call.objects.filter(run=run, state__in=[Call.State.UNKNOWN, Call.State.ON_WIRE])
    if open_calls.exists() or not sums.balances:
        return Run.State.ATTENTION
    if stopping:
        return Run.State.STOPPED
    if campaign_state == Campaign.State.FAILED:
        return Run.State.FAILED
    left = own.filter(state__in=[Recipient.State.NOT_SENT, Recipient.State.REFUSED])
    # without calls there was no plan: then it is the campaign's people who are left
    unplanned = sums.not_sent and not run.calls.exists()
    return Run.State.ATTENTION if unplanned or left.exists() else Run.State.FINISHED


def resumable_refusals(campaign: Campaign) -> QuerySet[Recipient]:
    """People of refused calls to phonebooks, or with several texts. A refusal means that nothing was sent.

    The one thing wrong with such a call may be somebody else in it, so they can be sent to by number, text by text.
    """
    return Recipient.objects.filter(
        campaign=campaign,
        state=Recipient.State.REFUSED,
        call__state=Call.State.REFUSED,
        call__operation__in=[Operation.SEND_TO_PHONEBOOK, Operation.SEND_KEYWORDS, Operation.SEND_TEXTS],
    )


def handed_over(campaign: Campaign) -> str:
    """The state of a campaign that the provider has: kept for later, or sent."""
    scheduled = campaign.scheduled_for is not None and campaign.scheduled_for > timezone.now()
    return Campaign.State.SCHEDULED if scheduled else Campaign.State.SENT


def is_cancelled(campaign: Campaign) -> bool:
    """Whether a scheduled campaign was taken back for everybody whom the provider had accepted."""
    accepted = Recipient.objects.filter(campaign=campaign, state=Recipient.State.ACCEPTED)
    others = accepted.exclude(delivery=Recipient.Delivery.CANCELLED)
    return campaign.scheduled_for is not None and accepted.exists() and not others.exists()


def differences(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Why the provider's report is not of whom we handed over; empty when it is, or when a person has left it so."""
    report = summary.get("report") or {}
    unexpected, unreported = report.get("unexpected", 0), report.get("unreported", 0)
    if not (unexpected or unreported) or [unexpected, unreported] == summary.get("left_so"):
        return {}
    return reason(
        gettext_noop(
            "The provider's report does not match those handed over: numbers nobody handed over: %(unexpected)s, "
            "people missing from the report: %(unreported)s. Compare them in the provider's panel before you go on."
        ),
        unexpected=unexpected,
        unreported=unreported,
    )


_UNBALANCED = reason(gettext_noop("The numbers do not add up. Compare the calls of this run with its recipients."))


def _unknown(sums: Equation) -> dict[str, Any]:
    return reason(
        gettext_noop("Messages whose outcome is not known: %(people)s. Look at the call and decide."),
        people=sums.unknown + sums.on_wire,
    )


def _refused(campaign: Campaign, sums: Equation) -> dict[str, Any]:
    words = _words_of(campaign, Call.State.REFUSED)
    if not sums.accepted or not words:
        return words
    return reason(
        gettext_noop("The provider refused messages to some people (%(people)s): %(reason)s"),
        people=sums.refused,
        reason=words,
    )


def _words_of(campaign: Campaign, state: str) -> dict[str, Any]:
    """Why the latest run's first call with this end did not go."""
    calls = Call.objects.filter(run__campaign=campaign, state=state, operation__in=SENDS, item_count__gt=0)
    call = calls.order_by("-run_id", "sequence").first()
    return dict(call.error) if call else {}
