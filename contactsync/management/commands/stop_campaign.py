"""Stop a campaign that is being sent."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from contactsync.campaigns import lifecycle, reports
from contactsync.management.base import ServiceCommand, find_campaign
from contactsync.models import Campaign

STOPPABLE = Campaign.TRANSITIONS[Campaign.State.STOPPING]


class Command(ServiceCommand):
    help = "Hand no further message of a campaign over; the call on its way is finished first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = find_campaign(options["id"])
        if campaign.state not in STOPPABLE:
            raise CommandError(f"Campaign {campaign.pk} is not being sent: it is {campaign.get_state_display()}.")
        lifecycle.stop(campaign)
        result = {"campaign": campaign.pk, "state": campaign.state, **reports.equation(campaign).as_counts}
        self.conclude(result, ok=True, as_json=options["json"])
