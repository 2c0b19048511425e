"""What became of what was handed over: the provider's reports, read call by call and added up for the campaign."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from contactsync.campaigns.counts import Equation, add_to_summary, equation
from contactsync.campaigns.due import pause_now
from contactsync.campaigns.report_reading import read_call
from contactsync.campaigns.resolve import resolve_by_callback, resolve_unknown, search_unknown
from contactsync.campaigns.settle import differences
from contactsync.models import Call, Campaign, ProviderAccount, Recipient
from contactsync.models.transitions import TransitionRefused, transition
from contactsync.sync import sends, shutdown
from contactsync.sync.connect import SENDS, Operation, ProviderError, Rejected, reason_of
from contactsync.sync.line import Line

__all__ = ["Equation", "equation", "pull", "pull_call", "pull_calls", "resolve_by_callback", "resolve_unknown"]

logger = logging.getLogger(__name__)

READS_AT_ONCE = 300  # reports asked for by one pull; the others are due at once
LONGEST_PULL = dt.timedelta(minutes=4)  # shorter than `due.UNANSWERED`
SHOWN = 100  # sends listed in the summary


def pull(campaign_id: int) -> None:
    """Read the reports of accepted sends that can still change, those first that were not read for longest.

    Reads so many at once and leaves the others to the next pull, which is due soon then. Reading twice changes nothing
    twice. Never raises for a provider's error: it stands in `summary["report"]["error"]`, beside what was read before
    it. A scheduled campaign whose sends are over becomes sent or cancelled. Sends of unknown outcome are looked for.
    """
    campaign = Campaign.objects.select_related("account").get(pk=campaign_id)
    error: dict[str, Any] = {}
    try:
        with Line(campaign.account) as line:
            search_unknown(campaign, line)
            for call in _next_calls(campaign) if line.capabilities.can(Operation.READ_REPORT) else ():
                line.pulse()
                try:
                    read_call(call, line)
                except Rejected as failure:  # about this send only; the next may be answered
                    error = error or reason_of(failure)
    except ProviderError as failure:
        error = reason_of(failure)
    except shutdown.Ending:
        logger.info("The reports of campaign %s are read on by the next worker.", campaign_id)
    _conclude(campaign, error=error)


def pull_calls(calls: Iterable[Call]) -> dict[int, ProviderError]:
    """Read the reports of these accepted calls now, of whatever campaigns. Returns what went wrong, by the key of the call.

    For hints that something has become of a message: what counts is what is read here.
    """
    failed: dict[int, ProviderError] = {}
    campaigns: set[int] = set()
    by_account: dict[int, list[Call]] = {}
    for call in calls:
        if call.state == Call.State.ACCEPTED and call.references:
            by_account.setdefault(call.run.account_id, []).append(call)
    for account in ProviderAccount.objects.filter(pk__in=by_account):
        own = by_account[account.pk]
        try:
            with Line(account) as line:
                for call in own:
                    campaigns.add(call.run.campaign_id or 0)
                    _try_call(call, line, failed)
        except ProviderError as failure:
            failed |= {call.pk: failure for call in own}
    for campaign in Campaign.objects.filter(pk__in=campaigns):
        _conclude(campaign, error={})
    return failed


def _try_call(call: Call, line: Line, failed: dict[int, ProviderError]) -> None:
    try:
        read_call(call, line)
    except ProviderError as failure:
        failed[call.pk] = failure


def pull_call(call: Call) -> None:
    """Read the report of one accepted call now. Raises `ProviderError`."""
    if failure := pull_calls([call]).get(call.pk):
        raise failure


def _reported(campaign: Campaign) -> QuerySet[Call]:
    """Calls that the provider can be asked about. A send accepted on a person's word has no reference to ask for."""
    accepted = Call.objects.filter(run__campaign=campaign, operation__in=SENDS, state=Call.State.ACCEPTED)
    return accepted.exclude(references=[])


def _next_calls(campaign: Campaign) -> Iterator[Call]:
    open_calls = _reported(campaign).filter(report_is_final=False)
    oldest_first = open_calls.order_by(F("reported_at").asc(nulls_first=True), "pk")
    give_up_at = timezone.now() + LONGEST_PULL
    reads = 0
    for call in list(oldest_first[:READS_AT_ONCE]):
        if reads >= READS_AT_ONCE or timezone.now() >= give_up_at:
            return
        reads += len(call.references)
        yield call


def _left(campaign: Campaign) -> int:
    """Calls whose report is due and was not read by this pull."""
    pause = pause_now(campaign)
    if pause is None:
        return 0
    unread = Q(reported_at=None) | Q(reported_at__lt=timezone.now() - max(pause, LONGEST_PULL))
    return _reported(campaign).filter(unread, report_is_final=False).count()


def _conclude(campaign: Campaign, *, error: dict[str, Any]) -> None:
    """Add up what all calls reported, and what it means for the campaign."""
    report, is_over, is_cancelled = _added_up(campaign)
    report |= {"error": error, "left": _left(campaign), "final": report["final"] and not error}
    add_to_summary(campaign, report=report)
    Campaign.objects.filter(pk=campaign.pk).update(reported_at=timezone.now())
    accepted = Recipient.objects.filter(campaign=campaign, state=Recipient.State.ACCEPTED)
    unasked = not report["send_count"] and accepted.exists() and _is_past(campaign)
    if (is_over and not error) or unasked:
        _end_schedule(campaign, cancelled=is_over and is_cancelled)
    _compare(campaign)


def _added_up(campaign: Campaign) -> tuple[dict[str, Any], bool, bool]:
    """(the report for the summary, whether every send is over, whether every send is cancelled)"""
    totals = {"unexpected": 0, "repeated": 0, "unreported": 0, "send_count": 0}
    costs: list[Decimal] = []
    shown: list[dict[str, Any]] = []
    is_over, is_cancelled = True, True
    for report in _reported(campaign).order_by("pk").values_list("report", flat=True).iterator():
        entries = report.get("sends", [])
        shown += entries[: SHOWN - len(shown)]
        is_over = is_over and bool(entries) and all(entry["final"] for entry in entries)
        is_cancelled = is_cancelled and all(entry["state"] == sends.SendState.CANCELLED for entry in entries)
        totals["send_count"] += max(1, len(entries))
        totals["unexpected"] += sum(entry["unexpected"] for entry in entries)
        totals["repeated"] += sum(entry["repeated"] for entry in entries)
        totals["unreported"] += report.get("unreported", 0)
        costs += [Decimal(entry["cost"]) for entry in entries if entry["cost"] is not None]
    is_over = is_over and totals["send_count"] > 0
    carried = Recipient.objects.filter(campaign=campaign, state=Recipient.State.ACCEPTED).order_by()
    states = dict(carried.values_list("delivery").annotate(Count("pk")))
    report = {
        "sends": shown,
        "states": {state or "none": count for state, count in states.items()},
        "cost": str(sum(costs, Decimal(0))) if costs else None,
        "final": is_over and all(state in Recipient.FINAL_DELIVERIES for state in states),
        **totals,
    }
    return report, is_over, is_cancelled


def _is_past(campaign: Campaign) -> bool:
    return campaign.scheduled_for is not None and campaign.scheduled_for <= timezone.now()


def _compare(campaign: Campaign) -> None:
    """A campaign whose report is not of exactly those handed over waits for a person."""
    if differs := differences(campaign.summary):
        waiting = Campaign.objects.filter(pk=campaign.pk, state__in=[Campaign.State.SENT, Campaign.State.SCHEDULED])
        waiting.update(state=Campaign.State.ATTENTION, error=differs)


def _end_schedule(campaign: Campaign, *, cancelled: bool) -> None:
    """The time has come and gone at the provider, or somebody cancelled it there."""
    state = Campaign.State.CANCELLED if cancelled else Campaign.State.SENT
    try:
        transition(campaign, state, table={state: frozenset({Campaign.State.SCHEDULED})})
    except TransitionRefused:
        campaign.refresh_from_db(fields=["state"])  # it was not scheduled: nothing to end
