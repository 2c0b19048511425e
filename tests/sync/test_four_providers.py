"""The main job at each provider: 2,000 contacts there, some changed, some deleted, both sides agree, and no call too many."""

from __future__ import annotations

from collections import Counter

import pytest
from django.utils import timezone

from contactsync.models import Contact, CustomOption, Phonebook, Run, RunItem
from contactsync.sync import lifecycle, planner
from contactsync.sync.connect import capabilities
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, plan_push, push
from tests.sync.sides import SIDES, Lox24Side, Side, ours

pytestmark = pytest.mark.django_db
TITLE = "Newsletter of the town"
CONTACTS, CHANGED, DELETED = 2000, 100, 50


@pytest.fixture(params=sorted(SIDES))
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    made: Side = SIDES[request.param](sandbox)
    made.prepare(TITLE)
    return made


@pytest.fixture
def city(side: Side) -> CustomOption:
    return make_option(side.account(), "City")


@pytest.fixture
def phonebook(city: CustomOption) -> Phonebook:
    return make_phonebook(city.account, title=TITLE, options=(city,))


def fill(side: Side, phonebook: Phonebook, city: CustomOption, contacts: int) -> None:
    rows = [
        Contact(
            phonebook=phonebook,
            phone=side.phone(number),
            first_name=f"First{number}",
            last_name=f"Last{number}",
            options={str(city.pk): f"City {number % 50}"},
        )
        for number in range(contacts)
    ]
    for row in rows:
        row.refresh_state()
    Contact.objects.bulk_create(rows)


def calls_by_operation(run: Run) -> Counter[str]:
    return Counter(run.calls.values_list("operation", flat=True))


def pull(phonebook: Phonebook) -> Run:
    phonebook.refresh_from_db()
    return carry_out(planner.create_pull_run(phonebook))


def test_two_thousand_contacts_are_pushed_changed_deleted_and_agree(
    side: Side, phonebook: Phonebook, city: CustomOption
) -> None:
    limits = capabilities(phonebook.account)
    fill(side, phonebook, city, CONTACTS)
    run = push(phonebook)
    assert run.state == Run.State.FINISHED, (run.error_text, run.counts)
    assert (run.counts["created"], run.counts["balances"]) == (CONTACTS, True)
    assert side.people(TITLE) == ours(phonebook, city)

    for contact in phonebook.contacts.order_by("pk")[:CHANGED]:
        contact.first_name = f"Changed {contact.first_name}"
        contact.save()
    deleted = phonebook.contacts.order_by("-pk").values("pk")[:DELETED]
    Contact.objects.filter(pk__in=deleted).update(deleted_at=timezone.now())
    before = side.sandbox.requests[-1].number
    run = push(phonebook)
    assert run.state == Run.State.FINISHED, (run.error_text, run.counts)
    changing = [request for request in side.sandbox.changing_requests if request.number > before]
    assert len(changing) == CHANGED + -(-DELETED // limits.max_delete_batch)
    assert calls_by_operation(run) == {
        "update_contact": CHANGED,
        "delete_contacts": -(-DELETED // limits.max_delete_batch),
    }
    assert side.people(TITLE) == ours(phonebook, city)

    pulled = pull(phonebook)
    assert (pulled.state, pulled.counts["present"]) == (Run.State.FINISHED, CONTACTS - DELETED)
    different = pulled.items.exclude(operation=RunItem.Operation.OPTED_OUT)  # some numbers are born so in the sandbox
    assert not list(different.values("phone", "operation", "changes", "error")[:3])
    assert set(phonebook.contacts.values_list("sync_state", flat=True)) == {Contact.SyncState.SYNCED}
    assert plan_push(phonebook).plan["calls"] == 0


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "status_500", "hang"])
def test_nobody_is_added_twice_after_an_unclear_answer(
    side: Side, phonebook: Phonebook, city: CustomOption, fault: str
) -> None:
    phonebook.account.settings["read_timeout"] = 1
    phonebook.account.save()
    push(phonebook)
    fill(side, phonebook, city, 4)
    run = plan_push(phonebook)
    lifecycle.approve(run)
    met = side.sandbox.fault(fault, side.create_path)
    run = carry_out(run)
    assert met.hits == 1
    assert run.state == Run.State.FINISHED, (run.error_text, list(run.items.values("state", "error")))
    assert side.people(TITLE) == ours(phonebook, city)


def test_whoever_is_gone_there_is_missing_and_not_added_again(
    side: Side, phonebook: Phonebook, city: CustomOption
) -> None:
    fill(side, phonebook, city, 3)
    push(phonebook)
    side.remove(TITLE, side.phone(1))
    run = plan_push(phonebook)
    assert (run.plan["create"], run.plan["cannot"]) == (0, 1)
    assert phonebook.contacts.get(phone=side.phone(1)).sync_state == Contact.SyncState.MISSING
    assert pull(phonebook).counts["missing"] == 1
    assert side.phone(1) not in side.people(TITLE)


def test_what_others_add_and_change_there_is_found_by_a_pull(
    side: Side, phonebook: Phonebook, city: CustomOption
) -> None:
    fill(side, phonebook, city, 2)
    push(phonebook)
    side.remove(TITLE, side.phone(0))
    side.add(TITLE, side.phone(0), "Some Body", "City 0")
    side.add(TITLE, side.phone(9), "New Body")
    run = pull(phonebook)
    found = {item.phone: item.operation for item in run.items.all()}
    assert found[side.phone(9)] == "only_there"
    # Under a new id it is a stranger, and ours is gone.
    assert {item.operation for item in run.items.filter(phone=side.phone(0))} == {"only_here", "only_there"}


def test_a_group_with_a_number_twice_is_read_without_harm(sandbox: SandboxServer) -> None:
    side = Lox24Side(sandbox)
    option = make_option(side.account(), "City")
    phonebook = make_phonebook(option.account, title=TITLE, options=(option,))
    make_contact(phonebook, side.phone(1), first_name="Sara")
    push(phonebook)
    side.add(TITLE, side.phone(1), "Second One")
    assert plan_push(phonebook).plan["calls"] == 0
    run = pull(phonebook)
    twin = run.items.get()
    assert (twin.operation, "more than once" in twin.error_text) == ("only_there", True)
