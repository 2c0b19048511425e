"""Undo an import, or undo its undo."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from contactsync.imports import undo
from contactsync.imports.undo_cases import OFFERS
from contactsync.imports.undo_run import run_undo_work
from contactsync.management.base import ServiceCommand
from contactsync.models import ImportJob, ImportUndo

State = ImportUndo.State


class Command(ServiceCommand):
    help = "Undo an import: look what happened since, and undo what may be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", type=int, help="The number of the import.")
        parser.add_argument(
            "--choose",
            action="append",
            default=[],
            metavar="CASE=CHOICE",
            help="; ".join(f"{case}: {', '.join(offers)}" for case, offers in OFFERS.items() if len(offers) > 1),
        )
        parser.add_argument("--dry-run", action="store_true", help="Only look, and change nothing.")
        parser.add_argument("--redo", action="store_true", help="Undo the undo of the import.")

    def handle(self, *args: Any, **options: Any) -> None:
        job = ImportJob.objects.filter(pk=options["number"]).first()
        if job is None:
            raise CommandError(f"There is no import with the number {options['number']}.")
        found, wanted = self._redo(job) if options["redo"] else self._undo(job, options)
        balances = bool(found.counts.get("balances"))
        result: dict[str, Any] = {"undo": found.pk, "state": found.state, "contacts": found.total}
        for name in ("cases", "actions", "redone"):
            result |= {name: found.counts[name]} if name in found.counts else {}
        result["balances"] = balances
        self.conclude(result, ok=found.state == wanted and balances, as_json=options["json"], why=found.error_text)

    def _undo(self, job: ImportJob, options: dict[str, Any]) -> tuple[ImportUndo, str]:
        choices = dict(_pair(text) for text in options["choose"])
        last = undo.undo_of(job)
        if last is not None and undo.can_go_on(last) and last.work == State.UNDOING and not options["dry_run"]:
            return _work(undo.go_on(last, user=None)), State.UNDONE
        found = _work(undo.begin_check(job, user=None))
        if options["dry_run"] or found.state != State.CHECKED:
            return found, State.CHECKED
        return _work(undo.begin_undo(found, choices, user=None)), State.UNDONE

    def _redo(self, job: ImportJob) -> tuple[ImportUndo, str]:
        last = undo.undo_of(job)
        if last is None:
            raise CommandError(f"Import {job.pk} was not undone.")
        if undo.can_go_on(last) and last.work == State.REDOING:
            return _work(undo.go_on(last, user=None)), State.REDONE
        return _work(undo.begin_redo(last, user=None)), State.REDONE


def _pair(text: str) -> tuple[str, str]:
    case, separator, choice = text.partition("=")
    if not separator or choice not in OFFERS.get(case, ()):
        known = "; ".join(f"{case}: {', '.join(offers)}" for case, offers in OFFERS.items())
        raise CommandError(f"--choose {text}: write it as CASE=CHOICE. Cases and choices: {known}.")
    return case, choice


def _work(found: ImportUndo) -> ImportUndo:
    run_undo_work(found.pk)
    found.refresh_from_db()
    return found
