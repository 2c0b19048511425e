"""Who is waiting to write: a file beside the database that each of them holds a shared lock on.

The system drops the lock of a process that dies, so nobody waits for a dead process.
"""

from __future__ import annotations

import os
import stat
import weakref
from contextlib import suppress
from typing import Any

try:
    import fcntl
except ImportError:  # Windows has no such locks, so there is no list
    fcntl = None  # type: ignore[assignment]


def list_beside(database: str) -> WaitingList | None:
    """The waiting list of this database. None where the file cannot be opened, or the system has no such locks.

    Writing works without a list, too; but then a writer only gets its turn by chance.
    """
    if fcntl is not None:
        with suppress(OSError):
            waiting = WaitingList(database)
            waiting.has_somebody()
            return waiting
    return None


class WaitingList:
    """One connection's place on the list of a database, taken within `with`. `close` leaves the list for good."""

    def __init__(self, database: str) -> None:
        # To read is enough to lock. Nothing is ever written, so that whoever comes later need not own the file.
        self._file = os.open(f"{database}-waiting", os.O_RDONLY | os.O_CREAT, 0o600)
        self.close = weakref.finalize(self, os.close, self._file)
        _open_to_the_same(self._file, os.stat(database))

    def __enter__(self) -> None:
        self._lock("LOCK_SH")

    def __exit__(self, *exc_info: Any) -> None:
        self._lock("LOCK_UN")

    def has_somebody(self) -> bool:
        """Whether anybody is on the list; not to be asked by one who is."""
        try:
            self._lock("LOCK_EX", "LOCK_NB")
        except BlockingIOError:
            return True
        self._lock("LOCK_UN")
        return False

    def _lock(self, *names: str) -> None:
        fcntl.flock(self._file, sum(getattr(fcntl, name) for name in names))


def _open_to_the_same(file: int, database: os.stat_result) -> None:
    """Give the file the owner and mode of the database, as SQLite does with its own files: web server, workers and an administrator
    may be different users."""
    own = os.fstat(file)
    if os.geteuid() == 0 and (own.st_uid, own.st_gid) != (database.st_uid, database.st_gid):
        os.fchown(file, database.st_uid, database.st_gid)
    if os.geteuid() in {0, own.st_uid} and own.st_mode != database.st_mode:
        os.fchmod(file, stat.S_IMODE(database.st_mode))
