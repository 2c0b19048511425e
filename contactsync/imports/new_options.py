"""Custom options that are made, or put into a phonebook, while the columns of a file are chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from contactsync.imports.errors import MappingError
from contactsync.models import CustomOption, Phonebook, PhonebookOption
from contactsync.models.reasons import describe
from contactsync.sync.connect import Misconfigured, capabilities
from contactsync.sync.places import propose
from contactsync.text import clean, fold

#: what a column is mapped to until the choice is confirmed
NEW, ADD = "new", "add:"
WITH_CHOICES = frozenset({CustomOption.Kind.CHOICE, CustomOption.Kind.MULTIPLE})
LONGEST_TITLE = 100  # as the model has it

NO_TITLE = gettext_noop("Column %(column)s: give the new option a title.")
TITLE_LONG = gettext_noop("Column %(column)s: the title of an option has at most %(limit)s characters.")
TITLE_TAKEN = gettext_noop("Column %(column)s: this account has an option “%(title)s” already. Choose that one.")
NO_SUCH_KIND = gettext_noop("Column %(column)s: this provider has no options of the kind “%(kind)s”.")
NO_CHOICES = gettext_noop("Column %(column)s: write the allowed values of the new option, one per line.")
BAD_CHOICES = gettext_noop("Column %(column)s: no allowed value may have “;” or “|” in it.")
OPTION_GONE = gettext_noop("Column %(column)s: this option does not exist (any more). Choose again.")


@dataclass(frozen=True, slots=True)
class NewOption:
    """An option as a person wants it."""

    title: str
    kind: str = CustomOption.Kind.TEXT
    choices: tuple[str, ...] = ()


class OptionRefused(MappingError):
    """An option cannot be made so. `column` is the index of the column it was for."""

    def __init__(self, column: str, message: str, **params: str | int) -> None:
        super().__init__(message, column=int(column) + 1, **params)
        self.column = column


def kinds_for(phonebook: Phonebook) -> list[str]:
    """The kinds of options that the phonebook's provider takes."""
    try:
        known = {str(kind) for kind in capabilities(phonebook.account).option_kinds}
    except Misconfigured:
        return list(CustomOption.Kind.values)
    return [kind for kind in CustomOption.Kind.values if kind in known]


def unused_options(phonebook: Phonebook) -> list[CustomOption]:
    """Options of the account that the phonebook does not have."""
    return list(CustomOption.objects.filter(account=phonebook.account_id).exclude(places__phonebook=phonebook))


def make_options(
    phonebook: Phonebook, mapping: Mapping[str, str], wanted: Mapping[str, NewOption]
) -> tuple[dict[str, str], list[CustomOption]]:
    """The mapping with real options in it, and those options: all are in the phonebook then. Raises `OptionRefused`.

    Columns mapped to `NEW` get the option `wanted` for them, those mapped to `ADD` + id an option of the account.
    """
    resolved, options = dict(mapping), []
    with transaction.atomic():
        for column, field in mapping.items():
            if field == NEW:
                option = _made(phonebook, column, wanted.get(column) or NewOption(""))
            elif field.startswith(ADD):
                option = _found(phonebook, column, field.removeprefix(ADD))
            else:
                continue
            PhonebookOption.objects.get_or_create(phonebook=phonebook, option=option)
            resolved[column] = f"option:{option.pk}"
            options.append(option)
    return resolved, options


def _found(phonebook: Phonebook, column: str, pk: str) -> CustomOption:
    own = CustomOption.objects.filter(account=phonebook.account_id)
    option = own.filter(pk=pk).first() if pk.isdecimal() else None
    if option is None:
        raise OptionRefused(column, OPTION_GONE)
    return option


def _made(phonebook: Phonebook, column: str, wanted: NewOption) -> CustomOption:
    title = clean(wanted.title)
    choices = list(dict.fromkeys(filter(None, map(clean, wanted.choices)))) if wanted.kind in WITH_CHOICES else []
    _check(phonebook, column, title, wanted.kind, choices)
    try:
        with transaction.atomic():
            return CustomOption.objects.create(
                account_id=phonebook.account_id, title=title, kind=wanted.kind, choices=choices
            )
    except IntegrityError as error:  # somebody else made it in the same moment
        raise OptionRefused(column, TITLE_TAKEN, title=title) from error


def _check(phonebook: Phonebook, column: str, title: str, kind: str, choices: list[str]) -> None:
    if not title:
        raise OptionRefused(column, NO_TITLE)
    if len(title) > LONGEST_TITLE:
        raise OptionRefused(column, TITLE_LONG, limit=LONGEST_TITLE)
    if kind not in kinds_for(phonebook):
        label = CustomOption.Kind(kind).label if kind in CustomOption.Kind.values else kind
        raise OptionRefused(column, NO_SUCH_KIND, kind=str(label))
    titles = CustomOption.objects.filter(account=phonebook.account_id).values_list("title", flat=True)
    if taken := next((known for known in titles if fold(known) == fold(title)), ""):
        raise OptionRefused(column, TITLE_TAKEN, title=taken)
    if kind in WITH_CHOICES and not choices:
        raise OptionRefused(column, NO_CHOICES)
    if kind == CustomOption.Kind.MULTIPLE and any(sign in choice for choice in choices for sign in ";|"):
        raise OptionRefused(column, BAD_CHOICES)


def free_places(phonebook: Phonebook) -> int | None:
    """How many more options the provider has places for; None where it needs none."""
    try:
        if capabilities(phonebook.account).option_identity != "slot":
            return None
    except Misconfigured:
        return None
    return len(propose(phonebook).free)


def kept_here(phonebook: Phonebook, options: Iterable[CustomOption]) -> list[tuple[str, str]]:
    """Those of the options that are not told to the provider as things stand, each with the reason."""
    try:
        left_out = propose(phonebook).left_out
    except Misconfigured:
        return []
    sources = {f"option:{option.pk}" for option in options}
    return [(row.title, " ".join(describe(why) for why in row.warnings)) for row in left_out if row.source in sources]
