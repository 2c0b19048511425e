"""Remove a custom option at the provider."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync.management.base import find_option, insist
from contactsync.management.planned import PlannedCommand
from contactsync.sync.connect import Operation
from contactsync.sync.removal import create_option_removal


class Command(PlannedCommand):
    help = "Delete a custom option at the provider for good, with its values; here it stays and is not told any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("title")
        parser.add_argument("--account", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        option = find_option(options["title"], options["account"])
        insist(option.account, Operation.DELETE_OPTION)
        self.need_an_answer(options)
        self.carry_out(create_option_removal(option), options)
