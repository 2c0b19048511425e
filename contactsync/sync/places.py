"""Which option and field of a phonebook goes to which place at its provider: proposed, warned of, saved.

A provider with slots has a few fixed places; one with names has fields that must exist there; one with ids gets its
options made by a push. What has no place is listed with the reason, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.models import Campaign, CampaignTarget, Phonebook, PhonebookOption
from contactsync.models.reasons import reason
from contactsync.placeholders import option_names
from contactsync.sync.connect import Capabilities, capabilities, reason_of
from contactsync.sync.mapping import fields_of
from contactsync.sync.place_facts import PLAIN_FIELDS, Filled, count_long_notes, count_values, problem_without_name
from contactsync.sync.place_saving import FIELD, OPTION, PlacesRefused, save
from contactsync.text import fold
from providers.types import OptionKind

__all__ = ["PlacePlan", "PlaceRow", "PlacesRefused", "broken_campaigns", "propose", "save", "saved_places"]

NO_PLACE_LEFT = gettext_noop("All places of the provider are taken, so this is not told to it. Choose what goes there.")
NO_OWN_PLACE = gettext_noop("The provider has no place for it. To tell it, use a custom option.")
NO_NAME_YET = gettext_noop("To tell it, enter the name of a custom field that exists at the provider.")
STAYS_HERE = gettext_noop("It stays here and is not told to the provider.")
KIND_LACKING = gettext_noop("The provider has no options of this kind.")
LABEL_CUT = gettext_noop("The provider's labels have at most %(limit)s characters, so the title is cut there.")
TITLE_LONG = gettext_noop("The phonebook's title is longer than the %(limit)s characters that this provider takes.")
VALUES_LONG = gettext_noop(
    "%(count)s contacts have a value longer than the %(limit)s characters the provider takes; they would be refused."
)
NOTES_LONG = gettext_noop(
    "%(count)s contacts have a note longer than the %(limit)s characters the provider takes; they would be refused."
)
NAMELESS = gettext_noop("%(count)s contacts have no name: %(reason)s")

Field = PhonebookOption.Field
NAMES = (Field.FIRST_NAME, Field.LAST_NAME)
UNSENT = [Campaign.State.DRAFT, Campaign.State.PREPARED, Campaign.State.WAITING]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One source of values (`option:<pk>` or `field:<name>`) and its place; an empty `slot` is none."""

    source: str
    title: str
    kind: str
    slot: str
    is_saved: bool
    warnings: tuple[dict[str, Any], ...] = ()
    stays_here: bool = False


@dataclass(frozen=True, slots=True)
class PlacePlan:
    """`rows` have a place, saved or proposed; `left_out` have none; `broken` are unsent campaigns with names nothing fills."""

    rows: tuple[PlaceRow, ...]
    free: tuple[str, ...]
    left_out: tuple[PlaceRow, ...]
    broken: tuple[tuple[Campaign, tuple[str, ...]], ...]
    warnings: tuple[dict[str, Any], ...] = ()  # about the phonebook as a whole

    @property
    def is_proposal(self) -> bool:
        """Whether saving it would change anything."""
        return any(not row.is_saved for row in self.rows)


def propose(phonebook: Phonebook) -> PlacePlan:
    """What is saved, and places for what has none yet. Reads the database only, and writes nothing."""
    limits = capabilities(phonebook.account)
    saved = list(phonebook.option_places.select_related("option").order_by("id"))
    options = [row.option for row in saved if row.option is not None]
    filled = count_values(phonebook, [option.pk for option in options], longest=limits.max_option_chars)
    rows, left_out = _arranged(saved, limits, filled)
    taken = {row.slot for row in rows}
    warn = _Warner(limits, filled)
    return PlacePlan(
        rows=tuple(warn.of(row) for row in rows),
        free=tuple(slot for slot in limits.slots if slot not in taken),
        left_out=tuple(left_out),
        broken=tuple(broken_campaigns(phonebook, rows)),
        warnings=tuple(_book_warnings(phonebook, limits, filled)),
    )


def saved_places(phonebook: Phonebook) -> dict[str, str]:
    """The places saved by now, by source. Where the provider gives ids, which come with the first push, they stay empty."""
    limits = capabilities(phonebook.account)
    rows = phonebook.option_places.select_related("option").filter(stays_here=False).order_by("id")
    saved = [_saved_row(row, limits) for row in rows]
    return {row.source: "" if limits.option_identity == "id" else row.slot for row in saved if row.slot}


def _arranged(
    saved: list[PhonebookOption], limits: Capabilities, filled: Filled
) -> tuple[list[PlaceRow], list[PlaceRow]]:
    rows = [_saved_row(row, limits) for row in saved]
    staying = [replace(row, slot="", warnings=(reason(STAYS_HERE),)) for row in rows if row.stays_here]
    placed = [row for row in rows if row.slot and not row.stays_here]
    waiting = [row for row in rows if not row.slot and not row.stays_here]
    fields = _fields_to_place(limits, filled, {row.source for row in rows})
    if limits.option_identity == "slot":
        if not filled.contacts and len(rows) + len(NAMES) <= len(limits.slots):
            fields = [_field_row(name) for name in NAMES if name not in fields_of(limits)]  # they will have names
        proposed, unplaced = _fit(
            waiting, fields, [slot for slot in limits.slots if slot not in {r.slot for r in placed}]
        )
        return placed + proposed, staying + unplaced
    why = reason(NO_NAME_YET if limits.option_identity == "name" else NO_OWN_PLACE)
    return placed, staying + [replace(row, warnings=(why,)) for row in [*waiting, *fields]]


def _saved_row(row: PhonebookOption, limits: Capabilities) -> PlaceRow:
    option = row.option
    if option is None:
        kind = OptionKind.EMAIL if row.field == Field.EMAIL else OptionKind.TEXT
        slot = row.slot if limits.option_identity != "id" else ""
        return PlaceRow(f"{FIELD}{row.field}", str(row), kind.value, slot, True, stays_here=row.stays_here)
    slot = {
        "slot": row.slot,
        "name": row.slot or option.remote_key or option.title,
    }.get(limits.option_identity, option.remote_key or option.title)
    is_saved = bool(row.slot) or limits.option_identity != "slot"
    return PlaceRow(f"{OPTION}{option.pk}", option.title, option.kind, slot, is_saved, stays_here=row.stays_here)


def _fields_to_place(limits: Capabilities, filled: Filled, known: set[str]) -> list[PlaceRow]:
    """Fields that somebody has a value in and that have no place of their own at the provider."""
    own = fields_of(limits)
    both_names = f"{FIELD}{Field.FULL_NAME}" in known
    names = [name for name in PLAIN_FIELDS if name not in own and filled.with_value[f"{FIELD}{name}"]]
    names = [name for name in names if not (both_names and name in NAMES)]
    return [_field_row(name) for name in names if f"{FIELD}{name}" not in known]


def _field_row(name: str) -> PlaceRow:
    kind = OptionKind.EMAIL if name == Field.EMAIL else OptionKind.TEXT
    return PlaceRow(f"{FIELD}{name}", str(Field(name).label), kind.value, "", False)


def _fit(options: list[PlaceRow], fields: list[PlaceRow], free: list[str]) -> tuple[list[PlaceRow], list[PlaceRow]]:
    """A free slot for each: a field in the slot of its own name, names first, then options in their order, then the rest."""
    first, last = f"{FIELD}{Field.FIRST_NAME}", f"{FIELD}{Field.LAST_NAME}"
    names = [row for row in fields if row.source in {first, last}]
    names.sort(key=lambda row: row.source != first)
    others = [row for row in fields if row not in names]
    if len(names) == 2 and len(names) + len(options) + len(others) > len(free):
        names = [_field_row(Field.FULL_NAME)]
    placed: dict[str, PlaceRow] = {}
    for row in others:
        if row.source.removeprefix(FIELD) in free:
            placed[row.source] = replace(row, slot=row.source.removeprefix(FIELD))
            free = [slot for slot in free if slot != placed[row.source].slot]
    left = iter(sorted(free, key=lambda slot: slot in PLAIN_FIELDS))  # one named like a field comes last
    unplaced = []
    for row in [*names, *options, *(row for row in others if row.source not in placed)]:
        slot = next(left, "")
        if slot:
            placed[row.source] = replace(row, slot=slot, is_saved=False)
        else:
            unplaced.append(replace(row, is_saved=False, warnings=(reason(NO_PLACE_LEFT),)))
    return list(placed.values()), unplaced


class _Warner:
    """What a person should know of one place before it is used."""

    def __init__(self, limits: Capabilities, filled: Filled) -> None:
        self.limits = limits
        self.filled = filled

    def of(self, row: PlaceRow) -> PlaceRow:
        limits = self.limits
        found = []
        if OptionKind(row.kind) not in limits.option_kinds:
            found.append(reason(KIND_LACKING))
        if limits.option_identity == "slot" and limits.max_option_label and len(row.title) > limits.max_option_label:
            found.append(reason(LABEL_CUT, limit=limits.max_option_label))
        too_long = self.filled.too_long.get(row.source, 0)
        if too_long:
            found.append(reason(VALUES_LONG, count=too_long, limit=limits.max_option_chars or 0))
        return replace(row, warnings=(*row.warnings, *found))


def _book_warnings(phonebook: Phonebook, limits: Capabilities, filled: Filled) -> Iterable[dict[str, Any]]:
    if limits.max_title is not None and len(phonebook.title) > limits.max_title:
        yield reason(TITLE_LONG, limit=limits.max_title)
    if notes := count_long_notes(phonebook, limits):
        yield reason(NOTES_LONG, count=notes, limit=limits.max_note_chars or 0)
    if filled.nameless and (problem := problem_without_name(phonebook)):
        yield reason(NAMELESS, count=filled.nameless, reason=reason_of(problem))


def broken_campaigns(phonebook: Phonebook, rows: Iterable[PlaceRow]) -> Iterable[tuple[Campaign, tuple[str, ...]]]:
    """Campaigns not sent yet that go to this phonebook and name an option it does not have.

    Where the provider fills in the values, an option without a place there is as good as none.
    """
    here = {fold(title) for title in phonebook.options.values_list("title", flat=True)}
    there = {fold(row.title) for row in rows if row.source.startswith(OPTION)}
    targets = CampaignTarget.objects.filter(phonebook=phonebook).values("campaign")
    for campaign in Campaign.objects.filter(pk__in=targets, state__in=UNSENT).order_by("pk"):
        known = there if campaign.is_keyworded else here
        text = " ".join([campaign.message, *map(str, campaign.template_values.values())])
        names = tuple(name for name in option_names(text) if fold(name) not in known)
        if names:
            yield campaign, names
