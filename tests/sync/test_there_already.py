"""What is at the provider already is found and taken over, not made twice; what is gone there is not added again by itself."""

from __future__ import annotations

import pytest

from contactsync.models import Contact, ProviderAccount, Run, RunItem
from contactsync.sync import executor, lifecycle, planner
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import assert_in_step, plan_push, push

pytestmark = pytest.mark.django_db
PHONE = "+989120000001"


def test_a_phonebook_of_the_same_title_is_adopted_and_the_plan_says_so(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    there = sandbox.state("ippanel").add_phonebook("Customers")
    book = make_phonebook(account, title="Customers")
    make_contact(book)
    run = push(book)
    assert run.plan["phonebook"] == "adopt"
    book.refresh_from_db()
    assert book.remote_id == str(there.id)
    assert not sandbox.requests_to("POST /api/phonebooks$")
    assert_in_step(sandbox, book)


def test_a_title_that_only_contains_ours_is_another_phonebook(sandbox: SandboxServer, account: ProviderAccount) -> None:
    sandbox.state("ippanel").add_phonebook("Customers old")
    book = make_phonebook(account, title="Customers")
    assert plan_push(book).plan["phonebook"] == "create"


def test_options_of_the_same_title_and_kind_are_adopted(sandbox: SandboxServer, account: ProviderAccount) -> None:
    state = sandbox.state("ippanel")
    city = state.add_option("city")
    state.add_option("points", "string")
    options = (make_option(account, "city"), make_option(account, "points", "integer"))
    book = make_phonebook(account, options=options)
    run = push(book)
    assert run.plan["options_found"] == ["city"]
    assert run.plan["options"] == ["points"]
    for option in options:
        option.refresh_from_db()
    assert options[0].remote_key == str(city.id)
    assert state.options[int(options[1].remote_key)].type == "int"


def test_an_option_added_later_is_made_attached_and_filled(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    contact = make_contact(book)
    push(book)
    option = make_option(account, "city")
    book.option_places.create(option=option)
    contact.refresh_from_db()
    contact.options = {str(option.pk): "شیراز"}
    contact.save()
    run = push(book)
    assert run.state == Run.State.FINISHED
    assert (run.plan["options"], run.plan["phonebook"], run.plan["update"]) == (["city"], "update", 1)
    assert run.items.get().changes == {"option:city": ["", "شیراز"]}
    state = sandbox.state("ippanel")
    option.refresh_from_db()
    assert state.contact(state.phonebook(book.title), contact.phone).options == {option.remote_key: "شیراز"}
    assert plan_push(book).plan["calls"] == 0


def test_options_that_others_attached_stay_attached(sandbox: SandboxServer, account: ProviderAccount) -> None:
    state = sandbox.state("ippanel")
    theirs = state.add_option("theirs")
    state.add_phonebook("Customers", option_ids=[theirs.id])
    book = make_phonebook(account, options=(make_option(account, "ours"),), title="Customers")
    push(book)
    assert theirs.id in state.phonebook("Customers").option_ids
    assert len(state.phonebook("Customers").option_ids) == 2


def test_a_renamed_option_and_a_renamed_phonebook_are_renamed_there(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    option = make_option(account, "city")
    book = make_phonebook(account, options=(option,), title="Old")
    push(book)
    option.refresh_from_db()
    option.title = "town"
    option.save()
    book.refresh_from_db()
    book.title = "New"
    book.save()
    run = push(book)
    assert run.state == Run.State.FINISHED
    assert (run.plan["options_renamed"], run.plan["phonebook"]) == (["town"], "update")
    state = sandbox.state("ippanel")
    assert state.phonebook("New").option_ids == [int(option.remote_key)]
    assert state.options[int(option.remote_key)].title == "town"


def test_a_contact_found_exactly_as_wanted_is_linked_without_a_call(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    state = sandbox.state("ippanel")
    state.add_contact(state.add_phonebook("Customers"), PHONE, name="Sara Example")
    book = make_phonebook(account, title="Customers")
    make_contact(book, PHONE, first_name="Sara", last_name="Example")
    run = push(book)
    assert (run.plan["adopt"], run.plan["calls"]) == (1, 0)
    assert run.state == Run.State.FINISHED
    assert_in_step(sandbox, book)
    assert not sandbox.changing_requests


def test_a_contact_found_otherwise_is_updated_not_created_again(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    state = sandbox.state("ippanel")
    state.add_contact(state.add_phonebook("Customers"), PHONE, name="Old")
    book = make_phonebook(account, title="Customers")
    make_contact(book, PHONE, first_name="New")
    run = push(book)
    assert (run.plan["update"], run.plan["create"]) == (1, 0)
    assert run.items.get().changes == {"name": ["Old", "New"]}
    assert_in_step(sandbox, book)


def test_a_found_contact_with_option_values_is_updated_because_values_cannot_be_read(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    option = make_option(account, "city")
    state = sandbox.state("ippanel")
    state.add_contact(state.add_phonebook("Customers"), PHONE)
    book = make_phonebook(account, options=(option,), title="Customers")
    make_contact(book, PHONE, options={str(option.pk): "Rome"})
    run = push(book)
    assert run.items.get().changes == {"option:city": [None, "Rome"]}
    assert list(state.contact(state.phonebook("Customers"), PHONE).options.values()) == ["Rome"]


def test_what_was_edited_at_the_provider_is_set_back_and_shown(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE, first_name="Sara")
    push(book)
    state = sandbox.state("ippanel")
    state.contact(state.phonebook(book.title), PHONE).name = "Somebody"
    run = push(book)
    assert run.items.get().changes == {"name": ["Somebody", "Sara"]}
    assert_in_step(sandbox, book)


def test_a_contact_gone_at_the_provider_is_missing_and_not_added_again(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    other = make_contact(book)
    push(book)
    remove_there(sandbox, book.title, PHONE)
    run = push(book)
    assert (run.plan["cannot"], run.plan["unchanged"], run.plan["calls"]) == (1, 1, 0)
    assert run.state == Run.State.FINISHED
    assert run.counts["balances"]
    contact = Contact.objects.get(phone=PHONE)
    assert contact.sync_state == Contact.SyncState.MISSING
    assert "not at the provider any more" in contact.sync_error_text
    other.refresh_from_db()
    assert other.sync_state == Contact.SyncState.SYNCED


def test_a_missing_contact_is_added_again_when_a_person_says_so(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book, PHONE)
    push(book)
    remove_there(sandbox, book.title, PHONE)
    push(book)
    assert planner.mark_for_readding(Contact.objects.filter(phonebook=book)) == 1
    run = push(book)
    assert run.plan["create"] == 1
    assert_in_step(sandbox, book)


def test_a_contact_that_is_back_at_the_provider_is_in_step_again(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    contact = make_contact(book, PHONE)
    push(book)
    remove_there(sandbox, book.title, PHONE)
    push(book)
    state = sandbox.state("ippanel")
    state.add_contact(state.phonebook(book.title), PHONE)
    run = push(book)
    assert run.plan["update"] + run.plan["adopt"] == 1
    contact.refresh_from_db()
    assert contact.sync_state == Contact.SyncState.SYNCED
    assert_in_step(sandbox, book)


def test_when_the_phonebook_is_gone_nobody_is_added_again_before_a_person_says_so(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    make_contact(book)
    make_contact(book)
    push(book)
    sandbox.reset()
    run = push(book)
    assert (run.plan["phonebook"], run.plan["cannot"], run.plan["create"]) == ("create", 2, 0)
    assert run.state == Run.State.FINISHED
    planner.mark_for_readding(Contact.objects.filter(phonebook=book))
    book.refresh_from_db()
    assert push(book).plan["create"] == 2
    assert_in_step(sandbox, book)


def test_a_contact_changed_after_the_plan_is_left_for_the_next_push(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    contact = make_contact(book, PHONE)
    make_contact(book)
    run = plan_push(book)
    contact.first_name = "Later"
    contact.save()
    lifecycle.approve(run)
    executor.execute(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.ATTENTION
    assert (run.counts["done"], run.counts["not_attempted"], run.counts["balances"]) == (1, 1, True)
    item = run.items.get(phone=PHONE)
    assert item.state == RunItem.State.NOT_ATTEMPTED
    assert "changed after the plan" in item.error_text
    assert push(book).state == Run.State.FINISHED
    assert_in_step(sandbox, book)


def test_two_plans_of_the_same_phonebook_do_not_push_twice(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book)
    first = plan_push(book)
    second = plan_push(book)
    first.refresh_from_db()
    assert first.state == Run.State.DISCARDED
    with pytest.raises(lifecycle.RunRefused):
        lifecycle.approve(first)
    lifecycle.approve(second)
    executor.execute(second.pk)
    assert_in_step(sandbox, book)


def remove_there(sandbox: SandboxServer, title: str, phone: str) -> None:
    """As if somebody had deleted it in the provider's own panel."""
    state = sandbox.state("ippanel")
    book = state.phonebook(title)
    contact_id = book.by_number.pop(phone)
    book.contact_ids.remove(contact_id)
    del state.contacts[contact_id]


def test_trying_a_refused_contact_again_keeps_its_link_so_that_no_second_one_is_made(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    contact = make_contact(book, PHONE)
    push(book)
    contact.refresh_from_db()
    contact.phone = "+989120000002"
    contact.save()
    refused = {"pushed_hash": contact.payload_hash, "sync_error": {"message": "Refused."}}
    Contact.objects.update(sync_state=Contact.SyncState.FAILED, **refused)
    assert plan_push(book).plan["cannot"] == 1
    assert planner.mark_for_readding(Contact.objects.all()) == 1
    run = push(book)
    assert (run.plan["create"], run.plan["update"]) == (0, 1)
    assert_in_step(sandbox, book)


def test_trying_a_refused_contact_again_that_is_not_there_creates_it(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    contact = make_contact(book, PHONE)
    refused = {"pushed_hash": contact.payload_hash, "sync_error": {"message": "Refused."}}
    Contact.objects.update(sync_state=Contact.SyncState.FAILED, **refused)
    assert plan_push(book).plan["cannot"] == 1
    assert planner.mark_for_readding(Contact.objects.all()) == 1
    assert push(book).plan["create"] == 1
    assert_in_step(sandbox, book)
