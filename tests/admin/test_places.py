"""The page of places: proposed, warned of, saved, refused; options by what the provider takes; new contacts for new numbers."""

from __future__ import annotations

from typing import Any

import pytest

from contactsync.models import Contact, CustomOption, Phonebook, PhonebookOption
from contactsync.sync.places import saved_places
from providers.sandbox import SandboxServer
from tests.admin.flow_rows import address, client_of, make_run, text_of
from tests.admin.test_look import read
from tests.factories import make_campaign, make_contact, make_option, make_phonebook
from tests.sync.conftest import push
from tests.sync.sides import SIDES

pytestmark = pytest.mark.django_db


def book_at(sandbox: SandboxServer, slug: str, *titles: str) -> Phonebook:
    account = SIDES[slug](sandbox).account()
    return make_phonebook(account, title="Newsletter", options=tuple(make_option(account, title) for title in titles))


def source_of(book: Phonebook, title: str) -> str:
    return f"option:{book.options.get(title=title).pk}"


def as_shown(page: Any) -> dict[str, str]:
    form = page.context["form"]
    return {name: field.initial or "" for name, field in form.fields.items()}


def test_lox24_offers_its_columns_and_saves_what_is_chosen(sandbox: SandboxServer) -> None:
    book = book_at(sandbox, "lox24", "City")
    make_contact(book, first_name="Sara", last_name="Example")
    client = client_of("Marketing")
    assert address(book, "places") in text_of(client.get(address(book)))
    page = client.get(address(book, "places"))
    assert "Some of this is only proposed" in text_of(page)
    assert "Free places:" in text_of(page)
    look = read(page)
    assert (look.problems, look.nameless) == ([], [])
    shown = as_shown(page)
    assert shown["field:first_name"] == "a"
    assert not PhonebookOption.objects.exclude(slot="").exists()
    answer = client.post(address(book, "places"), {**shown, source_of(book, "City"): "e"}, follow=True)
    assert "The places are saved." in text_of(answer)
    assert "Some of this is only proposed" not in text_of(answer)
    assert saved_places(book) == {"field:first_name": "a", "field:last_name": "b", source_of(book, "City"): "e"}


def test_too_many_sources_are_named_with_the_reason_and_broken_campaigns_too(sandbox: SandboxServer) -> None:
    book = book_at(sandbox, "lox24", *(f"option {number}" for number in range(8)))
    campaign = make_campaign(book.account, title="Spring", message="{city}")
    campaign.targets.create(phonebook=book)
    page = client_of("Marketing").get(address(book, "places"))
    assert page.context["left_out"]
    text = text_of(page)
    assert "All places of the provider are taken" in text
    assert "No place is free." in text
    assert "placeholders that this phonebook cannot fill" in text
    assert address(campaign) in text
    assert "<bdi>city</bdi>" in text


def test_refused_places_are_an_error_and_change_nothing(sandbox: SandboxServer) -> None:
    book = book_at(sandbox, "lox24", "City", "Shoe")
    client = client_of("Marketing")
    shown = as_shown(client.get(address(book, "places")))
    page = client.post(address(book, "places"), {**shown, source_of(book, "City"): "e", source_of(book, "Shoe"): "e"})
    assert "cannot both go to" in text_of(page)
    assert 'value="e" selected' in text_of(page)
    book.options.through.objects.create(phonebook=book, option=make_option(book.account, "Late"))
    assert "have changed meanwhile" in text_of(client.post(address(book, "places"), shown))
    make_run(book, state="running")
    shown = as_shown(client.get(address(book, "places")))
    assert "A run works on this phonebook" in text_of(client.post(address(book, "places"), shown))
    assert not PhonebookOption.objects.exclude(slot="").exists()


def test_callbell_takes_names_of_fields(sandbox: SandboxServer) -> None:
    book = book_at(sandbox, "callbell", "City")
    make_contact(book, first_name="Sara", company="Acme")
    client = client_of("Marketing")
    page = client.get(address(book, "places"))
    assert "enter the name of a custom field" in text_of(page)
    shown = as_shown(page)
    assert shown[source_of(book, "City")] == "City"
    client.post(address(book, "places"), {**shown, source_of(book, "City"): "Stadt", "field:company": "Firma"})
    assert saved_places(book) == {source_of(book, "City"): "Stadt", "field:company": "Firma"}


def test_an_option_of_ippanel_stays_here_and_comes_back(sandbox: SandboxServer) -> None:
    book = book_at(sandbox, "ippanel", "City", "Shoe")
    make_contact(book, "+989120000001", company="Acme")
    client = client_of("Marketing")
    page = client.get(address(book, "places"))
    shown = as_shown(page)
    assert set(shown) == {source_of(book, "City"), source_of(book, "Shoe")}
    assert "made by the next push" in text_of(page)
    assert "To tell it, use a custom option." in text_of(page)
    look = read(page)
    assert (look.problems, look.nameless) == ([], [])
    page = client.post(address(book, "places"), {**shown, source_of(book, "City"): ""}, follow=True)
    assert "It stays here and is not told to the provider." in text_of(page)
    assert saved_places(book) == {source_of(book, "Shoe"): ""}
    assert push(book).state == "finished"
    assert [option.title for option in sandbox.state("ippanel").options.values()] == ["Shoe"]
    back = {**as_shown(page), source_of(book, "City"): source_of(book, "City")}
    assert as_shown(page)[source_of(book, "City")] == ""
    client.post(address(book, "places"), back)
    assert saved_places(book) == {source_of(book, "City"): "", source_of(book, "Shoe"): ""}
    push(book)
    assert {option.title for option in sandbox.state("ippanel").options.values()} == {"City", "Shoe"}


def test_a_phonebook_of_ippanel_without_options_has_nothing_to_save(sandbox: SandboxServer) -> None:
    page = client_of("Marketing").get(address(book_at(sandbox, "ippanel"), "places"))
    assert "Save the places" not in text_of(page)


def test_places_are_read_by_who_sees_the_phonebook_and_saved_by_who_may_change_it(sandbox: SandboxServer) -> None:
    book = book_at(sandbox, "lox24", "City")
    assert client_of().get(address(book, "places")).status_code == 403
    client = client_of(may=("view_phonebook",))
    page = client.get(address(book, "places"))
    assert "Save the places" not in text_of(page)
    assert client.post(address(book, "places"), as_shown(page)).status_code == 403
    assert not PhonebookOption.objects.exclude(slot="").exists()


def test_the_page_of_the_phonebook_leaves_places_as_they_are(sandbox: SandboxServer) -> None:
    book = book_at(sandbox, "lox24", "City")
    place, other = book.option_places.get(), make_option(book.account, "Other")
    PhonebookOption.objects.filter(pk=place.pk).update(slot="c")
    PhonebookOption.objects.create(phonebook=book, field="first_name", slot="a")
    data = {
        "title": book.title, "option_places-TOTAL_FORMS": "1", "option_places-INITIAL_FORMS": "1",
        "option_places-0-id": place.pk, "option_places-0-phonebook": book.pk,
        "option_places-0-option": other.pk, "option_places-0-slot": "e",
    }  # fmt: skip
    assert client_of("Marketing").post(address(book), data).status_code == 302
    place.refresh_from_db()
    assert (place.slot, place.option.title) == ("c", "City")


def test_options_are_of_kinds_that_the_provider_has_with_fitting_choices(sandbox: SandboxServer) -> None:
    account = SIDES["atomtelecom"](sandbox).account()
    client, add = client_of("Marketing"), "/admin/contactsync/customoption/add/"
    page = client.get(add)
    assert [value for value, _label in page.context["adminform"].form.fields["kind"].widget.choices] == ["text"]
    assert "has no options of the kinds: " in text_of(page)
    account.provider = "lox24"
    account.save()
    data = {"account": account.pk, "title": "Colours", "kind": "multiple"}
    assert "at least one allowed value" in text_of(client.post(add, {**data, "choices": ""}))
    assert "no choice may have them" in text_of(client.post(add, {**data, "choices": "red; green"}))
    assert client.post(add, {**data, "choices": "red\ngreen"}).status_code == 302
    assert CustomOption.objects.get().choices == ["red", "green"]


def test_a_changed_number_becomes_a_new_contact_after_a_question(sandbox: SandboxServer) -> None:
    side, book = SIDES["callbell"](sandbox), book_at(sandbox, "callbell")
    contact, same = (
        make_contact(book, side.phone(1), first_name="Sara"),
        make_contact(book, side.phone(3), last_name="B"),
    )
    push(book)
    contact.refresh_from_db()
    contact.phone = side.phone(2)
    contact.save()
    client, asked = client_of("Marketing"), {"action": "make_new", "_selected_action": [contact.pk, same.pk]}
    page = client.post("/admin/contactsync/contact/", asked)
    assert "Replace 1 contact with a new one?" in text_of(page)
    assert Contact.objects.count() == 2
    page = client.post("/admin/contactsync/contact/", {**asked, "confirmed": "yes"}, follow=True)
    assert "replaces 1 contact with a new one" in text_of(page)
    contact.refresh_from_db()
    assert (contact.remote_id, Contact.objects.exclude(deleted_at=None).get().phone) == ("", side.phone(1))
    page = client.post("/admin/contactsync/contact/", asked, follow=True)
    assert "None of these contacts has another number" in text_of(page)
