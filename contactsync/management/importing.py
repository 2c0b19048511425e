"""What the commands that import a file share: read it, choose its columns, check it, import it, and say what came of it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import CommandError

from contactsync.imports import jobs, report
from contactsync.imports.agree import describe_kind, difference_of
from contactsync.imports.discard import can_be_discarded, discard
from contactsync.imports.letters import column_letters
from contactsync.imports.rules import Rules
from contactsync.imports.run import run_apply, run_check
from contactsync.imports.sample import sample_of
from contactsync.management.base import ServiceCommand
from contactsync.models import ImportJob, Phonebook
from contactsync.text import fold


class ImportCommand(ServiceCommand):
    """A file on its way to where `upload` sends it. Columns are guessed; options say what they are instead."""

    #: what `--fixed` says of its values beyond what is the same for every file
    fixed_help = ""
    go_on_help = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            help="Use a column (by its title, or by its letter where it has none) as this field; an option by its title; nothing to leave it out.",
        )
        parser.add_argument(
            "--fixed",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help=f"The same value for all rows.{self.fixed_help}",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Check the file, write nothing, and discard the upload."
        )
        parser.add_argument("--go-on", action="store_true", help=self.go_on_help)

    def prepare(self, job: ImportJob, options: Mapping[str, Any]) -> Rules | None:
        """What comes before `--map`: rules other than those the import has, or None."""
        return None

    def carry_out(self, job: ImportJob, options: Mapping[str, Any]) -> None:
        """From the columns to the result. Raises `CommandError` unless all of it went well."""
        rules = self.prepare(job, options)
        if options["map"] or options["fixed"] or rules is not None:
            fixed = self._fixed(job, options["fixed"]) if options["fixed"] else None
            self._map(job, options["map"], fixed, rules)
        jobs.begin_check(job, user=None)
        run_check(job.pk)
        job.refresh_from_db()
        if not options["dry_run"] and job.state == ImportJob.State.CHECKED:
            self._apply(job)
            if options["go_on"] and difference_of(job):
                self._apply(job, go_on=True)
        equation = report.equation(job)
        wanted = ImportJob.State.CHECKED if options["dry_run"] else ImportJob.State.APPLIED
        result = {
            "import": job.pk,
            "state": job.state,
            "rows": equation.total,
            **equation.parts,
            "balances": equation.balances,
            **_unseen(job),
        }
        ok = job.state == wanted and equation.balances
        if options["dry_run"] and can_be_discarded(job):
            discard(job)
        self.conclude(result, ok=ok, as_json=options["json"], why=_why(job))

    @staticmethod
    def _apply(job: ImportJob, *, go_on: bool = False) -> None:
        jobs.begin_apply(job, user=None, go_on=go_on)
        run_apply(job.pk)
        job.refresh_from_db()

    @staticmethod
    def upload(path: Path, book: Phonebook | None, *, region: str = "") -> ImportJob:
        """The file as an import: into the phonebook, or onto the suppression list."""
        try:
            with path.open("rb") as handle:
                return jobs.create_job(phonebook=book, upload=File(handle, name=path.name), region=region)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error

    @staticmethod
    def _fields(job: ImportJob) -> dict[str, str]:
        """Folded label or name -> field."""
        fields = {fold(label): value for value, label in jobs.field_choices(job.phonebook)}
        return fields | {fold(value): value for value in fields.values()}

    def _fixed(self, job: ImportJob, pairs: list[str]) -> dict[str, str]:
        fields = self._fields(job)
        found = {name: kept["text"] for name, kept in job.fixed_values.items()}
        for pair in pairs:
            field, separator, value = (part.strip() for part in pair.partition("="))
            if not separator or not value:
                raise CommandError(f"--fixed {pair}: write it as FIELD=VALUE.")
            if not fields.get(fold(field)):
                raise CommandError(f"--fixed {pair}: there is no field “{field}”.")
            found[fields[fold(field)]] = value
        return found

    def _map(self, job: ImportJob, pairs: list[str], fixed: dict[str, str] | None, rules: Rules | None) -> None:
        columns = [title.strip() or column_letters(index) for index, title in enumerate(job.columns)]
        places = {fold(title): str(index) for index, title in reversed(list(enumerate(columns)))}
        fields = self._fields(job)
        mapping = dict(job.mapping)
        for pair in pairs:
            column, separator, field = (part.strip() for part in pair.rpartition("="))
            if not separator:
                raise CommandError(f"--map {pair}: write it as COLUMN=FIELD.")
            if fold(column) not in places:
                raise CommandError(f"--map {pair}: there is no column “{column}”. Columns: {', '.join(columns)}.")
            if fold(field) not in fields:
                known = ", ".join(label for value, label in jobs.field_choices(job.phonebook) if value)
                raise CommandError(f"--map {pair}: there is no field “{field}”. Fields: {known}.")
            mapping = {index: used for index, used in mapping.items() if used != fields[fold(field)]}
            mapping[places[fold(column)]] = fields[fold(field)]
        jobs.set_columns(job, mapping=mapping, fixed=fixed, rules=rules)


def _unseen(job: ImportJob) -> dict[str, int]:
    """What a person would be told of the sheet before the check: hidden rows, which are read too, and cells read as empty."""
    told = sample_of(job)
    counts = {
        "hidden_rows": told.hidden.get("rows", 0),
        "cells_with_errors": told.lost.get("errors", 0),
        "formulas_without_result": told.lost.get("formulas", 0),
    }
    return {name: count for name, count in counts.items() if count}


def _why(job: ImportJob) -> str:
    """Why the import did not come to its end, with what is not as it was checked."""
    found = difference_of(job)
    if not found:
        return job.error_text
    kinds = [describe_kind(kind, count) for kind, count in found["kinds"].items()]
    lines = ", ".join(str(line) for line, _kind in found["lines"])
    told = [job.error_text, *kinds, *([f"Lines: {lines}."] if lines else [])]
    return " ".join([*told, f"Go on with import {job.pk} on its page, or begin again with --go-on."])
