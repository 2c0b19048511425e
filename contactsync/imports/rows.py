"""What long writing needs besides the writing itself (`models.bulk`): room for others, and room in the database.

With `models.bulk`, `models.listed` and `sync.database` the only place of the package that knows which database it is.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import connection

#: of SQLite, while there is much to write: kibibytes of pages at hand (negative, as SQLite has it); pages in the log before
#: they move to the file, half of what others have (settings), so that it is the import that moves them; 1, NORMAL: to wait for
#: the disk when the pages move, not with every commit; and 1: not to hold each row against the checks of its table, for which
#: all its JSON is parsed once more, a sixth of the time. (Tests do hold it against them, and PostgreSQL does always.)
ROOMY = {"cache_size": -24_000, "wal_autocheckpoint": 8_000, "synchronous": 1, "ignore_check_constraints": 1}


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


@contextmanager
def much_to_write() -> Iterator[None]:
    """Give a connection the room that many rows in no order need, and this process the peace to write them.

    SQLite keeps more pages at hand than for single rows, and moves them to the file before others have to. The
    collector of cyclic garbage would take a third of the time to find none.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        # inside a transaction, as in tests, its settings cannot be changed
        with _roomy_sqlite() if connection.vendor == "sqlite" and not connection.in_atomic_block else nullcontext():
            yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _roomy_sqlite() -> Iterator[None]:
    with connection.cursor() as cursor:
        before = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ROOMY}
        for name, value in ROOMY.items():
            cursor.execute(f"PRAGMA {name} = {value}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for name, value in before.items():
                cursor.execute(f"PRAGMA {name} = {value}")
