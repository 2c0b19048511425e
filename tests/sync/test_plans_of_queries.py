"""SQLite guesses that an owner has ten rows; what is looked for in lists must not go through all rows of the owner."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import QuerySet

from contactsync.models import Contact, Recipient
from contactsync.models.bulk import among, lean, within
from contactsync.sync.chunks import CONTACT
from tests.factories import make_contact, make_phonebook

MANY = [f"+98912{number:07d}" for number in range(3000)]

pytestmark = pytest.mark.django_db


def index_of(rows: QuerySet[Contact] | QuerySet[Recipient]) -> str:
    return rows.explain()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL knows how many rows there are")
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
