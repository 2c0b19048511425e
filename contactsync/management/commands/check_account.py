"""Test the connection of an account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync import work
from contactsync.management.base import ServiceCommand, find_account
from contactsync.models import ProviderAccount
from contactsync.sync.accounts import missed_last_test


class Command(ServiceCommand):
    help = "Test the connection of a provider account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["name"])
        resumed = work.check_account(account)
        result = {
            "account": account.name,
            "state": account.state,
            "connected as": account.identity,
            "balance": "" if account.balance is None else f"{account.balance} {account.currency}",
            "senders": [sender["value"] for sender in account.senders],
            "runs resumed": [run.pk for run in resumed],
        }
        ok = account.state == ProviderAccount.State.READY and not missed_last_test(account)
        self.conclude(result, ok=ok, as_json=options["json"], why=account.state_reason_text)
