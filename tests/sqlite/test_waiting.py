"""Whoever wants to write is let in between two transactions of a long work; with real connections, threads and processes."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction

from contactsync.models import ProviderAccount
from contactsync.sqlite.base import DatabaseWrapper
from contactsync.sqlite.waiting import WaitingList, list_beside
from tests.factories import make_account

needs_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="other databases queue their writers themselves"
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "database").touch(mode=0o664)
    return tmp_path / "database"


@pytest.fixture
def make_list(database: Path) -> Iterator[Callable[[], WaitingList]]:
    made: list[WaitingList] = []

    def make() -> WaitingList:
        made.append(WaitingList(str(database)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_somebody_is_on_the_list_for_as_long_as_he_waits(make_list: Callable[[], WaitingList]) -> None:
    asked, waiting = make_list(), make_list()
    assert not asked.has_somebody()
    with waiting:
        assert asked.has_somebody()
    assert not asked.has_somebody()


def test_several_are_on_the_list_until_the_last_has_gone(make_list: Callable[[], WaitingList]) -> None:
    asked, one, other = make_list(), make_list(), make_list()
    with one:
        with other:
            assert asked.has_somebody()
        assert asked.has_somebody()
    assert not asked.has_somebody()


def test_a_process_that_is_killed_is_on_no_list(make_list: Callable[[], WaitingList], database: Path) -> None:
    asked = make_list()
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        there = WaitingList(str(database))
        there.__enter__()
        os.write(writing, b".")
        signal.pause()
    os.read(reading, 1)
    assert asked.has_somebody()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not asked.has_somebody()
    os.close(reading)
    os.close(writing)


def test_whoever_may_open_the_database_may_open_the_list(make_list: Callable[[], WaitingList], database: Path) -> None:
    database.chmod(0o660)
    before = os.umask(0o077)
    make_list()
    os.umask(before)
    assert mode_of(beside(database)) == 0o660


def test_the_list_follows_when_the_database_is_opened_to_others(
    make_list: Callable[[], WaitingList], database: Path
) -> None:
    beside(database).touch(mode=0o600)
    database.chmod(0o660)
    make_list()
    assert mode_of(beside(database)) == 0o660


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of a file")
def test_the_list_that_root_makes_belongs_to_whoever_the_database_belongs_to(
    make_list: Callable[[], WaitingList], database: Path
) -> None:
    os.chown(database, 65534, 65533)
    make_list()
    there = beside(database).stat()
    assert (there.st_uid, there.st_gid) == (65534, 65533)


def test_where_no_list_can_be_there_is_none(database: Path) -> None:
    beside(database).symlink_to("/nowhere/at/all")
    assert list_beside(str(database)) is None


def test_a_list_that_nobody_closed_leaves_no_open_file(database: Path) -> None:
    waiting = WaitingList(str(database))
    file = waiting._file
    del waiting
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


@needs_sqlite
@pytest.mark.django_db(transaction=True)
def test_who_can_be_on_no_list_writes_all_the_same() -> None:
    own = own_connection()
    own.close()
    file = beside(own.settings_dict["NAME"])
    file.unlink()
    file.symlink_to("/nowhere/at/all")
    try:
        assert make_account().pk
        own.let_others_write(patience=30)
    finally:
        own.close()
        file.unlink()


@needs_sqlite
@pytest.mark.django_db(transaction=True)
def test_only_who_writes_is_on_the_list_and_only_until_he_has_begun() -> None:
    own = own_connection()
    account = make_account()
    asked = WaitingList(str(own.settings_dict["NAME"]))
    seen: list[tuple[str, bool]] = []

    def look(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        seen.append((sql.split()[0], asked.has_somebody()))
        return execute(sql, *rest)

    with own.execute_wrapper(look):
        ProviderAccount.objects.update(name="changed")
        account.refresh_from_db()
        with transaction.atomic():
            account.save()
            assert not asked.has_somebody()
    assert seen == [("UPDATE", True), ("SELECT", False), ("BEGIN", True), ("UPDATE", False)]
    asked.close()


@needs_sqlite
@pytest.mark.django_db(transaction=True)
def test_who_has_waited_through_a_transaction_comes_before_the_next_one() -> None:
    own = own_connection()
    account = make_account(name="before")
    asked = WaitingList(str(own.settings_dict["NAME"]))

    def rename() -> None:
        try:
            ProviderAccount.objects.filter(pk=account.pk).update(name="by somebody else")
        finally:
            connections.close_all()

    other = threading.Thread(target=rename)
    with transaction.atomic():
        other.start()
        while not asked.has_somebody():
            assert other.is_alive()
    own.let_others_write(patience=30)
    with transaction.atomic():
        assert ProviderAccount.objects.get(pk=account.pk).name == "by somebody else"
    other.join()
    asked.close()


def beside(database: Path | str) -> Path:
    return Path(f"{database}-waiting")


def mode_of(file: Path) -> int:
    return file.stat().st_mode & 0o777


def own_connection() -> DatabaseWrapper:
    own = connections["default"]
    assert isinstance(own, DatabaseWrapper)
    return own
