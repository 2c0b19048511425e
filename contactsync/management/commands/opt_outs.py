"""Suppress here whom the provider sends nothing to."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync.management.base import ServiceCommand, find_account, insist
from contactsync.models import Suppression
from contactsync.sync.connect import Operation
from contactsync.sync.line import Line
from contactsync.sync.opt_outs import OptOuts


class Command(ServiceCommand):
    help = "Read the provider's list of people who opted out or are blocked, and suppress them here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        insist(account, Operation.LIST_SUPPRESSED)
        before = Suppression.objects.count()
        opt_outs = OptOuts()
        with Line(account) as line:
            opt_outs.read_list(line)
        told = opt_outs.take_over()
        result = {"account": account.name, "told": told, "newly_suppressed": Suppression.objects.count() - before}
        self.conclude(result, ok=True, as_json=options["json"])
