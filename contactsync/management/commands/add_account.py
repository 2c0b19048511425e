"""Make a provider account, or change one."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from contactsync.management.base import ServiceCommand
from contactsync.models import ProviderAccount
from contactsync.sync.connect import ProviderError, error_text, provider_choices
from contactsync.sync.new_account import create_account


class Command(ServiceCommand):
    help = 'Make a provider account. Its credentials are read as JSON from standard input, such as {"api_key": "…"}.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name")
        parser.add_argument("--provider", required=True, choices=[slug for slug, _ in provider_choices()])
        parser.add_argument("--base-url", default="")
        parser.add_argument("--sender", default="")
        parser.add_argument("--region", default="IR", help="Country of numbers without country code, such as IR or DE.")
        parser.add_argument(
            "--set", action="append", default=[], metavar="KEY=VALUE", help="A setting of the provider."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if ProviderAccount.objects.filter(name=options["name"]).exists():
            raise CommandError(f"There is an account “{options['name']}” already. Change it in the browser.")
        try:
            account = create_account(
                options["name"],
                provider=options["provider"],
                credentials=self._credentials(),
                base_url=options["base_url"],
                sender=options["sender"],
                region=options["region"],
                provider_settings=dict(self._pair(text) for text in options["set"]),
            )
        except ProviderError as error:
            raise CommandError(error_text(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.conclude(
            {"account": account.name, "provider": account.provider, "state": account.state},
            ok=True,
            as_json=options["json"],
        )

    @staticmethod
    def _pair(text: str) -> tuple[str, str]:
        key, separator, value = text.partition("=")
        if not separator:
            raise CommandError(f"--set takes KEY=VALUE, not “{text}”.")
        return key.strip(), value.strip()

    @staticmethod
    def _credentials() -> dict[str, str]:
        text = "" if sys.stdin.isatty() else sys.stdin.read()
        if not text.strip():
            raise CommandError('Give the credentials as JSON on standard input, such as {"api_key": "…"}.')
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise CommandError("The credentials on standard input are not JSON.") from error
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise CommandError("The credentials must be a JSON object of texts.")
        return values
