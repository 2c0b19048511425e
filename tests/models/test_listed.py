"""Counting, for the planner of PostgreSQL, disturbs nobody. How lists are then looked for: `tests/sync/test_plans_of_queries.py`."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contactsync.models import Contact
from contactsync.models.listed import MANY_NEW, have_counted
from tests.factories import make_contact, make_phonebook

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only PostgreSQL has statistics to refresh"
)


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_nobody_waits_to_count_a_table_that_is_being_tidied_up() -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {Contact._meta.db_table} IN SHARE UPDATE EXCLUSIVE MODE")  # as VACUUM does
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        have_counted(Contact, new=MANY_NEW)
    finally:
        other.close()
        connection.close()


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_table_is_known_to_be_counted_wherever_the_search_path_finds_it() -> None:
    make_contact(make_phonebook())
    have_counted(Contact, new=MANY_NEW)
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA in_front")
        cursor.execute("SET search_path TO in_front, public")
    try:
        with CaptureQueriesContext(connection) as asked:
            have_counted(Contact)
        assert [query["sql"].split()[0] for query in asked] == ["SELECT"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA in_front")
        connection.close()
