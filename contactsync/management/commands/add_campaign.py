"""Write a campaign."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from contactsync.campaigns.problems import CampaignProblem, problems
from contactsync.campaigns.templates import usable_templates
from contactsync.management.base import ServiceCommand, find_account, find_phonebook, insist, listed
from contactsync.models import Campaign, CampaignTarget, Contact, ProviderAccount
from contactsync.phone import parse_phone
from contactsync.sync.connect import Operation


class Command(ServiceCommand):
    help = "Write a campaign to phonebooks, or to contacts of one. It is a draft: send_campaign prepares and sends it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")
        parser.add_argument("title")
        parser.add_argument("--message", default="", help="The text, with placeholders such as {first_name}.")
        parser.add_argument("--phonebook", action="append", required=True, metavar="TITLE")
        parser.add_argument("--start", type=int, help="From this row of the phonebook, counted from 1.")
        parser.add_argument("--size", type=int, help="So many rows.")
        parser.add_argument("--phone", action="append", default=[], metavar="NUMBER", help="Only to these contacts.")
        parser.add_argument("--sender", default="", help="Instead of the account's default sender.")
        parser.add_argument("--at", default="", metavar="TIME", help="When to send, such as 2026-05-01T10:30.")
        parser.add_argument("--template", default="", help="A template by its id or title.")
        parser.add_argument("--value", action="append", default=[], metavar="VARIABLE=TEXT")
        parser.add_argument("--keyworded", action="store_true", help="Let the provider fill in the placeholders.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        if options["keyworded"]:
            insist(account, Operation.SEND_KEYWORDS)
        with transaction.atomic():
            campaign = Campaign(
                account=account,
                title=options["title"],
                message=options["message"],
                sender=options["sender"],
                scheduled_for=_moment(options["at"]) if options["at"] else None,
                template=_template(account, options["template"]) if options["template"] else "",
                template_values=dict(_pair(text) for text in options["value"]),
                is_keyworded=options["keyworded"],
            )
            try:
                campaign.full_clean()
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            campaign.save()
            _add_targets(campaign, options)
            if found := problems(campaign):
                raise CampaignProblem(found)
        result = {"campaign": campaign.pk, "state": campaign.state, "scheduled_for": campaign.scheduled_for or ""}
        self.conclude(result, ok=True, as_json=options["json"])


def _add_targets(campaign: Campaign, options: dict[str, Any]) -> None:
    rows = {"start": options["start"], "size": options["size"]}
    chosen = any(value is not None for value in rows.values()) or options["phone"]
    if chosen and len(options["phonebook"]) > 1:
        raise CommandError("Rows or contacts can be chosen of one phonebook only. Name one.")
    if options["phone"] and any(value is not None for value in rows.values()):
        raise CommandError("Choose either rows, with --start and --size, or contacts, with --phone.")
    if any(value is not None and value < 1 for value in rows.values()):
        raise CommandError("--start and --size are counted from 1.")
    books = [find_phonebook(title, campaign.account.name) for title in dict.fromkeys(options["phonebook"])]
    if not options["phone"]:
        for book in books:
            CampaignTarget.objects.create(campaign=campaign, phonebook=book, **rows)
        return
    region = campaign.account.default_region
    phones = [parse_phone(raw, region).e164 or raw for raw in options["phone"]]
    contacts = dict(Contact.objects.present().with_numbers(books[0].pk, phones).values_list("phone", "pk"))
    if absent := [phone for phone in phones if phone not in contacts]:
        raise CommandError(f"Not in the phonebook “{books[0].title}”: {listed(absent)}.")
    target = CampaignTarget.objects.create(campaign=campaign, phonebook=books[0], type=CampaignTarget.Type.DETAIL)
    target.contacts.set(contacts.values())


def _moment(text: str) -> dt.datetime:
    """A time in the zone of the site, unless it names another."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--at {text}: write it as 2026-05-01T10:30.") from error
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _template(account: ProviderAccount, wanted: str) -> str:
    insist(account, Operation.SEND_TEMPLATE, Operation.LIST_TEMPLATES)
    known = usable_templates(account)
    found = [each.remote_id for each in known if wanted in {each.remote_id, each.title}]
    if len(found) == 1:
        return found[0]
    there = listed(f"{each.title} ({each.remote_id})" for each in known)
    many = "Several templates are called" if found else "There is no usable template"
    raise CommandError(f"{many} “{wanted}”. There are: {there}. refresh_templates reads them anew.")


def _pair(text: str) -> tuple[str, str]:
    variable, separator, value = text.partition("=")
    if not separator:
        raise CommandError(f"--value {text}: write it as VARIABLE=TEXT.")
    return variable.strip(), value.strip()
