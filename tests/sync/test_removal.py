"""Phonebooks and options are removed at the provider after a plan that says what it means, and unlinked here."""

from __future__ import annotations

import pytest
from django.utils import timezone

from contactsync.models import Call, Campaign, Contact, Phonebook, PhonebookOption, ProviderAccount, Run
from contactsync.models.reasons import describe
from contactsync.sync import executor, lifecycle, planner, removal
from contactsync.sync.lifecycle import RunRefused
from providers.sandbox import SandboxServer
from tests.factories import make_campaign, make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, expire_leases, plan_push, push
from tests.sync.sides import SIDES, AtomSide, CallbellSide, IPPanelSide, Lox24Side, Side
from tests.sync.test_killed import Bomb, Killed, armed, recover

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[IPPanelSide, AtomSide, Lox24Side], ids=lambda side: side.slug)
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    made: Side = request.param(sandbox)
    return made


@pytest.fixture
def phonebook(side: Side) -> Phonebook:
    account = side.account()
    book = make_phonebook(account, options=(make_option(account, "City"),))
    for number in range(3):
        make_contact(book, side.phone(number), first_name="Sara")
    push(book)
    book.refresh_from_db()
    return book


def planned(run: Run) -> Run:
    planner.plan(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.PLANNED, run.error_text
    return run


def removed(run: Run) -> Run:
    lifecycle.approve(planned(run))
    return carry_out(run)


def titles(side: Side) -> list[str]:
    with_names = {"ippanel": "phonebooks", "atomtelecom": "books", "lox24": "groups"}
    books = getattr(side.state, with_names[side.slug]).values()
    return [getattr(book, "title", None) or book.name for book in books]


def test_the_plan_says_what_it_means_and_nothing_happens_before_it_is_approved(
    side: Side, phonebook: Phonebook
) -> None:
    run = planned(removal.create_phonebook_removal(phonebook))
    assert (run.plan["calls"], run.plan["contacts_here"]) == (1, 3)
    assert "with all contacts in it" in describe(run.plan["meaning"])
    assert phonebook.title in titles(side)


def test_a_phonebook_is_gone_there_and_unlinked_here(side: Side, phonebook: Phonebook) -> None:
    phonebook.contacts.filter(phone=side.phone(0)).update(deleted_at=timezone.now())
    run = removed(removal.create_phonebook_removal(phonebook))
    assert run.state == Run.State.FINISHED, run.error_text
    assert phonebook.title not in titles(side)
    phonebook.refresh_from_db()
    assert (phonebook.remote_id, phonebook.pushed_payload) == ("", None)
    assert list(phonebook.contacts.values_list("remote_id", "sync_state")) == [("", Contact.SyncState.NEW)] * 2
    assert describe(removal.why_not_removable(phonebook)) == describe({"message": removal.NOT_LINKED})
    assert push(phonebook).counts["created"] == 2


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "status_500"])
def test_after_an_unclear_answer_it_is_gone_exactly_once(side: Side, phonebook: Phonebook, fault: str) -> None:
    run = planned(removal.create_phonebook_removal(phonebook))
    lifecycle.approve(run)
    side.sandbox.fault(fault)
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    assert phonebook.title not in titles(side)
    phonebook.refresh_from_db()
    assert phonebook.remote_id == ""


@pytest.mark.parametrize("was_carried_out", [True, False])
def test_a_call_of_a_killed_worker_is_looked_up(side: Side, phonebook: Phonebook, was_carried_out: bool) -> None:
    run = planned(removal.create_phonebook_removal(phonebook))
    lifecycle.approve(run)
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_owner="dead", lease_until=timezone.now())
    run.calls.update(state=Call.State.UNKNOWN)
    if was_carried_out:
        _delete_there(side, phonebook)
    expire_leases()
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    assert phonebook.title not in titles(side)
    states = list(run.calls.order_by("sequence").values_list("state", flat=True))
    assert states == ([Call.State.ACCEPTED] if was_carried_out else [Call.State.NOT_SENT, Call.State.ACCEPTED])


def _delete_there(side: Side, phonebook: Phonebook) -> None:
    state, remote_id = side.state, int(phonebook.remote_id)
    if side.slug == "ippanel":
        state.delete_phonebook(remote_id)
    elif side.slug == "lox24":
        state.delete_group(state.groups[remote_id])
    else:
        state.delete_book(remote_id)


def test_somebody_was_faster(side: Side, phonebook: Phonebook) -> None:
    run = planned(removal.create_phonebook_removal(phonebook))
    _delete_there(side, phonebook)
    lifecycle.approve(run)
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    phonebook.refresh_from_db()
    assert phonebook.remote_id == ""


def test_an_option_is_gone_there_and_stays_here_untold(sandbox: SandboxServer, account: ProviderAccount) -> None:
    option = make_option(account, "City")
    book = make_phonebook(account, options=(option,))
    make_contact(book, options={str(option.pk): "Rome"})
    push(book)
    option.refresh_from_db()
    run = planned(removal.create_option_removal(option))
    assert (run.plan["phonebooks"], run.plan["contacts_here"]) == ([book.title], 1)
    lifecycle.approve(run)
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    assert not sandbox.state("ippanel").options
    option.refresh_from_db()
    assert option.remote_key == ""
    assert PhonebookOption.objects.get().stays_here
    plan = plan_push(book).plan
    assert (plan["options"], [row["title"] for row in plan["left_out"]]) == ([], ["City"])


def test_what_cannot_be_removed_says_why(sandbox: SandboxServer) -> None:
    callbell = CallbellSide(sandbox).account()
    with pytest.raises(RunRefused, match="dashboard"):
        removal.create_phonebook_removal(make_phonebook(callbell, remote_id="Newsletter"))
    lox24 = SIDES["lox24"](sandbox).account()
    with pytest.raises(RunRefused, match="fixed columns"):
        removal.create_option_removal(make_option(lox24, "City"))


def test_a_phonebook_that_a_campaign_waits_for_is_not_removed(phonebook: Phonebook) -> None:
    campaign = make_campaign(phonebook.account, state=Campaign.State.WAITING)
    campaign.targets.create(phonebook=phonebook)
    with pytest.raises(RunRefused, match=campaign.title):
        removal.create_phonebook_removal(phonebook)


def test_a_phonebook_that_a_run_works_on_is_not_removed(phonebook: Phonebook) -> None:
    planner.create_pull_run(phonebook)
    with pytest.raises(RunRefused, match="Another run"):
        removal.create_phonebook_removal(phonebook)


@pytest.mark.django_db(transaction=True)
def test_killed_anywhere_in_a_removal_the_next_worker_finishes(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    account = side.account()
    fuse = 0
    while True:
        fuse += 1
        book = make_phonebook(account, title=f"book {fuse}")
        make_contact(book, side.phone(fuse))
        push(book)
        book.refresh_from_db()
        run = planned(removal.create_phonebook_removal(book))
        lifecycle.approve(run)
        bomb = Bomb(fuse)
        try:
            with armed(bomb, monkeypatch):
                executor.execute(run.pk)
        except Killed:
            recover(run)
        run.refresh_from_db()
        book.refresh_from_db()
        assert (run.state, book.remote_id) == (Run.State.FINISHED, ""), run.error_text
        assert book.title not in titles(side)
        if bomb.events < fuse:
            break
    assert bomb.events > 5
