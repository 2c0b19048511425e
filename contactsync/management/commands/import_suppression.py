"""Put the numbers of a file on the suppression list."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from contactsync.management.importing import ImportCommand
from contactsync.phone import is_region
from contactsync.sync.accounts import default_region
from contactsync.sync.new_account import NO_SUCH_REGION


class Command(ImportCommand):
    help = (
        "Put the numbers of a CSV or spreadsheet file on the suppression list. Numbers that are there stay as they are."
    )
    go_on_help = "Import also the numbers that are taken off the list between the check and the import."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--region",
            default="",
            metavar="XX",
            help="The country of numbers without a country code, such as IR or DE; else that of the first account.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        region = options["region"].upper() or default_region()
        if not is_region(region):
            raise CommandError(f"--region {region}: {_(NO_SUCH_REGION)}")
        self.carry_out(self.upload(options["file"], None, region=region), options)
