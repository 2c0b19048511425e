"""A push from the first plan to the provider's rows, over a real socket."""

from __future__ import annotations

import pytest

from contactsync.models import Call, Contact, Phonebook, ProviderAccount, Run, RunItem
from contactsync.sync import executor, lifecycle
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import assert_in_step, local_contacts, plan_push, push, remote_contacts

pytestmark = pytest.mark.django_db


@pytest.fixture
def phonebook(account: ProviderAccount) -> Phonebook:
    options = (
        make_option(account, "شهر"),
        make_option(account, "points", "integer"),
        make_option(account, "birthday", "date"),
    )
    book = make_phonebook(account, options=options, title="مشتریان")
    values = {str(options[0].pk): "تهران", str(options[1].pk): "15", str(options[2].pk): "1992-10-08"}
    make_contact(book, prefix="خانم", first_name="سارا", last_name="نمونه", email="sara@example.org", options=values)
    make_contact(book, first_name="Ali")
    make_contact(book)
    return book


def test_a_first_push_makes_options_phonebook_and_contacts(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    run = push(phonebook)
    assert run.state == Run.State.FINISHED
    phonebook.refresh_from_db()
    state = sandbox.state("ippanel")
    remote = state.phonebook("مشتریان")
    assert phonebook.remote_id == str(remote.id)
    assert {option.title: option.type for option in state.options.values()} == {
        "شهر": "string",
        "points": "int",
        "birthday": "date",
    }
    assert remote.option_ids == list(state.options)
    assert_in_step(sandbox, phonebook)
    sara = state.contacts_of(remote)[0]
    assert list(sara.options.values()) == ["تهران", "15", "1992/10/08"]
    assert state.violations == []


def test_the_plan_says_what_the_run_then_does(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    run = plan_push(phonebook)
    assert run.state == Run.State.PLANNED
    assert not sandbox.changing_requests
    assert run.plan["create"] == run.plan["contacts"] == 3
    assert run.plan["options"] == ["شهر", "points", "birthday"]
    assert run.plan["phonebook"] == "create"
    assert run.plan["calls"] == run.calls.count() == 5
    assert len(run.plan_hash) == 64
    assert list(run.items.values_list("state", flat=True)) == ["planned"] * 3
    lifecycle.approve(run)
    executor.execute(run.pk)
    assert len(sandbox.changing_requests) == 5
    assert set(run.calls.values_list("state", flat=True)) == {Call.State.ACCEPTED}


def test_the_sum_of_the_run_balances(phonebook: Phonebook) -> None:
    make_contact(phonebook, phone="+4915112345678")  # IPPanel takes Iranian numbers only
    run = push(phonebook)
    assert run.counts["balances"]
    assert (run.counts["planned"], run.counts["done"], run.counts["cannot"]) == (3, 3, 1)
    assert run.counts["contacts"] == 4
    item = run.items.get(operation=RunItem.Operation.CANNOT)
    assert "+4915112345678" in item.error_text
    assert run.state == Run.State.FINISHED


def test_a_second_push_of_an_unchanged_phonebook_makes_no_writing_call(
    sandbox: SandboxServer, phonebook: Phonebook
) -> None:
    push(phonebook)
    before = len(sandbox.changing_requests)
    run = push(phonebook)
    assert run.state == Run.State.FINISHED
    assert run.plan["unchanged"] == 3
    assert run.plan["calls"] == 0
    assert run.counts["balances"]
    assert len(sandbox.changing_requests) == before


def test_a_changed_contact_is_updated_and_the_others_are_left_alone(
    sandbox: SandboxServer, phonebook: Phonebook
) -> None:
    push(phonebook)
    contact = phonebook.contacts.get(first_name="Ali")
    contact.first_name = "Ali Reza"
    contact.save()
    assert contact.sync_state == Contact.SyncState.CHANGED
    run = plan_push(phonebook)
    assert (run.plan["update"], run.plan["unchanged"]) == (1, 2)
    assert run.items.get().changes == {"first_name": ["Ali", "Ali Reza"]}
    lifecycle.approve(run)
    executor.execute(run.pk)
    assert_in_step(sandbox, phonebook)
    assert len(sandbox.requests_to("PUT /api/phonebooks/numbers")) == 1


def test_a_value_taken_away_is_taken_away_there(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    push(phonebook)
    contact = phonebook.contacts.get(first_name="سارا")
    contact.options = {}
    contact.save()
    run = push(phonebook)
    assert run.state == Run.State.FINISHED, list(run.items.values("error"))
    state = sandbox.state("ippanel")
    remote = state.contact(state.phonebook(phonebook.title), contact.phone)
    assert set(remote.options.values()) <= {""}
    assert plan_push(phonebook).plan["calls"] == 0


def test_more_contacts_than_a_batch_go_out_in_several_calls(sandbox: SandboxServer, account: ProviderAccount) -> None:
    account.settings["batch_size"] = 10
    account.save()
    book = make_phonebook(account)
    for _ in range(25):
        make_contact(book)
    run = push(book)
    assert run.state == Run.State.FINISHED
    creates = run.calls.filter(operation="create_contacts")
    assert list(creates.values_list("item_count", flat=True)) == [10, 10, 5]
    assert_in_step(sandbox, book)
    assert len(remote_contacts(sandbox, book.title)) == len(local_contacts(book)) == 25
