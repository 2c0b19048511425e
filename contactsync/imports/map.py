"""Which column holds which field: a guess from titles and content, and the check of what a person chose."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_noop

from contactsync.imports.errors import MappingError
from contactsync.imports.headers import field_of, is_landline, key, may_be_same_date, phone_within
from contactsync.imports.kinds import filled, share_of
from contactsync.imports.looks import looks_like_phone
from contactsync.models import CustomOption, ImportJob
from contactsync.phone import parse_phone
from contactsync.text import undefused

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
SUPPRESSION_FIELDS = ("phone", "reason", "since")
Kind = ImportJob.Kind
#: kind of import -> what a column may be, beside custom options
FIELDS: dict[str, tuple[str, ...]] = {Kind.CONTACTS: CONTACT_FIELDS, Kind.SUPPRESSION: SUPPRESSION_FIELDS}
PROBE_ROWS = 50
TITLE, CONTENT = "title", "content"
#: fields that can be the same for all rows
FIXABLE: dict[str, tuple[str, ...]] = {
    kind: tuple(name for name in names if name not in {"phone", "full_name", "email"}) for kind, names in FIELDS.items()
}

NO_PHONE = gettext_noop("No column is chosen as the phone number. Choose one.")
TWICE = gettext_noop("Two columns are chosen as the same field (columns %(first)s and %(second)s). Choose one of them.")
FIXED_TOO = gettext_noop(
    "Column %(column)s and a value that is the same for all rows go to the same field. Choose one of them."
)
NAME_TWICE = gettext_noop("Choose either the full name, or first and last name in columns of their own.")
UNKNOWN_FIELD = gettext_noop("“%(field)s” is not a field of this phonebook (column %(column)s).")
NOT_FIXABLE = gettext_noop("“%(field)s” cannot be the same for all rows of this phonebook.")
UNKNOWN_COLUMN = gettext_noop("The file has no column %(column)s.")


@dataclass(frozen=True, slots=True)
class Guess:
    """A field (empty: left out) and what it was guessed from: `TITLE`, `CONTENT` or nothing."""

    field: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, order=True)
class _Wish:
    """The smaller the priority, the surer."""

    priority: float
    index: int
    field: str
    why: str


def guess_mapping(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    region: str,
    options: Mapping[str, CustomOption],
    known: Mapping[str, str] | None = None,
    kind: str = Kind.CONTACTS,
) -> dict[str, Guess]:
    """Column index (as text) -> guess, every column that is not `known` once. `options` are those of the phonebook, by id.

    Titles decide; content decides for the phone when no title does, for e-mail addresses, and for an option that
    alone in the phonebook takes what stands there. What is `known` (index -> field) is not guessed again.
    """
    known = known or {}
    guesses = {str(index): Guess() for index in range(len(columns)) if str(index) not in known}
    taken = {field for field in known.values() if field}
    usable = {*FIELDS[kind], *(f"option:{pk}" for pk in options)}
    for wish in sorted(_wishes(columns, rows, region=region, options=options, kind=kind)):
        guess = guesses.get(str(wish.index))
        if (
            guess
            and wish.field in usable
            and not guess.field
            and wish.field not in taken
            and not _conflicts(wish.field, taken)
        ):
            guesses[str(wish.index)] = Guess(wish.field, wish.why)
            taken.add(wish.field)
    return guesses


def _conflicts(field: str, taken: set[str]) -> bool:
    if field == "full_name":
        return bool(taken & {"first_name", "last_name"})
    return field in {"first_name", "last_name"} and "full_name" in taken


def _wishes(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    region: str,
    options: Mapping[str, CustomOption],
    kind: str,
) -> Iterator[_Wish]:
    named = [field_of(title, kind)[0] for title in columns]
    options_named = _options_named(columns, named, options)
    for index, title in enumerate(columns):
        cells = filled(rows[:PROBE_ROWS], index)
        numbers = _share_of_phones(cells, region)
        reached = _share_reached(cells, region, of=len(rows[:PROBE_ROWS])) if numbers else 0.0
        option = options_named[index]
        if option:
            yield _Wish(1, index, option, TITLE)
        field, rank = field_of(title, kind)
        if field == "phone":
            second = 0.2 if option else 0.0  # more likely another number, besides the one by which the contact is known
            yield _Wish(second + rank / 1000 - reached / 2, index, field, TITLE)
        elif field == "assigned_user" and cells and share_of(cells, "email") <= 0.5:
            continue  # customer systems write names there; it takes addresses
        elif field := _name_in_context(field, title, named):
            yield _Wish(2 + rank / 1000, index, field, TITLE)
        if not option:
            yield from _wishes_by_content(index, title, cells, numbers=numbers, reached=reached)
            if not field:
                yield from _option_by_content(index, title, cells, options)


def _options_named(columns: Sequence[str], named: Sequence[str], options: Mapping[str, CustomOption]) -> list[str]:
    """The option that each title names, or nothing: the one with this very title, else one with nearly the same.

    Where a title comes twice and is that of a field as well, the field comes first, as in our exports.
    """
    exact = {option.title: f"option:{pk}" for pk, option in options.items()}
    alike = {key(option.title): f"option:{pk}" for pk, option in options.items() if key(option.title)}
    keys = [key(title) for title in columns]
    return [
        ""
        if field and name in keys[index + 1 :] and name not in keys[:index]
        else exact.get(undefused(title.strip())) or alike.get(name, "")
        for index, (title, name, field) in enumerate(zip(columns, keys, named, strict=True))
    ]


def _wishes_by_content(
    index: int, title: str, cells: Sequence[str], *, numbers: float, reached: float
) -> Iterator[_Wish]:
    if is_landline(title):
        if numbers > 0.5:
            yield _Wish(9 - reached, index, "phone", CONTENT)
    elif phone_within(title):
        if not cells or any(map(looks_like_phone, cells)):
            yield _Wish(3 - reached, index, "phone", TITLE)
    elif numbers > 0.5:
        yield _Wish(6 - reached, index, "phone", CONTENT)
    elif share_of(cells, "email") > 0.5:
        yield _Wish(7, index, "email", CONTENT)


def _option_by_content(
    index: int, title: str, cells: Sequence[str], options: Mapping[str, CustomOption]
) -> Iterator[_Wish]:
    """The one date or choice option of the phonebook that takes most of the cells; none when several would.

    Any date could be any other, so a title that names another date speaks against it.
    """
    fitting = [
        pk
        for pk, option in options.items()
        if option.kind in {"date", "choice"} and share_of(cells, option.kind, list(map(str, option.choices))) > 0.5
    ]
    if len(fitting) == 1 and (
        options[fitting[0]].kind == "choice" or may_be_same_date(title, options[fitting[0]].title)
    ):
        yield _Wish(8, index, f"option:{fitting[0]}", CONTENT)


def _name_in_context(field: str, title: str, named: Sequence[str]) -> str:
    """“name” is the name that has no column of its own, first or last; alone the whole name; beside both not needed."""
    if field == "full_name" and {"first_name", "last_name"} <= set(named):
        return ""
    if field == "full_name" and key(title) == "name" and "last_name" in named and "first_name" not in named:
        return "first_name"
    if field == "full_name" and key(title) == "name" and "first_name" in named:
        return "last_name"
    if field == "first_name" and key(title) == key("نام") and "last_name" not in named:
        return "full_name"
    return field


def _share_of_phones(cells: Sequence[str], region: str) -> float:
    if not cells:
        return 0.0
    return sum(looks_like_phone(cell) and parse_phone(cell, region).is_valid for cell in cells) / len(cells)


def _share_reached(cells: Sequence[str], region: str, *, of: int) -> float:
    """Which part of the rows a message would reach by the numbers in these cells; a landline hardly counts."""
    worth = {"fixed": 0.25}
    found = (parse_phone(cell, region) for cell in cells)
    return sum(worth.get(verdict.line, 1.0) for verdict in found if verdict.is_valid) / of


def check_mapping(
    mapping: Mapping[str, str],
    *,
    width: int,
    options: Collection[str],
    fixed: Collection[str] = (),
    kind: str = Kind.CONTACTS,
) -> dict[str, str]:
    """The mapping without ignored columns. Raises `MappingError` unless it can be used.

    `options` are the ids of the phonebook's options, `fixed` the fields that are the same for all rows.
    """
    known_options = {f"option:{option_id}" for option_id in options}
    seen: dict[str, int] = {}
    for column, field in mapping.items():
        if not column.isdecimal() or int(column) >= width:
            raise MappingError(UNKNOWN_COLUMN, column=int(column) + 1 if column.isdecimal() else column)
        if not field:
            continue
        number = int(column) + 1
        if field not in FIELDS[kind] and field not in known_options:
            raise MappingError(UNKNOWN_FIELD, field=field, column=number)
        if field in seen:
            raise MappingError(TWICE, first=min(seen[field], number), second=max(seen[field], number))
        seen[field] = number
    if "phone" not in seen:
        raise MappingError(NO_PHONE)
    if "full_name" in seen and (seen.keys() | set(fixed)) & {"first_name", "last_name"}:
        raise MappingError(NAME_TWICE)
    for field in fixed:
        if field not in FIXABLE[kind] and field not in known_options:
            raise MappingError(NOT_FIXABLE, field=field)
        if field in seen and field != "tags":  # tags add up
            raise MappingError(FIXED_TOO, column=seen[field])
    return {str(number - 1): field for field, number in sorted(seen.items(), key=lambda item: item[1])}
