"""Somebody edits a contact at the provider between plan and execution: their edit is not written over."""

from __future__ import annotations

import pytest

from contactsync.models import Call, Contact, Phonebook, Run, RunItem
from contactsync.models.reasons import describe
from contactsync.sync import drift, lifecycle
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_phonebook
from tests.sync.conftest import carry_out, plan_push, push
from tests.sync.sides import SIDES, Side

pytestmark = pytest.mark.django_db
TITLE = "Newsletter of the town"


@pytest.fixture(params=sorted(SIDES))
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    made: Side = SIDES[request.param](sandbox)
    return made


def pushed_book(side: Side, size: int) -> Phonebook:
    side.prepare(TITLE)
    book = make_phonebook(side.account(), title=TITLE)
    for number in range(size):
        make_contact(book, side.phone(number), first_name="Sara", last_name="Before")
    push(book)
    book.refresh_from_db()
    return book


def edit_here(book: Phonebook) -> None:
    for contact in Contact.objects.filter(phonebook=book):
        contact.last_name = "Here"
        contact.save()


def approved(book: Phonebook) -> Run:
    run = plan_push(book)
    lifecycle.approve(run)
    return run


@pytest.mark.parametrize("size", [2, drift.FEW + 2], ids=["a few", "many"])
def test_what_was_edited_there_since_the_plan_is_left_and_planned_again(side: Side, size: int) -> None:
    book = pushed_book(side, size)
    edit_here(book)
    run = approved(book)
    side.change(TITLE, side.phone(1), name="Sara There", city="")
    run = carry_out(run)

    names = {phone: name for phone, (name, _city) in side.people(TITLE).items()}
    assert names.pop(side.phone(1)) == "Sara There"
    assert set(names.values()) == {"Sara Here"}
    left = run.items.get(phone=side.phone(1))
    assert (left.state, left.error_text) == (RunItem.State.NOT_ATTEMPTED, describe({"message": drift.CHANGED_THERE}))
    assert left.call is not None
    assert left.call.state == Call.State.NOT_SENT
    assert (run.counts["done"], run.counts["balances"]) == (size - 1, True)

    again = plan_push(book)
    (shown,) = again.items.get().changes.values()
    assert shown in (["There", "Here"], ["Sara There", "Sara Here"])
    lifecycle.approve(again)
    assert carry_out(again).state == Run.State.FINISHED
    assert side.people(TITLE)[side.phone(1)][0] == "Sara Here"


def test_an_edit_there_to_what_is_planned_is_no_hindrance(side: Side) -> None:
    book = pushed_book(side, 2)
    edit_here(book)
    run = approved(book)
    side.change(TITLE, side.phone(1), name="Sara Here", city="")
    assert carry_out(run).state == Run.State.FINISHED
    assert {name for name, _city in side.people(TITLE).values()} == {"Sara Here"}
