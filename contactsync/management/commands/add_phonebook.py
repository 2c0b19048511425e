"""Make a phonebook."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from contactsync.management.base import ServiceCommand, find_account, insist
from contactsync.management.new_rows import make_phonebook, option_of
from contactsync.management.offered import chosen_there
from contactsync.models import ProviderAccount
from contactsync.sync.bring_in import remote_phonebooks
from contactsync.sync.connect import Operation


class Command(ServiceCommand):
    help = "Make a phonebook here. The provider gets it with the first push."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")
        parser.add_argument("title")
        parser.add_argument("--description", default="")
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="TITLE[:KIND[:CHOICE|CHOICE]]",
            help="A custom option of the phonebook: one that the account has, or a new one with its kind.",
        )
        parser.add_argument(
            "--remote-id",
            default="",
            help="Link it to this phonebook at the provider (id or title), which stays as it is.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        remote_id = self._remote_id(account, options["remote_id"]) if options["remote_id"] else ""
        with transaction.atomic():
            chosen = [option_of(account, text) for text in options["option"]]
            book = make_phonebook(
                account, options["title"], description=options["description"], remote_id=remote_id, options=chosen
            )
        result = {
            "account": account.name,
            "phonebook": book.title,
            "options": [option.title for option in chosen],
            "id_at_the_provider": book.remote_id,
        }
        self.conclude(result, ok=True, as_json=options["json"])

    @staticmethod
    def _remote_id(account: ProviderAccount, wanted: str) -> str:
        insist(account, Operation.LIST_PHONEBOOKS)
        offered = remote_phonebooks(account)
        remote_id, title = chosen_there(account, offered, wanted)
        if any(book.is_here for book in offered if book.remote_id == remote_id):
            raise CommandError(f"The provider's phonebook “{title}” is linked to one here already.")
        return remote_id
