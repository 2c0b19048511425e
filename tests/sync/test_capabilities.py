"""Providers of other abilities: the same code, led by capabilities and contract only."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.utils import timezone

from contactsync.models import Call, Contact, Phonebook, ProviderAccount, Run
from contactsync.sync import ledger, lifecycle, planner, sweep, worker
from providers import registry
from providers.exceptions import InsufficientFunds, OutcomeUnknown, Rejected
from providers.types import Capabilities, Operation
from tests.factories import make_account, make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, expire_leases, plan_push, push
from tests.sync.fake_provider import CAPABILITIES, FakeProvider

pytestmark = pytest.mark.django_db
LOST = OutcomeUnknown("No answer came.")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeProvider]:
    monkeypatch.setitem(registry.BACKENDS, "fake", "tests.sync.fake_provider.FakeProvider")
    FakeProvider.reset()
    return FakeProvider


@pytest.fixture
def account(fake: type[FakeProvider], db: None) -> ProviderAccount:
    return make_account(provider="fake")


@pytest.fixture
def phonebook(account: ProviderAccount) -> Phonebook:
    book = make_phonebook(account)
    for number in range(5):
        make_contact(book, first_name=f"No. {number}", company="Acme")
    return book


def able(**changes: object) -> Capabilities:
    return dataclasses.replace(CAPABILITIES, **changes)  # type: ignore[arg-type]


def assert_in_step(fake: type[FakeProvider], book: Phonebook) -> None:
    book.refresh_from_db()
    there = fake.contacts[book.remote_id]
    assert {contact.remote_id for contact in book.contacts.all()} == set(there)
    assert sorted(record.phone for record in there.values()) == sorted(book.contacts.values_list("phone", flat=True))
    assert set(book.contacts.values_list("sync_state", flat=True)) == {Contact.SyncState.SYNCED}


def test_ids_and_results_per_item_need_no_reading_back(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    run = push(phonebook)
    assert run.state == Run.State.FINISHED
    assert_in_step(fake, phonebook)
    assert list(run.calls.filter(operation="create_contacts").values_list("item_count", flat=True)) == [2, 2, 1]
    assert {record.company for record in fake.contacts[phonebook.remote_id].values()} == {"Acme"}
    assert push(phonebook).plan["calls"] == 0


def test_the_batch_size_of_the_account_stays_within_the_provider_s(
    account: ProviderAccount, phonebook: Phonebook
) -> None:
    account.settings = {"batch_size": 50}
    account.save()
    run = plan_push(phonebook)
    assert list(run.calls.filter(operation="create_contacts").values_list("item_count", flat=True)) == [3, 2]


def test_one_refused_item_fails_alone_with_its_words(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    Contact.objects.filter(first_name="No. 1").update(first_name="refuse me")
    run = push(phonebook)
    assert (run.counts["done"], run.counts["failed"], run.counts["balances"]) == (4, 1, True)
    contact = Contact.objects.get(sync_state=Contact.SyncState.FAILED)
    assert (contact.first_name, contact.sync_error_text) == ("refuse me", "Refused.")
    assert run.calls.filter(operation="create_contacts").count() == 3


@pytest.mark.parametrize("arrived", [True, False])
def test_where_creating_is_not_safe_to_repeat_the_book_is_read_first(
    fake: type[FakeProvider], phonebook: Phonebook, arrived: bool
) -> None:
    def fail() -> None:
        raise LOST

    if arrived:
        fake.lose_answer[Operation.CREATE_CONTACTS] = [LOST]
    else:
        fake.trouble[Operation.CREATE_CONTACTS] = [fail]
    run = push(phonebook)
    assert run.state == Run.State.FINISHED, list(run.items.values("state", "error"))
    assert_in_step(fake, phonebook)
    states = list(run.calls.filter(operation="create_contacts").order_by("sequence").values_list("state", flat=True))
    accepted = Call.State.ACCEPTED
    assert states == ([accepted] * 3 if arrived else [Call.State.NOT_SENT, accepted, accepted, accepted])
    assert set(run.calls.values_list("attempts", flat=True)) == {1}


def test_an_answer_that_comes_after_the_run_was_stopped_without_it_is_counted(
    fake: type[FakeProvider], phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, make, late = plan_push(phonebook), ledger.make, []

    def slow(call: Call, *others: Any) -> Any:
        answer = make(call, *others)
        if call.operation == "create_contacts" and not late:
            late.append(call)
            expire_leases()
            lifecycle.stop(Run.objects.get(pk=run.pk))
            sweep.finish_stopping(run.pk)
            sweep.recover_lost_calls()
            assert Run.objects.get(pk=run.pk).counts["done"] == 0
        return answer

    monkeypatch.setattr(ledger, "make", slow)
    lifecycle.approve(run)
    carry_out(run)
    assert (run.state, run.counts["done"]) == (Run.State.STOPPED, late[0].item_count)


def test_many_refusals_in_a_row_pause_the_run_once(
    fake: type[FakeProvider], phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise Rejected("The field is not known.")

    people = phonebook.contacts.count()
    monkeypatch.setattr(worker, "MOST_REFUSED", 2)
    fake.trouble[Operation.CREATE_CONTACTS] = [refuse] * 100
    run = push(phonebook)
    assert run.state == Run.State.PAUSED
    assert "refused 2 calls in a row" in run.error_text
    assert "The field is not known." in run.error_text
    assert run.counts["pending"] == people
    assert run.calls.filter(state=Call.State.REFUSED).count() == 2
    lifecycle.resume(run)
    carry_out(run)
    assert (run.state, run.counts["failed"]) == (Run.State.ATTENTION, people)


def test_many_unclear_answers_in_a_row_pause_the_run(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    def fail() -> None:
        raise LOST

    fake.trouble[Operation.CREATE_CONTACTS] = [fail] * 100
    run = push(phonebook)
    assert run.state == Run.State.PAUSED
    assert "5 calls in a row" in run.error_text
    assert "No answer came." in run.error_text


def test_no_credit_pauses_the_run_and_keeps_the_call(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    def fail() -> None:
        raise InsufficientFunds("The credit is used up.")

    fake.trouble[Operation.CREATE_CONTACTS] = [fail]
    run = push(phonebook)
    assert run.state == Run.State.PAUSED
    assert run.error_text == "The credit is used up."
    assert run.counts["pending"] == 5
    assert not run.account.is_stopped


def test_our_own_mistake_ends_the_run_and_the_next_push_looks_first(
    fake: type[FakeProvider], phonebook: Phonebook
) -> None:
    def slip() -> None:
        raise KeyError("our mistake")

    fake.trouble[Operation.CREATE_CONTACTS] = [slip]
    run = push(phonebook)
    assert run.state == Run.State.FAILED
    assert "KeyError" in run.error_text
    assert push(phonebook).state == Run.State.FINISHED
    assert_in_step(fake, phonebook)


def test_slots_get_values_and_labels(fake: type[FakeProvider], account: ProviderAccount) -> None:
    option = make_option(account, "city")
    book = make_phonebook(account, options=(option,))
    contact = make_contact(book, options={str(option.pk): "Rome"})
    book.option_places.update(slot="elsewhere")
    refused = plan_push(book)
    assert refused.state == Run.State.FAILED
    assert "a, b" in refused.error_text
    book.option_places.update(slot="b")
    run = push(book)
    assert run.plan["options"] == []
    assert [(row["title"], row["slot"]) for row in run.plan["places"]] == [("city", "b")]
    assert_in_step(fake, book)
    contact.refresh_from_db()
    assert fake.contacts[book.remote_id][contact.remote_id].options["b"].value == "Rome"
    assert fake.books[book.remote_id].options == {"b": "city"}
    assert push(book).plan["calls"] == 0
    option.title = "town"
    option.save()
    assert push(book).plan["phonebook"] == "update"
    assert fake.books[book.remote_id].options == {"b": "town"}


def test_an_option_of_a_kind_the_provider_lacks_is_refused_while_planning(account: ProviderAccount) -> None:
    book = make_phonebook(account, options=(make_option(account, "birthday", "date"),))
    run = plan_push(book)
    assert run.state == Run.State.FAILED
    assert "birthday" in run.error_text


def test_where_phonebooks_cannot_be_made_they_must_be_there(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    fake.reset(able(operations=CAPABILITIES.operations - {Operation.CREATE_PHONEBOOK}))
    run = plan_push(phonebook)
    assert run.state == Run.State.FAILED
    assert phonebook.title in run.error_text


def test_what_the_provider_cannot_do_with_contacts_is_told_per_contact(
    fake: type[FakeProvider], phonebook: Phonebook
) -> None:
    push(phonebook)
    lacking = {Operation.CREATE_CONTACTS, Operation.UPDATE_CONTACT, Operation.DELETE_CONTACTS}
    fake.capabilities = able(
        operations=CAPABILITIES.operations - lacking,
        reasons={Operation.UPDATE_CONTACT: "Contacts cannot be changed there."},
    )
    make_contact(phonebook)
    Contact.objects.filter(first_name="No. 0").update(deleted_at=timezone.now())
    changed = phonebook.contacts.get(first_name="No. 1")
    changed.first_name = "changed"
    changed.save()
    run = push(phonebook)
    assert (run.plan["cannot"], run.plan["unchanged"], run.plan["calls"]) == (3, 3, 0)
    assert run.items.get(contact=changed).error_text == "Contacts cannot be changed there."
    assert Contact.objects.filter(first_name="No. 0").exists()


def test_a_full_phonebook_takes_no_more(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    fake.capabilities = able(max_contacts_per_phonebook=3)
    run = push(phonebook)
    assert (run.plan["create"], run.plan["cannot"], run.counts["balances"]) == (3, 2, True)
    assert "at most 3 contacts" in run.items.filter(operation="cannot").first().error_text  # type: ignore[union-attr]


def test_a_title_that_is_too_long_is_refused_while_planning(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    fake.capabilities = able(max_title=3)
    assert plan_push(phonebook).state == Run.State.FAILED


def test_deletions_go_out_in_the_provider_s_batches(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    push(phonebook)
    fake.capabilities = able(max_delete_batch=2)
    Contact.objects.update(deleted_at=timezone.now())
    run = push(phonebook)
    assert list(run.calls.values_list("item_count", flat=True)) == [2, 2, 1]
    phonebook.refresh_from_db()
    assert fake.contacts[phonebook.remote_id] == {}
    assert not Contact.objects.exists()


def test_a_refused_update_keeps_the_words(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    push(phonebook)
    contact = phonebook.contacts.get(first_name="No. 1")
    contact.first_name = "refuse me"
    contact.save()
    run = push(phonebook)
    contact.refresh_from_db()
    assert contact.sync_error_text == run.items.get().error_text == "Refused."
    assert contact.sync_state == Contact.SyncState.FAILED
    contact.first_name = "accept me"
    contact.save()
    assert contact.sync_state == Contact.SyncState.CHANGED
    assert push(phonebook).state == Run.State.FINISHED
    assert_in_step(fake, phonebook)


def test_an_update_without_a_clear_answer_is_unknown_where_it_is_not_safe_to_repeat(
    fake: type[FakeProvider], phonebook: Phonebook
) -> None:
    push(phonebook)
    fake.capabilities = able(safe_to_repeat=frozenset())
    contact = phonebook.contacts.get(first_name="No. 1")
    contact.first_name = "changed"
    contact.save()

    def fail() -> None:
        raise LOST

    fake.trouble[Operation.UPDATE_CONTACT] = [fail]
    run = push(phonebook)
    contact.refresh_from_db()
    assert contact.sync_state == Contact.SyncState.UNKNOWN
    assert (run.state, run.counts["unknown"]) == (Run.State.ATTENTION, 1)
    assert push(phonebook).plan["update"] == 1
    assert_in_step(fake, phonebook)


def test_delete_runs_are_refused_where_nothing_can_be_deleted(fake: type[FakeProvider], phonebook: Phonebook) -> None:
    push(phonebook)
    fake.capabilities = able(operations=CAPABILITIES.operations - {Operation.DELETE_CONTACTS})
    run = planner.create_delete_run(phonebook.contacts.all(), user=None)
    planner.plan(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert not Contact.objects.exclude(deleted_at=None).exists()


@pytest.mark.parametrize("contacts", [20, 200])
def test_planning_asks_the_database_no_more_for_more_contacts(
    account: ProviderAccount, contacts: int, django_assert_max_num_queries: object
) -> None:
    book = make_phonebook(account)
    Contact.objects.bulk_create(
        [Contact(phonebook=book, phone=f"+98912{number:07d}", payload_hash=str(number)) for number in range(contacts)]
    )
    run = planner.create_push_run(book)
    with django_assert_max_num_queries(44):  # PostgreSQL takes a few to learn how many rows there are  # type: ignore[operator]
        planner.plan(run.pk)
    run.refresh_from_db()
    assert run.plan["create"] == contacts
