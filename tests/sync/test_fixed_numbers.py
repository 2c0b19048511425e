"""Where a number cannot be changed, and where somebody is there already without belonging to the phonebook (Callbell)."""

from __future__ import annotations

import pytest

from contactsync.models import Contact, CustomOption, Phonebook, Run
from contactsync.models.reasons import describe
from contactsync.sync.renumber import make_new_contacts
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import plan_push, push
from tests.sync.sides import CallbellSide

pytestmark = pytest.mark.django_db


@pytest.fixture
def side(sandbox: SandboxServer) -> CallbellSide:
    return CallbellSide(sandbox)


@pytest.fixture
def phonebook(side: CallbellSide) -> Phonebook:
    account = side.account()
    return make_phonebook(account, title="Newsletter", options=(make_option(account, "City"),))


def test_a_changed_number_is_explained_and_becomes_a_new_contact_on_demand(
    side: CallbellSide, phonebook: Phonebook
) -> None:
    contact = make_contact(phonebook, side.phone(1), first_name="Sara")
    push(phonebook)
    contact.refresh_from_db()
    contact.phone = side.phone(2)
    contact.save()
    run = plan_push(phonebook)
    assert (run.plan["cannot"], run.plan["update"]) == (1, 0)
    assert side.phone(1) in run.items.get().error_text
    assert make_new_contacts(phonebook.contacts.all()) == 1
    run = push(phonebook)
    assert (run.state, run.counts["created"], run.counts["deleted"]) == (Run.State.FINISHED, 1, 1)
    assert side.people("Newsletter") == {side.phone(2): ("Sara", "")}
    assert phonebook.contacts.get().sync_state == Contact.SyncState.SYNCED


def test_an_old_number_that_is_another_s_by_now_is_left_alone(side: CallbellSide, phonebook: Phonebook) -> None:
    contact = make_contact(phonebook, side.phone(1), first_name="Sara")
    push(phonebook)
    contact.refresh_from_db()
    contact.phone = side.phone(2)
    contact.save()
    make_contact(phonebook, side.phone(1), first_name="Other")
    assert make_new_contacts(phonebook.contacts.all()) == 0
    contact.refresh_from_db()
    assert contact.remote_id
    assert plan_push(phonebook).plan["delete"] == 0


def test_somebody_who_is_there_without_the_tag_gets_it_and_the_fields(side: CallbellSide, phonebook: Phonebook) -> None:
    side.state.add_contact(side.phone(1), "Old Name", tags=["VIP"], assigned_user="agent@example.org")
    option = phonebook.options.get()
    make_contact(phonebook, side.phone(1), first_name="Sara", options={str(option.pk): "Rome"})
    run = push(phonebook)
    assert run.state == Run.State.FINISHED, list(run.items.values("state", "error"))
    there = side.state.contact(side.phone(1))
    assert (there.name, there.assigned_user, there.custom_fields) == ("Sara", "agent@example.org", {"City": "Rome"})
    assert sorted(there.tags) == ["Newsletter", "VIP"]
    assert plan_push(phonebook).plan["calls"] == 0


def test_names_that_are_not_seen_there_are_warned_of_before_the_first_push(
    side: CallbellSide, phonebook: Phonebook
) -> None:
    make_contact(phonebook, side.phone(1), first_name="Sara")
    (row,) = plan_push(phonebook).plan["places"]
    assert "No contact at the provider shows a field “City”" in describe(row["warnings"][0])
    side.state.add_contact(side.phone(2), "Other", custom_fields={"City": "Rome"})
    (row,) = plan_push(phonebook).plan["places"]
    assert row["warnings"] == []
    CustomOption.objects.update(kind="date")
    (row,) = plan_push(phonebook).plan["places"]
    assert "another kind" in describe(row["warnings"][0])
