"""Prepare and send a campaign."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from contactsync.campaigns import audience, dispatch, lifecycle, reports
from contactsync.management.base import ServiceCommand
from contactsync.models import Campaign
from contactsync.models.reasons import describe


class Command(ServiceCommand):
    help = "Send a campaign: freeze its audience if that has not been done, then send. This costs money."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", type=int)
        parser.add_argument(
            "--dry-run", action="store_true", help="Prepare only: show how many people, parts and calls."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(pk=options["id"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['id']}.")
        if campaign.state == Campaign.State.DRAFT:
            lifecycle.begin_prepare(campaign, user=None)
            audience.freeze(campaign.pk)
            campaign.refresh_from_db()
        if campaign.state != Campaign.State.PREPARED:
            raise CommandError(
                campaign.error_text
                or f"The campaign is {campaign.get_state_display()}; only a prepared one can be sent."
            )
        if options["dry_run"]:
            self.conclude({"campaign": campaign.pk, **_in_words(campaign.summary)}, ok=True, as_json=options["json"])
            return
        run = lifecycle.begin_send(campaign, user=None, audience_hash=campaign.audience_hash, command="send_campaign")
        if campaign.state == Campaign.State.WAITING and campaign.scheduled_for:
            time = timezone.localtime(campaign.scheduled_for).isoformat(timespec="minutes")
            result = {"campaign": campaign.pk, "run": run.pk, "state": campaign.state, "waits_until": time}
            self.conclude(result, ok=True, as_json=options["json"])
            return
        self.work_on(run, dispatch.execute)
        campaign.refresh_from_db()
        equation = reports.equation(campaign)
        result = {"campaign": campaign.pk, "run": run.pk, "state": campaign.state, **equation.as_counts}
        ok = campaign.state in {Campaign.State.SENT, Campaign.State.SCHEDULED} and equation.balances
        self.conclude(result, ok=ok, as_json=options["json"], why=campaign.error_text)


def _in_words(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary with its reasons as sentences."""
    reasons: dict[str, Any] = {
        name: [describe(one) for one in summary[name]] for name in ("warnings", "calls") if name in summary
    }
    return {name: value for name, value in {**summary, **reasons}.items() if name != "examples"}
