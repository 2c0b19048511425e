"""Many rows at once, past the model instances: to build one for each takes several times as long as to write it.

The only place of the package that knows which database it is: PostgreSQL takes new rows by COPY and changed ones
as arrays, SQLite both in one prepared statement.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import connection
from django.db.models import (
    AutoField,
    BooleanField,
    CharField,
    F,
    Field,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
    QuerySet,
    TextField,
)
from django.db.models.expressions import RawSQL

from contactsync.models import Contact

#: kibibytes of pages at hand (negative, as SQLite has it), and pages in the log before they move to the file: half of what
#: others have (settings), so that it is the import that moves them
_ROOMY = {"cache_size": -48_000, "wal_autocheckpoint": 8_000}
_NOTHING: Mapping[str, Any] = {}
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
        self._columns = [quote(str(field.column)) for field in (*varying, *fields.values())]
        self._table = quote(model._meta.db_table)

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write the rows, in their order."""
        constant = self._constant
        values = [(*row, *constant) for row in self._converted(rows)]
        if not values:
            return
        columns = ", ".join(self._columns)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with connection.wrap_database_errors, cursor.copy(f"COPY {self._table} ({columns}) FROM STDIN") as copy:
                    for row in values:
                        copy.write_row(row)
            else:
                places = ", ".join(["%s"] * len(self._columns))
                cursor.executemany(f"INSERT INTO {self._table} ({columns}) VALUES ({places})", values)  # noqa: S608 - the model's own names


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
            kinds = [field.db_type(connection) for field in fields]
            setters = ", ".join(f"{name} = new.{name}::{kind}" for name, kind in zip(columns, kinds, strict=True))
            arrays = ", ".join(["%s::text[]"] * len(columns))
            told = [[None if v is None else str(v) for v in column] for column in zip(*values, strict=True)]
            cursor.execute(
                f"UPDATE {table} SET {setters} FROM unnest(%s::text[], {arrays}) AS new (_id, {', '.join(columns)}) "  # noqa: S608 - the model's own names
                f"WHERE {table}.id = new._id::bigint",
                told,
            )
        else:
            setters = ", ".join(f"{name} = %s" for name in columns)
            cursor.executemany(
                f"UPDATE {table} SET {setters} WHERE id = %s",  # noqa: S608 - the model's own names
                [(*row[1:], row[0]) for row in values],
            )


def among(values: Collection[str]) -> RawSQL:
    """The right side of an `__in` for any number of texts, as one parameter."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::text[])", [list(values)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(values))])


def of_phonebook(contacts: QuerySet[Contact], phonebook_id: int) -> QuerySet[Contact]:
    """Those of the contacts, looked for by their numbers, that are in the phonebook.

    SQLite guesses that a phonebook holds ten contacts and would look through all of it for every list of numbers;
    a sum is no use to it for that.
    """
    if connection.vendor == "sqlite":
        contacts = contacts.alias(book=F("phonebook_id") + 0)
        return contacts.filter(book=phonebook_id)
    return contacts.filter(phonebook_id=phonebook_id)


def next_ids(model: type[Model], count: int) -> Sequence[int]:
    """Ids for as many new rows, known before they are written; within the transaction that writes them."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [number for (number,) in cursor.fetchall()]
        # The transaction is the only one that writes, and the table never gives an id twice.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = (cursor.fetchone() or (0,))[0]
        return range(last + 1, last + 1 + count)


def data_version() -> int | None:
    """A number that is the same for as long as no other connection has written anything; None where nobody knows it."""
    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        (version,) = cursor.execute("PRAGMA data_version").fetchone()
        return int(version)


def lock_suppression_list() -> None:
    """Files that go onto the list take turns, chunk by chunk; within a transaction. There is no row to hold for a list that
    may be empty. (SQLite has one writer anyway.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('contactsync suppression list'))")


def time_ordered_uuids(count: int) -> list[str]:
    """UUIDs of version 7 (RFC 9562), 32 hex digits each: neighbours in time are neighbours in the index."""
    moment = f"{time.time_ns() // 1_000_000:012x}"
    digits = os.urandom(9 * count).hex()
    return [f"{moment}7{digits[at : at + 3]}8{digits[at + 3 : at + 18]}" for at in range(0, 18 * count, 18)]


class Turns:
    """Leaves room between long transactions for others who write.

    SQLite has one writer and no queue. Whoever waits looks again at least every 25 ms for the first eighth of a second,
    and then every 100; a gap a little longer than that is always found. Other databases need none.
    """

    def __init__(self) -> None:
        self._ended = time.monotonic()
        self._gap = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Around the work of one transaction."""
        if self._gap and connection.vendor == "sqlite":
            time.sleep(max(0.0, self._ended + self._gap - time.monotonic()))
        began = time.monotonic()
        yield
        self._ended = time.monotonic()
        taken = self._ended - began
        self._gap = 0.0 if taken < 0.025 else 0.026 if taken < 0.125 else 0.105


@contextmanager
def much_to_write() -> Iterator[None]:
    """Give a connection the room that many rows in no order need, and this process the peace to write them.

    SQLite keeps more pages at hand than for single rows, and moves them to the file before others have to. The
    collector of cyclic garbage would take a third of the time to find none.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with _roomy_sqlite() if connection.vendor == "sqlite" else nullcontext():
            yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _roomy_sqlite() -> Iterator[None]:
    with connection.cursor() as cursor:
        before = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in _ROOMY}
        for name, value in _ROOMY.items():
            cursor.execute(f"PRAGMA {name} = {value}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for name, value in before.items():
                cursor.execute(f"PRAGMA {name} = {value}")


class _Converted:
    """Rows with their values as the database takes them. Text and numbers are so already, and not looked at."""

    def __init__(self, fields: Sequence[Field[Any, Any]]) -> None:
        self._special = [
            (place, _converter(field)) for place, field in enumerate(fields) if not isinstance(field, _AS_THEY_ARE)
        ]

    def __call__(self, rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        return map(self._row, rows) if self._special else rows

    def _row(self, row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for place, convert in self._special:
            value = values[place]
            if value is not None and type(value) is not str:
                values[place] = convert(value)
        return values


def _converter(field: Field[Any, Any]) -> Callable[[Any], Any]:
    """What turns a value of the field into what the database takes."""
    if isinstance(field, JSONField):
        return lambda value: value if value is None or type(value) is str else json.dumps(value, cls=field.encoder)
    return lambda value: field.get_db_prep_save(value, connection)
