"""Which option and field of a phonebook goes to which place at its provider."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from contactsync.management.base import ServiceCommand, find_phonebook, listed
from contactsync.models import Phonebook, PhonebookOption
from contactsync.models.reasons import describe
from contactsync.sync.places import PlaceRow, propose, save

Field = PhonebookOption.Field


class Command(ServiceCommand):
    help = "Show what of a phonebook goes to which place at the provider; with --put, say so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("title")
        parser.add_argument("--account", default="")
        parser.add_argument(
            "--put",
            action="append",
            default=[],
            metavar="WHAT=PLACE",
            help="An option by its title, or a field such as first_name, and its place; no place: it stays here.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        book = find_phonebook(options["title"], options["account"])
        if options["put"]:
            save(book, dict(_source_and_place(book, pair) for pair in options["put"]))
        plan = propose(book)
        result = {
            "phonebook": book.title,
            "places": [_row(row) for row in plan.rows],
            "not_told": [_row(row) for row in plan.left_out],
            "free": list(plan.free),
            "warnings": [describe(why) for why in plan.warnings],
        }
        self.conclude(result, ok=True, as_json=options["json"])


def _row(row: PlaceRow) -> dict[str, Any]:
    found = {"what": row.title, "place": row.slot, "is_saved": row.is_saved}
    warnings = " ".join(describe(why) for why in row.warnings)
    return {**found, "warning": warnings} if warnings else found


def _source_and_place(book: Phonebook, pair: str) -> tuple[str, str]:
    what, separator, place = (part.strip() for part in pair.rpartition("="))
    if not separator:
        raise CommandError(f"--put {pair}: write it as WHAT=PLACE.")
    option = book.options.filter(title=what).first()
    if option is not None:
        return f"option:{option.pk}", place
    if what in Field.values:
        return f"field:{what}", place
    known = listed([*book.options.order_by("title").values_list("title", flat=True), *Field.values])
    raise CommandError(f"--put {pair}: the phonebook has no option “{what}”, and it is no field. There are: {known}.")
