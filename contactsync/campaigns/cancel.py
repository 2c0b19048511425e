"""Taking back a campaign that the provider holds for later."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.lease import CampaignLease, LeaseLost
from contactsync.campaigns.problems import CampaignProblem
from contactsync.campaigns.waiting import cancel_waiting
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.models.transitions import TransitionRefused, transition
from contactsync.sync import sends, shutdown
from contactsync.sync.connect import SENDS, Operation, ProviderError, capabilities, reason_of
from contactsync.sync.line import Line

logger = logging.getLogger(__name__)

#: where the provider may hold sends for later
HELD_THERE = (Campaign.State.SCHEDULED, Campaign.State.STOPPED, Campaign.State.ATTENTION)
#: where there is something to take back
CANCELLABLE = (Campaign.State.WAITING, *HELD_THERE)


def interrupted() -> list[int]:
    """Campaigns whose cancellation a worker began and did not end, because it had to end itself: to be cancelled again."""
    held = Campaign.objects.filter(state__in=HELD_THERE, lease_until__lt=timezone.now())
    return list(held.values_list("pk", flat=True))


def cancel(campaign: Campaign) -> Campaign:
    """Take back what waits here, or cancel every accepted send of a scheduled (or while scheduling stopped) campaign at the provider, one call per reference.

    Raises `TransitionRefused` when it is not scheduled, and `CampaignProblem` with the provider's
    words when it is too late or something else went wrong, or when a send has an unknown outcome;
    what was cancelled stays so, and the rest can be tried again.
    """
    if Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.WAITING).exists():
        return cancel_waiting(campaign)
    limits = capabilities(campaign.account)
    if not limits.can(Operation.CANCEL_SEND):
        raise CampaignProblem([reason(limits.why_not(Operation.CANCEL_SEND))])
    lease = CampaignLease(campaign.pk, *HELD_THERE)
    if campaign.scheduled_for is None or not lease.claim():
        raise TransitionRefused(f"Campaign {campaign.pk} is not scheduled, or is being cancelled already.")
    try:
        refusals = _cancel_all(campaign, lease)
    except ProviderError as error:
        refusals = [reason_of(error)]
    except shutdown.Ending:
        lease.rest(timezone.now(), GOES_ON)
        raise TransitionRefused(f"Campaign {campaign.pk} was not cancelled: this process is to end.") from None
    except LeaseLost:
        raise TransitionRefused(f"Campaign {campaign.pk} went on while it was being cancelled.") from None
    except Exception:  # an error of ours, which it would meet again
        lease.rest(None, INTERRUPTED)
        raise
    refusals += _unknown(campaign)
    with transaction.atomic():
        release: dict[str, Any] = {"lease_owner": "", "lease_until": None}
        if refusals:
            Campaign.objects.filter(pk=campaign.pk).update(error=refusals[0], **release)
        else:
            transition(campaign, Campaign.State.CANCELLED, table=Campaign.TRANSITIONS, error={}, **release)
    campaign.refresh_from_db()
    if refusals:
        raise CampaignProblem(refusals)
    return campaign


INTERRUPTED = reason(
    gettext_noop(
        "The worker ended while this campaign was being cancelled, so parts of it may not be. Cancel it again."
    )
)
GOES_ON = reason(
    gettext_noop(
        "The worker ended while this campaign was being cancelled, so parts of it may not be yet. It is being cancelled "
        "again by itself."
    )
)
_BY_HAND = reason(
    gettext_noop(
        "A send was accepted on a person's word, so its reference is not known here. Cancel it in the provider's panel."
    )
)


def _unknown(campaign: Campaign) -> list[dict[str, Any]]:
    """What may still go out because nobody knows whether the provider has it."""
    open_states = [Recipient.State.UNKNOWN, Recipient.State.ON_WIRE]
    people = Recipient.objects.filter(campaign=campaign, state__in=open_states).count()
    if not people:
        return []
    return [
        reason(
            gettext_noop(
                "Messages whose outcome is not known were not cancelled: %(people)s. Look for them in the provider's "
                "panel, cancel them there, then decide at the call."
            ),
            people=people,
        )
    ]


def _cancel_all(campaign: Campaign, lease: CampaignLease) -> list[dict[str, Any]]:
    """Why not everything could be cancelled."""
    refusals: list[dict[str, Any]] = []
    sent = Call.objects.filter(run__campaign=campaign, operation__in=SENDS, state=Call.State.ACCEPTED)
    with Line(campaign.account) as line:
        for call in sent.select_related("run").order_by("pk"):
            done = bool(call.references)
            if not done:  # accepted on a person's word: nothing to name it by
                refusals.append(_BY_HAND)
            for reference in call.references:
                lease.renew()
                problem = _cancel_one(campaign, call, reference, owner=lease.owner, line=line)
                done = done and not problem
                refusals += [problem] if problem else []
            if done:
                Recipient.objects.filter(call=call).update(delivery=Recipient.Delivery.CANCELLED)
    return refusals


def _cancel_one(campaign: Campaign, sent: Call, reference: str, *, owner: str, line: Line) -> dict[str, Any]:
    """Why one send could not be cancelled; empty when it was, now or before."""
    earlier = Call.objects.filter(run=sent.run, operation=Operation.CANCEL_SEND, target__reference=reference)
    if earlier.filter(state=Call.State.ACCEPTED).exists():
        return {}
    call = _planned_cancel(sent.run, sent, reference)
    try:
        performed = sends.cancel(call, account=campaign.account, owner=owner, line=line)
    finally:
        Call.objects.filter(pk=call.pk, state=Call.State.PLANNED).update(state=Call.State.NOT_SENT)
    if performed.is_done:
        return {}
    if performed.verdict in _LOOKED_UP and _is_cancelled_there(campaign, reference, line):
        # This call did it and its answer was lost, or an earlier one, or somebody in the provider's panel.
        open_calls = Call.objects.filter(run=sent.run, operation=Operation.CANCEL_SEND, target__reference=reference)
        open_calls.filter(state=Call.State.UNKNOWN).update(state=Call.State.ACCEPTED, error=reason(_SHOWN))
        return {}
    if performed.error is None:
        return reason(gettext_noop("Somebody else is cancelling this send."))
    return reason_of(performed.error)


_LOOKED_UP = {sends.Verdict.UNKNOWN, sends.Verdict.FAIL_ITEM}
_SHOWN = gettext_noop("The answer was lost; the provider shows this send as cancelled.")


def _is_cancelled_there(campaign: Campaign, reference: str, line: Line) -> bool:
    if not line.capabilities.can(Operation.READ_REPORT):
        return False
    try:
        return sends.send_report(campaign.account, reference, line=line).state is sends.SendState.CANCELLED
    except ProviderError as error:
        logger.warning("Whether send %s was cancelled could not be read: %s", reference, error.reason)
        return False


def _planned_cancel(run: Run, sent: Call, reference: str) -> Call:
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)
        last = run.calls.aggregate(last=Max("sequence"))["last"] or 0
        return Call.objects.create(
            run=run,
            sequence=last + 1,
            operation=Operation.CANCEL_SEND,
            target={"reference": reference, "call": sent.pk},
            item_count=sent.item_count,
        )
