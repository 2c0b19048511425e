"""Databases guess how many rows an owner has; what is looked for in lists must not go through all rows of the owner."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from contactsync.models import Contact, Recipient
from contactsync.models.bulk import Inserter, lean, time_ordered_uuids, update_rows
from contactsync.models.listed import among, have_counted, within
from contactsync.sync.chunks import CONTACT
from tests.factories import make_contact, make_phonebook

MANY = [f"+98912{number:07d}" for number in range(3000)]

pytestmark = pytest.mark.django_db


def index_of(rows: QuerySet[Contact] | QuerySet[Recipient]) -> str:
    return rows.explain()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a plan of SQLite")
@pytest.mark.parametrize(
    ("rows", "column"),
    [
        (lambda: Contact.objects.with_numbers(1, MANY), "phone=?"),
        (lambda: Contact.objects.with_remote_ids(1, MANY), "remote_id=?"),
        (lambda: within(Recipient.objects.filter(phone__in=among(MANY)), "campaign_id", 1), "phone=?"),
    ],
)
def test_a_list_is_looked_for_by_what_it_lists(rows: object, column: str) -> None:
    plan = index_of(rows())  # type: ignore[operator]
    assert f"({column}" in plan, plan


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a plan of PostgreSQL")
def test_a_list_is_looked_for_by_what_it_lists_in_rows_that_nobody_has_counted() -> None:
    many_contacts(20_000)
    have_counted(Contact)
    many_contacts(20_000, "+98935")
    plan = index_of(Contact.objects.with_numbers(make_phonebook().pk, MANY))
    assert "Index Cond: ((phone)::text = listed.value)" in plan, plan[-900:]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a plan of PostgreSQL")
def test_ids_at_the_provider_are_looked_for_one_by_one_though_nobody_had_one_at_the_last_count() -> None:
    many_contacts(20_000)
    have_counted(Contact)
    Contact.objects.update(remote_id=F("uuid"))
    plan = index_of(Contact.objects.with_remote_ids(Contact.objects.earliest("pk").phonebook_id, MANY))
    assert "Index Cond: ((remote_id)::text = listed.value)" in plan, plan[-900:]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a plan of PostgreSQL")
def test_rows_that_lie_side_by_side_are_updated_without_reading_all_others() -> None:
    many_contacts(20_000)
    have_counted(Contact)
    ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True)[5_000:6_000])
    asked: list[tuple[str, list[object]]] = []

    def listen(execute: Callable[..., object], sql: str, params: list[object], *rest: object) -> object:
        asked.append((sql, params))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(listen):
        update_rows(Contact, ["company"], [(pk, "Acme") for pk in ids])
    ((sql, params),) = asked
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: ((id >=" in plan, plan[-900:]
    assert Contact.objects.filter(company="Acme").count() == len(ids)


def many_contacts(count: int, start: str = "+98912") -> None:
    now = timezone.now()
    shared = {"phonebook": make_phonebook().pk, "note": "x" * 600, "created_at": now, "updated_at": now}
    rows = zip(time_ordered_uuids(count), range(count), strict=True)
    Inserter(Contact, ("uuid", "phone"), shared=shared).insert((uuid, f"{start}{n:07d}") for uuid, n in rows)


def test_lists_are_found_within_their_phonebook_only() -> None:
    book, other = make_phonebook(), make_phonebook()
    here = make_contact(book, MANY[0], remote_id="r1")
    make_contact(other, MANY[0], remote_id="r1")
    make_contact(book, MANY[1])
    assert list(Contact.objects.with_numbers(book.pk, MANY[:1])) == [here]
    assert list(Contact.objects.with_remote_ids(book.pk, ["r1", ""])) == [here]
    assert not Contact.objects.with_numbers(book.pk, [])


def test_lean_rows_read_the_rest_when_it_is_asked_for(django_assert_num_queries: object) -> None:
    contact = make_contact(make_phonebook(), tags=["a"], options={"1": "x"}, company="Acme")
    with django_assert_num_queries(1):  # type: ignore[operator]
        (row,) = lean(Contact.objects.all(), CONTACT)
        assert (row, row.uuid, row.tags, row.options, row.company) == (contact, contact.uuid, ["a"], {"1": "x"}, "Acme")
    assert row.created_at == contact.created_at
    row.first_name = "Ali"
    row.save(update_fields=["first_name"])
    assert Contact.objects.get().first_name == "Ali"
