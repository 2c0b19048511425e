"""The form of a contact follows its provider: what has a place there, what stays here, what it asks consent for."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from contactsync.models import Contact, Phonebook, PhonebookOption
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_account, make_contact, make_option, make_phonebook
from tests.imports.files import imported

pytestmark = pytest.mark.django_db
LIST = "/admin/contactsync/contact/"


def book_at(provider: str, **kinds: Any) -> Phonebook:
    account = make_account(provider=provider, default_region="IT")
    options = tuple(make_option(account, title, **more) for title, more in kinds.items())
    return make_phonebook(account, options=options)


def parts_of(book: Phonebook) -> dict[str, list[str]]:
    """Title of each part of the form and the fields in it."""
    page = client_of("Marketing").get(f"{LIST}add/?phonebook={book.pk}")
    return {str(part.name or ""): list(part.fields) for part in page.context["adminform"]}


def save(contact: Contact, **changes: Any) -> Any:
    data = {"phone": contact.phone, "first_name": contact.first_name, **changes}
    return client_of("Marketing").post(address(contact), data)


@pytest.mark.parametrize(
    ("provider", "told", "here"),
    [
        ("ippanel", {"prefix", "email", "first_name"}, {"note", "tags", "company"}),
        ("lox24", set(), {"first_name", "last_name", "company", "email", "tags", "note"}),
        ("atomtelecom", {"first_name", "last_name"}, {"company", "email", "prefix", "note"}),
        ("callbell", {"first_name", "tags", "assigned_user", "note"}, {"company", "email", "prefix"}),
    ],
)
def test_fields_stand_where_the_provider_puts_them(provider: str, told: set[str], here: set[str]) -> None:
    parts = parts_of(book_at(provider))
    assert told | {"phone"} <= set(parts[""])
    assert here <= set(parts["Kept here only"])


def test_a_field_put_into_a_place_is_told() -> None:
    book = book_at("lox24")
    PhonebookOption.objects.create(phonebook=book, field="full_name", slot="a")
    PhonebookOption.objects.create(phonebook=book, field="company", slot="b")
    parts = parts_of(book)
    assert {"first_name", "last_name", "company"} <= set(parts[""])
    assert "email" in parts["Kept here only"]


def test_consent_is_asked_for_where_the_provider_needs_it() -> None:
    assert parts_of(book_at("callbell"))["Consent"] == ["consented_at", "consent_source"]
    assert "Consent" not in parts_of(book_at("ippanel"))


def test_a_number_that_cannot_be_changed_there_is_fixed_once_it_is_there() -> None:
    book = book_at("callbell")
    contact = make_contact(book, "+393331234567", first_name="Anna", remote_id="abc")
    assert "cannot change a number" in text_of(client_of("Marketing").get(address(contact)))
    save(contact, phone="+393337654321", first_name="Bea")
    contact.refresh_from_db()
    assert (contact.phone, contact.first_name) == ("+393331234567", "Bea")


def test_several_choices_and_addresses_are_kept_in_their_form() -> None:
    book = book_at(
        "callbell", interests={"kind": "multiple", "choices": ["Art", "Sport", "Food"]}, second={"kind": "email"}
    )
    many, mail = (str(place.option_id) for place in book.option_places.order_by("id"))
    contact = make_contact(book, "+393331234567", first_name="Anna")
    save(contact, **{f"option_{many}": ["Food", "Art"], f"option_{mail}": "me@Example.com"})
    contact.refresh_from_db()
    assert contact.options == {many: "Art; Food", mail: "me@example.com"}
    page = client_of("Marketing").get(address(contact))
    assert page.context["adminform"].form[f"option_{many}"].value() == ["Art", "Food"]


def test_a_wrong_address_is_named_at_its_field() -> None:
    book = book_at("callbell", second={"kind": "email"})
    (mail,) = (str(place.option_id) for place in book.option_places.all())
    contact = make_contact(book, "+393331234567", first_name="Anna")
    answer = save(contact, **{f"option_{mail}": "me at home"})
    assert "not an e-mail address" in str(answer.context["adminform"].form.errors[f"option_{mail}"])


@time_machine.travel(dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC), tick=False)
@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("yes", dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)),
        ("", None),
        ("2026-11-20T10:00+00:00", dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)),
    ],
)
def test_consent_is_entered_as_a_date_or_as_yes(entered: str, kept: dt.datetime | None) -> None:
    contact = make_contact(book_at("callbell"), "+393331234567", first_name="Anna")
    save(contact, consented_at=entered, consent_source="fair")
    contact.refresh_from_db()
    assert (contact.consented_at, contact.consent_source) == (kept, "fair")


def test_consent_that_nobody_touched_stays_to_the_second() -> None:
    given = dt.datetime(2025, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)
    contact = make_contact(book_at("callbell"), "+393331234567", first_name="Anna", consented_at=given)
    form = client_of("Marketing").get(address(contact)).context["adminform"].form
    save(contact, consented_at=form["consented_at"].value())
    contact.refresh_from_db()
    assert contact.consented_at == given


def test_consent_in_the_future_is_refused() -> None:
    contact = make_contact(book_at("callbell"), "+393331234567", first_name="Anna")
    later = (timezone.now() + dt.timedelta(days=30)).date().isoformat()
    assert "in the future" in str(save(contact, consented_at=later).context["adminform"].form.errors)


def test_the_page_shows_which_fields_an_import_changed() -> None:
    book = book_at("ippanel", city={"kind": "text"})
    (city,) = (str(place.option_id) for place in book.option_places.all())
    contact = make_contact(book, "+989121234567", first_name="Ali", note="old note", options={city: "Rome"})
    imported(book, "mobile,first name,note,city\n+989121234567,Ali,new note,Milan\n")
    contact.refresh_from_db()
    page = text_of(client_of("Marketing").get(address(contact)))
    assert "<del><bdi>old note</bdi></del>" in page
    assert "<ins><bdi>new note</bdi></ins>" in page
    assert "<del><bdi>Rome</bdi></del>" in page
    assert "<del><bdi>Ali</bdi></del>" not in page
