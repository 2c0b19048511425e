"""What became of what was handed over: the provider's reports read into the recipients, and the decisions of people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.counts import Equation, add_to_summary, equation
from contactsync.campaigns.settle import differences, settle_again
from contactsync.campaigns.sources import CHUNK
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.models.transitions import TransitionRefused, transition
from contactsync.sync import sends
from contactsync.sync.connect import SENDS, ProviderError, RecipientReport, reason_of
from contactsync.sync.line import Line

__all__ = ["Equation", "equation", "pull", "resolve_unknown"]


@dataclass(slots=True)
class _Findings:
    """What all reports of one pull came to."""

    #: one per reference; `unexpected`: reported numbers that the call did not carry, `repeated`: more than once
    sends: list[dict[str, Any]] = field(default_factory=list)
    unreported: int = 0  # carried numbers that a final report does not have

    def total(self, name: str) -> int:
        return sum(entry.get(name, 0) for entry in self.sends)

    @property
    def cost(self) -> Decimal | None:
        costs = [Decimal(entry["cost"]) for entry in self.sends if entry.get("cost") is not None]
        return sum(costs, Decimal(0)) if costs else None


_AFTER_SEND = {
    sends.SendState.QUEUED: Recipient.Delivery.QUEUED,
    sends.SendState.SENDING: Recipient.Delivery.SENT,
    sends.SendState.CANCELLED: Recipient.Delivery.CANCELLED,
    sends.SendState.FAILED: Recipient.Delivery.FAILED,
}


def pull(campaign_id: int) -> None:
    """Read state and recipients of every accepted send into the ledger. Reading twice changes nothing twice.

    Never raises for a provider's error: it stands in `summary["report"]["error"]`, beside what was
    read before it. A scheduled campaign whose sends are over becomes sent or cancelled.
    """
    campaign = Campaign.objects.select_related("account").get(pk=campaign_id)
    findings = _Findings()
    error: dict[str, Any] = {}
    accepted = Call.objects.filter(run__campaign=campaign, operation__in=SENDS, state=Call.State.ACCEPTED)
    # a send accepted on a person's word has no reference to ask for
    calls = [call for call in accepted.order_by("pk") if call.references]
    known = _known(campaign)
    try:
        with Line(campaign.account) as line:
            for call in calls:
                if call.pk in known:
                    findings.sends += known[call.pk]
                else:
                    _pull_call(call, findings, line)
    except ProviderError as failure:
        error = reason_of(failure)
    final = bool(calls) and not error and all(entry["final"] for entry in findings.sends)
    cancelled = all(entry["state"] == sends.SendState.CANCELLED for entry in findings.sends)
    add_to_summary(campaign, report=_report(campaign, findings, final=final, error=error))
    Campaign.objects.filter(pk=campaign.pk).update(reported_at=timezone.now())
    if final or (not calls and accepted.exists() and _is_past(campaign)):
        _end_schedule(campaign, cancelled=final and cancelled)
    _compare(campaign)


def _known(campaign: Campaign) -> dict[int, list[dict[str, Any]]]:
    """Call -> what its sends reported, where nothing can change any more: the send and all of its people are at an end."""
    before = (campaign.summary.get("report") or {}).get("sends", [])
    carried = Recipient.objects.filter(campaign=campaign, state=Recipient.State.ACCEPTED).order_by()
    moving = carried.exclude(delivery__in=Recipient.FINAL_DELIVERIES).values_list("call_id", flat=True)
    not_over = {*moving.distinct(), *(entry.get("call") for entry in before if not entry.get("final"))}
    known: dict[int, list[dict[str, Any]]] = {}
    for entry in before:
        if entry.get("call") not in not_over:
            known.setdefault(entry["call"], []).append(entry)
    return known


def _is_past(campaign: Campaign) -> bool:
    return campaign.scheduled_for is not None and campaign.scheduled_for <= timezone.now()


def _compare(campaign: Campaign) -> None:
    """A campaign whose report is not of exactly those handed over waits for a person."""
    if differs := differences(campaign.summary):
        waiting = Campaign.objects.filter(pk=campaign.pk, state__in=[Campaign.State.SENT, Campaign.State.SCHEDULED])
        waiting.update(state=Campaign.State.ATTENTION, error=differs)


def _pull_call(call: Call, findings: _Findings, line: Line) -> None:
    """One call may have several references; only together they tell who is missing."""
    seen: set[str] = set()
    call_is_final = True
    for reference in call.references:
        report = sends.send_report(line.account, reference, line=line)
        rows = sends.recipient_reports(line.account, reference, line=line)
        phones = {row.phone for row in rows}
        repeated = len(rows) - len(phones) + len(seen & phones)
        seen |= phones
        unexpected = len(phones) - _write(call, rows, reference=reference)
        if state := _AFTER_SEND.get(report.state):
            _write_send_state(call, state, raw=report.raw_state)
        call_is_final = call_is_final and report.state.is_final
        findings.sends.append(
            {
                "reference": reference,
                "state": str(report.state),
                "raw_state": report.raw_state,
                "label": report.label,
                "recipients": report.recipients,
                "call": call.pk,
                "final": report.state.is_final,
                "cost": None if report.cost is None else str(report.cost),
                "unexpected": unexpected,
                "repeated": repeated,
            }
        )
    if call_is_final:
        findings.unreported += Recipient.objects.filter(call=call, delivery_raw="").count()


def _write(call: Call, rows: Iterable[RecipientReport], *, reference: str) -> int:
    """Set the delivery of everybody reported, many at a time. Returns how many of them the call carried.

    A row without a code says only that the number is part of the send.
    """
    by_state: dict[tuple[str, str], list[str]] = {}
    for row in {row.phone: row for row in rows}.values():  # of a number reported twice the last word counts
        by_state.setdefault((str(row.state), row.raw_state[:50]), []).append(row.phone)
    carried = Recipient.objects.filter(call=call)
    several = len(call.references) > 1
    found = 0
    for (state, raw), phones in by_state.items():
        changes = {"delivery": state, "delivery_raw": raw, "delivery_at": timezone.now()} if raw else {}
        if several:
            changes["reference"] = reference[:100]
        for first in range(0, len(phones), CHUNK):
            rows_here = carried.filter(phone__in=phones[first : first + CHUNK])
            found += rows_here.update(**changes) if changes else rows_here.count()
    return found


def _write_send_state(call: Call, state: str, *, raw: str) -> None:
    """What holds for the whole send holds for everybody of whom nothing is said."""
    silent = Recipient.objects.filter(call=call, delivery_raw="")
    code = raw[:50] if state in Recipient.FINAL_DELIVERIES else ""
    silent.update(delivery=state, delivery_raw=code, delivery_at=timezone.now())


def _report(campaign: Campaign, findings: _Findings, *, final: bool, error: dict[str, Any]) -> dict[str, Any]:
    carried = Recipient.objects.filter(campaign=campaign, state=Recipient.State.ACCEPTED).order_by()
    states = dict(carried.values_list("delivery").annotate(Count("pk")))
    return {
        "sends": findings.sends,
        "states": {state or "none": count for state, count in states.items()},
        "cost": None if findings.cost is None else str(findings.cost),
        "unexpected": findings.total("unexpected"),
        "repeated": findings.total("repeated"),
        "unreported": findings.unreported,
        "final": final and all(state in Recipient.FINAL_DELIVERIES for state in states),
        "error": error,
    }


def _end_schedule(campaign: Campaign, *, cancelled: bool) -> None:
    """The time has come and gone at the provider, or somebody cancelled it there."""
    state = Campaign.State.CANCELLED if cancelled else Campaign.State.SENT
    try:
        transition(campaign, state, table={state: frozenset({Campaign.State.SCHEDULED})})
    except TransitionRefused:
        campaign.refresh_from_db(fields=["state"])  # it was not scheduled: nothing to end


def resolve_unknown(call: Call, *, sent: bool, user: User) -> Call:
    """A person found out what became of an unknown send. Its people count as accepted, or as not sent and may be resumed.

    Raises `TransitionRefused` when the call is not an unknown send (any more).
    """
    if call.operation not in SENDS:
        raise TransitionRefused(f"Call {call.pk} sends nothing.")
    decided = (
        gettext_noop("%(user)s decided: it was sent.") if sent else gettext_noop("%(user)s decided: it was not sent.")
    )
    why = reason(decided, user=user.get_username())
    state = Call.State.ACCEPTED if sent else Call.State.NOT_SENT
    with transaction.atomic():
        run = Run.objects.select_related("campaign").get(pk=call.run_id)
        Campaign.objects.select_for_update().get(runs=run)
        transition(call, state, table={state: frozenset({Call.State.UNKNOWN})}, error=why)
        Recipient.objects.filter(call=call, state=Recipient.State.UNKNOWN).update(
            state=Recipient.State.ACCEPTED if sent else Recipient.State.NOT_SENT, error=why
        )
        settle_again(run)
    return call
