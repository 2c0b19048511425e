"""Rows looked for by long lists of numbers or ids, and how a database is kept from looking through all rows for them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TypeVar

from django.db import connection
from django.db.models import F, Model, Q, QuerySet, UniqueConstraint
from django.db.models.expressions import RawSQL

from contactsync.models.bulk import as_array

M = TypeVar("M", bound=Model)

#: rows, from which on it is worth half a second to look at a part of them
MANY_NEW = 10_000


def among(values: Collection[str]) -> RawSQL:
    """The right side of an `__in` for any number of texts, as one parameter."""
    return _listed(list(values), "text")


def with_one_of(model: type[Model], column: str, values: Collection[str]) -> Q:
    """The rows of the model in whose column one of these texts is, none blank, looked for text by text in the column's index.

    PostgreSQL is not free to do otherwise. It is often sure that there are none: when it last looked, no contact had
    an id at the provider yet. It then reads all that have one, and compares each with every text of the list.
    """
    if connection.vendor != "postgresql":
        return Q(**{f"{column}__in": among(values)}) & ~Q(**{column: ""})
    table, name = map(connection.ops.quote_name, (model._meta.db_table, column))
    found = RawSQL(  # noqa: S611 - the model's own names
        f"SELECT found.id FROM unnest(%s::text[]) AS listed (value) CROSS JOIN LATERAL "  # noqa: S608 - the same
        f"(SELECT id FROM {table} WHERE {name} = listed.value AND NOT ({name} = '') OFFSET 0) AS found",
        [as_array(values)],
    )
    return Q(pk__in=found)


def among_ids(values: Collection[int]) -> RawSQL:
    """The same for ids."""
    return _listed(list(values), "bigint")


def _listed(values: Sequence[str] | Sequence[int], kind: str) -> RawSQL:
    if connection.vendor == "postgresql":
        return RawSQL(f"SELECT unnest(%s::{kind}[])", [as_array(values)])  # noqa: S611 - one of two words
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(values)])


def within(rows: QuerySet[M], owner: str, *ids: int) -> QuerySet[M]:
    """Those of the rows that belong to one of these owners, where something rarer is looked for: numbers, ids, words.

    SQLite guesses that an owner has ten rows, PostgreSQL that one has next to none as long as nobody has counted the
    rows that are just being written; both would look through all of its million for every such list. A sum is no use
    to them for that. `owner` is the column, as `phonebook_id`.
    """
    summed: QuerySet[M] = rows.alias(its_owner=F(owner) + 0).filter(its_owner__in=ids)  # type: ignore[assignment]
    return summed


def have_counted(*models: type[Model], new: int = 0) -> None:
    """Let PostgreSQL learn how the rows of these tables are: after many `new` ones, or when it never has. In no transaction.

    It does so by itself within minutes. Until then it takes a new phonebook or run for one of a few rows, which it reads
    whole for every part of it; and in a table it never looked at, every two-hundredth row for one that has a given number.
    After the first time it looks only at the columns that have an index.
    Where a vacuum is at the table, nobody waits for it: it may take hours, and the counting is left to the next one.
    """
    if connection.vendor != "postgresql":
        return
    known = (
        "SELECT EXISTS (SELECT FROM pg_stats JOIN pg_class ON (tablename, schemaname) = (relname, relnamespace::regnamespace::text) "
        "WHERE pg_class.oid = %s::regclass)"
    )
    with connection.cursor() as cursor:
        for model in models:
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(known, [table])
            if cursor.fetchone() == (False,):
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {table}")
            elif new >= MANY_NEW:
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {table} ({', '.join(_columns_in_indexes(model))})")


def _columns_in_indexes(model: type[Model]) -> list[str]:
    """By what a part of the table is found; to look at all other columns once more takes as long again."""
    meta = model._meta
    named = {name for index in meta.indexes for name, _order in index.fields_orders}
    named.update(*(rule.fields for rule in meta.constraints if isinstance(rule, UniqueConstraint)))
    fields = [field for field in meta.concrete_fields if field.name in named or field.unique or field.db_index]  # type: ignore[attr-defined]
    return [connection.ops.quote_name(str(field.column)) for field in fields]
