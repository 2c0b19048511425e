"""Which numbers a file has brought already, in bounded memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from types import TracebackType

from contactsync.imports.check import Judged


class Seen:
    """Finds the rows that repeat a number of an earlier row: the first valid row wins.

    Numbers are kept in a temporary database of their own, which spills to disk and vanishes at the end.
    """

    def __enter__(self) -> Seen:
        self._scratch = sqlite3.connect("", isolation_level=None)
        self._scratch.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;")
        self._scratch.execute("CREATE TABLE seen (phone INTEGER PRIMARY KEY, number INTEGER, line INTEGER)")
        self._scratch.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()

    def mark(self, rows: Sequence[Judged]) -> None:
        """Set `same_as_line` on each row whose number came before. Rows must come in the order of the file."""
        usable = {judged.row.number: judged for judged in rows if not judged.rejected}
        values = [(int(judged.phone), number, judged.row.line) for number, judged in usable.items()]
        self._scratch.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", values)
        places = ",".join("?" * len(values))
        first = {
            phone: (number, line)
            for phone, number, line in self._scratch.execute(
                f"SELECT phone, number, line FROM seen WHERE phone IN ({places})",  # noqa: S608 - only question marks
                [value[0] for value in values],
            )
        }
        for phone, number, _line in values:
            winner, line = first[phone]
            if winner != number:
                usable[number].same_as_line = line
