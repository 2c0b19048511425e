"""reconcile: the differences in words, and one decision for all lines of a group."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from contactsync.models import Contact, Phonebook, ProviderAccount, Run, RunItem
from contactsync.sync import reconcile as service
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import push
from tests.sync.sides import IPPanelSide, Side

Command = Callable[..., dict[str, Any]]
TITLE = "Newsletter of the town"
CHANGED, GONE, HERE, THERE = range(4)


@pytest.fixture
def book(main: ProviderAccount, side: Side) -> Phonebook:
    """One of each kind of difference."""
    side.prepare(TITLE)
    book = make_phonebook(main, title=TITLE, options=(make_option(main, "City"),))
    for number in (CHANGED, GONE):
        make_contact(book, side.phone(number), first_name="Sara", last_name="Here")
    push(book)
    make_contact(book, side.phone(HERE), first_name="Only", last_name="Here")
    side.change(TITLE, side.phone(CHANGED), name="Sara There", city="")
    side.remove(TITLE, side.phone(GONE))
    side.add(TITLE, side.phone(THERE), "Only There")
    book.refresh_from_db()
    return book


def changes(side: Side) -> int:
    return len(side.sandbox.changing_requests)


def test_the_differences_are_told_and_nothing_is_changed(run: Command, book: Phonebook, side: Side) -> None:
    before = changes(side)
    result = run("reconcile", TITLE)
    assert result["exit"] == 0, result
    told = {
        group: [line["phone"] for line in result[group]["lines"]] for group in ("only_here", "only_there", "different")
    }
    assert told == {
        "only_here": [side.phone(GONE), side.phone(HERE)],
        "only_there": [side.phone(THERE)],
        "different": [side.phone(CHANGED)],
    }
    assert any("There'" in pair for pair in map(str, result["different"]["lines"][0]["changes"].values()))
    assert changes(side) == before
    assert Run.objects.filter(kind=Run.Kind.RECONCILE).count() == 0


def test_ours_is_kept_and_what_is_only_here_goes_there(run: Command, book: Phonebook, side: Side) -> None:
    shown = run("reconcile", TITLE, "--keep-ours", "--add-there", "--delete-there", "--dry-run")
    assert (shown["exit"], shown["decided"]) == (0, 4), shown
    assert (shown["plan"]["update"], shown["plan"]["create"], shown["plan"]["delete"]) == (1, 2, 1)
    assert side.phone(THERE) in side.people(TITLE)
    done = run("reconcile", TITLE, "--last", "--keep-ours", "--add-there", "--delete-there", "--yes")
    assert (done["exit"], done["state"], done["balances"]) == (0, "finished", True), done
    there = {phone: name for phone, (name, _city) in side.people(TITLE).items()}
    assert there == {
        side.phone(CHANGED): "Sara Here",
        side.phone(GONE): "Sara Here",
        side.phone(HERE): "Only Here",
    }


def test_theirs_is_taken_and_what_is_only_there_comes_here(run: Command, book: Phonebook, side: Side) -> None:
    before = changes(side)
    done = run("reconcile", TITLE, "--take-theirs", "--add-here", "--delete-here", "--yes")
    assert (done["exit"], done["state"]) == (0, "finished"), done
    assert changes(side) == before
    names = {contact.phone: contact.full_name for contact in Contact.objects.present()}
    assert names == {side.phone(CHANGED): "Sara There", side.phone(THERE): "Only There"}


class TestTheWords:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return IPPanelSide(sandbox)

    def test_people_read_groups_lines_and_what_cannot_be_compared(self, book: Phonebook, side: Side) -> None:
        out = io.StringIO()
        call_command("reconcile", TITLE, "--lines", "1", stdout=out)
        text = out.getvalue()
        assert "only here: 2\n" in text
        assert "… and 1 more (--lines)" in text
        assert f"  {side.phone(CHANGED)}  Sara Here  name: “Sara There” → “Sara Here”" in text
        assert "not compared, as the provider does not tell it: " in text
        assert "City" in text

    def test_single_numbers_can_be_decided(self, run: Command, book: Phonebook, side: Side) -> None:
        done = run("reconcile", TITLE, "--delete-here", "--phone", side.phone(GONE).replace("+98", "0"), "--yes")
        assert (done["exit"], done["decided"]) == (0, 1), done
        assert set(book.contacts.values_list("phone", flat=True)) == {side.phone(CHANGED), side.phone(HERE)}
        other = run("reconcile", TITLE, "--delete-here", "--phone", side.phone(THERE), "--yes")
        assert (other["exit"], other["why"]) == (1, "None of these numbers is among those differences.")

    def test_what_a_person_decides_in_the_browser_is_left_to_them(self, run: Command, book: Phonebook) -> None:
        pull = Run.objects.get(pk=run("reconcile", TITLE)["pull"])
        service.decide(pull, RunItem.Decision.DELETE_HERE)
        assert "Somebody is deciding" in run("reconcile", TITLE, "--last", "--add-here", "--yes")["why"]
        assert pull.items.filter(decision="delete_here").count() == 2

    def test_a_no_leaves_no_decision_behind(
        self, run: Command, book: Phonebook, side: Side, answer: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answer("")
        assert "thrown away" in run("reconcile", TITLE, "--delete-here")["why"]
        assert f"only here: 2\n  {side.phone(GONE)}" in capsys.readouterr().err
        pull = Run.objects.filter(kind=Run.Kind.PULL).latest("pk")
        assert not pull.items.exclude(decision="").exists()
        assert book.contacts.count() == 3

    def test_refusals(self, run: Command, book: Phonebook) -> None:
        pulls = Run.objects.filter(kind=Run.Kind.PULL)
        assert "Add --yes" in run("reconcile", TITLE, "--keep-ours")["why"]
        assert "--keep-ours, --take-theirs" in run("reconcile", TITLE, "--yes")["why"]
        assert "not been pulled yet" in run("reconcile", TITLE, "--last")["why"]
        assert f"There are: {TITLE}." in run("reconcile", "Nobody")["why"]
        assert not pulls.exists()

    def test_a_phonebook_that_is_not_there_is_said(self, run: Command, main: ProviderAccount) -> None:
        make_phonebook(main, title="New")
        assert "Push it first" in run("reconcile", "New")["why"]

    def test_where_nothing_differs_nothing_is_planned(self, run: Command, main: ProviderAccount, side: Side) -> None:
        book = make_phonebook(main, title="Same")
        make_contact(book, side.phone(9))
        push(book)
        result = run("reconcile", "Same", "--keep-ours", "--yes")
        assert (result["exit"], result["decided"]) == (0, 0)
