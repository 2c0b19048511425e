"""The same decisions at each provider, and a worker that is killed anywhere while it carries them out."""

from __future__ import annotations

import pytest

from contactsync.models import Call, Contact, CustomOption, Phonebook, Run, RunItem, Suppression
from contactsync.sync import executor, lifecycle, planner, reconcile
from contactsync.sync import pull as pull_module
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, plan_push, push
from tests.sync.sides import SIDES, AtomSide, IPPanelSide, Lox24Side, Side, ours
from tests.sync.test_killed import EVERY, Bomb, Killed, armed, first_fuse, recover

pytestmark = pytest.mark.django_db
TITLE = "Newsletter of the town"
KEPT, TAKEN, GONE, HERE, THERE, STRAY = range(6)

Decision = RunItem.Decision


@pytest.fixture(params=sorted(SIDES))
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    made: Side = SIDES[request.param](sandbox)
    return made


def book_that_differs(side: Side, title: str = TITLE) -> tuple[Phonebook, CustomOption]:
    """One of each kind of difference, and two different ones."""
    side.prepare(title)
    account = side.account()
    city = make_option(account, "City")
    book = make_phonebook(account, title=title, options=(city,))
    for number in (KEPT, TAKEN, GONE):
        make_contact(book, side.phone(number), first_name="Sara", last_name="Here", options={str(city.pk): "Rome"})
    push(book)
    make_contact(book, side.phone(HERE), first_name="Only", last_name="Here")
    for number in (KEPT, TAKEN):
        side.change(title, side.phone(number), name="Sara There", city="Milan")
    side.remove(title, side.phone(GONE))
    side.add(title, side.phone(THERE), "Only There", "Turin")
    side.add(title, side.phone(STRAY), "Stray There")
    book.refresh_from_db()
    return book, city


def decided(book: Phonebook, side: Side) -> Run:
    pulled = carry_out(planner.create_pull_run(book))
    decisions = {
        KEPT: Decision.KEEP_OURS,
        TAKEN: Decision.TAKE_THEIRS,
        GONE: Decision.DELETE_HERE,
        HERE: Decision.ADD_THERE,
        THERE: Decision.ADD_HERE,
        STRAY: Decision.DELETE_THERE,
    }
    for number, decision in decisions.items():
        items = pulled.items.filter(phone=side.phone(number))
        assert reconcile.decide(pulled, decision, items=items) == 1, (number, decision)
    return pulled


def planned(pulled: Run) -> Run:
    run = reconcile.create_reconcile_run(pulled)
    planner.plan(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.PLANNED, run.error_text
    return run


def assert_as_decided(side: Side, book: Phonebook, city: CustomOption, run: Run) -> None:
    assert run.state == Run.State.FINISHED, (run.error_text, list(run.items.values("phone", "state", "error")))
    assert (run.counts["planned"], run.counts["done"], run.counts["balances"]) == (6, 6, True)
    there = side.people(book.title)
    assert set(there) == {side.phone(number) for number in (KEPT, TAKEN, HERE, THERE)}
    assert there[side.phone(KEPT)] == ("Sara Here", "Rome")
    here = ours(book, city)
    if side.tells_options:
        assert here == there
        assert set(book.contacts.values_list("sync_state", flat=True)) == {Contact.SyncState.SYNCED}
    else:
        assert {phone: name for phone, (name, _) in here.items()} == {phone: name for phone, (name, _) in there.items()}


def test_every_decision_is_carried_out(side: Side) -> None:
    book, city = book_that_differs(side)
    run = planned(decided(book, side))
    lifecycle.approve(run)
    assert_as_decided(side, book, city, carry_out(run))
    assert not carry_out(planner.create_pull_run(book)).items.exists()
    assert plan_push(book).plan["calls"] == 0


@pytest.mark.django_db(transaction=True)
def test_killed_anywhere_the_next_worker_carries_out_the_rest(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    fuse = first_fuse() - EVERY
    while True:
        fuse += EVERY
        book, city = book_that_differs(side, f"{TITLE} {fuse}")
        run = planned(decided(book, side))
        lifecycle.approve(run)
        bomb = Bomb(fuse)
        try:
            with armed(bomb, monkeypatch):
                executor.execute(run.pk)
        except Killed:
            recover(run)
            assert_as_decided(side, book, city, run)
            assert not Call.objects.filter(state=Call.State.ON_WIRE).exists()
        else:
            break
        if side.slug == "callbell":  # there a number is one contact, whatever the phonebook
            for number in range(6):
                for row in list(side.state.by_phone.get(side.phone(number).removeprefix("+"), [])):
                    side.state.delete_contact(side.state.contacts[row])
    assert bomb.events > 15


def test_values_that_only_single_contacts_tell_are_read_within_bounds(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = AtomSide(sandbox)
    book, _city = book_that_differs(side)
    side.change(TITLE, side.phone(KEPT), name="Sara Here", city="Milan")
    run = carry_out(planner.create_pull_run(book))
    assert run.items.get(phone=side.phone(KEPT)).changes == {"option:City": ["Milan", "Rome"]}
    assert run.counts["details_unread"] == 0
    monkeypatch.setattr(pull_module, "MOST_DETAILS", 3)
    run = carry_out(planner.create_pull_run(book))
    assert run.counts["details_unread"] == 4
    assert not run.items.filter(phone=side.phone(KEPT)).exists()


def test_who_unsubscribed_or_is_blocked_there_is_suppressed_here(sandbox: SandboxServer) -> None:
    side = Lox24Side(sandbox)
    book, _city = book_that_differs(side)
    side.state.unsubscribe(side.phone(KEPT))
    side.state.block("+4915112999999")
    run = carry_out(planner.create_pull_run(book))
    reasons = dict(Suppression.objects.values_list("phone", "reason"))
    assert reasons == {side.phone(KEPT): "Opted out at the provider", "+4915112999999": "Blocked at the provider"}
    assert run.items.get(phone=side.phone(KEPT)).operation == RunItem.Operation.OPTED_OUT


def test_what_cannot_be_read_is_named(sandbox: SandboxServer) -> None:
    assert reconcile.unreadable_fields(book_that_differs(AtomSide(sandbox))[0]) == [
        "prefix", "company", "e-mail", "tags", "assigned user", "note",
    ]  # fmt: skip
    assert "City" in reconcile.unreadable_fields(book_that_differs(IPPanelSide(sandbox))[0])
