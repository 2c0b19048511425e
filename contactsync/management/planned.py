"""Commands that change something: the plan first, then the question, then the work."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from contactsync.management.base import ServiceCommand, plain
from contactsync.models import Run
from contactsync.models.reasons import describe
from contactsync.sync import executor, lifecycle, planner


class PlannedCommand(ServiceCommand):
    """A command that plans a run, shows the plan and asks; `--yes` is the answer beforehand, `--dry-run` ends with the plan."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--yes", action="store_true", help="Carry the plan out without asking.")
        how.add_argument("--dry-run", action="store_true", help="Show the plan, change nothing, and throw it away.")

    def need_an_answer(self, options: Mapping[str, Any]) -> None:
        """Refuse at once where nobody can be asked. Call it before anything is planned."""
        if not (options["yes"] or options["dry_run"]):
            need_somebody_to_ask()

    def carry_out(self, run: Run, options: Mapping[str, Any], **about: Any) -> None:
        """Plan the run, ask, carry it out, and print `about`, the plan and the counts."""
        planner.plan(run.pk)
        run.refresh_from_db()
        planned = run.state == Run.State.PLANNED
        if planned and options["dry_run"]:
            lifecycle.discard(run)
        elif planned:
            if not options["yes"]:
                self._ask(run)
            lifecycle.approve(run, user=None)
            self.work_on(run, executor.execute)
            run.refresh_from_db()
        balances = run.counts.get("balances", False)
        # a removal is one call; its sum of contacts is always nought
        counts = {"balances": balances} if run.kind == Run.Kind.REMOVE and run.counts else run.counts
        plan = plan_of(run, whole=options["json"])
        result = {"run": run.pk, "state": run.state, **about, "plan": plan, **counts}
        ok = planned if options["dry_run"] else run.state == Run.State.FINISHED and balances
        self.conclude(result, ok=ok, as_json=options["json"], why=run.error_text)

    def _ask(self, run: Run) -> None:
        if not agrees_to(run, self.stderr):
            lifecycle.discard(run)
            raise CommandError("Nothing was done; the plan was thrown away.")


def need_somebody_to_ask() -> None:
    """Refuse where nobody can answer whether a plan may be carried out."""
    if not can_ask():
        raise CommandError(
            "Nobody can be asked here whether the plan may be carried out, so nothing was done. Add --yes to carry it out."
        )


def agrees_to(run: Run, out: OutputWrapper) -> bool:
    """Show the plan where the answer is typed, and ask."""
    for name, value in plan_of(run).items():
        out.write(f"{name}: {plain(value)}", style_func=str)  # not in the red of errors
    return agrees("Carry this plan out?")


def can_ask() -> bool:
    """Whether somebody sits at this command."""
    return sys.stdin.isatty()


def agrees(question: str) -> bool:
    """The answer of whoever sits there; whatever is not a yes is a no."""
    try:
        return input(f"{question} [y/N] ").strip().casefold() in {"y", "yes"}
    except (EOFError, KeyboardInterrupt):
        return False


def plan_of(run: Run, *, whole: bool = False) -> dict[str, Any]:
    """The plan with its reasons as sentences: the `whole` of it for machines, else only what says something."""
    words: dict[str, Any] = _in_words(run.plan)
    return words if whole else {name: value for name, value in words.items() if value not in ("", 0, [], {}, None)}


def _in_words(value: Any) -> Any:
    if isinstance(value, dict):
        if "message" in value:
            return describe(value)
        return {name: _in_words(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_in_words(item) for item in value]
    return value
