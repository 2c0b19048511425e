"""The background worker: carries out tasks, and picks up what a killed worker left behind."""

from __future__ import annotations

import logging
import sys
import threading
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django_tasks_db.management.commands import db_worker

from contactsync.imports.ahead import UNDIVIDED
from contactsync.sync import shutdown
from contactsync.tasks import sweep

logger = logging.getLogger(__name__)
SWEEP_SECONDS = 15


def wait(seconds: float) -> None:
    """Hold the worker until it looks at the database again."""
    time.sleep(seconds)


class Sweeper(threading.Thread):
    """Looks every few seconds for work whose worker died, and for reports that are due."""

    def __init__(self) -> None:
        super().__init__(name="sweeper", daemon=True)
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            with UNDIVIDED:  # an import may divide the process
                self._round()
            self.stopped.wait(SWEEP_SECONDS)
        with UNDIVIDED:
            connection.close()

    @staticmethod
    def _round() -> None:
        close_old_connections()
        try:
            sweep()
        except Exception:  # the next round tries again; the worker must not die of it
            logger.exception("The sweep failed; it is tried again in %s seconds.", SWEEP_SECONDS)


class Worker(db_worker.Worker):
    """Told to end, it also tells the task it is in: a push of hours ends after the calls on the wire, not at its end."""

    def run(self) -> None:
        """As of the base, but a database that hangs up does not end the worker: it goes on once the database is there again."""
        while True:
            try:
                return super().run()
            except (InterfaceError, OperationalError):
                if not self.running or self.batch:
                    raise
                logger.exception("The database cannot be used; it is tried again in %s seconds.", SWEEP_SECONDS)
                connection.close()
                wait(SWEEP_SECONDS)

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        shutdown.ask()
        super().shutdown(signum, frame)


class Command(db_worker.Command):
    help = "Carry out background work until stopped; a second Ctrl+C stops at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Those of the database's queue; with Celery there is nothing to choose."""
        if settings.TASKS_BACKEND == "database":
            super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        sweeper = Sweeper()
        sweeper.start()
        db_worker.Worker = Worker  # type: ignore[misc] # the command makes one by this name
        try:
            if settings.TASKS_BACKEND == "celery":
                from contactsync.celery import work  # not installed everywhere

                sys.exit(work(shutdown.ask))
            super().handle(**options)
        finally:
            sweeper.stopped.set()
            sweeper.join(timeout=5)
