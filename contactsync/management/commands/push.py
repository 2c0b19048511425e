"""Bring the provider in step with a phonebook."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync.management.base import ServiceCommand, find_phonebook
from contactsync.management.planned import plan_of
from contactsync.models import Run
from contactsync.sync import executor, lifecycle, planner


class Command(ServiceCommand):
    help = "Push a phonebook to its provider: plan, show the plan, carry it out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("title")
        parser.add_argument("--account", default="")
        parser.add_argument("--dry-run", action="store_true", help="Show the plan and change nothing at the provider.")

    def handle(self, *args: Any, **options: Any) -> None:
        run = lifecycle.create_push_run(find_phonebook(options["title"], options["account"]), user=None)
        planner.plan(run.pk)
        run.refresh_from_db()
        planned = run.state == Run.State.PLANNED
        if planned and options["dry_run"]:
            lifecycle.discard(run)
        elif planned:
            lifecycle.approve(run, user=None)
            self.work_on(run, executor.execute)
            run.refresh_from_db()
        result = {"run": run.pk, "state": run.state, "plan": plan_of(run, whole=options["json"]), **run.counts}
        ok = planned if options["dry_run"] else run.state == Run.State.FINISHED and run.counts.get("balances", False)
        self.conclude(result, ok=ok, as_json=options["json"], why=run.error_text)
