"""The connection to our own database: when that has hung up, and when there is much to write through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, connections, transaction

from contactsync.sqlite.base import DatabaseWrapper


def drop_if_broken() -> None:
    """After an error of the database: what follows uses a new connection where the old one is of no use. Not within a transaction."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


@contextmanager
def one_of_many() -> Iterator[None]:
    """A transaction of work that is one long transaction after the other.

    Those who wait for the only writer's place of SQLite come first. On PostgreSQL, and on SQLite within an import,
    nobody waits for the disk: should the power fail, the last of these transactions may be gone, with all that they say
    of how far the work is, and are done again. Whatever anybody commits after them with a wait, as before each call to a
    provider, takes them to the disk too.
    """
    own = connections[connection.alias]
    if isinstance(own, DatabaseWrapper):
        own.let_others_write()
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
        yield
