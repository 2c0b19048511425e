"""The database backend (`ENGINE = "contactsync.sqlite"`)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.sqlite3 import base

from contactsync.sqlite.waiting import WaitingList, list_beside

#: how a statement begins that needs the only place there is for a writer
_WRITES = ("BEGIN", "INSERT", "UPDATE", "DELETE", "REPLACE")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that says when it wants to write.

    SQLite has one writer and no queue: whoever finds another one there looks again after up to a tenth of a second. Work
    of one long transaction after the other hardly ever leaves the place free in just that moment; with
    `let_others_write` in between it waits for all who have asked, and for nobody when nobody has.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: WaitingList | None = None
        self.execute_wrappers.append(self._on_the_list)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection in WAL mode.

        A file that is not in WAL mode yet, such as a backup put back, is changed to it by the first connection. SQLite does
        not wait then for whoever reads or writes, whatever its time-out (`sqlite3BtreeSetVersion` holds a read lock
        already), so the waiting is done here. Raises `OperationalError` when the file stays locked for the time-out.
        """
        give_up = time.monotonic() + conn_params.get("timeout", 5.0)
        while True:
            try:
                connection = super().get_new_connection(conn_params)
                break
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
            time.sleep(0.01)
        if not self.is_in_memory_db():
            self._waiting = list_beside(str(conn_params["database"]))
        return connection

    def _close(self) -> None:
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None
        super()._close()  # type: ignore[misc]

    def let_others_write(self, patience: float = 0.15) -> None:
        """Wait until everybody who has asked to write has begun, or so many seconds; between two transactions."""
        give_up = time.monotonic() + patience
        while self._waiting is not None and self._waiting.has_somebody() and time.monotonic() < give_up:
            time.sleep(0.001)

    def _on_the_list(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._waiting is None or self.in_atomic_block or not sql.startswith(_WRITES):
            return execute(sql, params, many, context)
        with self._waiting:
            return execute(sql, params, many, context)
