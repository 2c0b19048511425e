"""Bring an installation up to date: database, static files, the first account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from contactsync.sync.connect import ProviderError, error_text
from contactsync.sync.new_account import UNOPENABLE, account_from_environment


class Command(BaseCommand):
    help = (
        "Migrate the database, collect static files, and make the account of PROVIDER_…; safe to repeat at every start."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-static", action="store_true", help="Leave the static files alone.")

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        if not options["no_static"]:
            call_command("collectstatic", interactive=False, verbosity=0)
        try:
            account, done = account_from_environment()
        except ProviderError as error:
            raise CommandError(f"PROVIDER_…: {error_text(error)}") from error
        if account is not None:
            out = self.stderr if done == UNOPENABLE else self.stdout
            out.write(f"Account “{account.name}”: {done}.")
        self.stdout.write("The database and the static files are up to date.")
