"""A worker is killed anywhere in a push to any of the providers: nobody is added twice, and nothing is left undone."""

from __future__ import annotations

import pytest
from django.utils import timezone

from contactsync.models import Call, Contact, CustomOption, Phonebook, Run
from contactsync.sync import executor, lifecycle
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import plan_push, push
from tests.sync.sides import SIDES, Side, ours
from tests.sync.test_killed import EVERY, Bomb, Killed, armed, first_fuse, recover

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["atomtelecom", "callbell", "lox24"])
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    made: Side = SIDES[request.param](sandbox)
    return made


def everything_to_do(side: Side, title: str, first: int) -> tuple[Phonebook, CustomOption]:
    """Three to add, of whom one is there by then, one to change, one to delete."""
    side.prepare(title)
    account = side.account()
    city = make_option(account, "City")
    book = make_phonebook(account, title=title, options=(city,))

    def contact(number: int) -> Contact:
        options = {str(city.pk): f"City {number}"}
        return make_contact(book, side.phone(first + number), first_name="Sara", last_name="Here", options=options)

    changed, _deleted = contact(0), contact(1)
    push(book)
    book.refresh_from_db()
    changed.refresh_from_db()
    changed.first_name = "Changed"
    changed.save()
    book.contacts.filter(phone=side.phone(first + 1)).update(deleted_at=timezone.now())
    for number in (2, 3, 4):
        contact(number)
    return book, city


def test_killed_anywhere_in_a_push_the_next_worker_finishes(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    fuse = first_fuse() - EVERY
    while True:
        fuse += EVERY
        book, city = everything_to_do(side, f"book {fuse}", fuse * 10)
        run = plan_push(book)
        assert (run.plan["create"], run.plan["update"], run.plan["delete"]) == (3, 1, 1), run.error_text
        side.add(book.title, side.phone(fuse * 10 + 4), "By Then")
        lifecycle.approve(run)
        bomb = Bomb(fuse)
        try:
            with armed(bomb, monkeypatch):
                executor.execute(run.pk)
        except Killed:
            recover(run)
        run.refresh_from_db()
        assert_done(side, book, city, run)
        if bomb.events < fuse:
            break
    assert bomb.events > 15


def assert_done(side: Side, book: Phonebook, city: CustomOption, run: Run) -> None:
    assert run.state == Run.State.FINISHED, (run.error_text, list(run.items.values("phone", "state", "error")))
    assert run.counts["balances"]
    assert side.people(book.title) == ours(book, city)
    assert set(book.contacts.values_list("sync_state", flat=True)) == {Contact.SyncState.SYNCED}
    assert not Call.objects.filter(state=Call.State.ON_WIRE).exists()
