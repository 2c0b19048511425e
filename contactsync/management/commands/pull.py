"""Read from the provider which contacts of a phonebook are in step."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync.management.base import ServiceCommand, find_phonebook
from contactsync.models import Run
from contactsync.sync import executor, lifecycle


class Command(ServiceCommand):
    help = "Read the state of a phonebook's contacts from the provider."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("title")
        parser.add_argument("--account", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        run = lifecycle.create_pull_run(find_phonebook(options["title"], options["account"]), user=None)
        self.work_on(run, executor.execute)
        run.refresh_from_db()
        if unread := run.counts.get("opt_outs_unread"):
            self.stderr.write(
                f"Who has opted out was not read for {unread} contacts: the provider tells it only contact by contact, "
                "and the phonebook is too large for that. The number of opt-outs is not complete."
            )
        result = {"run": run.pk, "state": run.state, **run.counts}
        ok = run.state == Run.State.FINISHED and run.counts.get("balances", False)
        self.conclude(result, ok=ok, as_json=options["json"], why=run.error_text)
