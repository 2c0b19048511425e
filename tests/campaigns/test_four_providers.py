"""The same campaign at every provider: everybody once, whatever happens on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.utils import timezone

from contactsync import tasks
from contactsync.campaigns import dispatch, due, lifecycle, reports
from contactsync.campaigns.cancel import cancel
from contactsync.campaigns.problems import CampaignProblem
from contactsync.campaigns.waiting import begin_if_due
from contactsync.models import Call, Campaign, Phonebook, ProviderAccount, Recipient, Run
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import ledger, sweep
from contactsync.sync.connect import Operation, capabilities
from providers.sandbox import SandboxServer
from tests.campaigns.companies import COMPANIES, Company
from tests.campaigns.conftest import approve, campaign_to, prepare, send, states

State = Campaign.State
PERSONAL = "Hello {first_name}"


@pytest.fixture(params=COMPANIES, ids=lambda company: company.slug)
def company(request: pytest.FixtureRequest) -> Company:
    return request.param


@pytest.fixture
def account(company: Company, db: None, sandbox: SandboxServer) -> ProviderAccount:
    return company.account(sandbox)


@pytest.fixture
def book_of(company: Company, account: ProviderAccount, sandbox: SandboxServer) -> Callable[[int], Phonebook]:
    return lambda count: company.book(account, sandbox, company.phones(count))


def expected(phones: list[str]) -> dict[str, list[str]]:
    return {phone: [f"Hello N{phone[-2:]}"] for phone in phones}


def nothing(phones: list[str]) -> dict[str, list[str]]:
    return {phone: [] for phone in phones}


@pytest.fixture
def got(company: Company, sandbox: SandboxServer) -> Callable[[list[str]], dict[str, list[str]]]:
    return lambda phones: {phone: company.messages_to(sandbox, phone) for phone in phones}


def grow_old(run: Run) -> None:
    """Every lease runs out, as long after a kill."""
    past = timezone.now() - dt.timedelta(minutes=30)
    Run.objects.filter(pk=run.pk).update(lease_until=past)
    Call.objects.filter(state=Call.State.ON_WIRE).update(lease_until=past)


@pytest.mark.parametrize("message", ["Sale starts tomorrow", PERSONAL])
def test_fifty_people_get_one_message_each_and_a_final_report(
    company, account, book_of, got, user, sandbox, message
) -> None:
    phones = company.phones(50)
    campaign = campaign_to(account, book_of(50), message=message)
    run = send(campaign, user)
    assert (run.state, campaign.state) == (Run.State.FINISHED, State.SENT), campaign.error_text
    wanted = expected(phones) if message == PERSONAL else {phone: [message] for phone in phones}
    assert got(phones) == wanted
    assert campaign.summary["sent"]["accepted"] == 50
    assert ("price_high" in campaign.summary) == capabilities(account).can(Operation.ESTIMATE_PRICE)
    assert reports.equation(campaign).balances
    before = len(sandbox.requests)
    dispatch.execute(run.pk)
    assert len(sandbox.requests) == before
    sandbox.advance(3600)
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.summary["report"]["final"], campaign.summary["report"]
    assert (campaign.state, campaign.error_text) == (State.SENT, "")
    assert set(campaign.recipients.values_list("delivery", flat=True)) == {Recipient.Delivery.DELIVERED}
    asked = len(sandbox.requests)
    reports.pull(campaign.pk)  # nothing can change any more
    assert len(sandbox.requests) == asked


@pytest.mark.parametrize("kind", ["hang", "reset_after", "status_500"])
def test_an_unknown_outcome_is_never_sent_again_by_itself(company, account, book_of, got, user, sandbox, kind) -> None:
    (phone,) = phones = company.phones(1)
    campaign = campaign_to(account, book_of(1), message=PERSONAL)
    prepare(campaign, user)
    sandbox.fault(kind, company.send_path)
    run = send(campaign, user)
    assert (run.state, campaign.state) == (Run.State.ATTENTION, State.ATTENTION)
    assert states(campaign) == {phone: Recipient.State.UNKNOWN}
    carried_out = got(phones)
    for _ in range(3):
        grow_old(run)
        for run_id in sweep.expired_runs():
            dispatch.execute(run_id)
        dispatch.execute(run.pk)
        with pytest.raises(CampaignProblem):
            lifecycle.resume(campaign, user=user)
    assert got(phones) == carried_out
    reports.resolve_unknown(Call.objects.get(state=Call.State.UNKNOWN), sent=False, user=user)
    campaign.refresh_from_db()
    assert campaign.state == State.STOPPED
    sandbox.advance(60)  # IPPanel refuses the same message within 40 seconds
    dispatch.execute(lifecycle.resume(campaign, user=user).pk)
    assert len(got(phones)[phone]) == len(carried_out[phone]) + 1


@pytest.mark.parametrize("place", ["claim", "make", "_record"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_killed_in_the_middle_leaves_nobody_out_and_writes_to_nobody_twice(
    company, account, book_of, got, user, monkeypatch, place, after
) -> None:
    class Killed(BaseException):
        pass

    account.settings["concurrency"] = 1  # several at once are killed in `test_together`
    account.save()
    phones = company.phones(3)
    run = approve(prepare(campaign_to(account, book_of(3), message=PERSONAL), user), user)
    original = getattr(ledger, place)

    def deadly(*args, **kwargs):
        if after:
            original(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ledger, place, deadly)
        with pytest.raises(Killed):
            dispatch.execute(run.pk)
    grow_old(run)
    for run_id in sweep.expired_runs():
        dispatch.execute(run_id)
    run.refresh_from_db()
    assert all(len(texts) <= 1 for texts in got(phones).values())
    unknown = {phone for phone, state in states(run.campaign).items() if state == Recipient.State.UNKNOWN}
    assert all(got(phones)[phone] for phone in phones if phone not in unknown)
    assert reports.equation(run.campaign).balances


def test_a_refused_message_is_told_with_the_providers_words(company, account, book_of, got, user, sandbox) -> None:
    phones = company.phones(1)
    campaign = campaign_to(account, book_of(1), message=PERSONAL)
    prepare(campaign, user)
    sandbox.fault("status_422", company.send_path)
    send(campaign, user)
    assert campaign.state == State.FAILED
    assert campaign.error_text
    assert got(phones) == {phones[0]: []}


class TestAtATime:
    """The provider keeps it for later where it can; otherwise it waits here."""

    @pytest.fixture
    def later(self) -> dt.datetime:
        return timezone.now() + dt.timedelta(hours=2)

    @pytest.fixture
    def campaign(self, account, book_of, user, later) -> Campaign:
        return prepare(campaign_to(account, book_of(2), message=PERSONAL, scheduled_for=later), user)

    @pytest.fixture
    def is_here(self, account) -> bool:
        return capabilities(account).schedule_earliest is None

    def test_it_goes_out_then_and_not_before(self, company, campaign, got, user, sandbox, later, is_here) -> None:
        phones = company.phones(2)
        run = approve(campaign, user)
        dispatch.execute(run.pk)
        campaign.refresh_from_db()
        assert campaign.state == (State.WAITING if is_here else State.SCHEDULED)
        if not is_here:
            return
        assert got(phones) == nothing(phones)
        assert sweep.expired_runs() == []
        with time_machine.travel(later + dt.timedelta(minutes=2)):
            assert sweep.expired_runs() == [run.pk]
            dispatch.execute(run.pk)
            campaign.refresh_from_db()
        assert campaign.state == State.SENT
        assert got(phones) == expected(phones)

    def test_a_worker_killed_at_the_very_start_is_made_up_for(
        self, company, campaign, got, user, later, is_here
    ) -> None:
        if not is_here:
            pytest.skip("this provider can do it")
        run = approve(campaign, user)
        with time_machine.travel(later + dt.timedelta(minutes=1)):
            begin_if_due(run.pk)
        with time_machine.travel(later + dt.timedelta(minutes=3)):
            assert sweep.expired_runs() == [run.pk]
            dispatch.execute(run.pk)
            dispatch.execute(run.pk)
        assert got(company.phones(2)) == expected(company.phones(2))

    def test_after_more_than_an_hour_a_person_is_asked(self, company, campaign, got, user, later, is_here) -> None:
        if not is_here:
            pytest.skip("this provider can do it")
        phones = company.phones(2)
        run = approve(campaign, user)
        with time_machine.travel(later + dt.timedelta(minutes=75)):
            dispatch.execute(run.pk)
            campaign.refresh_from_db()
            assert campaign.state == State.PAUSED
            assert "75 minutes" in campaign.error_text
            assert got(phones) == nothing(phones)
            dispatch.execute(lifecycle.resume(campaign, user=user).pk)
            campaign.refresh_from_db()
        assert campaign.state == State.SENT
        assert got(phones) == expected(phones)

    def test_it_can_be_cancelled(self, company, account, campaign, got, user, sandbox, later, is_here) -> None:
        phones = company.phones(2)
        run = approve(campaign, user)
        dispatch.execute(run.pk)
        campaign.refresh_from_db()
        asked = len(sandbox.requests)
        assert is_here or capabilities(account).can(Operation.CANCEL_SEND)
        cancel(campaign)
        campaign.refresh_from_db()
        assert campaign.state == State.CANCELLED
        assert reports.equation(campaign).balances
        if not is_here:
            return
        assert len(sandbox.requests) == asked  # nobody else knew of it
        assert set(states(campaign).values()) == {Recipient.State.NOT_SENT}
        with time_machine.travel(later + dt.timedelta(minutes=2)):
            assert sweep.expired_runs() == []
            dispatch.execute(run.pk)
        assert got(phones) == nothing(phones)
        with pytest.raises(TransitionRefused):
            lifecycle.begin_send(campaign, user=user, audience_hash=campaign.audience_hash)

    def test_a_time_that_has_passed_is_no_time(self, account, book_of, user) -> None:
        past = timezone.now() - dt.timedelta(minutes=1)
        with pytest.raises(CampaignProblem):
            lifecycle.begin_prepare(campaign_to(account, book_of(1), scheduled_for=past), user=user)


def test_the_sweep_starts_what_waits_here(company, account, book_of, got, user, run_tasks, transactional_db) -> None:
    if capabilities(account).schedule_earliest is not None:
        pytest.skip("this provider can do it")
    later = timezone.now() + dt.timedelta(hours=2)
    campaign = prepare(campaign_to(account, book_of(1), message=PERSONAL, scheduled_for=later), user)
    approve(campaign, user)
    tasks.sweep()
    run_tasks()
    assert got(company.phones(1)) == nothing(company.phones(1))
    with time_machine.travel(later + dt.timedelta(minutes=1)):
        tasks.sweep()
        run_tasks()
    assert got(company.phones(1)) == expected(company.phones(1))


def test_reports_are_read_so_many_at_a_time_those_unread_for_longest_first(
    company, account, book_of, user, sandbox, monkeypatch
) -> None:
    monkeypatch.setattr(reports, "READS_AT_ONCE", 3)
    campaign = campaign_to(account, book_of(8), message=PERSONAL)
    send(campaign, user)
    singles = Call.objects.count() == 8  # one call per person
    sandbox.advance(3600)
    left = []
    for _ in range(3):
        reports.pull(campaign.pk)
        campaign.refresh_from_db()
        left.append(campaign.summary["report"]["left"])
    assert left == ([5, 2, 0] if singles else [0, 0, 0])
    assert campaign.summary["report"]["final"]
    assert campaign.summary["report"]["send_count"] == 8
    assert due.due_reports() == {}
