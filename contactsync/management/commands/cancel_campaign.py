"""Take back a scheduled campaign."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from contactsync.campaigns.cancel import CANCELLABLE, cancel
from contactsync.management.base import ServiceCommand, find_campaign, insist
from contactsync.models import Campaign, Recipient
from contactsync.sync.connect import Operation


class Command(ServiceCommand):
    help = "Cancel a scheduled campaign: here, or at the provider where it has it already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = find_campaign(options["id"])
        if campaign.state not in CANCELLABLE or campaign.scheduled_for is None:
            state = campaign.get_state_display()
            raise CommandError(
                f"Campaign {campaign.pk} is not scheduled, so there is nothing to cancel: it is {state}."
            )
        if campaign.state != Campaign.State.WAITING:
            insist(campaign.account, Operation.CANCEL_SEND)
        cancel(campaign)
        people = campaign.recipients.exclude(state=Recipient.State.EXCLUDED)
        result = {
            "campaign": campaign.pk,
            "state": campaign.state,
            "cancelled_at_the_provider": people.filter(delivery=Recipient.Delivery.CANCELLED).count(),
            "never_handed_over": people.exclude(state=Recipient.State.ACCEPTED).count(),
        }
        self.conclude(result, ok=campaign.state == Campaign.State.CANCELLED, as_json=options["json"])
