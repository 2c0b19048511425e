"""Equations as people read them: “500 rows = 431 new + 20 updated + …”, and whether they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync.imports import attempts, report
from contactsync.models import Campaign, ImportJob, Recipient, Run, RunItem
from contactsync.templatetags.contactsync import listed, number, tone

ENDED = frozenset({Run.State.FINISHED, Run.State.ATTENTION})
IN_HAND = frozenset({Campaign.State.SENDING, Campaign.State.STOPPING})
RUN_OPEN = frozenset({*Run.OPEN_STATES, Run.State.STOPPED})


@dataclass(frozen=True, slots=True)
class Part:
    """One summand of an equation."""

    name: str
    label: str
    count: int

    @property
    def tone(self) -> str:
        """The colour of the card: none while there is nothing to see."""
        return tone(self.name) if self.count else "neutral"


@dataclass(frozen=True, slots=True)
class Sum:
    """`total` things called `label`, and the parts that must make it up."""

    total: int
    label: str
    parts: Sequence[Part]
    agrees: bool = True  # what the service itself found when it compared the numbers with the rows

    @property
    def difference(self) -> int:
        return self.total - sum(part.count for part in self.parts)

    @property
    def balances(self) -> bool:
        return self.agrees and self.difference == 0


def in_short(parts: Sequence[Part], names: set[str]) -> str:
    """“431 new · 28 rejected”: these parts, as far as there is something in them, for a cell of a list."""
    shown = [(number(part.count), part.label) for part in parts if part.name in names and part.count]
    return format_html_join(" · ", '<span class="cs-nowrap">{} {}</span>', shown) or number(0)


def of_import(job: ImportJob) -> Sum:
    """Rows = new + updated + unchanged + skipped + repeated + rejected: of the check, until the import has begun.

    Where nothing can be skipped, that part is not shown.
    """
    equation = report.equation(job)
    labels = {
        "created": _("new"),
        "updated": _("updated"),
        "unchanged": _("there already") if job.is_suppression else _("unchanged"),
        "skipped": _("skipped"),
        "duplicate": _("repeated"),
        "rejected": _("rejected"),
        "waiting": _("waiting"),
    }
    never = {"updated", "skipped"} if job.is_suppression else set()
    never |= {"skipped"} if job.mode == ImportJob.Mode.ADD_AND_UPDATE else set()
    parts = [
        Part(name, labels.get(name, name), count)
        for name, count in equation.parts.items()
        if count or name not in never
    ]
    return Sum(equation.total, ngettext("row", "rows", equation.total), parts, agrees=equation.balances)


def of_corrections(job: ImportJob) -> Sum:
    """Rows rejected before = imported + skipped + repeated + rejected again + not in the workbook."""
    corrected = attempts.outcome_of(job)
    done = job.state == ImportJob.State.APPLIED
    labels = {
        "imported": _("imported now") if done else _("can be imported now"),
        "skipped": _("skipped"),
        "duplicate": _("repeated"),
        "rejected": _("rejected again"),
        "missing": _("not in the workbook"),
    }
    parts = [Part(name, labels[name], count) for name, count in corrected.parts.items() if count or name != "skipped"]
    label = ngettext("row that had been rejected", "rows that had been rejected", corrected.total)
    return Sum(corrected.total, label, parts)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run means to do, as its plan says."""

    create: int = 0
    update: int = 0
    delete: int = 0
    adopt: int = 0
    unchanged: int = 0
    cannot: int = 0
    here: int = 0  # what a reconciliation changes on this side
    options: Sequence[str] = ()
    options_renamed: Sequence[str] = ()
    phonebook: str = ""
    calls: int = 0

    @classmethod
    def of(cls, run: Run) -> Plan:
        known = {name: run.plan[name] for name in cls.__dataclass_fields__ if run.plan.get(name)}
        return cls(**known)

    @property
    def writes(self) -> int:
        """Contacts that the run deals with."""
        return self.create + self.update + self.delete + self.adopt + self.here

    @property
    def is_empty(self) -> bool:
        return not (self.writes or self.calls or self.options or self.phonebook)

    def parts(self) -> list[Part]:
        """One card each; what is not part of this plan has none."""
        cards = [
            Part("create", _("to create"), self.create),
            Part("update", _("to change"), self.update),
            Part("delete", _("to delete"), self.delete),
            Part("adopt", _("there already, only to link"), self.adopt),
            Part("unchanged", _("in step already"), self.unchanged),
            Part("here", _("to change here"), self.here),
            Part("cannot", _("not possible"), self.cannot),
        ]
        return [card for card in cards if card.count or card.name in {"create", "update", "delete", "unchanged"}]

    def words(self) -> str:
        """“create 431, change 20, delete 3”: for the button that starts it."""
        counted: list[Any] = [
            (self.create, _("create %(count)s")),
            (self.update, _("change %(count)s")),
            (self.delete, _("delete %(count)s")),
            (self.adopt, _("link %(count)s")),
            (self.here, _("change %(count)s here")),
        ]
        return listed(text % {"count": count} for count, text in counted if count)


def decisions(run: Run) -> list[Part]:
    """What was decided when a phonebook was compared, as far as it still can be done; empty for other runs."""
    if run.kind != Run.Kind.RECONCILE:
        return []
    rows = run.items.exclude(operation=RunItem.Operation.CANNOT).order_by().values_list("decision")
    counts: dict[str, int] = dict(rows.annotate(Count("id")))
    return [Part(name, str(label), counts[name]) for name, label in RunItem.Decision.choices if counts.get(name)]


def of_run(run: Run, counts: Mapping[str, int]) -> Sum:
    """What the plan said = what became of each item; for a send, people = what became of each message.

    `counts` are those of `progress.of_run`. Waiting ones count only while the run can still go on.
    """
    goes_on = run.state in RUN_OPEN
    if run.kind == Run.Kind.SEND and run.campaign:
        return of_sending(run.campaign, counts, goes_on=goes_on)
    if run.kind == Run.Kind.PULL and run.state in ENDED:
        return of_pull(run)
    labels: dict[str, Any] = dict(RunItem.State.choices)
    names = [RunItem.State.DONE, RunItem.State.FAILED, RunItem.State.UNKNOWN, RunItem.State.NOT_ATTEMPTED]
    if goes_on:
        labels[RunItem.State.PLANNED] = _("waiting")
        names.append(RunItem.State.PLANNED)
    if run.kind == Run.Kind.BRING_IN:
        labels |= {RunItem.State.DONE: _("brought in"), RunItem.State.FAILED: _("not possible")}
        names.remove(RunItem.State.UNKNOWN)
        agrees = bool(run.counts.get("balances", True)) if run.state in ENDED else True
        total = run.counts.get("contacts", 0)
        label = ngettext("contact at the provider", "contacts at the provider", total)
        return Sum(total, label, _parts(names, labels, counts), agrees=agrees)
    planned = Plan.of(run).writes or sum(counts.values())
    agrees = run.counts.get("balances", True) if run.state in ENDED else True
    return Sum(planned, _("planned"), _parts(names, labels, counts), agrees=agrees)


def of_pull(run: Run) -> Sum:
    """Contacts read = there + not there any more + never there; what differs is listed, and waits for a decision."""
    labels = {
        "present": _("at the provider"),
        "missing": _("not there any more"),
        "not_there": _("not there yet"),
    }
    total = run.counts.get("contacts", 0)
    return Sum(
        total,
        ngettext("contact", "contacts", total),
        _parts(list(labels), labels, run.counts),
        agrees=run.counts.get("balances", True),
    )


def of_sending(campaign: Campaign, counts: Mapping[str, int], *, goes_on: bool) -> Sum:
    """People = accepted + refused + unknown + not sent; waiting ones count only while the work can go on."""
    labels: dict[str, Any] = dict(Recipient.State.choices)
    names = [Recipient.State.ACCEPTED, Recipient.State.REFUSED, Recipient.State.UNKNOWN, Recipient.State.NOT_SENT]
    if counts.get(Recipient.State.ON_WIRE) or campaign.state in IN_HAND:
        names.append(Recipient.State.ON_WIRE)
    if goes_on:
        names.append(Recipient.State.PLANNED)
    total = campaign.summary.get("recipients", sum(counts.values()))
    return Sum(total, ngettext("person", "people", total), _parts(names, labels, counts))


def of_audience(campaign: Campaign) -> Sum:
    """Contacts looked at = people who get it + repeated numbers + those left out, by reason."""
    summary = campaign.summary
    labels: dict[str, Any] = dict(Recipient.Exclusion.choices)
    parts = [
        Part("recipients", _("will get the message"), summary.get("recipients", 0)),
        Part("duplicate", _("numbers repeated"), summary.get("duplicate", 0)),
    ]
    parts += [
        Part(name, str(labels.get(name, name)), count) for name, count in summary.get("excluded", {}).items() if count
    ]
    total = summary.get("considered", 0)
    return Sum(total, ngettext("contact", "contacts", total), parts, agrees=summary.get("balances", True))


def _parts(names: Sequence[str], labels: Mapping[str, Any], counts: Mapping[str, int]) -> list[Part]:
    return [Part(str(name), str(labels[name]), counts.get(name, 0)) for name in names]
