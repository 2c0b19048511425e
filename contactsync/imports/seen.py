"""Which numbers a file has brought already, in bounded memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from types import TracebackType

from contactsync.imports.judged import Judged


class Seen:
    """Finds the rows that repeat a number of an earlier row: the first valid row wins.

    Numbers are kept in a temporary database of their own, which spills to disk and vanishes at the end.
    """

    def __enter__(self) -> Seen:
        self._scratch = sqlite3.connect("", isolation_level=None)
        self._scratch.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -24000;")
        self._scratch.execute("CREATE TABLE seen (phone INTEGER PRIMARY KEY, number INTEGER, line INTEGER)")
        self._scratch.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()

    def add(self, places: Sequence[tuple[str, int, int]]) -> bool:
        """Keep where numbers stand: (number, row, line) in the order of the file. Returns whether all of them were new."""
        before = self._scratch.total_changes
        values = [(int(phone), number, line) for phone, number, line in places]
        self._scratch.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", values)
        return self._scratch.total_changes - before == len(values)

    def mark(self, rows: Sequence[Judged]) -> None:
        """Set `same_as_line` on each row whose number came before. Rows must come in the order of the file."""
        usable = [judged for judged in rows if not judged.rejected]
        if self.add([(judged.phone, judged.row.number, judged.row.line) for judged in usable]):
            return
        places = ",".join("?" * len(usable))
        first = {
            phone: (number, line)
            for phone, number, line in self._scratch.execute(
                f"SELECT phone, number, line FROM seen WHERE phone IN ({places})",  # noqa: S608 - only question marks
                [int(judged.phone) for judged in usable],
            )
        }
        for judged in usable:
            winner, line = first[int(judged.phone)]
            if winner != judged.row.number:
                judged.same_as_line = line
