"""Delete contacts here and at the provider."""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from contactsync.imports.headers import is_known_header
from contactsync.management.base import find_phonebook, insist, listed
from contactsync.management.planned import PlannedCommand
from contactsync.models import Contact
from contactsync.phone import PHONE_MESSAGES, parse_phone
from contactsync.sync.connect import Operation
from contactsync.sync.lifecycle import create_delete_run

AT_ONCE = 500  # numbers looked up in one query


class Command(PlannedCommand):
    help = "Delete contacts of a phonebook here and at the provider, by their numbers in any usual form."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("title")
        parser.add_argument("--account", default="")
        parser.add_argument(
            "--phone", action="append", default=[], metavar="NUMBER", help="May be given several times."
        )
        parser.add_argument(
            "--file", default="", help="A file with a number at the beginning of each line; - is standard input."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        book = find_phonebook(options["title"], options["account"])
        insist(book.account, Operation.DELETE_CONTACTS)
        self.need_an_answer(options)
        wanted = [("--phone", raw) for raw in options["phone"]]
        wanted += _lines(options["file"]) if options["file"] else []
        if not wanted:
            raise CommandError("Say whom to delete: with --phone NUMBER, or with --file and a file of numbers.")
        phones = _numbers(wanted, book.account.default_region)
        found: dict[str, int] = {}
        for first in range(0, len(phones), AT_ONCE):
            some = Contact.objects.present().with_numbers(book.pk, phones[first : first + AT_ONCE])
            found |= dict(some.values_list("phone", "pk"))
        absent = [phone for phone in phones if phone not in found]
        if not found:
            raise CommandError(f"None of these numbers is in the phonebook: {listed(absent)}.")
        if absent:
            self.stderr.write(f"Not in the phonebook: {listed(absent)}.")
        chosen = Contact.objects.filter(phonebook=book, pk__in=found.values())
        self.carry_out(create_delete_run(chosen), options, numbers=len(phones), not_in_the_phonebook=len(absent))


def _lines(name: str) -> list[tuple[str, str]]:
    """Place and text of each number; a first line that is a title is left out."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not a text in UTF-8. Save it as CSV in UTF-8.") from error
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = list(enumerate(csv.reader(text.splitlines(), delimiter=delimiter), start=1))
    cells = [(number, row[0]) for number, row in rows if row and row[0].strip()]
    if cells and is_known_header(cells[0][1]):
        cells = cells[1:]
    return [(f"line {number}", cell) for number, cell in cells]


def _numbers(wanted: Iterable[tuple[str, str]], region: str) -> list[str]:
    """Each number once, in international form. Raises `CommandError` that names those that are none."""
    phones, wrong = [], []
    for place, raw in wanted:
        verdict = parse_phone(raw, region)
        if verdict.is_valid:
            phones.append(verdict.e164)
        else:
            wrong.append(f"{place}, “{raw}”: {_(PHONE_MESSAGES[verdict.code])}")
    if wrong:
        raise CommandError(f"Nothing was planned. {' '.join(wrong[:20])}")
    return list(dict.fromkeys(phones))
