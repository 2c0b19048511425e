"""A pull lists what differs; a person decides line by line; the decisions are planned, shown, approved and carried out."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.utils import timezone

from contactsync.models import Contact, Phonebook, ProviderAccount, Run, RunItem, Suppression
from contactsync.sync import lifecycle, planner, reconcile
from contactsync.sync.lifecycle import RunRefused
from providers.backends.ippanel.facts import CAPABILITIES
from providers.sandbox import SandboxServer
from providers.types import Operation
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, plan_push, push
from tests.sync.test_there_already import remove_there

pytestmark = pytest.mark.django_db
HERE, THERE, BOTH, GONE = "+989120000001", "+989120000002", "+989120000003", "+989120000004"

Decision = RunItem.Decision
Kind = RunItem.Operation


@pytest.fixture
def phonebook(sandbox: SandboxServer, account: ProviderAccount) -> Phonebook:
    """One contact only here, one only there, one that differs, and one that is gone there."""
    book = make_phonebook(account)
    make_contact(book, BOTH, first_name="Sara", last_name="Example", email="sara@example.org")
    make_contact(book, GONE, first_name="Gone")
    push(book)
    make_contact(book, HERE, first_name="Here")
    state = sandbox.state("ippanel")
    remote = state.phonebook(book.title)
    state.add_contact(remote, THERE, name="There Also", email="there@example.org")
    there = state.contact(remote, BOTH)
    there.name, there.email = "Sarah Example", ""
    remove_there(sandbox, book.title, GONE)
    book.refresh_from_db()
    return book


def pull(book: Phonebook) -> Run:
    return carry_out(planner.create_pull_run(book))


def item(run: Run, phone: str) -> RunItem:
    return run.items.get(phone=phone)


def plan(pulled: Run) -> Run:
    run = reconcile.create_reconcile_run(pulled)
    planner.plan(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.PLANNED, run.error_text
    return run


def reconciled(pulled: Run) -> Run:
    run = plan(pulled)
    lifecycle.approve(run)
    return carry_out(run)


def there(sandbox: SandboxServer, book: Phonebook, phone: str) -> Any:
    state = sandbox.state("ippanel")
    return state.contact(state.phonebook(book.title), phone)


def test_a_pull_lists_what_is_here_there_and_different(phonebook: Phonebook) -> None:
    run = pull(phonebook)
    assert {row.phone: row.operation for row in run.items.all()} == {
        HERE: Kind.ONLY_HERE, GONE: Kind.ONLY_HERE, THERE: Kind.ONLY_THERE, BOTH: Kind.DIFFERENT,
    }  # fmt: skip
    different = item(run, BOTH)
    assert different.changes == {
        "name": ["Sarah Example", "Sara Example"],
        "email": ["", "sara@example.org"],
    }
    assert item(run, THERE).theirs["email"] == "there@example.org"
    assert (run.counts["only_here"], run.counts["only_there"], run.counts["different"]) == (2, 1, 1)
    assert run.state == Run.State.FINISHED


def test_each_line_may_be_decided_otherwise(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    pulled = pull(phonebook)
    rows = pulled.items
    assert reconcile.decide(pulled, Decision.ADD_THERE, items=rows.filter(phone=HERE)) == 1
    assert reconcile.decide(pulled, Decision.DELETE_HERE, items=rows.filter(phone=GONE)) == 1
    assert reconcile.decide(pulled, Decision.ADD_HERE, operation=Kind.ONLY_THERE) == 1
    assert reconcile.decide(pulled, Decision.TAKE_THEIRS, operation=Kind.DIFFERENT) == 1
    planned = plan(pulled)
    assert (planned.plan["create"], planned.plan["here"], planned.plan["calls"]) == (1, 3, 1)
    assert not phonebook.contacts.filter(phone=THERE).exists()
    lifecycle.approve(planned)
    run = carry_out(planned)
    assert run.state == Run.State.FINISHED, list(run.items.values("phone", "state", "error"))
    assert (run.counts["planned"], run.counts["done"], run.counts["balances"]) == (4, 4, True)
    assert there(sandbox, phonebook, HERE).name == "Here"
    assert not phonebook.contacts.filter(phone=GONE).exists()
    new = phonebook.contacts.get(phone=THERE)
    assert (new.first_name, new.email, new.sync_state) == ("There Also", "there@example.org", Contact.SyncState.SYNCED)
    both = phonebook.contacts.get(phone=BOTH)
    assert (both.first_name, both.last_name, both.email) == ("Sarah", "Example", "")
    again = pull(phonebook)
    assert not again.items.exists()
    assert plan_push(phonebook).plan["calls"] == 0


def test_keeping_ours_and_deleting_there_change_the_provider_only(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    pulled = pull(phonebook)
    reconcile.decide(pulled, Decision.KEEP_OURS, operation=Kind.DIFFERENT)
    reconcile.decide(pulled, Decision.DELETE_THERE, operation=Kind.ONLY_THERE)
    reconcile.decide(pulled, Decision.ADD_THERE, operation=Kind.ONLY_HERE)
    run = reconciled(pulled)
    assert run.state == Run.State.FINISHED, list(run.items.values("phone", "state", "error"))
    assert (there(sandbox, phonebook, BOTH).name, there(sandbox, phonebook, BOTH).email) == (
        "Sara Example",
        "sara@example.org",
    )
    state = sandbox.state("ippanel")
    assert set(state.phonebook(phonebook.title).by_number) == {HERE, BOTH, GONE}
    assert set(phonebook.contacts.values_list("sync_state", flat=True)) == {Contact.SyncState.SYNCED}
    assert not pull(phonebook).items.exists()


def test_keeping_ours_empties_what_is_empty_here(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book, BOTH, first_name="Sara")
    push(book)
    there(sandbox, book, BOTH).email = "extra@example.org"
    book.refresh_from_db()
    pulled = pull(book)
    reconcile.decide(pulled, Decision.KEEP_OURS)
    assert reconciled(pulled).state == Run.State.FINISHED
    assert there(sandbox, book, BOTH).email == ""


def test_suppressing_stops_messages_and_changes_no_side(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    pulled = pull(phonebook)
    reconcile.decide(pulled, Decision.SUPPRESS, items=pulled.items.filter(phone__in=[THERE, GONE]))
    writes = len(sandbox.changing_requests)
    assert reconciled(pulled).state == Run.State.FINISHED
    assert set(Suppression.objects.values_list("phone", flat=True)) == {THERE, GONE}
    assert len(sandbox.changing_requests) == writes


def test_leaving_is_a_decision_and_an_empty_one_takes_it_back(phonebook: Phonebook) -> None:
    pulled = pull(phonebook)
    assert reconcile.decide(pulled, Decision.LEAVE) == 4
    with pytest.raises(RunRefused, match="Nothing was decided"):
        reconcile.create_reconcile_run(pulled)
    assert reconcile.decide(pulled, "") == 4
    assert set(pulled.items.values_list("decision", flat=True)) == {""}


def test_nobody_decides_on_anything_but_a_finished_pull(phonebook: Phonebook) -> None:
    with pytest.raises(RunRefused, match="finished pull"):
        reconcile.decide(planner.create_pull_run(phonebook), Decision.LEAVE)


def test_a_number_that_is_none_is_listed_and_can_only_be_deleted_there(
    sandbox: SandboxServer, phonebook: Phonebook
) -> None:
    state = sandbox.state("ippanel")
    remote = state.phonebook(phonebook.title)
    there(sandbox, phonebook, THERE).number = "no number"
    pulled = pull(phonebook)
    odd = pulled.items.get(operation=Kind.ONLY_THERE)
    assert "no valid phone number" in odd.error_text
    assert reconcile.decide(pulled, Decision.ADD_HERE) == 0
    assert reconcile.decide(pulled, Decision.DELETE_THERE) == 1
    assert reconciled(pulled).state == Run.State.FINISHED
    assert "no number" not in {contact.number for contact in state.contacts_of(remote)}


def test_a_second_one_of_the_same_number_is_listed(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    there(sandbox, phonebook, THERE).number = BOTH
    pulled = pull(phonebook)
    twin = pulled.items.get(operation=Kind.ONLY_THERE)
    assert (twin.phone, "more than once" in twin.error_text) == (BOTH, True)
    reconcile.decide(pulled, Decision.DELETE_THERE, operation=Kind.ONLY_THERE)
    assert reconciled(pulled).state == Run.State.FINISHED
    assert phonebook.contacts.filter(phone=BOTH).exists()


def test_what_was_unsubscribed_there_is_suppressed_and_listed(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    sandbox.state("ippanel").blacklist.add(BOTH)
    pulled = pull(phonebook)
    row = item(pulled, BOTH)
    assert (row.operation, row.state, row.decision) == (Kind.OPTED_OUT, RunItem.State.DONE, Decision.SUPPRESS)
    assert Suppression.objects.filter(phone=BOTH).exists()
    assert reconcile.choices(Kind.OPTED_OUT, CAPABILITIES) == []


def test_a_contact_that_waits_for_its_deletion_may_be_taken_back(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    phonebook.contacts.filter(phone=BOTH).update(deleted_at=timezone.now())
    pulled = pull(phonebook)
    row = item(pulled, BOTH)
    assert row.operation == Kind.ONLY_THERE
    reconcile.decide(pulled, Decision.ADD_HERE, items=pulled.items.filter(phone=BOTH))
    assert reconciled(pulled).state == Run.State.FINISHED
    assert phonebook.contacts.get(phone=BOTH).deleted_at is None


def test_what_changed_on_either_side_since_is_refused_with_the_reason(
    sandbox: SandboxServer, phonebook: Phonebook
) -> None:
    pulled = pull(phonebook)
    reconcile.decide(pulled, Decision.TAKE_THEIRS)
    reconcile.decide(pulled, Decision.ADD_HERE)
    reconcile.decide(pulled, Decision.ADD_THERE)
    there(sandbox, phonebook, BOTH).name = "Third"
    there(sandbox, phonebook, THERE).name = "Other"
    edited = phonebook.contacts.get(phone=HERE)
    edited.first_name = "Edited"
    edited.save()
    run = plan(pulled)
    assert (run.plan["cannot"], run.plan["create"], run.plan["contacts"]) == (3, 1, 4)
    assert "changed at the provider" in item(run, BOTH).error_text
    assert "changed at the provider" in item(run, THERE).error_text
    assert "changed here" in item(run, HERE).error_text


def test_what_changed_here_between_plan_and_execution_is_left(phonebook: Phonebook) -> None:
    pulled = pull(phonebook)
    reconcile.decide(pulled, Decision.TAKE_THEIRS)
    reconcile.decide(pulled, Decision.ADD_HERE)
    run = plan(pulled)
    edited = phonebook.contacts.get(phone=BOTH)
    edited.first_name = "Edited"
    edited.save()
    make_contact(phonebook, THERE)
    lifecycle.approve(run)
    run = carry_out(run)
    assert (run.state, run.counts["not_attempted"], run.counts["balances"]) == (Run.State.ATTENTION, 2, True)
    edited.refresh_from_db()
    assert edited.first_name == "Edited"


def test_a_value_that_does_not_fit_here_is_refused_and_nothing_is_changed(
    sandbox: SandboxServer, phonebook: Phonebook
) -> None:
    there(sandbox, phonebook, BOTH).email = "no address"
    pulled = pull(phonebook)
    reconcile.decide(pulled, Decision.TAKE_THEIRS)
    run = reconciled(pulled)
    assert (run.state, run.counts["failed"]) == (Run.State.ATTENTION, 1)
    assert "could not be taken over" in item(run, BOTH).error_text
    assert phonebook.contacts.get(phone=BOTH).first_name == "Sara"


def test_where_options_are_not_told_nobody_is_called_in_step(sandbox: SandboxServer, account: ProviderAccount) -> None:
    option = make_option(account, "city")
    book = make_phonebook(account, options=(option,))
    push(book)
    state = sandbox.state("ippanel")
    state.add_contact(state.phonebook(book.title), THERE, name="There")
    book.refresh_from_db()
    pulled = pull(book)
    reconcile.decide(pulled, Decision.ADD_HERE)
    assert reconciled(pulled).state == Run.State.FINISHED
    contact = book.contacts.get()
    assert (contact.sync_state, contact.first_name) == (Contact.SyncState.UNKNOWN, "There")
    assert "does not tell every field" in contact.sync_error_text
    assert reconcile.unreadable_fields(book) == ["company", "tags", "assigned user", "note", "city"]


def test_a_newer_plan_takes_the_place_of_an_older_one(phonebook: Phonebook) -> None:
    pulled = pull(phonebook)
    reconcile.decide(pulled, Decision.ADD_HERE)
    old = plan(pulled)
    plan(pulled)
    old.refresh_from_db()
    assert old.state == Run.State.DISCARDED


def test_what_the_provider_cannot_do_is_not_offered() -> None:
    less = dataclasses.replace(
        CAPABILITIES,
        operations=CAPABILITIES.operations
        - {Operation.CREATE_CONTACTS, Operation.UPDATE_CONTACT, Operation.DELETE_CONTACTS},
    )
    assert reconcile.choices(Kind.ONLY_HERE, less) == [Decision.DELETE_HERE, Decision.SUPPRESS, Decision.LEAVE]
    assert reconcile.choices(Kind.ONLY_THERE, less) == [Decision.ADD_HERE, Decision.SUPPRESS, Decision.LEAVE]
    assert reconcile.choices(Kind.DIFFERENT, less) == [Decision.TAKE_THEIRS, Decision.LEAVE]
