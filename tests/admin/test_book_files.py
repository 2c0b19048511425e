"""Phonebooks and options as files: everything goes out, and what comes back unchanged changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from contactsync.admin.phonebooks.files import packed, unpacked
from contactsync.models import CustomOption, Phonebook, PhonebookOption, ProviderAccount, Run
from contactsync.sync.planner import create_push_run
from tests.admin.flow_rows import client_of, text_of
from tests.admin.test_small_imports import confirm, exported, upload
from tests.factories import make_account, make_option, make_phonebook

pytestmark = pytest.mark.django_db
FORMS = ["0", "1"]  # CSV, Excel


@pytest.fixture
def client() -> Client:
    return client_of("Marketing")


def place(book: Phonebook, what: CustomOption | str, slot: str = "", **more: Any) -> None:
    source: dict[str, Any] = {"field": what} if isinstance(what, str) else {"option": what}
    PhonebookOption.objects.create(phonebook=book, slot=slot, **source, **more)


@pytest.fixture
def accounts() -> list[ProviderAccount]:
    """One of each provider, with places of every sort."""
    lox24 = make_account(name="Stammkunden", provider="lox24", default_region="DE")
    city, note, later = (make_option(lox24, title) for title in ("Ort | Land", "a=b", "später"))
    book = make_phonebook(lox24, title="Kunden", description="=1+1")
    place(book, city, "c")
    place(book, note, stays_here=True)
    place(book, later)
    place(book, "full_name", "a")
    atom = make_account(name="Atom", provider="atomtelecom", default_region="AU")
    book = make_phonebook(atom, title="Members")
    place(book, make_option(atom, "Suburb"), "custom_1")
    place(book, "company", "company")
    callbell = make_account(name="Callbell", provider="callbell", default_region="IT")
    book = make_phonebook(callbell, title="newsletter")
    for kind in CustomOption.Kind.values:
        choices = ["S", "M | L"] if kind == "choice" else ["Vino", "Pane"] if kind == "multiple" else []
        place(book, make_option(callbell, f"a {kind}", kind=kind, choices=choices, remote_key=f"key {kind}"))
    place(book, "email", "E-mail = private | other")
    ippanel = make_account(name="IPPanel")
    book = make_phonebook(ippanel, title="باشگاه")
    place(book, make_option(ippanel, "شهر", remote_key="7"))
    place(book, make_option(ippanel, "سن", kind="integer"), stays_here=True)
    place(book, make_option(ippanel, "_x0041_"), stays_here=True)  # which Excel would read as “A”
    make_phonebook(ippanel, title="خالی")
    return [lox24, atom, callbell, ippanel]


def rows() -> list[Any]:
    """Everything that a file could change, by names instead of keys."""
    books = Phonebook.objects.order_by("account__name", "title").values_list("account__name", "title", "description")
    options = CustomOption.objects.order_by("account__name", "title").values_list(
        "account__name", "title", "kind", "choices"
    )
    places = PhonebookOption.objects.values_list("phonebook__title", "option__title", "field", "slot", "stays_here")
    return [list(books), list(options), sorted(places, key=str)]


@pytest.mark.parametrize("form", FORMS)
def test_what_comes_back_unchanged_changes_nothing(client: Client, accounts: list[ProviderAccount], form: str) -> None:
    run = create_push_run(Phonebook.objects.get(title="Kunden"))
    tables = (Phonebook, CustomOption, PhonebookOption)
    before = [list(model.objects.order_by("pk").values()) for model in tables]
    for model in ("customoption", "phonebook"):
        confirm(client, model, upload(client, model, exported(client, model, form), form))
    assert [list(model.objects.order_by("pk").values()) for model in tables] == before
    run.refresh_from_db()
    assert run.state == Run.State.PLANNING


@pytest.mark.parametrize("form", FORMS)
def test_what_was_lost_comes_back_whole(client: Client, accounts: list[ProviderAccount], form: str) -> None:
    before = rows()
    files = {model: exported(client, model, form) for model in ("customoption", "phonebook")}
    for model in (PhonebookOption, Phonebook, CustomOption):
        model.objects.all().delete()
    for name, file in files.items():
        confirm(client, name, upload(client, name, file, form))
    assert rows() == before


def test_places_of_a_file_are_saved_and_changed(client: Client) -> None:
    account = make_account(name="Main", provider="lox24")
    options = make_option(account, "Ort"), make_option(account, "Nummer")
    book = make_phonebook(account, title="Kunden", options=options)
    confirm(client, "phonebook", upload(client, "phonebook", "account,title,places\n,Kunden,Ort=c | Nummer = d\n"))
    assert dict(book.option_places.values_list("option__title", "slot")) == {"Ort": "c", "Nummer": "d"}
    changed = "account,title,places\n,Kunden,Ort=d | Nummer=c | field:first_name=a\n"
    page = upload(client, "phonebook", changed)
    assert (
        "<del>Ort = c | Nummer = d</del> <ins>Ort = d | Nummer = c | field:first_name = a</ins>"
        in page.content.decode()
    )
    confirm(client, "phonebook", page)
    assert dict(book.option_places.values_list("option__title", "slot")) == {"Ort": "d", "Nummer": "c", None: "a"}


@pytest.mark.parametrize(
    ("places", "complaint"),
    [
        ("Ort=f", "The provider has no place “f”"),
        ("Stadt=c", "The phonebook has no option “Stadt”"),
        ("Ort", "Write places as “option = place”, not “Ort”."),
        ("field:shoe=c", "The phonebook has no option “field:shoe”"),
    ],
)
def test_what_is_wrong_with_places_is_said_and_nothing_is_written(client: Client, places: str, complaint: str) -> None:
    account = make_account(provider="lox24")
    book = make_phonebook(account, title="Kunden", options=(make_option(account, "Ort"),))
    page = upload(client, "phonebook", f"account,title,places\n,Kunden,{places}\n")
    assert complaint in text_of(page)
    assert "confirm_form" not in page.context
    assert list(book.option_places.values_list("slot", flat=True)) == [""]


def test_new_choices_alone_are_taken_over(client: Client) -> None:
    option = make_option(make_account(provider="callbell"), "Size", kind="choice", choices=["S"])
    confirm(client, "customoption", upload(client, "customoption", "account,title,choices\n,Size,S | M | S\n"))
    option.refresh_from_db()
    assert (option.kind, option.choices) == ("choice", ["S", "M"])


@pytest.mark.parametrize(
    ("provider", "row", "complaint"),
    [
        ("ippanel", "Size,choice,S", "This provider has no options of the kind “choice”."),
        ("callbell", "Size,choice,", "Write at least one allowed value."),
        ("callbell", "Size,multiple,S;M", "no choice may have them in it"),
        ("callbell", "Size,colour,", "not a valid choice"),
    ],
)
def test_an_option_that_the_screen_would_refuse_is_refused(
    client: Client, provider: str, row: str, complaint: str
) -> None:
    make_account(provider=provider)
    page = upload(client, "customoption", f"account,title,kind,choices\n,{row}\n")
    assert complaint in text_of(page)
    assert not CustomOption.objects.exists()


@pytest.mark.parametrize("parts", [[], ["a"], ["a", "b"], ["a|b", "c"], ["|", "||", "x|"], ["a | b"]])
def test_whatever_was_packed_is_unpacked(parts: list[str]) -> None:
    assert unpacked(packed(parts)) == parts
