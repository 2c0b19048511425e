"""What long writing changes in its connection is as before when it ends, however it ends."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from django.db import connection, transaction

from contactsync.imports.rows import ROOMY, much_to_write
from contactsync.sync.database import one_of_many

pytestmark = pytest.mark.django_db(transaction=True)


class Fails(Exception):
    """Any error of the work."""


@pytest.mark.skipif(connection.vendor != "sqlite", reason="settings of SQLite")
@pytest.mark.parametrize("inside", [False, True], ids=["between two transactions", "within one"])
def test_sqlite_waits_for_the_disk_again_when_much_writing_has_failed(*, inside: bool) -> None:
    ask("PRAGMA synchronous = FULL")
    before = settings()
    with pytest.raises(Fails):
        fail_while_much_is_written(inside=inside)
    assert settings() == before
    connection.close()  # the next test has the settings of all


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a setting of PostgreSQL")
def test_postgresql_waits_for_the_disk_again_after_each_transaction() -> None:
    ask("SET synchronous_commit = on")
    with one_of_many():
        assert ask("SHOW synchronous_commit") == "off"
    assert ask("SHOW synchronous_commit") == "on"
    with pytest.raises(Fails), one_of_many():
        raise Fails
    with transaction.atomic():
        assert ask("SHOW synchronous_commit") == "on"
    connection.close()


def fail_while_much_is_written(*, inside: bool) -> None:
    with much_to_write(), one_of_many() if inside else nullcontext():
        assert settings() == [str(value) for value in ROOMY.values()]
        raise Fails


def settings() -> list[str]:
    return [ask(f"PRAGMA {name}") for name in ROOMY]


def ask(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0]) if cursor.description else ""
