"""Finding people: by number in any form, by words of the name, by the value of an option."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Collate, Replace

from contactsync.models import Contact, CustomOption, ProviderAccount
from contactsync.models.listed import among_ids
from contactsync.models.option_text import OptionText
from contactsync.options import parse_option
from contactsync.phone import parse_phone, search_digits
from contactsync.text import ascii_digits, clean

#: how many options are searched when the list is not narrowed to one phonebook
OPTIONS_SEARCHED = 20
#: a longer row of digits is a phone number, not the value of an option
LONGEST_OPTION_NUMBER = 8
#: contacts beyond which the values of options are not looked through
LARGE = 50_000
#: found rows that are kept by their keys
FEW = 10_000
ZWNJ = "\u200c"
NAME_FIELDS = ("first_name", "last_name", "company", "email")
SELDOM_FILLED = frozenset({"company", "email"})


def by_number(rows: QuerySet[Any], text: str) -> QuerySet[Any] | None:
    """Rows with this number, or with these digits in it; None when the text is not a number.

    A whole number is looked up by the index; only a piece of one is looked for inside the numbers.
    """
    digits = search_digits(text)
    if not digits:
        return None
    regions = set(ProviderAccount.objects.values_list("default_region", flat=True)) or {"IR"}
    whole = {verdict.e164 for verdict in (parse_phone(text, region) for region in regions) if verdict.is_valid}
    if whole:
        # by key: SQLite would look through everything the rows belong to
        exact = rows.filter(pk__in=rows.model._default_manager.filter(phone__in=whole).order_by().values("pk"))
        if rows.model is Contact or exact.exists():  # a contact's number is in this form, others may be as they came
            return exact
    inside = Q(phone__contains=digits)
    if rows.model is not Contact:
        return looked_through(rows, inside)
    keys = _keys_by(["phone"], Contact.objects.filter(inside))
    return rows.filter(inside) if keys is None else rows.filter(pk__in=among_ids(keys))


def narrowed(rows: QuerySet[Any], condition: Q, *, by_index: Q | None = None) -> QuerySet[Any]:
    """The rows that fulfil a condition on columns that stand in one index.

    Few that do are looked for in the index alone, as to read all rows takes long; many are met soon on the way.
    `by_index` is the same condition in the words of the index, where those differ.
    """
    keys = _keys(rows.model._default_manager.filter(by_index or condition))
    return rows.filter(condition) if keys is None else rows.filter(pk__in=among_ids(keys))


def looked_through(rows: QuerySet[Any], condition: Q) -> QuerySet[Any]:
    """The rows that fulfil a condition without an index: few are found once, not again for their number and for the page."""
    keys = _keys(rows.filter(condition))
    return rows.filter(condition) if keys is None else rows.filter(pk__in=among_ids(keys))


def with_words(rows: QuerySet[Any], field: str, text: str) -> QuerySet[Any]:
    """The rows with every word of the text in this field."""
    words = [Q(**{f"{field}__icontains": word}) for word in text.split()]
    return looked_through(rows, reduce(operator.and_, words)) if words else rows


def _keys(found: QuerySet[Any]) -> list[int] | None:
    """The keys of few rows; None of many."""
    keys = list(found.order_by().values_list("pk", flat=True)[: FEW + 1])
    return keys if len(keys) <= FEW else None


def is_large(contacts: QuerySet[Contact]) -> bool:
    """Whether these are too many to look into the options of each."""
    return contacts.order_by()[: LARGE + 1].count() > LARGE


def contacts(rows: QuerySet[Any], text: str, options: Iterable[CustomOption]) -> QuerySet[Any]:
    """Contacts for what a person typed: a number in any form, words of the name, or the value of an option.

    Every word must stand somewhere. A whole phone number is looked for as such only.
    """
    options = list(options)[:OPTIONS_SEARCHED]
    numbers = by_number(rows, text)
    if numbers is not None and (not options or len(search_digits(text)) > LONGEST_OPTION_NUMBER):
        return numbers
    text = clean(text)
    if not text:
        return rows
    if not options:
        return named(rows, text)
    plain = {f"option_{option.pk}": OptionText(option.pk) for option in options}
    found = _words(text, more=plain) | _typed(text, options)
    if numbers is not None:
        found |= Q(phone__contains=search_digits(text))
    matching: QuerySet[Any] = rows.alias(**plain, **_plain_names()).filter(found)
    return matching


def named(rows: QuerySet[Any], text: str, *, of: str = "") -> QuerySet[Any]:
    """Rows of people with every word of the text somewhere in their names; `of` leads to their contacts (“contact”)."""
    keys = _keys_of_named(_words(text))
    if keys is not None:
        # by key, as above
        theirs = rows.model._default_manager.filter(**{f"{of or 'pk'}__in": among_ids(keys)}).order_by()
        return rows.filter(pk__in=theirs.values("pk") if of else among_ids(keys))
    if not of:
        by_name: QuerySet[Any] = rows.alias(**_plain_names()).filter(_words(text))
        return by_name
    # row by row: PostgreSQL would take many for few, and look for all of them first
    is_named = ExpressionWrapper(_words(text), output_field=BooleanField())
    person = Contact.objects.filter(pk=OuterRef(of)).alias(**_plain_names()).values(is_named=is_named)
    found: QuerySet[Any] = rows.alias(is_named=Subquery(person)).filter(is_named=True)
    return found


def _keys_of_named(found: Q) -> list[int] | None:
    """The keys of few contacts with such names, None of many.

    Looked for in the index of the names. In PostgreSQL that has no keys: first which names there are, then whose they are.
    """
    return _keys_by(NAME_FIELDS, Contact.objects.alias(**_plain_names()).filter(found))


def _keys_by(fields: Sequence[str], people: QuerySet[Contact]) -> list[int] | None:
    """The keys of few contacts, None of many, by an index of only these fields.

    In PostgreSQL an index has no keys: first it tells what values there are, then whose they are.
    """
    if connection.vendor != "postgresql":
        return _keys(people)
    values = list(people.order_by().values_list(*fields)[: FEW + 1])
    if len(values) > FEW:
        return None
    if not values:
        return []
    columns, table = ", ".join(fields), connection.ops.quote_name(Contact._meta.db_table)
    lists = ", ".join(["%s::text[]"] * len(fields))
    whose = f"SELECT id FROM {table} NATURAL JOIN unnest({lists}) AS looked_for ({columns})"  # noqa: S608 - the model's own names
    with connection.cursor() as cursor:
        cursor.execute(whose, [list(column) for column in zip(*set(values), strict=True)])
        return [key for (key,) in cursor.fetchall()]


def _plain_names() -> dict[str, Any]:
    """Names without what joins letters in Persian, which people type or leave out; and as PostgreSQL compares ASCII quickly."""
    plain: dict[str, Any] = {
        f"plain_{name}": Replace(name, Value(ZWNJ), Value(""), output_field=TextField()) for name in NAME_FIELDS
    }
    is_postgres = connection.vendor == "postgresql"
    return plain | {f"ascii_{name}": Collate(name, "C") for name in NAME_FIELDS if is_postgres}


def _words(text: str, *, more: Iterable[str] = ()) -> Q:
    """Each word of the text in one of the names, or in one of these values."""
    return reduce(operator.and_, (_word(word, more) for word in clean(text).split()), Q())


def _word(word: str, more: Iterable[str]) -> Q:
    """An empty name is not looked into, which saves half the time. SQLite knows upper and lower case of ASCII only, so others are tried in each."""
    word = word.replace(ZWNJ, "")
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize(), ascii_digits(word)}
    lookup = "contains" if word.lower() == word.upper() else "icontains"

    def within(field: str) -> Q:
        return reduce(operator.or_, (Q(**{f"{field}__{lookup}": spelling}) for spelling in sorted(spellings)))

    found = reduce(operator.or_, map(within, more), Q(pk__in=[]))
    for name in NAME_FIELDS:
        is_quick = word.isascii() and connection.vendor == "postgresql"
        there = within(f"ascii_{name}" if is_quick else name)
        if not word.isascii():
            there |= Q(**{f"{name}__contains": ZWNJ}) & within(f"plain_{name}")
        found |= Q(**{f"{name}__gt": ""}) & there if name in SELDOM_FILLED else there
    return found


def _typed(text: str, options: list[CustomOption]) -> Q:
    """The text as the value of a date or number: 1371/07/16 finds 1992-10-08."""
    found = Q(pk__in=[])
    for option in options:
        if option.kind in {"date", "integer"}:
            verdict = parse_option(text, option.kind)
            if verdict.value:
                found |= Q(**{f"option_{option.pk}": verdict.value})
    return found
