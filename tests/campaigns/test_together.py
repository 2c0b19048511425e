"""Several calls of a send on the wire at once: as many as the account may have, and every promise as with one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from contactsync.admin.progress import of_campaign, of_run
from contactsync.campaigns import dispatch, lifecycle, patience, reports
from contactsync.campaigns.counts import progress
from contactsync.models import Call, Campaign, Contact, ProviderAccount, Recipient, Run, Suppression
from contactsync.sync import ledger, shutdown, sweep
from contactsync.sync.connect import InsufficientFunds, Operation, provider_class
from contactsync.sync.leases import LEASE
from providers import deadline
from providers.sandbox import SandboxServer
from tests.campaigns.companies import COMPANIES, Company
from tests.campaigns.conftest import approve, campaign_to, prepare, states
from tests.factories import make_contact, make_phonebook
from tests.sync.conftest import expire_leases
from tests.sync.test_killed import EVERY, Bomb, Killed, armed, first_fuse

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE, PEOPLE = 3, 14
S = Recipient.State


@pytest.fixture(autouse=True)
def nobody_asks_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "_asked", threading.Event())


@pytest.fixture
def company() -> Company:
    """A provider that takes one recipient per call."""
    return next(company for company in COMPANIES if company.slug == "atomtelecom")


@pytest.fixture
def account(company: Company, db: None, sandbox: SandboxServer) -> ProviderAccount:
    account = company.account(sandbox)
    account.settings["concurrency"] = AT_ONCE
    account.save()
    return account


@pytest.fixture
def phones(company: Company) -> list[str]:
    return company.phones(PEOPLE)


@pytest.fixture
def campaign(account: ProviderAccount, phones: list[str], user: Any) -> Campaign:
    book = make_phonebook(account)
    for phone in phones:
        make_contact(book, phone)
    return prepare(campaign_to(account, book, message="Hello"), user)


@pytest.fixture
def run(campaign: Campaign, user: Any) -> Run:
    return approve(campaign, user)


@pytest.fixture
def got(company: Company, sandbox: SandboxServer, phones: list[str]) -> Callable[[], dict[str, int]]:
    """How often each number got the message."""
    return lambda: {phone: company.messages_to(sandbox, phone).count("Hello") for phone in phones}


def carry_out(run: Run) -> Run:
    dispatch.execute(run.pk)
    run.refresh_from_db()
    assert run.campaign is not None
    run.campaign.refresh_from_db()
    return run


def counted(run: Run) -> Counter[str]:
    assert run.campaign is not None
    assert reports.equation(run.campaign).balances
    return Counter(states(run.campaign).values())


def around_sends(monkeypatch: pytest.MonkeyPatch, before: Callable[[Call, int], Any]) -> list[int]:
    """`before` happens in the thread of each call just before it is made; gets the call and its number from 1."""
    make, begun, lock = ledger.make, [], threading.Lock()

    def watched(call: Call, *args: Any) -> Any:
        with lock:
            begun.append(call.pk)
            number = len(begun)
        try:
            before(call, number)
        finally:
            if threading.current_thread() is not threading.main_thread():
                connection.close()
        return make(call, *args)

    monkeypatch.setattr(ledger, "make", watched)
    return begun


def most_at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, int]]:
    """How many calls were on the wire beside one of each operation, at the most, itself included."""
    make, active, most, lock = ledger.make, [], {}, threading.Lock()

    def watched(call: Call, *args: Any) -> Any:
        with lock:
            active.append(call.operation)
            for operation in active:
                most[operation] = max(most.get(operation, 0), len(active))
        try:
            return make(call, *args)
        finally:
            with lock:
                active.remove(call.operation)

    monkeypatch.setattr(ledger, "make", watched)
    return lambda: dict(most)


def test_as_many_at_once_as_the_account_may_have_and_everybody_once(company, account, user, sandbox, monkeypatch, got):
    phones = company.phones(4 * AT_ONCE)
    book = make_phonebook(account)
    for phone in phones:
        make_contact(book, phone)
    run = approve(prepare(campaign_to(account, book, message="Hello"), user), user)
    full = threading.Barrier(AT_ONCE)
    around_sends(monkeypatch, lambda call, number: full.wait(timeout=10))  # all together, or it breaks
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    assert {phone: got()[phone] for phone in phones} == dict.fromkeys(phones, 1)
    assert counted(run) == {S.ACCEPTED: len(phones)}
    assert set(run.calls.values_list("attempts", flat=True)) == {1}
    assert run.counts["accepted"] == len(phones)
    assert not Recipient.objects.filter(reference="").exists()


def test_call_and_recipient_are_on_record_before_the_first_byte(run, monkeypatch):
    seen: list[tuple[str, bool, str]] = []

    def look(call: Call, number: int) -> None:
        row = Call.objects.get(pk=call.pk)  # over a connection of this thread: what is committed
        seen.append((row.state, row.lease_until is not None, row.recipients.get().state))

    around_sends(monkeypatch, look)
    carry_out(run)
    assert seen == [(Call.State.ON_WIRE, True, S.ON_WIRE)] * PEOPLE


def test_a_stop_begins_nothing_more_and_keeps_what_was_on_the_wire(run, campaign, monkeypatch, got):
    asked = threading.Event()

    def stop(call: Call, number: int) -> None:
        if number == 1:
            lifecycle.stop(Campaign.objects.get(pk=campaign.pk))
            asked.set()
        asked.wait(timeout=10)

    begun = around_sends(monkeypatch, stop)
    carry_out(run)
    assert (run.state, run.campaign.state) == (Run.State.STOPPED, Campaign.State.STOPPED)
    assert len(begun) <= 2 * AT_ONCE
    assert counted(run) == {S.ACCEPTED: len(begun), S.NOT_SENT: PEOPLE - len(begun)}
    assert sum(got().values()) == len(begun)


def test_no_more_is_on_record_as_on_the_wire_than_may_leave_soon(run, account, campaign, monkeypatch, got):
    account.settings |= {"requests_per_second": 5, "concurrency": 32}
    account.save()
    seen: list[int] = []

    def look(call: Call, number: int) -> None:
        seen.append(Call.objects.filter(state=Call.State.ON_WIRE).count())
        if number == 1:
            lifecycle.stop(Campaign.objects.get(pk=campaign.pk))

    around_sends(monkeypatch, look)
    carry_out(run)
    assert max(seen) <= 5
    found = counted(run)
    assert set(found) == {S.ACCEPTED, S.NOT_SENT}
    assert found[S.ACCEPTED] == sum(got().values()) <= 5


def test_a_process_that_is_to_end_leaves_the_rest_to_the_next(run, monkeypatch, got):
    begun = around_sends(monkeypatch, lambda call, number: shutdown.ask() if number == 1 else None)
    carry_out(run)
    assert (run.state, run.lease_owner) == (Run.State.RUNNING, "")
    assert counted(run) == {S.ACCEPTED: len(begun), S.PLANNED: PEOPLE - len(begun)}
    monkeypatch.setattr(shutdown, "_asked", threading.Event())
    assert carry_out(run).state == Run.State.FINISHED
    assert set(got().values()) == {1}


def test_a_refused_key_ends_it_for_all_of_them(run, account, sandbox, got):
    fault = sandbox.fault("status_401", provider="atomtelecom", times=0)
    carry_out(run)
    account.refresh_from_db()
    assert (run.state, account.state) == (Run.State.PAUSED, ProviderAccount.State.REFUSED)
    assert fault.hits <= AT_ONCE
    assert counted(run) == {S.PLANNED: PEOPLE}
    assert set(run.calls.values_list("state", flat=True)) == {Call.State.PLANNED}
    assert set(got().values()) == {0}


def test_an_account_that_a_person_stops_begins_nothing_more(run, monkeypatch, got):
    def stop(call: Call, number: int) -> None:
        if number == 1:
            ProviderAccount.objects.update(state=ProviderAccount.State.PAUSED)

    begun = around_sends(monkeypatch, stop)
    assert carry_out(run).state == Run.State.PAUSED
    assert 0 < len(begun) < PEOPLE
    assert counted(run) == {S.ACCEPTED: len(begun), S.PLANNED: PEOPLE - len(begun)}
    assert sum(got().values()) == len(begun)


def test_without_credit_the_rest_waits_for_money(run, user, monkeypatch, got):
    def no_credit(self: Any, message: Any) -> Any:
        raise InsufficientFunds("The credit does not suffice.")

    with monkeypatch.context() as patch:
        patch.setattr(provider_class("atomtelecom"), "send", no_credit)
        carry_out(run)
    assert (run.state, run.error_text) == (Run.State.PAUSED, "The credit does not suffice.")
    assert counted(run) == {S.PLANNED: PEOPLE}
    lifecycle.resume(run.campaign, user=user)
    assert carry_out(run).state == Run.State.FINISHED
    assert set(got().values()) == {1}


def test_calls_without_an_answer_in_a_row_pause_it_and_are_never_made_again(run, company, sandbox, user, got):
    fault = sandbox.fault("status_500", company.send_path, provider="atomtelecom", times=0, processed=True)
    carry_out(run)
    sandbox.faults.clear()
    assert run.state == Run.State.PAUSED
    found = counted(run)
    assert patience.UNKNOWN_IN_A_ROW <= found[S.UNKNOWN] <= AT_ONCE + 2
    assert found[S.UNKNOWN] == fault.hits
    assert found[S.UNKNOWN] + found[S.PLANNED] == PEOPLE
    lifecycle.resume(run.campaign, user=user)
    carry_out(run)
    assert run.state == Run.State.ATTENTION
    assert counted(run) == {S.UNKNOWN: found[S.UNKNOWN], S.ACCEPTED: found[S.PLANNED]}
    assert set(got().values()) == {1}


@pytest.mark.parametrize("at_once", [1, AT_ONCE])
def test_refusals_in_a_row_pause_it_once(run, company, sandbox, user, got, monkeypatch, at_once):
    run.account.settings |= {"concurrency": at_once}
    run.account.save()
    monkeypatch.setattr("contactsync.sync.worker.MOST_REFUSED", 3)
    sandbox.fault("status_422", company.send_path, provider="atomtelecom", times=0)
    carry_out(run)
    assert (run.state, run.campaign.state) == (Run.State.PAUSED, Campaign.State.PAUSED)
    assert "refused 3 calls in a row" in run.campaign.error_text
    found = counted(run)
    assert 3 <= found[S.REFUSED] <= 3 * (at_once + 1)
    assert found[S.REFUSED] + found[S.PLANNED] == PEOPLE
    lifecycle.resume(run.campaign, user=user)
    carry_out(run)
    assert counted(run) == {S.REFUSED: PEOPLE}
    assert set(got().values()) == {0}


def test_too_many_requests_hold_all_of_them_back(run, company, sandbox, got):
    sandbox.fault("status_429", company.send_path, provider="atomtelecom", times=4)
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    assert set(got().values()) == {1}
    assert counted(run) == {S.ACCEPTED: PEOPLE}


def test_a_provider_out_of_reach_is_left_to_the_sweep_and_then_to_a_person(run, sandbox, company, got, user):
    ProviderAccount.objects.update(base_url="http://127.0.0.1:9/v1")
    carry_out(run)
    assert (run.state, run.lease_owner) == (Run.State.RUNNING, "")
    assert counted(run) == {S.PLANNED: PEOPLE}
    Call.objects.update(not_before=timezone.now())
    carry_out(run)
    assert (run.state, run.campaign.state) == (Run.State.PAUSED, Campaign.State.PAUSED)
    ProviderAccount.objects.update(base_url=sandbox.url(company.slug))
    lifecycle.resume(run.campaign, user=user)
    assert carry_out(run).state == Run.State.FINISHED
    assert set(got().values()) == {1}


@pytest.mark.parametrize("leaves", ["suppressed", "deleted"])
def test_whoever_opts_out_while_it_runs_gets_nothing(run, phones, monkeypatch, got, leaves):
    def opt_out(call: Call, number: int) -> None:
        if number != 1:
            return
        if leaves == "suppressed":
            Suppression.objects.create(phone=phones[-1])
        else:
            Contact.objects.filter(phone=phones[-1]).update(deleted_at=timezone.now())

    around_sends(monkeypatch, opt_out)
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    assert got() == {**dict.fromkeys(phones[:-1], 1), phones[-1]: 0}
    assert counted(run) == {S.ACCEPTED: PEOPLE - 1}
    assert run.campaign.recipients.get(phone=phones[-1]).exclusion == leaves
    assert run.counts["recipients"] == PEOPLE - 1


def test_a_worker_that_was_only_slow_leaves_its_calls_to_its_successor(run, monkeypatch, got):
    taken = threading.Lock()

    def overtaken(call: Call, number: int) -> None:
        if taken.acquire(blocking=False):
            expire_leases()

    around_sends(monkeypatch, overtaken)
    dispatch.execute(run.pk)
    recover(run)
    assert set(got().values()) == {1}
    assert run.state in {Run.State.FINISHED, Run.State.ATTENTION}
    assert set(counted(run)) <= {S.ACCEPTED, S.UNKNOWN}


def test_threads_that_were_frozen_send_nothing_of_what_was_decided_meanwhile(run, user, monkeypatch, got):
    once = threading.Lock()
    boot, frozen = deadline.since_boot, threading.Event()

    def freeze(call: Call, number: int) -> None:
        with once:
            if not frozen.is_set():
                monkeypatch.setattr(deadline, "since_boot", lambda: boot() + 660)
                expire_leases()
                sweep.recover_lost_calls()
                for lost in Call.objects.filter(state=Call.State.UNKNOWN):
                    reports.resolve_unknown(lost, sent=False, user=user)
                frozen.set()

    around_sends(monkeypatch, freeze)
    carry_out(run)
    assert frozen.is_set()
    found = counted(run)
    assert found[S.NOT_SENT] >= 1
    assert found[S.NOT_SENT] + sum(got().values()) == PEOPLE
    assert max(got().values()) == 1


def test_two_workers_on_one_run_make_each_call_once(run, got):
    begin = threading.Barrier(2)

    def work() -> None:
        try:
            begin.wait()
            dispatch.execute(run.pk)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(got().values()) == {1}
    assert counted(run) == {S.ACCEPTED: PEOPLE}


def test_runs_of_one_account_share_what_it_may_have(run, account, monkeypatch):
    Run.objects.create(
        account=account,
        kind=Run.Kind.PUSH,
        state=Run.State.RUNNING,
        lease_owner="other",
        lease_until=timezone.now() + LEASE,
    )
    most = most_at_once(monkeypatch)
    carry_out(run)
    assert most() == {Operation.SEND_TO_NUMBERS: 1}


def test_a_group_whose_outcomes_cannot_be_written_together_is_written_one_by_one(run, monkeypatch, got):
    def fail(self: Any, results: Any) -> bool:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("contactsync.sync.group_ledger.GroupLedger._record_group", fail)
    assert carry_out(run).state == Run.State.FINISHED
    assert counted(run) == {S.ACCEPTED: PEOPLE}
    assert set(got().values()) == {1}


def test_an_error_of_our_own_leaves_what_was_begun_unknown_and_the_rest_unsent(run, monkeypatch, got):
    def break_down(call: Call, number: int) -> None:
        if number == 2:
            raise MemoryError

    around_sends(monkeypatch, break_down)
    with pytest.raises(RuntimeError, match="broke down"):
        dispatch.execute(run.pk)
    run.campaign.refresh_from_db()
    assert run.campaign.state == Campaign.State.ATTENTION
    found = counted(run)
    assert found[S.UNKNOWN] == 1
    assert found[S.ACCEPTED] == sum(got().values())
    assert not found[S.ON_WIRE] + found[S.PLANNED]


def recover(run: Run) -> None:
    """What the sweep does from time to time, until nothing is left to wake."""
    for _ in range(5):
        expire_leases()
        for run_id in sweep.expired_runs():
            dispatch.execute(run_id)
    run.refresh_from_db()


def test_killed_anywhere_nobody_gets_two_and_the_next_worker_sends_the_rest(
    company, account, user, sandbox, monkeypatch
):
    fuse = first_fuse() - EVERY
    phones = company.phones(8)
    book = make_phonebook(account)
    for phone in phones:
        make_contact(book, phone)
    while True:
        fuse += EVERY
        text = f"Hello {fuse}"
        run = approve(prepare(campaign_to(account, book, message=text), user), user)
        bomb = Bomb(fuse)
        try:
            with armed(bomb, monkeypatch):
                dispatch.execute(run.pk)
        except Killed:
            in_flight = {row.phone for row in Recipient.objects.filter(call__state=Call.State.ON_WIRE)}
            recover(run)
        else:
            break
        got = {phone: company.messages_to(sandbox, phone).count(text) for phone in phones}
        found = states(run.campaign)
        unknown = {phone for phone, state in found.items() if state == S.UNKNOWN}
        assert unknown == in_flight, fuse
        assert len(unknown) <= 2 * AT_ONCE
        assert {found[phone] for phone in phones if phone not in unknown} <= {S.ACCEPTED}, fuse
        assert all(got[phone] == 1 for phone in phones if phone not in unknown), fuse
        assert all(count <= 1 for count in got.values()), fuse
        assert run.state == (Run.State.ATTENTION if unknown else Run.State.FINISHED), fuse
        assert reports.equation(run.campaign).balances
    assert bomb.events > 20  # it went off at every `EVERY`th of these


class TestACallThatNeedsAQuestionFirst:
    def test_one_to_a_whole_phonebook_has_the_wire_for_itself(self, sandbox, user, monkeypatch):
        company = COMPANIES[0]
        account = company.account(sandbox)
        account.settings["concurrency"] = AT_ONCE
        account.save()
        phones = company.phones(10)
        whole = company.book(account, sandbox, phones[:5])
        by_number = make_phonebook(account)
        for phone in phones[5:]:
            make_contact(by_number, phone)
        run = approve(prepare(campaign_to(account, by_number, whole, message="Hello"), user), user)
        assert Operation.SEND_TO_PHONEBOOK in set(run.calls.values_list("operation", flat=True))
        most = most_at_once(monkeypatch)
        assert carry_out(run).state == Run.State.FINISHED, run.error_text
        assert most()[Operation.SEND_TO_PHONEBOOK] == 1
        assert {phone: len(company.messages_to(sandbox, phone)) for phone in phones} == dict.fromkeys(phones, 1)

    def test_whoever_wrote_too_long_ago_as_far_as_is_known_is_asked_about(self, sandbox, user):
        company = next(company for company in COMPANIES if company.slug == "callbell")
        account = company.account(sandbox)
        account.settings["concurrency"] = AT_ONCE
        account.save()
        phones = company.phones(8)
        book = company.book(account, sandbox, phones)
        run = approve(prepare(campaign_to(account, book, message="Hello"), user), user)
        long_ago = timezone.now() - timezone.timedelta(days=2)
        Contact.objects.filter(phone__in=phones[::2]).update(last_received_at=long_ago)
        assert carry_out(run).state == Run.State.FINISHED, run.error_text
        assert counted(run) == {S.ACCEPTED: len(phones)}
        assert all(company.messages_to(sandbox, phone).count("Hello") == 1 for phone in phones)


class TestTheCountsOfARunningSend:
    def test_they_are_those_of_all_its_runs(self, run, campaign, user, monkeypatch):
        def stop(call: Call, number: int) -> None:
            if number == 1:
                lifecycle.stop(Campaign.objects.get(pk=campaign.pk))

        with monkeypatch.context() as patch:
            around_sends(patch, stop)
            carry_out(run)
        first = counted(run)
        assert first[S.ACCEPTED]
        rest = lifecycle.resume(run.campaign, user=user)
        told: list[dict[str, Any]] = []
        around_sends(monkeypatch, lambda call, number: told.append(Run.objects.get(pk=rest.pk).counts))
        carry_out(rest)
        assert told[-1]["recipients"] == PEOPLE
        assert told[-1]["accepted"] >= first[S.ACCEPTED]
        assert progress(rest) == {
            "recipients": PEOPLE,
            **dict.fromkeys(["refused", "unknown", "not_sent", "on_wire", "planned"], 0),
            "accepted": PEOPLE,
        }

    def test_the_pages_show_them_where_counting_would_take_long(self, run, campaign, monkeypatch):
        monkeypatch.setattr("contactsync.admin.progress.counts.COUNTED", PEOPLE - 1)
        counts = {"recipients": PEOPLE, "accepted": 5, "planned": PEOPLE - 5, "on_wire": 0}
        Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, counts=counts)
        run.refresh_from_db()
        campaign.refresh_from_db()
        for shown in (of_campaign(campaign), of_run(run)):
            assert (shown.done, shown.total) == (5, PEOPLE)
            assert shown.counts == {
                **dict.fromkeys(["refused", "unknown", "not_sent", "on_wire"], 0),
                "accepted": 5,
                "planned": PEOPLE - 5,
            }
