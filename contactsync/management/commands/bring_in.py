"""Bring a phonebook in from the provider."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from contactsync.management.base import ServiceCommand, find_account, insist
from contactsync.management.offered import chosen_there
from contactsync.models import Run
from contactsync.sync import executor
from contactsync.sync.bring_in import OfferedPhonebook, create_bring_in_run, remote_phonebooks
from contactsync.sync.connect import Operation


class Command(ServiceCommand):
    help = "Bring a phonebook with its options and contacts in from the provider; nothing is changed there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")
        parser.add_argument("phonebook", nargs="?", default="", help="Its id or its title at the provider.")
        parser.add_argument("--list", action="store_true", help="Show the phonebooks at the provider, and do no more.")
        parser.add_argument(
            "--unlisted",
            action="store_true",
            help="Where phonebooks are tags: take this tag even if no contact was seen that has it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        insist(account, Operation.LIST_PHONEBOOKS, Operation.LIST_CONTACTS)
        if not options["phonebook"] and not options["list"]:
            raise CommandError("Say which phonebook, by its id or title at the provider; --list shows them.")
        offered = remote_phonebooks(account)
        if options["list"]:
            self._show(offered, as_json=options["json"])
            return
        remote_id, title = chosen_there(account, offered, options["phonebook"], unlisted=options["unlisted"])
        run = create_bring_in_run(account, remote_id, title)
        self.work_on(run, executor.execute)
        run.refresh_from_db()
        result = {"run": run.pk, "state": run.state, "phonebook": title, **run.counts}
        ok = run.state == Run.State.FINISHED and run.counts.get("balances", False)
        self.conclude(result, ok=ok, as_json=options["json"], why=run.error_text)

    def _show(self, offered: list[OfferedPhonebook], *, as_json: bool) -> None:
        if as_json:
            rows = [
                {"id": book.remote_id, "title": book.title, "contacts": book.count, "is_here": book.is_here}
                for book in offered
            ]
            self.conclude({"phonebooks": rows}, ok=True, as_json=True)
            return
        for book in offered:
            count = "" if book.count is None else f", contacts {book.count}"
            self.stdout.write(f"{book.remote_id}: {book.title}{count}{', is here' if book.is_here else ''}")
        if not offered:
            self.stdout.write("The provider shows no phonebook.")
