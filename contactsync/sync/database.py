"""The connection to our own database, when that has hung up."""

from __future__ import annotations

from django.db import connection


def drop_if_broken() -> None:
    """After an error of the database: what follows uses a new connection where the old one is of no use. Not within a transaction."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
