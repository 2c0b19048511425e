"""Go on with a campaign that paused or was stopped."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from contactsync.campaigns import dispatch, lifecycle, reports
from contactsync.management.base import ServiceCommand, find_campaign
from contactsync.models import Campaign

RESUMABLE = {Campaign.State.PAUSED, Campaign.State.STOPPED, Campaign.State.ATTENTION}


class Command(ServiceCommand):
    help = "Go on with those who were not sent to; never with anybody whose outcome is not known. This costs money."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", type=int)
        parser.add_argument(
            "--at-once", action="store_true", help="Also when the time it was scheduled for has passed: send now."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = find_campaign(options["id"])
        if campaign.state not in RESUMABLE:
            state = campaign.get_state_display()
            raise CommandError(f"Campaign {campaign.pk} has neither paused nor been stopped: it is {state}.")
        run = lifecycle.resume(campaign, user=None, at_once=options["at_once"], command="resume_campaign")
        self.work_on(run, dispatch.execute)
        campaign.refresh_from_db()
        equation = reports.equation(campaign)
        result = {"campaign": campaign.pk, "run": run.pk, "state": campaign.state, **equation.as_counts}
        ok = campaign.state in {Campaign.State.SENT, Campaign.State.SCHEDULED} and equation.balances
        self.conclude(result, ok=ok, as_json=options["json"], why=campaign.error_text)
