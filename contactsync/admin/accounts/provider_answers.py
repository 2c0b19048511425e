"""What the table of providers asks of capabilities, and how an answer reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.words import CALLBACK_WAYS, FIELDS, operation_label, span
from contactsync.models import CustomOption
from contactsync.sync.connect import Capabilities, Operation
from contactsync.templatetags.contactsync import listed, number
from contactsync.text import isolated

UNLIMITED = gettext_lazy("no limit")


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer: yes, no with its reason, or a value in words (then `is_yes` is None)."""

    is_yes: bool | None = None
    text: str = ""


Ask = Callable[[Capabilities], Cell]
Question = tuple[Any, Ask]  # the label of a row, and what is asked


def does(operation: Operation) -> Ask:
    """Whether the provider has the operation; if not, why not."""
    return lambda can: Cell(True) if can.can(operation) else Cell(False, _(can.why_not(operation)))


def flag(name: str) -> Ask:
    """Whether the capability of this name is set."""
    return lambda can: Cell(bool(getattr(can, name)))


def most(name: str) -> Ask:
    """A limit."""

    def ask(can: Capabilities) -> Cell:
        limit = getattr(can, name)
        return Cell(text=str(UNLIMITED) if limit is None else number(limit))

    return ask


def time(name: str) -> Ask:
    """A length of time."""
    return lambda can: Cell(text=span(getattr(can, name)) or "–")


def kinds(can: Capabilities) -> Cell:
    """The kinds of options it keeps."""
    return Cell(text=listed(label for kind, label in CustomOption.Kind.choices if kind in can.option_kinds))


def places(can: Capabilities) -> Cell:
    """Where options go."""
    if can.option_identity == "slot":
        return Cell(text=_("fixed places: %(places)s") % {"places": isolated(listed(can.slots))})
    if can.option_identity == "name":
        return Cell(text=_("custom fields that exist at the provider, by their names"))
    return Cell(text=_("made at the provider by a push"))


def schedule(can: Capabilities) -> Cell:
    """How far ahead it takes a send."""
    if can.schedule_earliest is None:
        return Cell(False, _("The provider cannot schedule; the campaign waits here instead."))
    if can.schedule_latest is None:
        return Cell(text=_("from %(earliest)s ahead") % {"earliest": span(can.schedule_earliest)})
    window = {"earliest": span(can.schedule_earliest), "latest": span(can.schedule_latest)}
    return Cell(text=_("from %(earliest)s to %(latest)s ahead") % window)


def callbacks(can: Capabilities) -> Cell:
    """How it calls this application."""
    kind = str(can.callbacks.value)
    return Cell(False) if kind == "none" else Cell(text=str(CALLBACK_WAYS.get(kind, kind)))


def line(name: str) -> Ask:
    """A sentence of the provider's own, where it has one."""

    def ask(can: Capabilities) -> Cell:
        text = getattr(can, name)
        return Cell(text=_(text) if text else "–")

    return ask


def rate(can: Capabilities) -> Cell:
    """Requests per second."""
    return Cell(text=number(can.requests_per_second).removesuffix(".0"))


def details(can: Capabilities) -> Cell:
    """What is told only when a contact is read by itself."""
    words = {"options": FIELDS["options"], "opt_out": _("whether the person unsubscribed")}
    return Cell(text=listed(str(words.get(name, name)) for name in sorted(can.details_tell)) or "–")


def has(name: str) -> Question:
    """Whether it keeps the field of a contact."""
    return FIELDS[name], flag(f"has_{name}")


def operations(*operations: Operation) -> list[Question]:
    """A row for each operation."""
    return [(operation_label(operation), does(operation)) for operation in operations]


def currency(can: Capabilities) -> Cell:
    """In which prices are told."""
    return Cell(text=can.currency or "–")
