"""What an import does with each column: drawn up once from the rows of the database, then pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_noop

from contactsync.imports.errors import MappingError
from contactsync.imports.letters import column_letters
from contactsync.imports.map import check_mapping
from contactsync.models import Contact, CustomOption, ImportJob, Phonebook

#: how long each text may be, as the table has it
TEXTS = {"prefix", "first_name", "last_name", "company", "email", "assigned_user", "note", "consent_source"}
LIMITS = {
    field.name: field.max_length for field in Contact._meta.concrete_fields if field.max_length and field.name in TEXTS
}
OPTIONS_GONE = gettext_noop(
    "The columns were chosen for custom options that no longer exist. Choose the columns again."
)


@dataclass(frozen=True, slots=True)
class OptionField:
    """A custom option that a column fills."""

    id: str
    kind: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One column that is used: where it is, what people call it, and which field it fills."""

    index: int
    title: str
    field: str
    option: OptionField | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the verdict on a row depends on, beside the row and the phonebook. `moment` is that of the upload."""

    region: str
    places: tuple[Place, ...]
    width: int
    moment: dt.datetime


def options_of(phonebook: Phonebook) -> dict[str, CustomOption]:
    """The custom options that contacts of the phonebook can have, by id (text)."""
    return {str(option.pk): option for option in phonebook.options.all()}


def plan_of(job: ImportJob) -> Plan:
    """The plan of an import. Raises `MappingError` when the chosen columns cannot be used (any more)."""
    options = options_of(job.phonebook)
    titles = {option_id: option.title for option_id, option in options.items()}
    if any(field.startswith("option:") and field[7:] not in options for field in job.mapping.values()):
        raise MappingError(OPTIONS_GONE)
    mapping = check_mapping(job.mapping, width=len(job.columns), options=titles)
    return Plan(
        region=job.phonebook.account.default_region,
        places=tuple(_place(int(index), field, job.columns, options) for index, field in mapping.items()),
        width=int(job.dialect["width"]),
        moment=job.created_at,
    )


def _place(index: int, field: str, columns: Sequence[str], options: Mapping[str, CustomOption]) -> Place:
    title = columns[index].strip() or column_letters(index)
    if not field.startswith("option:"):
        return Place(index, title, field)
    option = options[field.removeprefix("option:")]
    return Place(index, title, field, OptionField(str(option.pk), option.kind, tuple(map(str, option.choices))))
