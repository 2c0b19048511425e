"""add_phonebook, add_option, places: what a push needs first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contactsync.models import CustomOption, Phonebook, PhonebookOption, ProviderAccount
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.sides import CallbellSide, IPPanelSide, Lox24Side, Side

Command = Callable[..., dict[str, Any]]


def test_a_phonebook_with_old_and_new_options_is_made_and_pushed(
    run: Command, main: ProviderAccount, side: Side
) -> None:
    side.prepare("Members")
    city = make_option(main, "City")
    made = run(
        "add_phonebook",
        "Main",
        " Members ",
        "--description",
        "of the club",
        "--option",
        "City",
        "--option",
        "Level:text",
    )
    assert (made["exit"], made["phonebook"], made["options"]) == (0, "Members", ["City", "Level"]), made
    book = Phonebook.objects.get()
    assert (book.account, book.description) == (main, "of the club")
    assert [place.option.title for place in book.option_places.all() if place.option] == ["City", "Level"]
    make_contact(book, side.phone(1), first_name="Sara", last_name="Here", options={str(city.pk): "Rome"})
    assert run("push", "Members")["created"] == 1
    assert side.phone(1) in side.people("Members") if side.tells_options else True


def test_one_that_is_at_the_provider_can_be_linked(run: Command, main: ProviderAccount, side: Side) -> None:
    side.make_book("There already")
    side.add("There already", side.phone(1), "Sara There")
    wrong = run("add_phonebook", "Main", "Ours", "--remote-id", "Nobody")
    assert (wrong["exit"], "There already" in wrong["why"], Phonebook.objects.exists()) == (1, True, False)
    made = run("add_phonebook", "Main", "There already", "--remote-id", "There already")
    assert made["id_at_the_provider"] == Phonebook.objects.get().remote_id != ""
    assert run("reconcile", "There already")["only_there"]["count"] == 1
    assert "linked to one here" in run("add_phonebook", "Main", "Second", "--remote-id", "There already")["why"]


class TestWhatIsWrong:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return IPPanelSide(sandbox)

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["Nobody", "New"], "Accounts: Main."),
            (["Main", "Old"], "already exists"),
            (["Main", "x" * 201], "at most 200 characters"),
            (["Main", " "], "cannot be blank"),
            (["Main", "New", "--option", "Nothing"], "There are: City. To make it"),
            (["Main", "New", "--option", "A:text", "--option", "B:colour"], "Kinds: text, integer, date"),
            (["Main", "New", "--option", "A:choice:x|y"], "This provider has no options of the kind “choice”."),
            (["Main", "New", "--option", "City:date"], "of the kind text and not date"),
        ],
    )
    def test_it_is_said_and_nothing_is_kept(
        self, run: Command, main: ProviderAccount, arguments: list[str], complaint: str
    ) -> None:
        make_phonebook(main, title="Old")
        make_option(main, "City")
        result = run("add_phonebook", *arguments)
        assert (result["exit"], complaint in result["why"]) == (1, True), result["why"]
        assert list(Phonebook.objects.values_list("title", flat=True)) == ["Old"]
        assert list(CustomOption.objects.values_list("title", flat=True)) == ["City"]

    def test_places_are_no_matter_of_choice_where_the_provider_gives_ids(
        self, run: Command, main: ProviderAccount
    ) -> None:
        make_phonebook(main, title="Old")
        assert "To tell it, use a custom option" in run("places", "Old", "--put", "company=x")["why"]


class TestKinds:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return CallbellSide(sandbox)

    def test_choices_are_kept_as_the_screens_keep_them(self, run: Command, main: ProviderAccount) -> None:
        made = run(
            "add_option", "Main", "Size", "--kind", "multiple", "--choice", " S ", "--choice", "M", "--choice", "S"
        )
        assert (made["exit"], made["choices"]) == (0, ["S", "M"])
        assert "at least one allowed value" in run("add_option", "Main", "Colour", "--kind", "choice")["why"]
        assert (
            "no choice may have them" in run("add_option", "Main", "X", "--kind", "multiple", "--choice", "a;b")["why"]
        )
        assert "already exists" in run("add_option", "Main", "Size")["why"]
        assert CustomOption.objects.get().choices == ["S", "M"]

    def test_one_argument_can_say_them_all(self, run: Command, main: ProviderAccount) -> None:
        run("add_phonebook", "Main", "News", "--option", "Taste: multiple :Vino|Pane")
        option = CustomOption.objects.get()
        assert (option.title, option.kind, option.choices) == ("Taste", "multiple", ["Vino", "Pane"])


class TestPlaces:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return Lox24Side(sandbox)

    def test_they_are_proposed_saved_and_taken_back(self, run: Command, main: ProviderAccount) -> None:
        run("add_phonebook", "Main", "Kunden", "--option", "Ort:text", "--option", "Nummer:text")
        proposed = run("places", "Kunden")
        assert {row["what"]: row["is_saved"] for row in proposed["places"]} == {
            "first name": False, "last name": False, "Ort": False, "Nummer": False,
        }  # fmt: skip
        saved = run("places", "Kunden", "--put", "Ort=e", "--put", "first_name=a", "--put", "Nummer=")
        assert saved["exit"] == 0, saved
        rows = PhonebookOption.objects.values_list("option__title", "field", "slot", "stays_here")
        assert set(rows) == {("Ort", "", "e", False), (None, "first_name", "a", False), ("Nummer", "", "", True)}
        assert [row["what"] for row in saved["not_told"]] == ["Nummer"]

    def test_what_is_wrong_is_said(self, run: Command, main: ProviderAccount) -> None:
        run("add_phonebook", "Main", "Kunden", "--option", "Ort:text")
        assert "WHAT=PLACE" in run("places", "Kunden", "--put", "Ort")["why"]
        assert "There are: Ort, prefix, first_name" in run("places", "Kunden", "--put", "Stadt=a")["why"]
        assert "Its places are: a, b, c, d, e." in run("places", "Kunden", "--put", "Ort=f")["why"]
