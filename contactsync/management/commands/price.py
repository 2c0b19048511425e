"""Ask what a message costs."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from contactsync.management.base import ServiceCommand, find_account, insist
from contactsync.phone import PHONE_MESSAGES, parse_phone
from contactsync.sync.connect import Operation
from contactsync.sync.sends import estimate


class Command(ServiceCommand):
    help = "Ask the provider for the price of one message to one person. Nothing is sent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")
        parser.add_argument("text")
        parser.add_argument("number", help="Whom it would go to; its country may decide the price.")
        parser.add_argument("--sender", default="", help="Instead of the account's default sender.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        insist(account, Operation.ESTIMATE_PRICE)
        sender = options["sender"] or account.default_sender
        verdict = parse_phone(options["number"], account.default_region)
        if not verdict.is_valid:
            raise CommandError(PHONE_MESSAGES[verdict.code])
        price = estimate(account, sender, options["text"], number=verdict.e164)
        result = {
            "account": account.name,
            "sender": sender,
            "parts": price.parts,
            "price_low": price.low,
            "price_high": price.high,
            "currency": price.currency,
        }
        self.conclude(result, ok=True, as_json=options["json"])
