"""Undos of imports in one line each, and contacts to the byte."""

from __future__ import annotations

from typing import Any

from django.db import connection

from contactsync.imports import undo
from contactsync.imports.undo_run import run_undo_work
from contactsync.models import Contact, ImportJob, ImportUndo, Phonebook


def looked(job: ImportJob) -> ImportUndo:
    """An undo that has been looked through."""
    found = undo.begin_check(job, user=None)
    return worked(found)


def undone(job: ImportJob, **choices: str) -> ImportUndo:
    """An undo that has gone all the way; `choices` by case."""
    found = looked(job)
    assert found.state == ImportUndo.State.CHECKED, found.error_text
    undo.begin_undo(found, choices, user=None)
    worked(found)
    assert found.state == ImportUndo.State.UNDONE, found.error_text
    job.refresh_from_db()
    assert job.state == ImportJob.State.UNDONE
    return found


def redone(found: ImportUndo) -> ImportUndo:
    """The same, undone."""
    undo.begin_redo(found, user=None)
    worked(found)
    assert found.state == ImportUndo.State.REDONE, found.error_text
    return found


def worked(found: ImportUndo) -> ImportUndo:
    run_undo_work(found.pk)
    found.refresh_from_db()
    return found


def rows_of(book: Phonebook) -> list[tuple[Any, ...]]:
    """The contacts of a phonebook as the database holds them: every column, ids and dates too."""
    table = connection.ops.quote_name(Contact._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE phonebook_id = %s ORDER BY id", [book.pk])  # noqa: S608
        return list(cursor.fetchall())


def parts(found: ImportUndo, name: str) -> dict[str, int]:
    """One group of counts, of which the whole must add up."""
    assert found.counts["balances"] is True
    return dict(found.counts[name])
