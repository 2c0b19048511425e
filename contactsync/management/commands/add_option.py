"""Make a custom option."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync.management.base import ServiceCommand, find_account
from contactsync.management.new_rows import make_option
from contactsync.models import CustomOption


class Command(ServiceCommand):
    help = "Make a custom option of an account. The provider gets it with the next push of a phonebook that uses it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")
        parser.add_argument("title")
        parser.add_argument("--kind", default=CustomOption.Kind.TEXT, choices=CustomOption.Kind.values)
        parser.add_argument("--choice", action="append", default=[], metavar="VALUE", help="An allowed value.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        option = make_option(account, options["title"], options["kind"], options["choice"])
        result = {"account": account.name, "option": option.title, "kind": option.kind, "choices": option.choices}
        self.conclude(result, ok=True, as_json=options["json"])
