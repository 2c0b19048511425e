"""Compare a phonebook with the provider, and carry out what is decided about the differences."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from contactsync.management.base import find_phonebook, insist
from contactsync.management.planned import PlannedCommand
from contactsync.models import Phonebook, ProviderAccount, Run, RunItem
from contactsync.phone import parse_phone
from contactsync.sync import executor, lifecycle, reconcile
from contactsync.sync.connect import Operation

Kind = RunItem.Operation
Decision = RunItem.Decision
#: for each group of differences what may be decided, and what the provider must be able to do for it
DECISIONS = {
    Kind.ONLY_HERE: {Decision.ADD_THERE: Operation.CREATE_CONTACTS, Decision.DELETE_HERE: None},
    Kind.ONLY_THERE: {Decision.ADD_HERE: None, Decision.DELETE_THERE: Operation.DELETE_CONTACTS},
    Kind.DIFFERENT: {Decision.KEEP_OURS: Operation.UPDATE_CONTACT, Decision.TAKE_THEIRS: None},
}
GROUPS = (*DECISIONS, Kind.OPTED_OUT)


class Command(PlannedCommand):
    help = "Show how a phonebook differs from the provider's; with decisions, plan them, show the plan, carry it out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("title")
        parser.add_argument("--account", default="")
        parser.add_argument("--last", action="store_true", help="Use what the last pull has found; do not read anew.")
        parser.add_argument("--lines", type=int, default=20, help="How many lines of each group to print.")
        parser.add_argument(
            "--phone", action="append", default=[], metavar="NUMBER", help="Decide about these numbers only."
        )
        for group, decisions in DECISIONS.items():
            either = parser.add_mutually_exclusive_group()
            for decision in decisions:
                text = f"For all that are {group.label}: {decision.label}."
                either.add_argument(f"--{decision.value.replace('_', '-')}", action="store_true", help=text)

    def handle(self, *args: Any, **options: Any) -> None:
        book = find_phonebook(options["title"], options["account"])
        insist(book.account, Operation.LIST_CONTACTS)
        chosen = _chosen(book.account, options)
        if chosen:
            self.need_an_answer(options)
        elif options["yes"] or options["phone"]:
            names = ", ".join(f"--{decision.replace('_', '-')}" for each in DECISIONS.values() for decision in each)
            raise CommandError(f"Say what to do about the differences: {names}.")
        pull = self._pull(book, last=options["last"])
        if chosen:
            self._carry_out(pull, chosen, options)
        else:
            self._print(pull, options)

    def _carry_out(self, pull: Run, chosen: dict[str, str], options: dict[str, Any]) -> None:
        if pull.items.filter(state=RunItem.State.PLANNED).exclude(decision__in=["", Decision.LEAVE]).exists():
            raise CommandError(
                f"Somebody is deciding about what pull {pull.pk} has found. Finish that in the browser, or leave out --last."
            )
        decided = sum(self._decide(pull, group, decision, options["phone"]) for group, decision in chosen.items())
        if not decided:
            why = "None of these numbers is among those differences." if options["phone"] else ""
            self.conclude({"pull": pull.pk, "decided": 0}, ok=not why, as_json=options["json"], why=why)
            return
        if not (options["yes"] or options["dry_run"]):
            _write_lines(_groups(pull, options["lines"]), self.stderr)
        run = reconcile.create_reconcile_run(pull)
        reconcile.decide(pull, "")  # the run has them now; an answer of no must leave none behind
        self.carry_out(run, options, pull=pull.pk, decided=decided)

    def _pull(self, book: Phonebook, *, last: bool) -> Run:
        if last:
            ended = [Run.State.FINISHED, Run.State.ATTENTION]
            pull = book.runs.filter(kind=Run.Kind.PULL, state__in=ended).order_by("-pk").first()
            if pull is None:
                raise CommandError("The phonebook has not been pulled yet. Leave out --last.")
            return pull
        pull = lifecycle.create_pull_run(book)
        self.work_on(pull, executor.execute)
        pull.refresh_from_db()
        if pull.state not in {Run.State.FINISHED, Run.State.ATTENTION}:
            raise CommandError(pull.error_text or f"The pull {pull.pk} is {pull.get_state_display()}.")
        return pull

    @staticmethod
    def _decide(pull: Run, group: str, decision: str, phones: list[str]) -> int:
        items = pull.items.filter(operation=group)
        if phones:
            region = pull.account.default_region
            items = items.filter(phone__in=[parse_phone(phone, region).e164 or phone for phone in phones])
        return reconcile.decide(pull, decision, items=items)

    def _print(self, pull: Run, options: dict[str, Any]) -> None:
        groups = _groups(pull, options["lines"])
        unread = reconcile.unreadable_fields(pull.phonebook) if pull.phonebook else []
        about = {"pull": pull.pk, "state": pull.state}
        # contacts of which the provider tells some only one by one, in a phonebook too large for that
        about |= {name: pull.counts[name] for name in ("details_unread", "opt_outs_unread") if pull.counts.get(name)}
        if options["json"]:
            about |= {"not_compared": unread, **groups}
        else:
            _write_lines(groups, self.stdout)
            if unread:
                self.stdout.write(f"not compared, as the provider does not tell it: {', '.join(unread)}")
        ok = pull.state == Run.State.FINISHED and pull.counts.get("balances", False)
        self.conclude(about, ok=ok, as_json=options["json"], why=pull.error_text)


def _chosen(account: ProviderAccount, options: dict[str, Any]) -> dict[str, str]:
    """Group to decision. Refuses what the provider cannot do."""
    chosen = {}
    for group, decisions in DECISIONS.items():
        for decision, needed in decisions.items():
            if options[decision.value]:
                if needed is not None:
                    insist(account, needed)
                chosen[group.value] = decision.value
    return chosen


def _groups(pull: Run, most: int) -> dict[str, dict[str, Any]]:
    return {group.value: _shown(pull, group, most) for group in GROUPS}


def _write_lines(groups: dict[str, dict[str, Any]], out: OutputWrapper) -> None:
    for group, found in groups.items():
        out.write(f"{Kind(group).label}: {found['count']}", style_func=str)
        for line in found["lines"]:
            out.write("  " + _line(line), style_func=str)
        if found["count"] > len(found["lines"]):
            out.write(f"  … and {found['count'] - len(found['lines'])} more (--lines)", style_func=str)


def _shown(pull: Run, group: str, most: int) -> dict[str, Any]:
    items = pull.items.filter(operation=group).select_related("contact").order_by("pk")
    lines = [
        {
            "phone": item.phone,
            "name": item.contact.full_name if item.contact else "",
            "changes": item.changes,
            "why": item.error_text,
        }
        for item in items[: max(0, most)]
    ]
    return {"count": items.count(), "lines": lines}


def _line(line: dict[str, Any]) -> str:
    """One difference as people read it: field, then what is there and what is here."""
    changes = "; ".join(f"{name}: {_told(there)} → {_told(here)}" for name, (there, here) in line["changes"].items())
    return "  ".join(filter(None, (line["phone"], line["name"], changes, line["why"])))


def _told(value: Any) -> str:
    if value is None:
        return "not told"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"“{text}”"
