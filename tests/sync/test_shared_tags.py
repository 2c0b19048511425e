"""At Callbell a phonebook is a tag: deleting somebody from one leaves the person, the other tags and the conversation."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from contactsync.models import Call, Contact, Phonebook, ProviderAccount, Run, RunItem
from contactsync.sync import executor, lifecycle, planner, reconcile
from contactsync.sync.connect import open_provider
from contactsync.sync.renumber import make_new_contacts
from providers.exceptions import NotFound
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_phonebook
from tests.sync.conftest import carry_out, plan_push, push
from tests.sync.sides import CallbellSide
from tests.sync.test_killed import EVERY, Bomb, Killed, armed, first_fuse, recover

pytestmark = pytest.mark.django_db
NEWS, CALLBACK = "Newsletter", "Callback"


@pytest.fixture
def side(sandbox: SandboxServer) -> CallbellSide:
    return CallbellSide(sandbox)


@pytest.fixture
def account(side: CallbellSide) -> ProviderAccount:
    account = side.account()
    account.settings = {"connect_timeout": 1, "read_timeout": 1}
    account.save()
    return account


@pytest.fixture
def news(side: CallbellSide, account: ProviderAccount) -> Phonebook:
    """Two people, of whom the first is in another phonebook too; both have written."""
    book, other = make_phonebook(account, title=NEWS), make_phonebook(account, title=CALLBACK)
    for number in (1, 2):
        make_contact(book, side.phone(number), first_name="Sara")
        side.state.receive(side.phone(number), "Ciao", makes_contact=False)
    make_contact(other, side.phone(1), first_name="Sara")
    push(book)
    push(other)
    book.refresh_from_db()
    return book


def delete_here(book: Phonebook) -> None:
    book.contacts.update(deleted_at=timezone.now())


def last_received(account: ProviderAccount, remote_id: str) -> dt.datetime | None:
    with open_provider(account) as provider:
        return provider.last_received(remote_id)


def test_who_is_in_two_phonebooks_stays_and_who_is_in_one_is_destroyed(
    side: CallbellSide, account: ProviderAccount, news: Phonebook
) -> None:
    both, one = (side.state.contact(side.phone(number)) for number in (1, 2))
    delete_here(news)
    run = push(news)
    assert (run.state, run.counts["deleted"]) == (Run.State.FINISHED, 2), run.error_text
    assert run.counts["balances"]
    assert set(side.state.contacts) == {both.uuid}
    assert both.tags == [CALLBACK]
    assert last_received(account, both.uuid) is not None
    with pytest.raises(NotFound):
        last_received(account, one.uuid)
    assert not news.contacts.exists()
    assert {call.request_line.split()[0] for call in run.calls.all()} == {"PATCH", "DELETE"}
    other = account.phonebooks.get(title=CALLBACK)
    assert [plan_push(book).plan["calls"] for book in (news, other)] == [0, 0]
    assert other.contacts.get().remote_id == both.uuid


def test_the_plan_tells_who_only_loses_the_tag_and_who_is_destroyed(side: CallbellSide, news: Phonebook) -> None:
    delete_here(news)
    asked = len(side.sandbox.requests)
    run = plan_push(news)
    assert (run.plan["delete"], run.plan["loses_tag"], run.plan["destroyed"]) == (2, 1, 1)
    assert {item.phone: item.changes for item in run.items.all()} == {
        side.phone(1): {"tags": [[NEWS, CALLBACK], [CALLBACK]]},
        side.phone(2): {"tags": [[NEWS], []]},
    }
    assert not [row for row in side.sandbox.requests[asked:] if row.path.startswith("/contacts/")]


def test_who_is_gone_there_already_is_counted_as_neither(side: CallbellSide, news: Phonebook) -> None:
    side.remove(NEWS, side.phone(2))
    delete_here(news)
    plan = plan_push(news).plan
    assert (plan["delete"], plan["loses_tag"], plan.get("destroyed")) == (2, 1, None)


def test_a_comparison_tells_the_same_of_strangers(side: CallbellSide, news: Phonebook) -> None:
    side.state.contact(side.phone(2)).tags.append("VIP")
    news.contacts.all().delete()
    side.add(NEWS, side.phone(5), "Only There")
    pulled = carry_out(planner.create_pull_run(news))
    assert reconcile.decide(pulled, RunItem.Decision.DELETE_THERE) == 3
    run = reconcile.create_reconcile_run(pulled)
    planner.plan(run.pk)
    run.refresh_from_db()
    assert (run.plan["delete"], run.plan["loses_tag"], run.plan["destroyed"]) == (3, 2, 1)


def test_a_tag_made_by_hand_stays(side: CallbellSide, news: Phonebook) -> None:
    held = side.state.contact(side.phone(2))
    held.tags.append("VIP")
    delete_here(news)
    push(news)
    assert held.uuid in side.state.contacts
    assert held.tags == ["VIP"]


@pytest.mark.parametrize("kind", ["status_500", "hang", "reset_before", "reset_after", "truncated", "html", "empty"])
@pytest.mark.parametrize("is_carried_out", [True, False])
def test_after_an_unclear_answer_it_is_done_once(
    side: CallbellSide, news: Phonebook, kind: str, is_carried_out: bool
) -> None:
    held = side.state.contact(side.phone(1))
    delete_here(news)
    fault = side.sandbox.fault(
        kind, "PATCH /contacts", processed=is_carried_out, seconds=20.0 if kind == "hang" else 0.0
    )
    run = push(news)
    assert fault.hits == 1
    assert run.state == Run.State.FINISHED, run.error_text
    assert held.tags == [CALLBACK]
    assert held.uuid in side.state.contacts
    assert not news.contacts.exists()
    assert set(run.calls.values_list("state", flat=True)) == {Call.State.ACCEPTED}
    patches = [row for row in side.sandbox.requests_to("PATCH /contacts") if row.json == {"tags": [CALLBACK]}]
    assert len(patches) == (1 if is_carried_out else 2)


@pytest.mark.parametrize("kind", ["status_500", "hang", "status_429", "empty"])
def test_nobody_is_touched_before_their_tags_are_known(side: CallbellSide, news: Phonebook, kind: str) -> None:
    held = side.state.contact(side.phone(1))
    delete_here(news)
    fault = side.sandbox.fault(kind, f"GET /contacts/{held.uuid}", seconds=20.0 if kind == "hang" else 0.0)
    run = push(news)
    assert (fault.hits, run.state) == (1, Run.State.FINISHED), run.error_text
    assert held.tags == [CALLBACK]
    assert held.uuid in side.state.contacts


def test_a_tag_that_callbell_keeps_is_told_and_done_once_it_is_taken_away_by_hand(
    side: CallbellSide, news: Phonebook
) -> None:
    side.state.quirks.add("updates_merge")
    held = side.state.contact(side.phone(1))
    delete_here(news)
    run = push(news)
    item = run.items.get(phone=side.phone(1))
    assert item.state == RunItem.State.FAILED
    assert "Take it away in Callbell's dashboard" in item.error_text
    assert Contact.objects.get(phonebook=news).deleted_at is not None
    held.tags.remove(NEWS)
    run = push(news)
    assert (run.state, run.plan["delete"], run.plan["calls"]) == (Run.State.FINISHED, 1, 0)
    assert not news.contacts.exists()
    assert held.uuid in side.state.contacts


def test_the_old_contact_of_a_changed_number_keeps_its_other_tags(side: CallbellSide, news: Phonebook) -> None:
    held = side.state.contact(side.phone(1))
    news.contacts.filter(phone=side.phone(1)).update(phone=side.phone(3))
    why = plan_push(news).items.get(operation=RunItem.Operation.CANNOT).error_text
    assert "the old one is deleted from this phonebook there" in why
    assert make_new_contacts(news.contacts.select_related("phonebook__account")) == 1
    run = push(news)
    assert (run.state, run.counts["created"], run.counts["deleted"]) == (Run.State.FINISHED, 1, 1)
    assert held.tags == [CALLBACK]
    assert set(side.people(NEWS)) == {side.phone(2), side.phone(3)}


@pytest.mark.django_db(transaction=True)
def test_killed_anywhere_the_next_worker_finishes(
    side: CallbellSide, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = make_phonebook(account, title=NEWS)
    fuse = first_fuse() - EVERY
    while True:
        fuse += EVERY
        make_contact(book, side.phone(fuse), first_name="Sara")
        push(book)
        held = side.state.contact(side.phone(fuse))
        held.tags.append("VIP")
        delete_here(book)
        run = plan_push(book)
        lifecycle.approve(run)
        bomb = Bomb(fuse)
        try:
            with armed(bomb, monkeypatch):
                executor.execute(run.pk)
        except Killed:
            recover(run)
        run.refresh_from_db()
        assert run.state == Run.State.FINISHED, run.error_text
        assert held.uuid in side.state.contacts
        assert held.tags == ["VIP"]
        assert not book.contacts.exists()
        if bomb.events < fuse:
            break
    assert bomb.events > 5
