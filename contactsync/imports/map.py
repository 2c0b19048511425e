"""Which column holds which field: a guess from titles and content, and the check of what a person chose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_noop

from contactsync.imports.detect import looks_like_phone
from contactsync.imports.errors import MappingError
from contactsync.imports.headers import field_of, is_landline, key, phone_within
from contactsync.imports.read import has_content
from contactsync.phone import parse_phone

CONTACT_FIELDS = (
    "phone",
    "prefix",
    "first_name",
    "last_name",
    "full_name",
    "company",
    "email",
    "tags",
    "assigned_user",
    "note",
    "consented_at",
    "consent_source",
)
PROBE_ROWS = 50
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")

NO_PHONE = gettext_noop("No column is chosen as the phone number. Choose one.")
TWICE = gettext_noop("Two columns are chosen as the same field (columns %(first)s and %(second)s). Choose one of them.")
NAME_TWICE = gettext_noop("Choose either the full name, or first and last name in columns of their own.")
UNKNOWN_FIELD = gettext_noop("“%(field)s” is not a field of this phonebook (column %(column)s).")
UNKNOWN_COLUMN = gettext_noop("The file has no column %(column)s.")


def guess_mapping(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, region: str, options: Mapping[str, str]
) -> dict[str, str]:
    """Column index (as text) -> field, every column once. `options` maps option id to title.

    Titles decide; content decides for the phone when no title does, and for e-mail addresses.
    """
    wishes = sorted(_wishes(columns, rows, region=region, options=options))
    mapping = {str(index): "" for index in range(len(columns))}
    taken: set[str] = set()
    for _priority, index, field in wishes:
        if not mapping[str(index)] and field not in taken and not _conflicts(field, taken):
            mapping[str(index)] = field
            taken.add(field)
    return mapping


def _conflicts(field: str, taken: set[str]) -> bool:
    if field == "full_name":
        return bool(taken & {"first_name", "last_name"})
    return field in {"first_name", "last_name"} and "full_name" in taken


def _wishes(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, region: str, options: Mapping[str, str]
) -> list[tuple[float, int, str]]:
    """(priority, column, field): the smaller the priority, the surer."""
    wishes: list[tuple[float, int, str]] = []
    titles = {key(title): f"option:{option_id}" for option_id, title in options.items() if key(title)}
    named = [field_of(title)[0] for title in columns]
    for index, title in enumerate(columns):
        cells = [row[index] for row in rows[:PROBE_ROWS] if index < len(row) and has_content(row[index])]
        numbers = _share_of_phones(cells, region)
        if option := titles.get(key(title)):
            wishes.append((1, index, option))
        field, rank = field_of(title)
        if field == "phone":
            wishes.append((0 + rank / 1000 - numbers / 2, index, field))
        elif field := _name_in_context(field, title, named):
            wishes.append((2 + rank / 1000, index, field))
        if not option:
            wishes += _wishes_by_content(index, title, cells, numbers=numbers)
    return wishes


def _wishes_by_content(index: int, title: str, cells: Sequence[str], *, numbers: float) -> list[tuple[float, int, str]]:
    if is_landline(title):
        return [(9 - numbers, index, "phone")] if numbers > 0.5 else []
    if phone_within(title):
        return [(3 - numbers, index, "phone")]
    if numbers > 0.5:
        return [(6 - numbers, index, "phone")]
    if cells and sum(bool(_EMAIL.fullmatch(cell.strip())) for cell in cells) > 0.5 * len(cells):
        return [(7, index, "email")]
    return []


def _name_in_context(field: str, title: str, named: Sequence[str]) -> str:
    """“name” beside a surname column is a first name, alone the whole name; beside both it is not needed."""
    if field == "full_name" and {"first_name", "last_name"} <= set(named):
        return ""
    if field == "full_name" and key(title) == "name" and "last_name" in named and "first_name" not in named:
        return "first_name"
    if field == "first_name" and key(title) == key("نام") and "last_name" not in named:
        return "full_name"
    return field


def _share_of_phones(cells: Sequence[str], region: str) -> float:
    if not cells:
        return 0.0
    return sum(looks_like_phone(cell) and parse_phone(cell, region).is_valid for cell in cells) / len(cells)


def check_mapping(mapping: Mapping[str, str], *, width: int, options: Mapping[str, str]) -> dict[str, str]:
    """The mapping without ignored columns. Raises `MappingError` unless it can be used."""
    known_options = {f"option:{option_id}" for option_id in options}
    seen: dict[str, int] = {}
    for column, field in mapping.items():
        if not column.isdecimal() or int(column) >= width:
            raise MappingError(UNKNOWN_COLUMN, column=int(column) + 1 if column.isdecimal() else column)
        if not field:
            continue
        number = int(column) + 1
        if field not in CONTACT_FIELDS and field not in known_options:
            raise MappingError(UNKNOWN_FIELD, field=field, column=number)
        if field in seen:
            raise MappingError(TWICE, first=min(seen[field], number), second=max(seen[field], number))
        seen[field] = number
    if "phone" not in seen:
        raise MappingError(NO_PHONE)
    if "full_name" in seen and seen.keys() & {"first_name", "last_name"}:
        raise MappingError(NAME_TWICE)
    return {str(number - 1): field for field, number in sorted(seen.items(), key=lambda item: item[1])}
