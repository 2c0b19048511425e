"""People go on working while a run is under way: what they enter is never taken for what the provider has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from contactsync.models import Call, Contact, CustomOption, Phonebook, ProviderAccount, Run
from contactsync.sync import creates, draft, lifecycle, planner, prepare
from contactsync.sync.line import Line
from contactsync.sync.remote import find_phonebook
from contactsync.sync.worker import Worker
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import assert_in_step, carry_out, expire_leases, plan_push, push, remote_contacts
from tests.sync.test_killed import Killed

pytestmark = pytest.mark.django_db
PHONE = "+989120000001"


@pytest.fixture
def option(account: ProviderAccount) -> CustomOption:
    return make_option(account, "city")


@pytest.fixture
def phonebook(account: ProviderAccount, option: CustomOption) -> Phonebook:
    book = make_phonebook(account, options=(option,))
    make_contact(book, PHONE, options={str(option.pk): "Rome"})
    return book


def edit(option: CustomOption) -> None:
    contact = Contact.objects.get(phone=PHONE)
    contact.options = {str(option.pk): "Shiraz"}
    contact.save()


def push_with(phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch, moment: str, act: Callable[[], Any]) -> Run:
    """A push in which `act` happens just before the function of `creates` with this name, the first time."""
    run = plan_push(phonebook)
    lifecycle.approve(run)
    original = getattr(creates, moment)
    done: list[int] = []

    def interrupted(*args: Any) -> Any:
        if not done:
            done.append(1)
            act()
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(creates, moment, interrupted)
        return carry_out(run)


def city_there(sandbox: SandboxServer, phonebook: Phonebook) -> list[str]:
    state = sandbox.state("ippanel")
    return list(state.contact(state.phonebook(phonebook.title), PHONE).options.values())


@pytest.mark.parametrize("moment", ["_creation", "_read_back"])
def test_an_edit_while_the_contact_is_being_made_goes_out_with_the_next_push(
    sandbox: SandboxServer, phonebook: Phonebook, option: CustomOption, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    run = push_with(phonebook, monkeypatch, moment, lambda: edit(option))
    assert run.state == Run.State.FINISHED
    assert city_there(sandbox, phonebook) == ["Rome"]
    assert Contact.objects.get().sync_state == Contact.SyncState.CHANGED
    again = push(phonebook)
    assert again.plan["update"] == 1
    assert city_there(sandbox, phonebook) == ["Shiraz"]
    assert_in_step(sandbox, phonebook)


@pytest.mark.parametrize("moment", ["_creation", "_read_back"])
def test_a_contact_deleted_while_it_is_being_made_is_deleted_there_by_the_next_push(
    sandbox: SandboxServer, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def delete_and_plan() -> None:
        Contact.objects.update(deleted_at=timezone.now())
        plan_push(phonebook)  # finds it deleted and without an id, and must not forget it

    push_with(phonebook, monkeypatch, moment, delete_and_plan)
    assert PHONE in remote_contacts(sandbox, phonebook.title)
    push(phonebook)
    assert remote_contacts(sandbox, phonebook.title) == {}
    assert not Contact.objects.exists()


def test_an_item_whose_contact_is_gone_altogether_keeps_number_and_id(
    sandbox: SandboxServer, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = push_with(phonebook, monkeypatch, "read_back", lambda: None)
    assert run.state == Run.State.FINISHED
    make_contact(phonebook)
    gone = phonebook.contacts.exclude(phone=PHONE)
    run = push_with(phonebook, monkeypatch, "_creation", gone.delete)
    assert run.counts["balances"]
    item = run.items.get()
    assert (item.contact, bool(item.remote_id), item.state) == (None, True, "done")
    assert "deleted after the plan" in item.error_text


def test_a_reason_that_no_longer_holds_goes_away(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    contact = make_contact(book, "+4915112345678")
    push(book)
    contact.refresh_from_db()
    assert "Iranian numbers only" in contact.sync_error_text
    assert contact.sync_state == Contact.SyncState.NEW
    contact.phone = PHONE
    contact.save()
    push(book)
    contact.refresh_from_db()
    assert contact.sync_error_text == ""
    assert_in_step(sandbox, book)


@pytest.mark.parametrize("change", ["deleted", "gone", "as it was"])
def test_a_contact_that_changes_while_the_plan_is_made_stays_in_its_sum(
    account: ProviderAccount, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    book = make_phonebook(account)
    for phone in (PHONE, "+989120000002"):
        make_contact(book, phone, first_name="old")
    push(book)
    for contact in Contact.objects.all():
        contact.first_name = "new"
        contact.save()
    decide_again = planner._decide_again
    done: list[int] = []

    def changed_before(*args: Any) -> Any:
        if not done:
            done.append(1)
            chosen = Contact.objects.filter(phone=PHONE)
            if change == "gone":
                chosen.delete()
            elif change == "deleted":
                chosen.update(deleted_at=timezone.now())
            else:
                contact = chosen.get()
                contact.first_name = "old"
                contact.save()
        return decide_again(*args)

    with monkeypatch.context() as patch:
        patch.setattr(planner, "_decide_again", changed_before)
        run = plan_push(book)
    assert (run.plan["contacts"], run.plan["update"], run.plan["cannot"]) == (2, 1, 1)
    item = run.items.get(phone=PHONE)
    assert item.operation == "cannot"
    assert "while the plan was being made" in item.error_text
    lifecycle.approve(run)
    assert carry_out(run).counts["balances"]


def test_a_plan_that_has_lost_a_contact_does_not_balance(
    account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = make_phonebook(account)
    for phone in (PHONE, "+989120000002"):
        make_contact(book, phone, first_name="old")
    push(book)
    for contact in Contact.objects.all():
        contact.first_name = "new"
        contact.save()
    with monkeypatch.context() as patch:
        patch.setattr(draft.Draft, "add_updates", lambda self, pairs: None)
        run = plan_push(book)
    lifecycle.approve(run)
    assert (carry_out(run).state, run.counts["balances"]) == (Run.State.ATTENTION, False)


@pytest.mark.parametrize("what", [Phonebook, CustomOption])
def test_nothing_gets_another_title_than_the_plan_has_shown(
    what: type[Phonebook | CustomOption], sandbox: SandboxServer, phonebook: Phonebook
) -> None:
    run = plan_push(phonebook)
    lifecycle.approve(run)
    what.objects.update(title="Not shown")
    run = carry_out(run)
    assert run.state == Run.State.FAILED
    assert "another title" in run.error_text
    assert not sandbox.changing_requests
    phonebook.refresh_from_db()
    assert push(phonebook).state == Run.State.FINISHED
    assert_in_step(sandbox, phonebook)


@pytest.mark.parametrize("is_new", [True, False])
def test_an_option_renamed_in_the_moment_it_goes_there_gets_the_title_of_the_plan(
    sandbox: SandboxServer, phonebook: Phonebook, option: CustomOption, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    if not is_new:
        push(phonebook)
        CustomOption.objects.update(title="town")
    run, check = plan_push(phonebook), vars(prepare)["_check_titles"]
    lifecycle.approve(run)

    def check_and_rename(worker: Worker) -> None:
        check(worker)
        CustomOption.objects.update(title="Not shown")

    with monkeypatch.context() as patch:
        patch.setattr(prepare, "_check_titles", check_and_rename)
        sandbox.fault("reset_after", "/api/phonebooks/options")
        assert carry_out(run).state == Run.State.FINISHED
    there = sandbox.state("ippanel").options.values()
    assert [found.title for found in there] == ["city" if is_new else "town"]
    assert push(Phonebook.objects.get()).state == Run.State.FINISHED
    assert [found.title for found in there] == ["Not shown"]


def test_a_phonebook_that_may_be_there_is_looked_for_under_the_title_it_was_made_with(
    sandbox: SandboxServer, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, title = plan_push(phonebook), phonebook.title
    lifecycle.approve(run)

    def die(line: Line, book: Phonebook) -> None:
        if Call.objects.filter(state=Call.State.UNKNOWN).exists():
            raise Killed
        find_phonebook(line, book)

    sandbox.fault("reset_after", "POST /api/phonebooks$")
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "find_phonebook", die)
        with pytest.raises(Killed):
            carry_out(run)
    Phonebook.objects.update(title="Not shown")
    expire_leases()
    run = carry_out(Run.objects.get(pk=run.pk))
    assert run.state == Run.State.FINISHED, run.error_text
    assert [found.title for found in sandbox.state("ippanel").phonebooks.values()] == [title]


def test_whom_another_run_puts_there_while_the_plan_is_made_is_not_called_missing(
    sandbox: SandboxServer, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(phonebook)
    newcomer = make_contact(phonebook, "+989120000002")
    other = plan_push(phonebook)
    lifecycle.approve(other)
    read = planner.read_contacts

    def read_and_lose_time(*args: Any, **how: Any) -> Any:
        remote = read(*args, **how)
        assert carry_out(other).state == Run.State.FINISHED
        return remote

    monkeypatch.setattr(planner, "read_contacts", read_and_lose_time)
    plan_push(phonebook)
    newcomer.refresh_from_db()
    assert (newcomer.sync_state, newcomer.sync_error) == (Contact.SyncState.SYNCED, {})
    assert_in_step(sandbox, phonebook)


def test_whom_another_run_puts_there_while_the_plan_is_made_is_not_taken_for_gone_when_deleted(
    sandbox: SandboxServer, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(phonebook)
    newcomer = make_contact(phonebook, "+989120000002")
    other = plan_push(phonebook)
    lifecycle.approve(other)
    read = planner.read_contacts

    def read_and_lose_time(*args: Any, **how: Any) -> Any:
        remote = read(*args, **how)
        carry_out(other)
        Contact.objects.filter(pk=newcomer.pk).update(deleted_at=timezone.now())
        return remote

    with monkeypatch.context() as patch:
        patch.setattr(planner, "read_contacts", read_and_lose_time)
        run = plan_push(phonebook)
    lifecycle.approve(run)
    assert carry_out(run).state == Run.State.ATTENTION
    assert Contact.objects.filter(pk=newcomer.pk).exists()
    assert push(phonebook).state == Run.State.FINISHED
    assert_in_step(sandbox, phonebook)
