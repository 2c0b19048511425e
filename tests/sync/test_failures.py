"""Failures on the way: nothing is lost, nothing is made twice, and the run says what happened."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.utils import timezone

from contactsync.models import Call, Contact, Phonebook, ProviderAccount, Run, RunItem
from contactsync.sync import accounts, ledger, lifecycle
from contactsync.sync.line import Line
from contactsync.sync.worker import MOST_ATTEMPTS, Worker
from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY, make_contact, make_option, make_phonebook
from tests.sync.conftest import assert_in_step, carry_out, expire_leases, plan_push, push

pytestmark = pytest.mark.django_db
ADD = "POST /api/phonebooks/numbers/add-list-new"


@pytest.fixture
def phonebook(account: ProviderAccount) -> Phonebook:
    option = make_option(account, "city")
    book = make_phonebook(account, options=(option,))
    for number in range(12):
        make_contact(book, first_name=f"No. {number}", options={str(option.pk): f"city {number}"})
    return book


def small_batches(account: ProviderAccount, size: int) -> None:
    account.settings["batch_size"] = size
    account.save()


@pytest.mark.parametrize("kind", ["reset_after", "truncated", "html", "empty", "status_500", "reset_before", "hang"])
def test_a_batch_without_a_clear_answer_is_repeated_and_ends_right(
    sandbox: SandboxServer, phonebook: Phonebook, kind: str
) -> None:
    sandbox.fault(kind, ADD)
    run = push(phonebook)
    assert run.state == Run.State.FINISHED, run.error_text
    assert_in_step(sandbox, phonebook)
    state = sandbox.state("ippanel")
    options = [list(contact.options.values()) for contact in state.contacts_of(state.phonebook(phonebook.title))]
    assert options == [[f"city {number}"] for number in range(12)]
    assert run.calls.get(operation="create_contacts").attempts == 2


def test_a_429_is_waited_for_as_long_as_it_asks(
    sandbox: SandboxServer, phonebook: Phonebook, waits: list[float]
) -> None:
    sandbox.fault("status_429", ADD, seconds=7)
    assert push(phonebook).state == Run.State.FINISHED
    assert sum(waits) == 7.0
    assert_in_step(sandbox, phonebook)


def test_what_may_come_late_is_waited_for_as_long_as_its_answer_but_no_longer_than_any_answer(
    account: ProviderAccount, phonebook: Phonebook, waits: list[float]
) -> None:
    run = plan_push(phonebook)
    lost = run.calls.first()
    lost.state, lost.finished_at, lost.seconds = Call.State.UNKNOWN, timezone.now(), 58.0
    with Line(account, pulse=lambda: None) as line, time_machine.travel(lost.finished_at, tick=False):
        worker = Worker(run, phonebook, line, owner="me")
        worker.let_arrive([lost])
        assert sum(waits) == 58.0
        lost.seconds = 500.0
        worker.let_arrive([lost])
        assert sum(waits) == 58.0 + 60.0


def test_pauses_between_attempts_double(sandbox: SandboxServer, phonebook: Phonebook, waits: list[float]) -> None:
    sandbox.fault("status_500", ADD, times=3)
    push(phonebook)
    assert sum(waits) == 0.5 + 1.0 + 2.0


def test_a_provider_that_stays_down_makes_the_run_rest_then_pause_and_nothing_is_lost(
    sandbox: SandboxServer, phonebook: Phonebook
) -> None:
    fault = sandbox.fault("status_500", ADD, times=0)
    run = push(phonebook)
    assert run.state == Run.State.RUNNING  # the sweep wakes the next worker
    assert run.lease_owner == ""
    call = run.calls.get(operation="create_contacts")
    assert call.state == Call.State.PLANNED
    assert call.not_before == run.lease_until
    for _ in range(2):
        expire_leases()
        carry_out(run)
    assert run.state == Run.State.PAUSED
    assert f"{MOST_ATTEMPTS} attempts" in run.error_text
    assert fault.hits == MOST_ATTEMPTS
    assert run.counts["pending"] == run.counts["not_attempted"] == 12
    sandbox.faults.clear()
    lifecycle.resume(run)
    assert carry_out(run).state == Run.State.FINISHED
    assert_in_step(sandbox, phonebook)


def test_a_refused_key_makes_one_call_stops_the_account_and_loses_nothing(
    sandbox: SandboxServer, account: ProviderAccount, phonebook: Phonebook
) -> None:
    small_batches(account, 4)
    run = plan_push(phonebook)
    lifecycle.approve(run)
    fault = sandbox.fault("status_401", ADD, skip=1, times=0)
    carry_out(run)
    assert fault.hits == 1
    account.refresh_from_db()
    assert account.state == ProviderAccount.State.REFUSED
    assert account.state_reason_text
    assert run.state == Run.State.PAUSED
    assert run.error_text
    assert (run.counts["pending"], run.counts["balances"]) == (8, True)  # the four of the first call are there
    assert set(run.calls.filter(operation="create_contacts").values_list("state", flat=True)) == {
        Call.State.ACCEPTED,
        Call.State.PLANNED,
    }

    lifecycle.resume(run)
    asked = len(sandbox.requests)
    assert carry_out(run).state == Run.State.PAUSED  # still stopped: not one call
    assert len(sandbox.requests) == asked
    assert account.name in run.error_text

    sandbox.faults.clear()
    accounts.set_credentials(account, {"api_key": SANDBOX_KEY})
    assert accounts.check_account(account).state == ProviderAccount.State.READY
    lifecycle.resume(run)
    assert carry_out(run).state == Run.State.FINISHED
    assert_in_step(sandbox, phonebook)
    carried = sandbox.requests_to(ADD)
    sent = [row["number"] for request in carried if request.status == 200 for row in request.json["list"]]
    assert len(sent) == len(set(sent)) == 12


def test_a_refused_key_while_planning_pauses_and_resuming_plans(
    sandbox: SandboxServer, account: ProviderAccount, phonebook: Phonebook
) -> None:
    fault = sandbox.fault("status_401", times=0)
    run = plan_push(phonebook)
    assert run.state == Run.State.PAUSED
    assert fault.hits == 1
    sandbox.faults.clear()
    accounts.set_credentials(account, {"api_key": SANDBOX_KEY})
    lifecycle.resume(run)
    assert run.state == Run.State.PLANNING
    carry_out(run)
    assert run.state == Run.State.PLANNED
    assert run.plan["create"] == 12


def test_no_connection_while_planning_fails_the_plan_with_the_reason(
    account: ProviderAccount, phonebook: Phonebook
) -> None:
    account.base_url = "http://127.0.0.1:1/v1"
    account.save()
    run = plan_push(phonebook)
    assert run.state == Run.State.FAILED
    assert run.error_text


def test_contacts_refused_among_others_are_found_and_told_apart(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    push(phonebook)
    sandbox.state("ippanel").capacity = 15
    new = [make_contact(phonebook) for _ in range(5)]
    run = push(phonebook)
    assert run.state == Run.State.ATTENTION
    assert (run.counts["done"], run.counts["failed"], run.counts["balances"]) == (3, 2, True)
    states = [contact.sync_state for contact in Contact.objects.filter(pk__in=[contact.pk for contact in new])]
    assert sorted(states) == ["failed", "failed", "synced", "synced", "synced"]
    refused = Contact.objects.filter(sync_state="failed")
    assert all("refused this contact" in contact.sync_error_text for contact in refused)
    sizes = list(run.calls.filter(operation="create_contacts").values_list("item_count", flat=True))
    assert sizes == [5, 1, 1]


@pytest.mark.parametrize(("quirk", "sizes"), [("counts_short", [12]), ("loses_last_of_batch", [12, 1])])
def test_counts_that_do_not_add_up_are_read_back_so_that_every_contact_has_its_own_verdict(
    sandbox: SandboxServer, phonebook: Phonebook, quirk: str, sizes: list[int]
) -> None:
    sandbox.state("ippanel").quirks.add(quirk)
    run = push(phonebook)
    assert (run.state, run.counts["balances"]) == (Run.State.FINISHED, True)
    assert_in_step(sandbox, phonebook)
    assert (
        list(run.calls.filter(operation="create_contacts").order_by("pk").values_list("item_count", flat=True)) == sizes
    )
    assert set(run.items.values_list("state", flat=True)) == {RunItem.State.DONE}


def test_what_was_refused_is_not_tried_again_before_it_is_changed(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    push(phonebook)
    sandbox.state("ippanel").capacity = 12
    contact = make_contact(phonebook)
    push(phonebook)
    again = push(phonebook)
    assert (again.plan["cannot"], again.plan["calls"]) == (1, 0)
    assert "refused this contact" in again.items.get().error_text
    sandbox.state("ippanel").capacity = 100
    contact.refresh_from_db()
    contact.first_name = "Changed"
    contact.save()
    assert push(phonebook).plan["create"] == 1
    assert_in_step(sandbox, phonebook)


def test_a_batch_refused_as_a_whole_is_tried_one_by_one(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    sandbox.fault("status_422", ADD)
    run = push(phonebook)
    assert run.state == Run.State.FINISHED
    assert_in_step(sandbox, phonebook)
    assert run.calls.filter(operation="create_contacts").count() == 13


def test_a_single_refusal_keeps_the_words_of_the_provider(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    contact = make_contact(book)
    sandbox.fault("status_422", ADD, times=0)
    run = push(book)
    contact.refresh_from_db()
    assert contact.sync_state == Contact.SyncState.FAILED
    assert run.calls.get(operation="create_contacts").state == Call.State.REFUSED
    assert contact.sync_error == run.items.get().error == run.calls.get(operation="create_contacts").error
    assert run.state == Run.State.ATTENTION


def test_numbers_that_came_there_between_plan_and_push_are_updated_not_doubled(
    sandbox: SandboxServer, phonebook: Phonebook
) -> None:
    contact = phonebook.contacts.first()
    assert contact is not None
    state = sandbox.state("ippanel")
    state.add_phonebook(phonebook.title)
    run = plan_push(phonebook)
    state.add_contact(state.phonebook(phonebook.title), contact.phone, name="Somebody else")
    lifecycle.approve(run)
    carry_out(run)
    assert run.state == Run.State.FINISHED
    assert_in_step(sandbox, phonebook)
    assert run.counts["created"] == 12
    assert list(state.contact(state.phonebook(phonebook.title), contact.phone).options.values()) == ["city 0"]


def test_an_update_of_a_contact_that_just_went_makes_it_missing(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    contact = make_contact(book)
    push(book)
    contact.refresh_from_db()
    contact.first_name = "Changed"
    contact.save()
    run = plan_push(book)
    state = sandbox.state("ippanel")
    remote = state.phonebook(book.title)
    del state.contacts[remote.contact_ids.pop()]
    remote.by_number.clear()
    lifecycle.approve(run)
    carry_out(run)
    contact.refresh_from_db()
    assert contact.sync_state == Contact.SyncState.MISSING
    assert run.items.get().state == RunItem.State.FAILED
    assert run.state == Run.State.ATTENTION


@pytest.mark.parametrize("kind", ["reset_after", "status_500", "hang"])
def test_a_phonebook_is_looked_for_before_it_is_made_again(
    sandbox: SandboxServer, phonebook: Phonebook, kind: str
) -> None:
    sandbox.fault(kind, "POST /api/phonebooks$")
    run = push(phonebook)
    assert run.state == Run.State.FINISHED
    titles = [book.title for book in sandbox.state("ippanel").phonebooks.values()]
    assert titles == [phonebook.title]
    assert_in_step(sandbox, phonebook)
    made = run.calls.filter(operation="create_phonebook").order_by("sequence").values_list("state", flat=True)
    assert list(made) == (["not_sent", "accepted"] if kind == "status_500" else ["accepted"])


@pytest.mark.parametrize("kind", ["reset_after", "status_500"])
def test_an_option_is_looked_for_before_it_is_made_again(
    sandbox: SandboxServer, phonebook: Phonebook, kind: str
) -> None:
    sandbox.fault(kind, "POST /api/phonebooks/options$")
    assert push(phonebook).state == Run.State.FINISHED
    assert [option.title for option in sandbox.state("ippanel").options.values()] == ["city"]


def test_a_phonebook_that_is_refused_ends_the_run_with_the_reason(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    sandbox.fault("status_422", "POST /api/phonebooks$", times=0)
    run = push(phonebook)
    assert run.state == Run.State.FAILED
    assert run.error_text
    assert run.counts["pending"] == 12
    sandbox.faults.clear()
    assert push(phonebook).state == Run.State.FINISHED
    assert_in_step(sandbox, phonebook)


def test_a_stop_takes_effect_after_the_call_on_the_wire_and_resume_goes_on(
    sandbox: SandboxServer, account: ProviderAccount, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(account, 4)
    run = plan_push(phonebook)
    lifecycle.approve(run)
    make = ledger.make
    calls: list[Call] = []
    seen: list[dict[str, Any]] = []

    def stop_in_the_first(call: Call, *args: Any) -> Any:
        seen.append(Run.objects.get(pk=run.pk).counts)
        if call.operation == "create_contacts" and not calls:
            calls.append(call)
            lifecycle.stop(Run.objects.get(pk=run.pk))
        return make(call, *args)

    monkeypatch.setattr(ledger, "make", stop_in_the_first)
    carry_out(run)
    assert run.state == Run.State.STOPPED
    assert len(sandbox.requests_to(ADD)) == 1
    assert run.counts["not_attempted"] == 8
    assert "resumed_from" not in seen[-1]
    lifecycle.resume(run)
    assert carry_out(run).state == Run.State.FINISHED
    assert_in_step(sandbox, phonebook)
    assert (seen[-1]["resumed_from"], "resumed_at" in seen[-1]) == (run.counts["planned"] - 8, True)
    assert "resumed_from" not in run.counts
