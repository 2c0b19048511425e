"""Import a file of contacts into a phonebook."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

from contactsync.imports import jobs
from contactsync.imports.rules import Rules
from contactsync.imports.saved import mappings_for
from contactsync.management.base import find_phonebook
from contactsync.management.importing import ImportCommand
from contactsync.models import ImportJob


class Command(ImportCommand):
    help = "Import a CSV or spreadsheet file of contacts into a phonebook."
    fixed_help = " An option by its title. Tags are added to those a contact has."
    go_on_help = "Import also the rows of which the phonebook changes between the check and the import."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--phonebook", required=True, metavar="TITLE")
        parser.add_argument("--account", default="")
        parser.add_argument(
            "--mapping",
            default="",
            metavar="NAME",
            help="Begin with the columns saved under this name (--map comes after).",
        )
        parser.add_argument(
            "--mode",
            choices=[mode.replace("_", "-") for mode in ImportJob.Mode.values],
            help="What to do with new numbers and with those that are there; rows left out are counted as skipped.",
        )
        parser.add_argument(
            "--tags",
            choices=ImportJob.TagsMode.values,
            help="Whether tags of the file replace those of a contact or are added to them.",
        )
        parser.add_argument(
            "--clear-token",
            metavar="TEXT",
            help="A cell that holds just this empties the field; a blank cell keeps what is there. Empty for none.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        book = find_phonebook(options["phonebook"], options["account"])
        self.carry_out(self.upload(options["file"], book), options)

    def prepare(self, job: ImportJob, options: Mapping[str, Any]) -> Rules | None:
        if options["mapping"]:
            self._use(job, options["mapping"])
        rules = self._rules(job, options)
        return rules if rules != Rules.of(job) else None

    def _use(self, job: ImportJob, name: str) -> None:
        known = mappings_for(job)
        saved = known.filter(name=name).first()
        if saved is None:
            names = ", ".join(known.values_list("name", flat=True)) or "none"
            raise CommandError(f"--mapping {name}: there is no saved mapping of this name. Saved: {names}.")
        for text in jobs.use_mapping(job, saved):
            self.stderr.write(text)
        if gone := job.guess.get("gone"):
            self.stderr.write(f"Not in this file: {', '.join(gone)}.")

    @staticmethod
    def _rules(job: ImportJob, options: Mapping[str, Any]) -> Rules:
        """The rules of the import, but for what the command line says."""
        mode, tags, token = options["mode"], options["tags"], options["clear_token"]
        known = Rules.of(job)
        return Rules(
            mode=mode.replace("-", "_") if mode else known.mode,
            tags_mode=tags or known.tags_mode,
            clear_token=known.clear_token if token is None else token,
        )
