"""Tell what happened to a phone number."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from contactsync.explain.history import MOST, history
from contactsync.explain.lines import Kind, Line
from contactsync.explain.number import read
from contactsync.management.base import ServiceCommand


class Command(ServiceCommand):
    help = "Tell what happened to a phone number: files, edits, pushes, campaigns, answers, replies, suppression."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", help="The number, in any usual form.")
        parser.add_argument("--kind", choices=Kind.values, help="Only this kind.")
        parser.add_argument("--most", type=int, default=MOST, help="Lines of each source, the newest (%(default)s).")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["most"] < 1:
            raise CommandError("--most must be at least 1.")
        number = read(options["number"])
        found = history(number, [options["kind"]] if options["kind"] else Kind.values, most=options["most"])
        result = {
            "numbers": list(number.numbers),
            "phonebooks": [str(contact.phonebook) for contact in number.contacts if contact.deleted_at is None],
            "more": found.is_cut,
        }
        if options["json"]:
            result["lines"] = [as_data(line) for line in found.lines]
            self.conclude(result, ok=True, as_json=True)
            return
        self.conclude(result, ok=True, as_json=False)
        for line in found.lines:
            self.stdout.write(" · ".join(filter(None, as_data(line).values())))


def as_data(line: Line) -> dict[str, str]:
    """The line as text, by name; what is not known is empty."""
    call = line.call
    return {
        "at": f"{timezone.localtime(line.at):%Y-%m-%d %H:%M:%S}" if line.at else "",
        "kind": line.kind.value,
        "what": line.what,
        "state": str(line.label),
        "why": line.why,
        "call": f"{call.operation} {call.pk} {call.state} {call.status or ''}".strip() if call else "",
        "who": line.who,
    }
