"""Rows in bulk are what the same rows would be one by one."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from contactsync.models import Contact
from contactsync.models.bulk import Inserter, update_rows
from tests.factories import make_phonebook

pytestmark = pytest.mark.django_db
MOMENT = dt.datetime(2026, 11, 21, 9, 30, 15, 123456, tzinfo=dt.UTC)


def insert(varying: dict[str, Any], shared: dict[str, Any]) -> Contact:
    shared = {"phonebook": make_phonebook().pk, "created_at": MOMENT, "updated_at": MOMENT, **shared}
    given_too = {"uuid": uuid.uuid4().hex, "phone": "+989121234567", **varying}
    Inserter(Contact, tuple(given_too), shared=shared).insert([tuple(given_too.values())])
    return Contact.objects.get(uuid=given_too["uuid"])


VALUES = {
    "note": 'it\'s 100 %, %s, \\n, "so" and ؟',
    "tags": ["a'b", "50 %"],
    "options": {"1": "رشت's %s"},
    "consented_at": MOMENT,
    "pushed_payload": None,
    "deleted_at": None,
    "remote_id": "",
}


@pytest.mark.parametrize("how", ["in every row", "in each its own"])
def test_every_kind_of_value_is_written_as_it_is(how: str) -> None:
    contact = insert({}, VALUES) if how == "in every row" else insert(VALUES, {})
    assert {name: getattr(contact, name) for name in VALUES} == VALUES


def test_rows_that_need_no_conversion_and_rows_that_do_are_mixed() -> None:
    shared = {"phonebook": make_phonebook().pk, "created_at": MOMENT, "updated_at": MOMENT}
    rows = [
        (uuid.uuid4().hex, "+989121234501", '["ready"]', None),
        (uuid.uuid4(), "+989121234502", ["not ready"], MOMENT),
    ]
    Inserter(Contact, ("uuid", "phone", "tags", "consented_at"), shared=shared).insert(rows)
    kept = Contact.objects.order_by("phone").values_list("tags", "consented_at")
    assert list(kept) == [(["ready"], None), (["not ready"], MOMENT)]


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
def test_any_text_is_written_as_it_is_whether_shared_or_not(text: str) -> None:
    contact = insert({"first_name": text}, {"note": text})
    assert (contact.first_name, contact.note) == (text, text)
    contact.phonebook.contacts.all().delete()


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40), min_size=2, max_size=2)
)
def test_any_text_is_updated_to_what_it_is(texts: list[str]) -> None:
    contacts = [insert({"phone": f"+98912123450{n}"}, {}) for n in range(2)]
    rows = [(contact.pk, text, {"1": text}) for contact, text in zip(contacts, texts, strict=True)]
    update_rows(Contact, ["note", "options"], rows, shared={"company": texts[0], "pushed_at": None})
    for contact, text in zip(contacts, texts, strict=True):
        contact.refresh_from_db()
        assert (contact.note, contact.options, contact.company) == (text, {"1": text}, texts[0])
        contact.delete()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite does not enforce the length of a column")
def test_a_text_that_is_too_long_is_refused_and_not_cut() -> None:
    contact = insert({}, {})
    with pytest.raises(DataError), transaction.atomic():
        update_rows(Contact, ["remote_id"], [(contact.pk, "x" * 101)])
    contact.refresh_from_db()
    assert contact.remote_id == ""
