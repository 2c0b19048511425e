"""Import a file of contacts into a phonebook."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import CommandError

from contactsync.imports import jobs, report
from contactsync.imports.discard import can_be_discarded, discard
from contactsync.imports.letters import column_letters
from contactsync.imports.run import run_apply, run_check
from contactsync.management.base import ServiceCommand, find_phonebook
from contactsync.models import ImportJob
from contactsync.text import fold


class Command(ServiceCommand):
    help = "Import a CSV or spreadsheet file of contacts into a phonebook."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--phonebook", required=True, metavar="TITLE")
        parser.add_argument("--account", default="")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            help="Use a column (by its title, or by its letter where it has none) as this field; an option by its title; nothing to leave it out.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Check the file, write nothing, and discard the upload."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        book = find_phonebook(options["phonebook"], options["account"])
        job = self._upload(options["file"], book)
        if options["map"]:
            self._map(job, options["map"])
        jobs.begin_check(job, user=None)
        run_check(job.pk)
        job.refresh_from_db()
        if not options["dry_run"] and job.state == ImportJob.State.CHECKED:
            jobs.begin_apply(job, user=None)
            run_apply(job.pk)
            job.refresh_from_db()
        equation = report.equation(job)
        wanted = ImportJob.State.CHECKED if options["dry_run"] else ImportJob.State.APPLIED
        result = {
            "import": job.pk,
            "state": job.state,
            "rows": equation.total,
            **equation.parts,
            "balances": equation.balances,
        }
        ok = job.state == wanted and equation.balances
        if options["dry_run"] and can_be_discarded(job):
            discard(job)
        self.conclude(result, ok=ok, as_json=options["json"], why=job.error_text)

    @staticmethod
    def _upload(path: Path, book: Any) -> ImportJob:
        try:
            with path.open("rb") as handle:
                return jobs.create_job(phonebook=book, upload=File(handle, name=path.name))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error

    @staticmethod
    def _map(job: ImportJob, pairs: list[str]) -> None:
        columns = [title.strip() or column_letters(index) for index, title in enumerate(job.columns)]
        places = {fold(title): str(index) for index, title in reversed(list(enumerate(columns)))}
        fields = {fold(label): value for value, label in jobs.field_choices(job.phonebook)}
        fields |= {fold(value): value for value in fields.values()}
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
        jobs.set_columns(job, mapping=mapping)
