"""Plan what must be at the provider before contacts: the options, and the phonebook with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.models import CustomOption, Phonebook, PhonebookOption
from contactsync.models.reasons import reason
from contactsync.sync.connect import Operation
from contactsync.sync.draft import Draft
from contactsync.sync.line import Line
from contactsync.sync.mapping import source_title, source_words
from contactsync.sync.place_saving import FIELD, write
from contactsync.sync.places import PlaceRow, propose
from contactsync.sync.remote import find_phonebook, list_options, match_option
from providers.types import Capabilities, OptionKind, RemotePhonebook

TOO_MANY = gettext_noop(
    "The provider has the places %(slots)s, and these found none: %(names)s. Choose on the phonebook's page what goes where and what stays here."
)


NOT_SEEN = gettext_noop(
    "No contact at the provider shows a field “%(name)s”. If there is none of exactly this name, contacts with a value for it are refused."
)
OTHER_KIND = gettext_noop("The field “%(name)s” is of another kind at the provider, so some values may be refused.")
NOT_CHOSEN = gettext_noop("No place was chosen for it, so it is not told. Choose one on the phonebook's page.")
QUOTED = gettext_noop("“%(name)s”")


class PlanImpossible(Exception):
    """The run cannot be planned before a person changes something; `why` is a reason to store."""

    def __init__(self, why: dict[str, Any]) -> None:
        self.why = why
        super().__init__(why["message"])


@dataclass(slots=True)
class Setup:
    """What is at the provider for the phonebook, and which options are not yet."""

    book: RemotePhonebook | None = None
    options_to_create: set[str] = field(default_factory=set)  # ids of ours


def plan_setup(draft: Draft, line: Line) -> Setup:
    """Plan the calls for options and phonebook. Raises `PlanImpossible` when the provider cannot take them."""
    phonebook, limits = draft.phonebook, line.capabilities
    if limits.max_title is not None and len(phonebook.title) > limits.max_title:
        raise PlanImpossible(
            reason(
                gettext_noop("The title is longer than the %(limit)s characters this provider takes. Shorten it."),
                limit=limits.max_title,
            )
        )
    _settle_places(draft, line)
    setup = Setup(book=find_phonebook(line, phonebook))
    _plan_options(draft, line, setup)
    _plan_phonebook(draft, limits, setup)
    return setup


def _settle_places(draft: Draft, line: Line) -> None:
    """Where nobody has chosen places yet, what is proposed is taken, and the plan shows it before anything goes there."""
    phonebook, limits = draft.phonebook, line.capabilities
    places = propose(phonebook)
    if limits.option_identity == "slot" and not any(row.is_saved for row in places.rows):
        unplaced = [row for row in places.left_out if not row.stays_here]
        if unplaced:
            raise PlanImpossible(
                reason(
                    TOO_MANY,
                    names=[reason(QUOTED, name=_words_of(row)) for row in unplaced],
                    slots=", ".join(limits.slots),
                )
            )
        write(phonebook, {row.source: row.slot for row in places.rows})
        places = propose(phonebook)
    saved = [row for row in places.rows if row.is_saved]
    open_ones = [replace(row, warnings=(reason(NOT_CHOSEN),)) for row in places.rows if not row.is_saved]
    draft.note_places(_checked_names(saved, phonebook, line), [*places.left_out, *open_ones])


def _words_of(row: PlaceRow) -> str | dict[str, Any]:
    """For a stored reason: the title of an option, or a field, translated when it is shown."""
    if not row.source.startswith(FIELD):
        return row.title
    return source_words(PhonebookOption(field=row.source.removeprefix(FIELD)))


def _checked_names(rows: list[PlaceRow], phonebook: Phonebook, line: Line) -> list[PlaceRow]:
    """Before the first push, names that must exist at the provider and are not seen there get a warning: some are hard to see."""
    limits = line.capabilities
    if limits.option_identity != "name" or phonebook.pushed_at or not rows or not limits.can(Operation.LIST_OPTIONS):
        return rows
    names = [row.slot for row in rows]
    kinds = {
        found.remote_id: found.kind for found in line.read(lambda provider: list(provider.list_options(titles=names)))
    }
    checked = []
    for row in rows:
        kind = kinds.get(row.slot)
        why = NOT_SEEN if kind is None else OTHER_KIND if kind != row.kind else ""
        checked.append(replace(row, warnings=(*row.warnings, reason(why, name=row.slot))) if why else row)
    return checked


def _plan_options(draft: Draft, line: Line, setup: Setup) -> None:
    limits = line.capabilities
    rows = list(draft.phonebook.option_places.select_related("option").filter(stays_here=False).order_by("id"))
    for row in rows:
        if why := problem_with_place(row, limits):
            raise PlanImpossible(why)
    options = [row.option for row in rows if row.option is not None]
    if limits.option_identity != "id" or not options:
        return
    remote = {found.remote_id: found for found in list_options(line, options)}
    for option in options:
        there = remote.get(option.remote_key) if option.remote_key else None
        if there is not None:
            if there.title != option.title and limits.can(Operation.RENAME_OPTION):
                draft.add_call(Operation.RENAME_OPTION, {"option": option.pk, "title": option.title})
                draft.note_option("options_renamed", option.title)
        elif match_option(option, remote.values()) is not None:
            draft.note_option("options_found", option.title)
        else:
            _plan_new_option(draft, limits, option)
            setup.options_to_create.add(str(option.pk))


def problem_with_place(row: PhonebookOption, limits: Capabilities) -> dict[str, Any]:
    """Why the provider cannot take what this row says, as a reason to store; empty when it can."""
    if row.option is not None and OptionKind(row.option.kind) not in limits.option_kinds:
        return reason(
            gettext_noop(
                "This provider has no options of the kind of “%(option)s”. Take it off the phonebook, or let it stay here."
            ),
            option=source_words(row),
        )
    if limits.option_identity == "slot" and row.slot not in limits.slots:
        return reason(
            gettext_noop(
                "“%(option)s” needs one of the provider's places: %(slots)s. Choose it on the phonebook's page."
            ),
            option=source_words(row),
            slots=", ".join(limits.slots),
        )
    if limits.option_identity == "id" and row.option is None:
        return reason(
            gettext_noop("This provider has no place for “%(field)s”. Make a custom option for it instead."),
            field=source_words(row),
        )
    if limits.option_identity == "name" and row.option is None and not row.slot:
        return reason(
            gettext_noop(
                "“%(field)s” needs the name of a custom field at the provider. Enter it on the phonebook's page."
            ),
            field=source_words(row),
        )
    return {}


def _plan_new_option(draft: Draft, limits: Capabilities, option: CustomOption) -> None:
    if not limits.can(Operation.CREATE_OPTION):
        raise PlanImpossible(reason(limits.why_not(Operation.CREATE_OPTION)))
    draft.add_call(Operation.CREATE_OPTION, {"option": option.pk, "title": option.title, "kind": option.kind})
    draft.note_option("options", option.title)


def _plan_phonebook(draft: Draft, limits: Capabilities, setup: Setup) -> None:
    phonebook, book = draft.phonebook, setup.book
    if book is None:
        if not limits.can(Operation.CREATE_PHONEBOOK):
            raise PlanImpossible(
                reason(
                    gettext_noop("The provider has no phonebook “%(title)s”, and it cannot be made from here: %(why)s"),
                    title=phonebook.title,
                    why=reason(limits.why_not(Operation.CREATE_PHONEBOOK)),
                )
            )
        draft.add_call(Operation.CREATE_PHONEBOOK, {"phonebook": phonebook.pk, "title": phonebook.title})
        draft.phonebook_step = "create"
        return
    if not phonebook.remote_id:
        draft.phonebook_step = "adopt"
    if not limits.can(Operation.UPDATE_PHONEBOOK):
        return
    has_new = bool(setup.options_to_create)
    if has_new or needs_update(phonebook, book, wanted=wanted_options(phonebook, limits, book), limits=limits):
        draft.add_call(Operation.UPDATE_PHONEBOOK, {"phonebook": phonebook.pk, "title": phonebook.title})
        draft.phonebook_step = draft.phonebook_step or "update"


def own_options(phonebook: Phonebook, limits: Capabilities) -> dict[str, str]:
    """Key and label of the phonebook's own options, as far as they have a key yet."""
    rows = phonebook.option_places.select_related("option").filter(stays_here=False).order_by("id")
    if limits.option_identity == "slot":
        return {row.slot: source_title(row)[: limits.max_option_label] for row in rows if row.slot}
    return {row.option.remote_key: row.option.title for row in rows if row.option and row.option.remote_key}


def wanted_options(phonebook: Phonebook, limits: Capabilities, book: RemotePhonebook | None) -> dict[str, str]:
    """The full list to attach: our own, and what others attached there; what we attached and then took off is left out."""
    own = own_options(phonebook, limits)
    attached_by_us = (phonebook.pushed_payload or {}).get("options", {})
    others = book.option_keys if book is not None and limits.option_identity == "id" else ()
    return {**own, **{key: "" for key in others if key not in own and key not in attached_by_us}}


def needs_update(
    phonebook: Phonebook, book: RemotePhonebook, *, wanted: Mapping[str, str], limits: Capabilities
) -> bool:
    """Whether title, description, or attached options and their labels at the provider differ from what is wanted."""
    if book.title != phonebook.title:
        return True
    if limits.has_description and book.description != phonebook.description:
        return True
    if limits.option_identity == "id":
        return set(book.option_keys) != set(wanted)
    return limits.max_option_label is not None and dict(book.option_labels) != dict(wanted)
