"""Runs: which there are, and what a person may say to one."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from contactsync.management.base import ServiceCommand
from contactsync.management.planned import agrees_to, need_somebody_to_ask, plan_of
from contactsync.models import Run
from contactsync.sync import executor, lifecycle

OPEN = [*Run.OPEN_STATES, Run.State.STOPPED, Run.State.ATTENTION]
STEPS: dict[str, Callable[[Run], Run]] = {
    "resume": lifecycle.resume,
    "stop": lifecycle.stop,
    "discard": lifecycle.discard,
    "acknowledge": lambda run: lifecycle.acknowledge(run, user=None),
}


class Command(ServiceCommand):
    help = "List the runs that are not ended, or show one; approve its plan, let it go on, stop or close it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", nargs="?", type=int)
        parser.add_argument("--yes", action="store_true", help="Carry the plan out without asking.")
        step = parser.add_mutually_exclusive_group()
        step.add_argument("--approve", action="store_true", help="Carry the plan out, after a question.")
        step.add_argument("--resume", action="store_true", help="Go on where it paused or stopped.")
        step.add_argument("--stop", action="store_true", help="Stop after the call in hand.")
        step.add_argument("--discard", action="store_true", help="Throw the plan away, or close a run that failed.")
        step.add_argument("--acknowledge", action="store_true", help="Close it: somebody has looked at what failed.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["id"] is None:
            rows = [_row(run) for run in Run.objects.filter(state__in=OPEN).order_by("pk")]
            self.conclude({"runs": rows}, ok=True, as_json=options["json"])
            return
        run = self._find(options["id"])
        wanted = [name for name in ("approve", *STEPS) if options[name]]
        if wanted and run.kind == Run.Kind.SEND:
            raise CommandError(f"Run {run.pk} is a send. Use send_campaign, stop_campaign and resume_campaign.")
        if options["approve"]:
            self._approve(run, yes=options["yes"])
        elif wanted:
            STEPS[wanted[0]](run)
        if options["approve"] or options["resume"]:
            self.work_on(run, executor.execute)
        run.refresh_from_db()
        works = options["approve"] or options["resume"]
        ok = not works or run.state in {Run.State.FINISHED, Run.State.PLANNED}
        result = {**_row(run), "plan": plan_of(run, whole=options["json"]), **run.counts}
        self.conclude(result, ok=ok, as_json=options["json"], why=run.error_text)

    @staticmethod
    def _find(number: int) -> Run:
        run = Run.objects.filter(pk=number).first()
        if run is None:
            there = ", ".join(map(str, Run.objects.filter(state__in=OPEN).order_by("pk").values_list("pk", flat=True)))
            raise CommandError(f"There is no run {number}. Not ended: {there or 'none'}.")
        return run

    def _approve(self, run: Run, *, yes: bool) -> None:
        if not yes:
            need_somebody_to_ask()
            if run.state == Run.State.PLANNED and not agrees_to(run, self.stderr):
                raise CommandError("Nothing was done; the plan waits for approval.")
        lifecycle.approve(run)


def _row(run: Run) -> dict[str, Any]:
    row = {"run": run.pk, "kind": run.kind, "about": run.about, "state": run.state}
    return {**row, "reason": run.error_text} if run.error else row
