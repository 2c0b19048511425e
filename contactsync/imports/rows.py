"""What long writing needs besides the writing itself (`models.bulk`): turns with others, room in the database.

With `models.bulk` the only place of the package that knows which database it is.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import connection

from contactsync.models.bulk import Inserter, among, next_ids, time_ordered_uuids, update_rows

__all__ = ["Inserter", "Turns", "among", "much_to_write", "next_ids", "time_ordered_uuids", "update_rows"]

#: kibibytes of pages at hand (negative, as SQLite has it), and pages in the log before they move to the file: half of what
#: others have (settings), so that it is the import that moves them
_ROOMY = {"cache_size": -48_000, "wal_autocheckpoint": 8_000}


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
