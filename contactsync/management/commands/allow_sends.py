"""After a restored backup: say what was found, or put on record that a person has compared."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from contactsync.campaigns import restored
from contactsync.management.base import ServiceCommand
from contactsync.models.reasons import describe
from contactsync.sync import guard


class Command(ServiceCommand):
    help = (
        "Without --note: why calls are held back on this machine, and what left after the backup (exit 1 when they are). "
        "With --note: a person has compared with the providers, and calls may go out again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--note", default="", help="What you compared and found; kept with your name.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = guard.finding()
        note = options["note"].strip()
        if found is not None and note:
            clearance = restored.allow_again(by=f"{_who()} (allow_sends)", note=note)
            result = {"allowed_by": clearance.cleared_by, "known": clearance.mark_before, "left": clearance.mark_after}
            self.conclude(result, ok=True, as_json=options["json"])
            return
        if found is None:
            self.conclude({"held_back": False}, ok=True, as_json=options["json"])
            return
        lost = [
            {
                "about": row.about,
                "account": row.account,
                "calls": row.calls,
                "items": row.items,
                "last": row.last.isoformat(),
                "in_this_database": row.run is not None,
            }
            for row in restored.lost_work(found.lost.get("calls", []))
        ]
        result = {"held_back": True, "known": found.known, "left": found.left, "lost": lost}
        self.conclude(result, ok=False, as_json=options["json"], why=describe(found.why))


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "somebody"
