"""What an import does with each column: drawn up once from the rows of the database, then pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.imports.errors import MappingError
from contactsync.imports.letters import column_titles
from contactsync.imports.map import check_mapping
from contactsync.models import Contact, CustomOption, ImportJob, Phonebook, Suppression

#: how long each text may be, as the table has it
TEXTS = {"prefix", "first_name", "last_name", "company", "email", "assigned_user", "note", "consent_source", "reason"}
LIMITS = {
    field.name: field.max_length
    for model in (Contact, Suppression)
    for field in model._meta.concrete_fields
    if field.max_length and field.name in TEXTS
}
#: fields whose values are moments
MOMENTS = ("consented_at", "since")
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
class Fixed:
    """What is the same for all rows, read already. `tags` are added to those a row or a contact has."""

    fields: Mapping[str, Any]
    options: Mapping[str, str]
    tags: tuple[str, ...]
    keeps_consent: bool


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything the verdict on a row depends on, beside the row and the phonebook. `moment` is that of the upload.

    Plans are told apart by identity, so that what is made from one for every row can be found again quickly.
    """

    region: str
    places: tuple[Place, ...]
    width: int
    moment: dt.datetime
    fixed: Fixed | None = None
    clear_token: str = ""
    adds_tags: bool = False
    kind: str = ImportJob.Kind.CONTACTS.value


def blank(name: str) -> Any:
    """What a field of a new contact holds when nothing is said of it."""
    own: Any = Contact._meta.get_field(name)
    return own.get_default()


def options_of(phonebook: Phonebook | None) -> dict[str, CustomOption]:
    """The custom options that contacts of the phonebook can have, by id (text); none for the suppression list."""
    return {str(option.pk): option for option in phonebook.options.all()} if phonebook else {}


def region_of(job: ImportJob) -> str:
    """The country of numbers that stand in the file without a country code."""
    return job.region if job.is_suppression else job.book.account.default_region


def plan_of(job: ImportJob) -> Plan:
    """The plan of an import. Raises `MappingError` when the chosen columns cannot be used (any more)."""
    options = options_of(job.phonebook)
    used = [*job.mapping.values(), *job.fixed_values]
    if any(name.startswith("option:") and name[7:] not in options for name in used):
        raise MappingError(OPTIONS_GONE)
    mapping = check_mapping(job.mapping, width=len(job.columns), options=options, fixed=job.fixed_values, kind=job.kind)
    return Plan(
        region=region_of(job),
        places=tuple(_place(int(index), field, job.columns, options) for index, field in mapping.items()),
        width=int(job.dialect["width"]),
        moment=job.created_at,
        fixed=fixed_of(job.fixed_values) if job.fixed_values else None,
        clear_token=job.clear_token,
        adds_tags=job.tags_mode == ImportJob.TagsMode.ADD,
        kind=job.kind,
    )


def fixed_of(kept: Mapping[str, Mapping[str, Any]]) -> Fixed:
    """The values an import keeps as the same for all rows, as the verdict on a row needs them."""
    values = {name: entry["value"] for name, entry in kept.items()}
    tags = tuple(values.pop("tags", ()))
    values |= {name: dt.datetime.fromisoformat(values[name]) for name in MOMENTS if values.get(name)}
    return Fixed(
        fields={name: value for name, value in values.items() if not name.startswith("option:")},
        options={name.removeprefix("option:"): value for name, value in values.items() if name.startswith("option:")},
        tags=tags,
        keeps_consent=bool(kept.get("consented_at", {}).get("bare")),
    )


def _place(index: int, field: str, columns: Sequence[str], options: Mapping[str, CustomOption]) -> Place:
    title = column_titles(columns)[index]
    if not field.startswith("option:"):
        return Place(index, title, field)
    option = options[field.removeprefix("option:")]
    return Place(index, title, field, OptionField(str(option.pk), option.kind, tuple(map(str, option.choices))))
