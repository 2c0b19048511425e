"""What a provider is told of a contact, and what counts as a difference."""

from __future__ import annotations

import dataclasses

import pytest
from django.utils.translation import override

from contactsync.models import Contact, PhonebookOption
from contactsync.models.reasons import describe, reason
from contactsync.sync.mapping import (
    Place,
    Places,
    differences,
    differences_from_remote,
    is_proven,
    payload_of,
    places_of,
    record_of,
    titled,
)
from providers.backends.ippanel.facts import CAPABILITIES
from providers.types import ContactRecord, OptionKind, OptionValue, RemoteContact
from tests.factories import make_account, make_contact, make_option, make_phonebook

CITY = Place("7", "701", "شهر", OptionKind.TEXT)
BORN = Place("8", "702", "birthday", OptionKind.DATE)
PLACES = Places(options=(CITY, BORN), fields=frozenset({"prefix", "first_name", "last_name", "email"}))


def contact(**fields: object) -> Contact:
    return Contact(**{"phone": "+989120000001", "first_name": "Sara", "company": "Acme", **fields})


def test_only_what_the_provider_takes_is_in_the_record() -> None:
    record = record_of(contact(tags=["vip"], options={"7": "Rome", "9": "elsewhere"}), places=PLACES)
    assert record.company == ""
    assert record.tags == ()
    assert record.options == {"701": OptionValue("Rome", OptionKind.TEXT)}
    assert payload_of(record) == {"phone": "+989120000001", "first_name": "Sara", "options": {"701": "Rome"}}


def test_a_value_that_was_told_and_is_gone_is_told_to_be_empty() -> None:
    told = contact(pushed_payload={"options": {"701": "Rome", "999": "of another option"}})
    record = record_of(told, places=PLACES)
    assert record.options == {"701": OptionValue("", OptionKind.TEXT)}
    assert "options" not in payload_of(record)


def test_differences_name_the_field_with_old_and_new() -> None:
    old = {"phone": "+1", "first_name": "Sara", "options": {"701": "Rome", "702": "1992-10-08"}}
    new = {"phone": "+1", "email": "s@example.org", "options": {"701": "Shiraz"}}
    changes = differences(old, new)
    assert changes == {
        "email": ["", "s@example.org"],
        "first_name": ["Sara", ""],
        "option:701": ["Rome", "Shiraz"],
        "option:702": ["1992-10-08", ""],
    }
    assert set(titled(changes, PLACES)) == {"email", "first_name", "option:شهر", "option:birthday"}
    assert differences(new, new) == {}
    assert differences(None, {"phone": "+1"}) == {"phone": ["", "+1"]}


def remote(**fields: object) -> RemoteContact:
    return RemoteContact(**{"remote_id": "1", "phone": "+989120000001", "name": "Sara", "options": None, **fields})


def record(**fields: object) -> ContactRecord:
    return ContactRecord(**{"reference": "r", "phone": "+989120000001", "first_name": "Sara", **fields})


def test_a_remote_contact_differs_only_in_what_it_shows() -> None:
    wanted = record(email="s@example.org", options={"701": OptionValue("Rome", OptionKind.TEXT)})
    told = remote(name=" Sara ", email="")
    assert differences_from_remote(wanted, told, limits=CAPABILITIES) == {"email": ["", "s@example.org"]}
    assert differences_from_remote(wanted, remote(name=" Sara "), limits=CAPABILITIES) == {}


def test_where_options_are_shown_they_are_compared() -> None:
    wanted = record(options={"a": OptionValue("Rome", OptionKind.TEXT)})
    shown = remote(options={"a": "Milan", "b": "other"})
    assert differences_from_remote(wanted, shown, limits=CAPABILITIES) == {"option:a": ["Milan", "Rome"]}
    assert is_proven(wanted, remote(options={"a": "Rome"}), limits=CAPABILITIES)


def test_separate_names_are_compared_separately() -> None:
    limits = dataclasses.replace(CAPABILITIES, has_separate_names=True, has_company=True)
    shown = remote(first_name="Sara", last_name="X", company="Y")
    assert set(differences_from_remote(record(), shown, limits=limits)) == {"last_name", "company"}


@pytest.mark.parametrize(
    "fields",
    [
        {"options": {"701": OptionValue("Rome", OptionKind.TEXT)}},
        {"tags": ("vip",)},
        {"assigned_user": "a@example.org"},
    ],
)
def test_what_is_not_shown_is_not_proven(fields: dict[str, object]) -> None:
    assert is_proven(record(), remote(), limits=CAPABILITIES)
    assert not is_proven(record(**fields), remote(), limits=CAPABILITIES)


CONVERSATIONAL = dataclasses.replace(
    CAPABILITIES, has_tags=True, has_assigned_user=True, has_note=True, can_clear_name=False
)
FIELDS = Places(
    options=(Place("", "a", "company", OptionKind.TEXT, field="company"),),
    fields=frozenset({"first_name", "tags", "assigned_user", "note"}),
)


def test_a_field_may_stand_in_a_place_of_the_provider() -> None:
    made = record_of(contact(), places=FIELDS)
    assert made.options == {"a": OptionValue("Acme", OptionKind.TEXT)}
    assert made.company == ""


def test_what_people_fill_in_there_is_left_until_it_is_told_once() -> None:
    shown = remote(assigned_user="agent@example.org", note="called", tags=("VIP", "other"))
    untold = record_of(contact(tags=["vip"]), places=FIELDS)
    assert untold.leave == {"assigned_user", "note"}
    assert differences_from_remote(untold, shown, limits=CONVERSATIONAL) == {}
    told = record_of(contact(tags=["new"], pushed_payload={"note": "called"}), places=FIELDS)
    assert differences_from_remote(told, shown, limits=CONVERSATIONAL) == {
        "note": ["called", ""],
        "tags": [["VIP", "other"], ["new"]],
    }
    assert record_of(contact(), places=FIELDS, whole=True).leave == frozenset()


def test_a_name_that_cannot_be_emptied_there_does_not_differ() -> None:
    nameless = record(first_name="")
    assert differences_from_remote(nameless, remote(), limits=CAPABILITIES) == {"name": ["Sara", ""]}
    assert differences_from_remote(nameless, remote(), limits=CONVERSATIONAL) == {}


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.django_db
def test_what_is_told_and_stored_of_a_field_does_not_depend_on_the_language_of_the_worker(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = dataclasses.replace(CAPABILITIES, option_identity="name", has_company=False)
    monkeypatch.setattr("contactsync.sync.mapping.capabilities", lambda account: limits)
    book = make_phonebook(make_account())
    PhonebookOption.objects.create(phonebook=book, field="company")
    with override(language):
        places = places_of(book)
        made = record_of(contact(), places=places)
        assert made.options == {"company": OptionValue("Acme", OptionKind.TEXT)}
        assert titled({"option:company": ["", "Acme"]}, places) == {"company": ["", "Acme"]}
        stored = reason("“%(field)s” is too long.", field=places.words("company"))
    assert stored["params"] == {"field": {"message": "company"}}
    with override("fa"):
        assert describe(stored) == "“شرکت” is too long."


@pytest.mark.django_db
def test_places_come_from_the_phonebook_and_the_capabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account()
    made = make_option(account, "made", remote_key="701")
    new = make_option(account, "new", "date")
    book = make_phonebook(account, options=(made, new))
    places = places_of(book)
    assert [(place.key, place.kind) for place in places.options] == [
        ("701", OptionKind.TEXT),
        (f"0{new.pk}", OptionKind.DATE),
    ]
    assert places.fields == {"first_name", "last_name", "prefix", "email"}

    for identity, keys in (("slot", ["c", "custom_1"]), ("name", ["c", "custom_1"])):
        limits = dataclasses.replace(CAPABILITIES, option_identity=identity)
        monkeypatch.setattr("contactsync.sync.mapping.capabilities", lambda account, limits=limits: limits)
        PhonebookOption.objects.filter(option=made).update(slot="c")
        PhonebookOption.objects.filter(option=new).update(slot="custom_1")
        assert [place.key for place in places_of(book).options] == keys
    PhonebookOption.objects.update(slot="")
    assert [place.key for place in places_of(book).options] == ["701", "new"]
    PhonebookOption.objects.filter(option=made).update(stays_here=True)
    assert [place.key for place in places_of(book).options] == ["new"]


@pytest.mark.django_db
def test_the_record_of_a_stored_contact_carries_its_uuid() -> None:
    row = make_contact(make_phonebook())
    assert record_of(row, places=PLACES).reference == str(row.uuid)
