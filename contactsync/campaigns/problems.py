"""What stands in the way of a campaign, found before anything is prepared or sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns import keyworded, render, templates
from contactsync.campaigns.sources import is_slice
from contactsync.models import Campaign, CampaignTarget, Contact, ProviderAccount
from contactsync.models.reasons import describe, reason
from contactsync.sync import guard
from contactsync.sync.connect import capabilities


class CampaignProblem(Exception):
    """The campaign cannot take this step; `reasons` say why, each for `describe()`."""

    def __init__(self, reasons: Sequence[dict[str, Any]]) -> None:
        self.reasons = list(reasons)
        super().__init__("; ".join(str(item["message"]) for item in self.reasons))

    @property
    def messages(self) -> list[str]:
        """The reasons in the active language."""
        return [describe(item) for item in self.reasons]

    def describe(self) -> str:
        return " ".join(self.messages)


def sender_of(campaign: Campaign) -> str:
    """The sender of the campaign, or the account's default one; empty when there is neither."""
    return campaign.sender or campaign.account.default_sender


def frozen_sender(campaign: Campaign) -> str:
    """The sender that was shown when the campaign was prepared, whatever the account's default is by now."""
    return campaign.summary.get("sender") or sender_of(campaign)


def problems(campaign: Campaign) -> list[dict[str, Any]]:
    """Everything that stands in the way of preparing this campaign, as reasons for `describe()`."""
    targets = list(campaign.targets.select_related("phonebook__account"))
    phonebooks = [target.phonebook for target in targets]
    return [
        *account_problems(campaign.account),
        *_sender_problems(campaign),
        *_target_problems(campaign, targets),
        *([] if templates.always(campaign) else render.problems(campaign.message, phonebooks)),
        *templates.problems(campaign, phonebooks),
        *keyworded.problems(campaign, targets),
        *schedule_problems(campaign),
    ]


def account_problems(account: ProviderAccount) -> list[dict[str, Any]]:
    """Why nothing can be sent through this account now."""
    if why := guard.why_held_back():
        return [why]
    if account.is_stopped:
        return [
            reason(
                gettext_noop("The account “%(account)s” is stopped. Correct it and test the connection."),
                account=account.name,
            )
        ]
    if not account.can_send:
        return [
            reason(
                gettext_noop("The provider has blocked sending for the account “%(account)s”. Ask the provider why."),
                account=account.name,
            )
        ]
    return []


#: a campaign that waits here for longer than this is most likely a slip in the date
LONGEST_WAIT = dt.timedelta(days=365)


def is_scheduled_here(campaign: Campaign) -> bool:
    """Whether this application waits for the time, because the provider cannot."""
    return campaign.scheduled_for is not None and capabilities(campaign.account).schedule_earliest is None


def is_too_late(campaign: Campaign) -> bool:
    """Whether the provider would not keep the campaign for its time any more: it has passed, or is too near."""
    earliest = capabilities(campaign.account).schedule_earliest
    if campaign.scheduled_for is None or earliest is None:
        return False
    return campaign.scheduled_for - timezone.now() < earliest


def schedule_problems(campaign: Campaign) -> list[dict[str, Any]]:
    """Why the campaign cannot be sent at this time: by the provider's limits, or by our own where it cannot schedule."""
    if campaign.scheduled_for is None:
        return []
    limits = capabilities(campaign.account)
    ahead = campaign.scheduled_for - timezone.now()
    if limits.schedule_earliest is None:
        if ahead <= dt.timedelta(0):
            return [reason(gettext_noop("The time has passed. Choose a later one, or leave it empty to send at once."))]
        return [reason(_TOO_FAR, days=LONGEST_WAIT.days)] if ahead > LONGEST_WAIT else []
    if ahead < limits.schedule_earliest:
        return [
            reason(
                gettext_noop("The time is too near or has passed: it must be at least %(minutes)s minutes ahead."),
                minutes=int(limits.schedule_earliest / dt.timedelta(minutes=1)),
            )
        ]
    if limits.schedule_latest is not None and ahead > limits.schedule_latest:
        return [reason(_TOO_FAR, days=limits.schedule_latest.days)]
    return []


_TOO_FAR = gettext_noop("The time is too far away: it must be at most %(days)s days ahead.")


def _sender_problems(campaign: Campaign) -> list[dict[str, Any]]:
    if sender_of(campaign):
        return []
    return [reason(gettext_noop("There is no sender. Choose one here, or a default sender for the account."))]


def _target_problems(campaign: Campaign, targets: Sequence[CampaignTarget]) -> list[dict[str, Any]]:
    if not targets:
        return [reason(gettext_noop("The campaign goes to nobody. Choose a phonebook or contacts."))]
    found = []
    for target in targets:
        title = target.phonebook.title
        if target.phonebook.account_id != campaign.account_id:
            found.append(
                reason(
                    gettext_noop("The phonebook “%(title)s” belongs to another account than the campaign."),
                    title=title,
                )
            )
        if is_slice(target) and not capabilities(campaign.account).sends_slices:
            found.append(
                reason(
                    gettext_noop(
                        "This provider's phonebooks have no fixed order, so some rows of “%(title)s” cannot be chosen. "
                        "Send to everybody in it, or choose contacts."
                    ),
                    title=title,
                )
            )
        elif is_slice(target) and not target.phonebook.remote_id:
            found.append(
                reason(
                    gettext_noop(
                        "Rows of “%(title)s” are counted in the provider's order, but it was never pushed. "
                        "Push it first, or send to everybody in it."
                    ),
                    title=title,
                )
            )
        if target.type == CampaignTarget.Type.DETAIL:
            found += _chosen_problems(target)
    return found


def _chosen_problems(target: CampaignTarget) -> list[dict[str, Any]]:
    title = target.phonebook.title
    chosen: Any = target.contacts
    if not chosen.exists():
        return [reason(gettext_noop("No contact of “%(title)s” is chosen."), title=title)]
    strangers = Contact.objects.filter(pk__in=chosen.values("pk")).exclude(phonebook=target.phonebook_id)
    if strangers.exists():
        return [
            reason(gettext_noop("Some of the contacts chosen for “%(title)s” are in another phonebook."), title=title)
        ]
    return []
