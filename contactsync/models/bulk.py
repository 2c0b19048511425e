"""Many rows at once, past the model instances: to build one for each takes several times as long as to write it.

PostgreSQL takes new rows by COPY and changed ones as arrays, SQLite both in one prepared statement.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, TypeVar

from django.db import connection
from django.db.models import (
    AutoField,
    BooleanField,
    CharField,
    Field,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
    QuerySet,
    TextField,
)
from django.db.models.base import ModelState

M = TypeVar("M", bound=Model)

MANY_OBJECTS = 50_000
_NOTHING: Mapping[str, Any] = {}
#: types of values that need no conversion, whatever their field
_READY = frozenset({str, type(None)})
#: fields whose values every database takes as Python has them
_AS_THEY_ARE = (AutoField, BooleanField, CharField, ForeignKey, IntegerField, TextField)


class Inserter:
    """Writes new rows of one model, inside the caller's transaction.

    `shared` holds what is the same in all rows, `names` the fields that differ, in the order of their values;
    every other field gets its default. Values are checked by nobody: they must be right already. Text is written
    as it is, so a JSON field takes either JSON text or a value that is not text.
    """

    def __init__(self, model: type[Model], names: Sequence[str], *, shared: dict[str, Any]) -> None:
        fields = {field.name: field for field in model._meta.concrete_fields}
        varying = [fields.pop(name) for name in names]
        fields = {name: field for name, field in fields.items() if not field.primary_key}
        self._converted = _Converted(varying)
        self._constant = [
            _converter(field)(shared[name] if name in shared else field.get_default()) for name, field in fields.items()
        ]
        quote = connection.ops.quote_name
        self._columns = ", ".join(quote(str(field.column)) for field in (*varying, *fields.values()))
        self._places = ", ".join(["%s"] * len(varying))
        self._table = quote(model._meta.db_table)

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write the rows, in their order."""
        values = self._converted(rows)
        if not values:
            return
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                copy_in = f"COPY {self._table} ({self._columns}) FROM STDIN"
                constant = self._constant
                with connection.wrap_database_errors, cursor.copy(copy_in) as copy:
                    for row in values:
                        copy.write_row((*row, *constant))
            else:
                told = ", ".join([self._places, *map(_literal, self._constant)])
                cursor.executemany(f"INSERT INTO {self._table} ({self._columns}) VALUES ({told})", values)  # noqa: S608 - the model's own names


def update_rows(
    model: type[Model], names: Sequence[str], rows: Sequence[Sequence[Any]], *, shared: Mapping[str, Any] = _NOTHING
) -> None:
    """Set these fields of many rows. Each row is its id and the values; both these and `shared` as an `Inserter` takes them."""
    if not rows:
        return
    by_name = {field.name: field for field in model._meta.concrete_fields}
    constant = [_converter(by_name[name])(value) for name, value in shared.items()]
    varying = [by_name[name] for name in names]
    values = [(*row, *constant) for row in _Converted([by_name["id"], *varying])(rows)]
    fields = [*varying, *(by_name[name] for name in shared)]
    quote = connection.ops.quote_name
    table, columns = quote(model._meta.db_table), [quote(str(field.column)) for field in fields]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # as text of any length, so that one that is too long is refused; a cast to the column's type would cut it
            kinds = ["text" if isinstance(field, CharField) else field.db_type(connection) for field in fields]
            setters = ", ".join(f"{name} = new.{name}::{kind}" for name, kind in zip(columns, kinds, strict=True))
            arrays = ", ".join(["%s::text[]"] * len(columns))
            told = [as_array(column) for column in zip(*values, strict=True)]
            ids = [row[0] for row in values]
            cursor.execute(
                f"UPDATE {table} SET {setters} FROM unnest(%s::text[], {arrays}) AS new (_id, {', '.join(columns)}) "  # noqa: S608 - the model's own names
                # rows in hand mostly lie side by side; without the bounds PostgreSQL reads the whole table for every list of them
                f"WHERE {table}.id = new._id::bigint AND {table}.id BETWEEN %s AND %s",
                [*told, min(ids), max(ids)],
            )
        else:
            setters = ", ".join(f"{name} = %s" for name in columns)
            cursor.executemany(
                f"UPDATE {table} SET {setters} WHERE id = %s",  # noqa: S608 - the model's own names
                [(*row[1:], row[0]) for row in values],
            )


def lean(rows: QuerySet[M], names: Sequence[str]) -> list[M]:
    """The rows with only these fields at hand, in a fraction of the time that whole ones take.

    Fields of a related row are named `relation__field`, its id first; where there is no such row the relation is
    None. Whatever else is asked for is read when it is asked for, as after `only()`.
    """
    model, using = rows.model, rows.db
    own = [name for name in names if "__" not in name]
    fields = [str(model._meta.get_field(name).attname) for name in own]  # type: ignore[union-attr]
    relation = next((name.split("__")[0] for name in names if "__" in name), "")
    other: Any = model._meta.get_field(relation).related_model if relation else None
    theirs = [name.removeprefix(f"{relation}__") for name in names if "__" in name]
    width = len(own)
    made = []
    for values in rows.values_list(*own, *(f"{relation}__{name}" for name in theirs)):
        row = _bare(model, fields, values, using)
        if relation:
            key = values[width]
            row._state.fields_cache[relation] = None if key is None else _bare(other, theirs, values[width:], using)
        made.append(row)
    return made


def next_ids(model: type[Model], count: int) -> Sequence[int]:
    """Ids for as many new rows, known before they are written; within the transaction that writes them."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
            (sequence,) = cursor.fetchone()
            cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, count])
            return [number for (number,) in cursor.fetchall()]
        # The transaction is the only one that writes, and the table never gives an id twice.
        # The table's own count may have been set back (a flush of the database does that); SQLite minds both as well.
        cursor.execute(
            "SELECT max((SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = %s), "  # noqa: S608 - the model's own name
            f"(SELECT coalesce(max(id), 0) FROM {connection.ops.quote_name(table)}))",
            [table],
        )
        last = cursor.fetchone()[0]
        return range(last + 1, last + 1 + count)


def time_ordered_uuids(count: int) -> list[str]:
    """UUIDs of version 7 (RFC 9562), 32 hex digits each: neighbours in time are neighbours in the index."""
    moment = f"{time.time_ns() // 1_000_000:012x}"
    digits = os.urandom(9 * count).hex()
    return [f"{moment}7{digits[at : at + 3]}8{digits[at + 3 : at + 18]}" for at in range(0, 18 * count, 18)]


def as_array(values: Iterable[Any]) -> str:
    """The values as PostgreSQL writes an array of text. The driver looks at each character, which takes ten times as long."""
    told = ",".join(["NULL" if value is None else _quoted(str(value)) for value in values])
    return f"{{{told}}}"


@contextmanager
def few_collections() -> Iterator[None]:
    """Around work that makes many rows: the collector of cyclic garbage looks for it seldom.

    It finds next to none among rows, and takes a third of the time for that.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], MANY_OBJECTS), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _bare(model: type[Any], fields: Sequence[str], values: Sequence[Any], using: str) -> Any:
    row = object.__new__(model)
    row._state = state = ModelState()
    state.adding, state.db = False, using
    row.__dict__.update(zip(fields, values, strict=False))
    return row


class _Converted:
    """Rows with their values as the database takes them. Text and numbers are so already, and not looked at."""

    def __init__(self, fields: Sequence[Field[Any, Any]]) -> None:
        self._special = [
            (place, _converter(field)) for place, field in enumerate(fields) if not isinstance(field, _AS_THEY_ARE)
        ]

    def __call__(self, rows: Iterable[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        rows = list(rows)
        special = [
            (place, convert)
            for place, convert in self._special
            if not _READY.issuperset(map(type, map(itemgetter(place), rows)))
        ]
        return [_with(row, special) for row in rows] if special else rows


def _with(row: Sequence[Any], special: Sequence[tuple[int, Callable[[Any], Any]]]) -> Sequence[Any]:
    values = list(row)
    for place, convert in special:
        value = values[place]
        if type(value) not in _READY:
            values[place] = convert(value)
    return values


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _literal(value: Any) -> str:
    """A value of all rows as SQL; to bind it once for each would cost a tenth of the time."""
    if value is None or isinstance(value, int):
        return "NULL" if value is None else str(int(value))
    return "'{}'".format(str(value).replace("'", "''").replace("%", "%%"))


def _converter(field: Field[Any, Any]) -> Callable[[Any], Any]:
    """What turns a value of the field into what the database takes."""
    if isinstance(field, JSONField):
        return lambda value: value if value is None or type(value) is str else json.dumps(value, cls=field.encoder)
    return lambda value: field.get_db_prep_save(value, connection)
