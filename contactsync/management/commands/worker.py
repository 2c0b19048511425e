"""The background worker: carries out tasks, and picks up what a killed worker left behind."""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.db import close_old_connections, connection
from django_tasks_db.management.commands import db_worker

from contactsync.tasks import sweep

logger = logging.getLogger(__name__)
SWEEP_SECONDS = 15


class Sweeper(threading.Thread):
    """Looks every few seconds for work whose worker died, and for reports that are due."""

    def __init__(self) -> None:
        super().__init__(name="sweeper", daemon=True)
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            close_old_connections()
            try:
                sweep()
            except Exception:  # the next round tries again; the worker must not die of it
                logger.exception("The sweep failed; it is tried again in %s seconds.", SWEEP_SECONDS)
            self.stopped.wait(SWEEP_SECONDS)
        connection.close()


class Command(db_worker.Command):
    help = "Carry out background work until stopped; a second Ctrl+C stops at once."

    def handle(self, **options: Any) -> None:
        sweeper = Sweeper()
        sweeper.start()
        try:
            super().handle(**options)
        finally:
            sweeper.stopped.set()
            sweeper.join(timeout=5)
