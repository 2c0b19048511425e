"""Deleting: only what is marked as deleted here, first there, then here, and the ledger keeps the number."""

from __future__ import annotations

import pytest
from django.utils import timezone

from contactsync.models import Contact, FormerContact, ProviderAccount, Run, RunItem
from contactsync.sync import lifecycle, planner
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_phonebook
from tests.sync.conftest import assert_in_step, carry_out, plan_push, push, remote_contacts
from tests.sync.test_there_already import remove_there

pytestmark = pytest.mark.django_db
PHONE = "+989120000001"


def delete_here(phone: str) -> None:
    Contact.objects.filter(phone=phone).update(deleted_at=timezone.now())


def test_a_contact_deleted_here_is_deleted_there_and_then_here(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    make_contact(book)
    push(book)
    delete_here(PHONE)
    run = push(book)
    assert run.state == Run.State.FINISHED
    assert (run.plan["delete"], run.plan["unchanged"]) == (1, 1)
    assert not Contact.objects.filter(phone=PHONE).exists()
    assert PHONE not in remote_contacts(sandbox, book.title)
    item = run.items.get()
    assert (item.phone, item.contact, item.state) == (PHONE, None, RunItem.State.DONE)
    assert_in_step(sandbox, book)


def test_a_contact_that_was_never_pushed_just_goes(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    delete_here(PHONE)
    run = plan_push(book)
    assert (run.plan["removed"], run.plan["delete"], run.plan["contacts"]) == (1, 0, 0)
    assert not Contact.objects.exists()


def test_what_goes_before_it_was_ever_pushed_leaves_its_number_on_record(account: ProviderAccount) -> None:
    book = make_phonebook(account)
    contact = make_contact(book, PHONE)
    delete_here(PHONE)
    plan_push(book)
    former = FormerContact.objects.get()
    assert (former.former_id, former.phone, former.phonebook) == (contact.pk, PHONE, book)


def test_a_contact_that_a_stopped_run_still_holds_stays_and_does_not_count_as_removed(account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    held = plan_push(book)
    lifecycle.approve(held)
    lifecycle.stop(held)
    delete_here(PHONE)
    run = plan_push(book)
    assert (run.plan["removed"], run.plan["contacts"]) == (0, 0)
    assert held.items.get().contact == Contact.objects.get()
    lifecycle.resume(held)
    assert carry_out(held).items.get().state == RunItem.State.NOT_ATTEMPTED
    assert plan_push(book).plan["removed"] == 1
    assert not Contact.objects.exists()


def test_a_number_that_others_put_there_is_not_deleted(sandbox: SandboxServer, account: ProviderAccount) -> None:
    state = sandbox.state("ippanel")
    state.add_contact(state.add_phonebook("Customers"), PHONE)
    book = make_phonebook(account, title="Customers")
    make_contact(book, PHONE)
    delete_here(PHONE)
    push(book)
    assert PHONE in remote_contacts(sandbox, "Customers")


def test_one_that_is_gone_there_already_needs_no_call(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    push(book)
    remove_there(sandbox, book.title, PHONE)
    delete_here(PHONE)
    run = push(book)
    assert (run.plan["delete"], run.plan["calls"]) == (1, 0)
    assert run.state == Run.State.FINISHED
    assert not Contact.objects.exists()


def test_a_contact_whose_creation_was_never_settled_is_looked_for_before_it_goes(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    contact = make_contact(book, PHONE)
    push(book)
    Contact.objects.filter(pk=contact.pk).update(remote_id="", sync_state=Contact.SyncState.UNKNOWN)
    delete_here(PHONE)
    push(book)
    assert remote_contacts(sandbox, book.title) == {}
    assert not Contact.objects.exists()


def test_one_revived_after_the_plan_is_kept(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    push(book)
    delete_here(PHONE)
    run = plan_push(book)
    Contact.objects.update(deleted_at=None)
    lifecycle.approve(run)
    carry_out(run)
    assert run.items.get().state == RunItem.State.NOT_ATTEMPTED
    assert PHONE in remote_contacts(sandbox, book.title)
    assert_in_step(sandbox, book)


def test_a_delete_run_touches_nothing_before_it_is_approved(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    contact = make_contact(book, PHONE)
    make_contact(book)
    push(book)
    chosen = Contact.objects.filter(pk=contact.pk)
    run = planner.create_delete_run(chosen, user=None)
    planner.plan(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.PLANNED
    assert run.plan["delete"] == 1
    assert not chosen.exclude(deleted_at=None).exists()
    lifecycle.approve(run)
    carry_out(run)
    assert run.state == Run.State.FINISHED
    assert not chosen.exists()
    assert_in_step(sandbox, book)


def test_a_discarded_delete_run_leaves_everything(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    push(book)
    run = planner.create_delete_run(Contact.objects.all(), user=None)
    planner.plan(run.pk)
    run.refresh_from_db()
    lifecycle.discard(run)
    assert plan_push(book).plan["calls"] == 0


def test_contacts_of_several_phonebooks_are_not_deleted_in_one_run(account: ProviderAccount) -> None:
    make_contact(make_phonebook(account))
    make_contact(make_phonebook(account))
    with pytest.raises(lifecycle.RunRefused):
        planner.create_delete_run(Contact.objects.all(), user=None)


def test_a_delete_run_removes_what_was_never_pushed_without_a_call(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    run = planner.create_delete_run(Contact.objects.all(), user=None)
    planner.plan(run.pk)
    run.refresh_from_db()
    lifecycle.approve(run)
    assert carry_out(run).state == Run.State.FINISHED
    assert not Contact.objects.exists()
    assert not sandbox.changing_requests


def test_when_a_batch_of_deletions_is_refused_each_is_tried_by_itself(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    for _ in range(3):
        make_contact(book)
    push(book)
    Contact.objects.update(deleted_at=timezone.now())
    sandbox.fault("status_422", "POST /api/phonebooks/numbers/delete-list")
    run = push(book)
    assert run.state == Run.State.FINISHED
    assert list(run.calls.values_list("state", flat=True)) == ["refused", "accepted", "accepted", "accepted"]
    assert remote_contacts(sandbox, book.title) == {}


def planned_delete() -> Run:
    run = planner.create_delete_run(Contact.objects.filter(phone=PHONE), user=None)
    planner.plan(run.pk)
    run.refresh_from_db()
    return run


def assert_nothing_was_deleted(sandbox: SandboxServer, run: Run) -> None:
    lifecycle.approve(run)
    carry_out(run)
    item = run.items.get()
    assert item.state == RunItem.State.NOT_ATTEMPTED
    assert "Plan again" in item.error_text
    assert run.counts["balances"]
    assert Contact.objects.filter(phone=PHONE).exists()
    assert not sandbox.requests_to("POST /api/phonebooks/numbers/delete-list")


def test_a_contact_that_was_pushed_after_the_delete_plan_is_not_deleted_here_alone(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    run = planned_delete()
    push(book)
    assert_nothing_was_deleted(sandbox, run)
    assert PHONE in remote_contacts(sandbox, book.title)
    push(book)  # it is still marked as deleted, and now its id is known
    assert remote_contacts(sandbox, book.title) == {}
    assert not Contact.objects.exists()


def test_a_contact_that_may_have_been_pushed_after_the_delete_plan_is_not_deleted_here_alone(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    run = planned_delete()
    Contact.objects.update(sync_state=Contact.SyncState.UNKNOWN)
    assert_nothing_was_deleted(sandbox, run)


def test_a_contact_that_was_added_anew_after_the_delete_plan_is_not_deleted_by_its_old_id(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    push(book)
    run = planned_delete()
    Contact.objects.update(remote_id="987654")
    assert_nothing_was_deleted(sandbox, run)


def test_one_of_unknown_outcome_that_was_looked_for_in_vain_goes(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book)
    push(book)
    make_contact(book, PHONE)
    Contact.objects.filter(phone=PHONE).update(sync_state=Contact.SyncState.UNKNOWN)
    run = planned_delete()
    lifecycle.approve(run)
    assert carry_out(run).state == Run.State.FINISHED
    assert not Contact.objects.filter(phone=PHONE).exists()
