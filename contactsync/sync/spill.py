"""What is read of a large phonebook, kept in a temporary file beyond a size, so that memory does not grow with it.

The file is SQLite's own temporary one: it has no name and is gone with the process.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from providers.types import RemoteContact

#: entries that are kept in memory
MOST = 50_000
AT_ONCE = 2000
_CACHE = "PRAGMA cache_size = -16000"  # kibibytes


class Keys:
    """A set of texts that can only grow."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._few: set[str] = set()
        self._file: sqlite3.Connection | None = None
        for key in keys:
            self.add(key)

    def add(self, key: str) -> None:
        if self._file is not None:
            self._file.execute("INSERT OR IGNORE INTO keys VALUES (?)", (key,))
            return
        self._few.add(key)
        if len(self._few) > MOST:
            self._file = sqlite3.connect("", isolation_level=None)
            self._file.execute(_CACHE)
            self._file.execute("CREATE TABLE keys (key TEXT PRIMARY KEY) WITHOUT ROWID")
            self._file.execute("BEGIN")
            self._file.executemany("INSERT INTO keys VALUES (?)", ((key,) for key in sorted(self._few)))
            self._few = set()

    def __contains__(self, key: object) -> bool:
        if self._file is None:
            return key in self._few
        return self._file.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone() is not None


class RemoteContacts(Mapping[str, RemoteContact]):
    """Contacts by one of their texts, `remote_id` or `phone`; of several the first one counts, and with `last` the last."""

    def __init__(self, file: sqlite3.Connection, column: str, *, last: bool) -> None:
        self._file = file
        choice = "max" if last else "min"
        self._one = f"SELECT told FROM contact WHERE {column} = ? ORDER BY id {'DESC' if last else ''} LIMIT 1"  # noqa: S608 - two columns of ours
        self._all = (
            f"SELECT {column} FROM contact WHERE id IN (SELECT {choice}(id) FROM contact GROUP BY {column}) ORDER BY id"  # noqa: S608
        )
        self._count = f"SELECT count(DISTINCT {column}) FROM contact"  # noqa: S608

    def __getitem__(self, key: str) -> RemoteContact:
        row = self._file.execute(self._one, (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        contact: RemoteContact = pickle.loads(row[0])  # noqa: S301 - written by this process into a file without a name
        return contact

    def __iter__(self) -> Iterator[str]:
        return (key for (key,) in self._file.execute(self._all))

    def __len__(self) -> int:
        return int(self._file.execute(self._count).fetchone()[0])

    def __bool__(self) -> bool:
        return self._file.execute("SELECT 1 FROM contact LIMIT 1").fetchone() is not None


class ContactFile:
    """A temporary file of contacts: `add` them all, then `sealed` gives the two ways to look them up."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute(_CACHE)
        self._file.execute("CREATE TABLE contact (id INTEGER PRIMARY KEY, remote_id TEXT, phone TEXT, told BLOB)")
        self._file.execute("BEGIN")

    def add(self, contacts: Iterable[RemoteContact]) -> None:
        rows = ((each.remote_id, each.phone, pickle.dumps(each, pickle.HIGHEST_PROTOCOL)) for each in contacts)
        self._file.executemany("INSERT INTO contact (remote_id, phone, told) VALUES (?, ?, ?)", rows)

    def sealed(self) -> tuple[RemoteContacts, RemoteContacts]:
        """By id and by number."""
        self._file.execute("CREATE INDEX by_id ON contact (remote_id)")
        self._file.execute("CREATE INDEX by_phone ON contact (phone)")
        return RemoteContacts(self._file, "remote_id", last=True), RemoteContacts(self._file, "phone", last=False)
