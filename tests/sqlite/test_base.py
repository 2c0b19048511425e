"""A connection to a file that somebody else holds while it is changed to WAL mode; with real files and locks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError

from contactsync.settings import SQLITE_START
from contactsync.sqlite import base

pytestmark = pytest.mark.django_db


@pytest.fixture
def restored(tmp_path: Path) -> Path:
    """A file as a backup leaves it: not in WAL mode."""
    path = tmp_path / "restored.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE contact (name TEXT)")
    return path


@pytest.fixture
def writer(restored: Path) -> Iterator[sqlite3.Connection]:
    """Somebody in the middle of a transaction on that file."""
    with closing(sqlite3.connect(restored, isolation_level=None)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        yield writing


@pytest.fixture
def connect(restored: Path) -> Iterator[Callable[[float], base.DatabaseWrapper]]:
    made: list[base.DatabaseWrapper] = []

    def connect(timeout: float) -> base.DatabaseWrapper:
        settings = {
            "NAME": str(restored),
            "OPTIONS": {"timeout": timeout, "init_command": SQLITE_START},
            "TIME_ZONE": None,
            "CONN_MAX_AGE": 0,
            "CONN_HEALTH_CHECKS": False,
            "AUTOCOMMIT": True,
            "ATOMIC_REQUESTS": False,
        }
        made.append(base.DatabaseWrapper(settings, "restored"))
        made[-1].ensure_connection()
        return made[-1]

    yield connect
    for each in made:
        each.close()


def test_who_connects_waits_for_the_writer_and_then_changes_the_file_to_wal(connect, writer, monkeypatch):
    monkeypatch.setattr(base.time, "sleep", lambda seconds: writer.execute("COMMIT"))
    with connect(30).cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_stays_locked_is_said_to_be_locked(connect, writer):
    with pytest.raises(OperationalError, match="locked"):
        connect(0)
