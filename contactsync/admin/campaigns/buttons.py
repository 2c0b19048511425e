"""Which buttons the page of a started campaign shows: by its state, the person's rights, and what the provider can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from contactsync.admin.accounts.abilities import limits_of, why_not
from contactsync.admin.common import may
from contactsync.admin.words import span
from contactsync.campaigns.cancel import CANCELLABLE
from contactsync.campaigns.problems import is_too_late
from contactsync.campaigns.settle import resumable_refusals
from contactsync.models import Campaign, Recipient
from contactsync.sync.connect import Operation

State = Campaign.State

#: where going on or taking back waits for somebody with the right to send
WAITS_FOR_SENDER = frozenset({State.PAUSED, State.STOPPED, State.WAITING, State.SCHEDULED})
CAN_CONTINUE = frozenset({State.PAUSED, State.STOPPED, State.ATTENTION})
CAN_LEAVE = frozenset({State.STOPPED, State.ATTENTION})


def buttons(user: Any, campaign: Campaign, counts: Mapping[str, int]) -> dict[str, Any]:
    """The buttons of the report page; for what the provider cannot do, the reason instead."""
    may_send, may_write = may(user, "send_campaign"), may(user, "change_campaign")
    state = campaign.state
    is_past = campaign.scheduled_for is not None and campaign.scheduled_for <= timezone.now()
    is_due = state == State.WAITING and is_past
    rest = _rest(campaign, counts)
    may_cancel = may_send and campaign.scheduled_for is not None and state in CANCELLABLE
    may_cancel = may_cancel and (not is_past or state == State.WAITING)
    no_cancel = _why_not_cancelled(campaign) if may_cancel else ""
    may_refresh = (may_send or may_write) and bool(counts.get(Recipient.State.ACCEPTED))
    no_report = why_not(campaign.account, Operation.READ_REPORT)
    return {
        "rest": rest,
        "can_continue": may_send and (state in CAN_CONTINUE or is_due) and rest > 0,
        "is_due": is_due,
        "is_past": is_past,
        "at_once": is_too_late(campaign),
        "can_stop": (may_send or may_write) and state == State.PAUSED,
        "can_cancel": may_cancel and not no_cancel,
        "no_cancel": no_cancel,
        "can_leave": may_send and state in CAN_LEAVE and not counts.get(Recipient.State.UNKNOWN, 0),
        "can_redraft": may_write and state == State.FAILED and campaign.started_at is None,
        "can_refresh": may_refresh and not no_report,
        "no_report": no_report if may_refresh else "",
        "may_export": may(user, "export_campaign"),
        "waits_for_sender": not may_send and state in WAITS_FOR_SENDER,
    }


def _rest(campaign: Campaign, counts: Mapping[str, int]) -> int:
    """Whom continuing would send to: nobody whose outcome is not known."""
    rest = counts.get(Recipient.State.PLANNED, 0) + counts.get(Recipient.State.NOT_SENT, 0)
    return rest + (resumable_refusals(campaign).count() if counts.get(Recipient.State.REFUSED) else 0)


def _why_not_cancelled(campaign: Campaign) -> str:
    """Why a campaign that has a time cannot be taken back from the provider (any more); empty when it can."""
    if campaign.state == State.WAITING:
        return ""
    if why := why_not(campaign.account, Operation.CANCEL_SEND):
        return why
    limits = limits_of(campaign.account)
    ahead = limits.cancel_until if limits else None
    if ahead is None or campaign.scheduled_for is None or campaign.scheduled_for - timezone.now() >= ahead:
        return ""
    return _("The provider can cancel until %(span)s before the send time, and that moment has passed.") % {
        "span": span(ahead)
    }
