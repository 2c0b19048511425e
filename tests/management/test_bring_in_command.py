"""bring_in: what is there is shown, and comes in by its id or its title."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contactsync.models import Phonebook, ProviderAccount, Run
from providers.sandbox import SandboxServer
from tests.sync.sides import CallbellSide, Lox24Side, Side

Command = Callable[..., dict[str, Any]]
TITLE = "Clienti Italia"


@pytest.fixture
def filled(main: ProviderAccount, side: Side) -> Side:
    side.make_book(TITLE)
    for number in range(3):
        side.add(TITLE, side.phone(number), f"First{number} Last{number}", f"City {number}")
    return side


def test_what_is_there_is_listed_and_one_comes_in(run: Command, filled: Side) -> None:
    (offered,) = [book for book in run("bring_in", "Main", "--list")["phonebooks"] if book["title"] == TITLE]
    assert not offered["is_here"]
    assert not Run.objects.exists()
    result = run("bring_in", "Main", offered["id"])
    assert (result["exit"], result["state"], result["done"], result["balances"]) == (0, "finished", 3, True), result
    assert Phonebook.objects.get().contacts.count() == 3
    assert run("bring_in", "Main", "--list")["phonebooks"][0]["is_here"]
    assert "here already" in run("bring_in", "Main", TITLE)["why"]
    assert not filled.sandbox.changing_requests


def test_a_wrong_name_is_said_with_what_there_is(run: Command, filled: Side) -> None:
    result = run("bring_in", "Main", "Clienti Francia")
    assert result["exit"] == 1
    assert "“Clienti Francia” at the provider" in result["why"]
    assert TITLE in result["why"]
    assert not Run.objects.exists()


def test_which_phonebook_must_be_said(run: Command, main: ProviderAccount) -> None:
    assert "--list" in run("bring_in", "Main")["why"]
    assert "Accounts: Main." in run("bring_in", "Second", "--list")["why"]


class TestAtLox24:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return Lox24Side(sandbox)

    def test_of_two_with_one_title_the_id_decides(self, run: Command, filled: Side) -> None:
        filled.make_book("Second")
        filled.state.group("Second").name = TITLE
        why = run("bring_in", "Main", TITLE)["why"]
        assert "Give the id of one" in why
        ids = [book["id"] for book in run("bring_in", "Main", "--list")["phonebooks"]]
        assert all(remote_id in why for remote_id in ids)
        assert run("bring_in", "Main", ids[0])["exit"] == 0


class TestAtCallbell:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return CallbellSide(sandbox)

    def test_a_tag_that_was_not_seen_needs_a_word_of_its_own(self, run: Command, filled: Side) -> None:
        filled.make_book("Rare")
        assert "--unlisted" in run("bring_in", "Main", "Rare")["why"]
        assert run("bring_in", "Main", "Rare", "--unlisted")["state"] == "finished"
        assert Phonebook.objects.get().remote_id == "Rare"
