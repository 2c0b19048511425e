"""Remove a phonebook at the provider."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync.management.base import find_phonebook, insist
from contactsync.management.planned import PlannedCommand
from contactsync.sync.connect import Operation
from contactsync.sync.removal import create_phonebook_removal


class Command(PlannedCommand):
    help = "Delete a phonebook at the provider for good, with everybody in it; here it stays, as if never pushed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("title")
        parser.add_argument("--account", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        book = find_phonebook(options["title"], options["account"])
        insist(book.account, Operation.DELETE_PHONEBOOK)
        self.need_an_answer(options)
        self.carry_out(create_phonebook_removal(book), options)
