"""Read the credit of an account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync.management.base import ServiceCommand, find_account, insist
from contactsync.sync.accounts import refresh_balance
from contactsync.sync.connect import Operation


class Command(ServiceCommand):
    help = "Read the credit that is left from the provider."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        insist(account, Operation.READ_BALANCE)
        refresh_balance(account)
        result = {"account": account.name, "balance": account.balance, "currency": account.currency}
        self.conclude(result, ok=True, as_json=options["json"])
