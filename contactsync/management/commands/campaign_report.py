"""Read the delivery report of a campaign."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Count

from contactsync.campaigns import reports
from contactsync.management.base import ServiceCommand
from contactsync.models import Campaign, Recipient
from contactsync.models.reasons import describe


class Command(ServiceCommand):
    help = "Read the delivery report of a campaign from the provider and print the totals."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(pk=options["id"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['id']}.")
        if campaign.started_at is None or campaign.state == Campaign.State.WAITING:
            state = campaign.get_state_display()
            raise CommandError(f"Campaign {campaign.pk} was not sent, so there is no report: it is {state}.")
        reports.pull(campaign.pk)
        campaign.refresh_from_db()
        equation = reports.equation(campaign)
        delivered = (
            campaign.recipients.filter(state=Recipient.State.ACCEPTED)
            .values_list("delivery")
            .annotate(n=Count("pk"))
            .order_by()
        )
        result = {
            "campaign": campaign.pk,
            "state": campaign.state,
            **equation.as_counts,
            "delivery": {state or "no report yet": count for state, count in delivered},
        }
        error = (campaign.summary.get("report") or {}).get("error")
        ok = equation.balances and not equation.unknown and not equation.refused and not error
        self.conclude(result, ok=ok, as_json=options["json"], why=describe(error))
