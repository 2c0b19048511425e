"""Read the templates of an account anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync.campaigns.templates import known_templates
from contactsync.management.base import ServiceCommand, find_account, insist
from contactsync.sync.accounts import refresh_templates
from contactsync.sync.connect import Operation


class Command(ServiceCommand):
    help = "Read the approved templates of an account from the provider, and print them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        insist(account, Operation.LIST_TEMPLATES)
        refresh_templates(account)
        templates = known_templates(account)
        if options["json"]:
            rows = [
                {
                    "id": each.remote_id,
                    "title": each.title,
                    "text": each.text,
                    "variables": list(each.variables),
                    "is_usable": each.is_usable,
                }
                for each in templates
            ]
            self.conclude({"account": account.name, "templates": rows}, ok=True, as_json=True)
            return
        for each in templates:
            mark = "" if each.is_usable else " (cannot be used)"
            self.stdout.write(f"{each.remote_id}: {each.title}{mark}: {each.text}")
        self.conclude({"account": account.name, "templates": len(templates)}, ok=True, as_json=False)
