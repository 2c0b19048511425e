"""remove_phonebook, remove_option, delete_contacts: the plan, the question, the deed."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contactsync.models import Phonebook, ProviderAccount, Run
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import push
from tests.sync.sides import SIDES, IPPanelSide, Side

Command = Callable[..., dict[str, Any]]
TITLE = "Customers of the town"


@pytest.fixture
def book(main: ProviderAccount, side: Side) -> Phonebook:
    """Three contacts here and at the provider."""
    side.prepare(TITLE)
    book = make_phonebook(main, title=TITLE, options=(make_option(main, "City"),))
    for number in range(3):
        make_contact(book, side.phone(number), first_name="Sara")
    push(book)
    book.refresh_from_db()
    return book


def changes(side: Side) -> int:
    return len(side.sandbox.changing_requests)


def test_where_nobody_can_be_asked_nothing_is_planned(run: Command, book: Phonebook, side: Side) -> None:
    before, runs = changes(side), Run.objects.count()
    if side.slug != "callbell":
        assert "Add --yes" in run("remove_phonebook", TITLE)["why"]
    assert "Add --yes" in run("delete_contacts", TITLE, "--phone", side.phone(1))["why"]
    assert (changes(side), Run.objects.count()) == (before, runs)


def test_a_phonebook_is_removed_there_and_stays_here(run: Command, book: Phonebook, side: Side) -> None:
    if side.slug == "callbell":
        result = run("remove_phonebook", TITLE, "--yes")
        assert (result["exit"], result["why"].startswith("Callbell has no phonebooks")) == (1, True)
        assert not Run.objects.filter(kind=Run.Kind.REMOVE).exists()
        return
    shown = run("remove_phonebook", TITLE, "--dry-run")
    assert (shown["exit"], shown["state"], shown["plan"]["contacts_here"]) == (0, "discarded", 3)
    assert "with all contacts in it" in shown["plan"]["meaning"]
    assert len(side.people(TITLE)) == 3
    done = run("remove_phonebook", TITLE, "--account", "Main", "--yes")
    assert (done["exit"], done["state"], done["balances"]) == (0, "finished", True)
    book.refresh_from_db()
    assert (book.remote_id, book.contacts.count()) == ("", 3)
    assert "nothing to remove" in run("remove_phonebook", TITLE, "--yes")["why"]


def test_contacts_are_deleted_by_numbers_in_any_form(run: Command, book: Phonebook, side: Side, tmp_path: Path) -> None:
    file = tmp_path / "leaving.csv"
    spaced = side.phone(2).replace("+", "00", 1)
    file.write_text(
        f"Phone number;why\n{spaced[:6]} {spaced[6:]};moved\n\n{side.phone(7)};gone\n", encoding="utf-8-sig"
    )
    result = run("delete_contacts", TITLE, "--file", file, "--phone", side.phone(0), "--yes")
    assert (result["exit"], result["deleted"], result["not_in_the_phonebook"]) == (0, 2, 1), result
    assert set(side.people(TITLE)) == {side.phone(1)}
    assert [contact.phone for contact in book.contacts.all()] == [side.phone(1)]


def test_a_no_leaves_everything_as_it_is(
    run: Command, book: Phonebook, side: Side, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = answer("n")
    before = changes(side)
    result = run("delete_contacts", TITLE, "--phone", side.phone(1))
    assert (result["exit"], result["why"]) == (1, "Nothing was done; the plan was thrown away.")
    assert asked == ["Carry this plan out? [y/N] "]
    assert "delete: 1" in capsys.readouterr().err
    assert changes(side) == before
    assert book.contacts.filter(deleted_at=None).count() == 3
    assert Run.objects.get(kind=Run.Kind.DELETE).state == Run.State.DISCARDED


def test_a_yes_carries_it_out(run: Command, book: Phonebook, side: Side, answer: Any) -> None:
    answer("y")
    assert run("delete_contacts", TITLE, "--phone", side.phone(1))["deleted"] == 1
    assert side.phone(1) not in side.people(TITLE)


class TestAtIPPanel:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return IPPanelSide(sandbox)

    def test_an_option_is_removed_there_and_stays_here(self, run: Command, book: Phonebook, side: Side) -> None:
        result = run("remove_option", "City", "--yes")
        assert (result["exit"], result["state"]) == (0, "finished"), result
        assert not side.state.options
        assert book.options.get().remote_key == ""

    def test_wrong_numbers_are_named_with_their_place(
        self, run: Command, book: Phonebook, side: Side, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{side.phone(1)}\n12\n"))
        why = run("delete_contacts", TITLE, "--file", "-", "--yes")["why"]
        assert "line 2, “12”: The number has too few digits." in why
        assert not Run.objects.filter(kind=Run.Kind.DELETE).exists()

    def test_what_is_not_there_is_named_with_what_is(self, run: Command, book: Phonebook, tmp_path: Path) -> None:
        assert f"There are: {TITLE}." in run("remove_phonebook", "Nobody", "--yes")["why"]
        assert "There are: City." in run("remove_option", "Nothing", "--yes")["why"]
        assert "Accounts: Main." in run("remove_option", "City", "--account", "Other", "--yes")["why"]
        assert "None of these numbers" in run("delete_contacts", TITLE, "--phone", "09129999999", "--yes")["why"]
        assert "Say whom" in run("delete_contacts", TITLE, "--yes")["why"]
        assert "cannot be read" in run("delete_contacts", TITLE, "--file", tmp_path / "no.csv", "--yes")["why"]


class TestWhereOptionsAreNotRemoved:
    @pytest.fixture(params=["atomtelecom", "callbell", "lox24"])
    def side(self, request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
        return SIDES[request.param](sandbox)

    def test_it_is_refused_with_the_reason(self, run: Command, book: Phonebook, side: Side) -> None:
        before = changes(side)
        why = run("remove_option", "City", "--yes")["why"]
        assert any(words in why for words in ("fixed places", "fixed columns", "dashboard only"))
        assert changes(side) == before
