"""What the pages of a campaign show at each state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync.admin import progress, stages, sums
from contactsync.admin.accounts.abilities import counts_parts, why_not
from contactsync.admin.calls import outcome_lists
from contactsync.admin.campaigns import lookups
from contactsync.admin.campaigns.buttons import WAITS_FOR_SENDER, buttons
from contactsync.admin.campaigns.recipients import recipient_table
from contactsync.admin.campaigns.shares import shares
from contactsync.admin.common import may
from contactsync.campaigns.problems import frozen_sender, is_scheduled_here
from contactsync.campaigns.summary import extremes
from contactsync.models import Call, Campaign, Recipient
from contactsync.models.reasons import describe
from contactsync.sync.connect import Operation
from contactsync.templatetags.contactsync import number

State = Campaign.State
SENDERS_NAMED = 10
UNKNOWN_SHOWN = 5  # calls; the page “Unknown outcomes” has all

TEMPLATES = {
    State.PREPARING: "running",
    State.PREPARED: "prepared",
    State.SENDING: "running",
    State.STOPPING: "running",
}


def template(campaign: Campaign) -> str:
    """The page of the campaign's state."""
    return TEMPLATES.get(State(campaign.state), "report")


def context(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """Everything the page of this state needs, and nothing it does not."""
    may_send, may_write = may(request.user, "send_campaign"), may(request.user, "change_campaign")
    common: dict[str, Any] = {
        "campaign": campaign,
        "steps": stages.of_campaign(campaign),
        "may_send": may_send,
        "may_write": may_write,
        "may_stop": may_send or may_write,
        "who_may_send": [] if may_send else who_may_send(),
        "counts_parts": counts_parts(campaign.account),
        "sender": sender_shown(campaign),
        "waits_here": is_scheduled_here(campaign),
        "moment": lookups.moment_in_words(campaign.scheduled_for) if campaign.scheduled_for else "",
    }
    if campaign.state == State.PREPARED:
        return common | prepared(request, campaign)
    common["progress"] = shown = progress.of_campaign(campaign)
    if campaign.state != State.PREPARING and campaign.started_at is not None:
        common["lists"] = outcome_lists.of_campaign(request, campaign, shown.counts)
    if template(campaign) == "report":
        return common | reported(request, campaign, shown.counts) | buttons(request.user, campaign, shown.counts)
    common["rest"] = progress.rest_of_campaign(campaign)
    if campaign.state != State.PREPARING:
        common["sum"] = sums.of_sending(campaign, shown.counts, goes_on=True)
    return common


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender as its provider names it; `title` is empty where it told none."""

    value: str
    title: str


def sender_shown(campaign: Campaign) -> Sender:
    """The sender, with the title that the account's list of senders has for it."""
    value = frozen_sender(campaign)
    titles = {sender["value"]: sender.get("label", "") for sender in campaign.account.senders}
    return Sender(value, titles.get(value, ""))


def who_may_send() -> list[str]:
    """Names of people who may send, for those who may not."""
    users = get_user_model()._default_manager.with_perm(
        "contactsync.send_campaign", backend="django.contrib.auth.backends.ModelBackend"
    )
    return [user.get_full_name() or user.get_username() for user in users.order_by("username")[:SENDERS_NAMED]]


def prepared(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """Before the send: how many people, the price, who is left out, when, by which calls, and example messages."""
    return {
        "summary": campaign.summary,
        "sum": sums.of_audience(campaign),
        "exclusions": Recipient.Exclusion.values,
        "exclusion_reasons": exclusion_reasons(campaign),
        "price": price(campaign.summary),
        "no_price": why_not(campaign.account, Operation.ESTIMATE_PRICE),
        "balance": balance(campaign),
        "examples": examples(campaign),
        "table": recipient_table(request, campaign.recipients.all()),
    }


def exclusion_reasons(campaign: Campaign) -> list[tuple[str, str]]:
    """Why the provider's rules leave people out, in a sentence for each rule."""
    found = []
    for exclusion in (Recipient.Exclusion.NEEDS_TEMPLATE, Recipient.Exclusion.NO_CONSENT):
        if not campaign.summary.get("excluded", {}).get(exclusion):
            continue
        if one := campaign.recipients.filter(exclusion=exclusion).first():
            found.append((str(exclusion.label), one.error_text))
    return found


def price(summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """The estimated range, when the provider told one."""
    if summary.get("price_low") in (None, ""):
        return None
    low, high = Decimal(str(summary["price_low"])), Decimal(str(summary["price_high"]))
    return {"low": low, "high": high, "is_range": low != high, "currency": summary.get("currency", "")}


def balance(campaign: Campaign) -> Decimal | None:
    """The credit as it was when the campaign was prepared, else as it was last read."""
    noted = campaign.summary.get("balance")
    return Decimal(str(noted)) if noted not in (None, "") else campaign.account.balance


@dataclass(frozen=True, slots=True)
class Example:
    """One message of the campaign, to look at before it goes."""

    label: str
    recipient: Recipient


def examples(campaign: Campaign) -> list[Example]:
    """The first, the shortest and the longest message, each once, exactly as they will be received."""
    people = campaign.recipients.exclude(state=Recipient.State.EXCLUDED)
    kept = campaign.summary["examples"] if "examples" in campaign.summary else extremes(campaign)
    chosen = [
        (_("First"), people.order_by("id").first()),
        (_("Longest"), people.filter(pk=kept.get("longest")).first()),
        (_("Shortest"), people.filter(pk=kept.get("shortest")).first()),
    ]
    found: dict[str, Example] = {}
    for label, recipient in chosen:
        if recipient is not None:
            found.setdefault(recipient.text, Example(label, recipient))
    return list(found.values())


def reported(request: HttpRequest, campaign: Campaign, counts: Mapping[str, int]) -> dict[str, Any]:
    """After the send: the equation, the delivery, the calls that need a person, every recipient."""
    goes_on = campaign.state in WAITS_FOR_SENDER
    unknown = Call.objects.filter(run__campaign=campaign, state=Call.State.UNKNOWN).order_by("pk")
    return {
        "sum": sums.of_sending(campaign, counts, goes_on=goes_on) if counts else None,
        "audience": sums.of_audience(campaign) if campaign.summary.get("considered") else None,
        "shares": shares(campaign) if counts else [],
        "people": sum(counts.values()),
        "report": campaign.summary.get("report", {}),
        "reading": _reading(request, campaign),
        "awaited": _awaited(request, campaign),
        "report_notes": report_notes(campaign.summary.get("report", {})),
        "unknown_calls": list(unknown[:UNKNOWN_SHOWN]),
        "more_unknown": max(0, unknown.count() - UNKNOWN_SHOWN),
        "runs": list(campaign.runs.all()),
        "table": recipient_table(request, campaign.recipients.all()),
    }


def _reading(request: HttpRequest, campaign: Campaign) -> progress.Progress | None:
    """The reading of the report that somebody has just asked for, while it lasts."""
    reading = progress.of_report(campaign, request.GET.get("read_since", ""))
    return reading if reading.running else None


def _awaited(request: HttpRequest, campaign: Campaign) -> progress.Progress | None:
    """What the page waits for and then shows without a reload: the answer to a cancellation, or an imminent start."""
    if "cancel_since" in request.GET:
        awaited = progress.of_cancellation(campaign, request.GET["cancel_since"])
    else:
        awaited = progress.of_waiting(campaign)
    return awaited if awaited.running else None


def report_notes(report: Mapping[str, Any]) -> list[str]:
    """Where the provider's report and our ledger differ, and why it could not be read."""
    notes = []
    if report.get("error"):
        notes.append(describe(report["error"]))
    if count := report.get("unexpected", 0):
        notes.append(
            ngettext(
                "The provider reports %(count)s number that this campaign did not hand over.",
                "The provider reports %(count)s numbers that this campaign did not hand over.",
                count,
            )
            % {"count": number(count)}
        )
    if count := report.get("repeated", 0):
        notes.append(
            ngettext(
                "%(count)s number appears more than once in the provider's report.",
                "%(count)s numbers appear more than once in the provider's report.",
                count,
            )
            % {"count": number(count)}
        )
    if count := report.get("unreported", 0):
        notes.append(
            ngettext(
                "%(count)s person is missing from the provider's final report.",
                "%(count)s people are missing from the provider's final report.",
                count,
            )
            % {"count": number(count)}
        )
    return notes
