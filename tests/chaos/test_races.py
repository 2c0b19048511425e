"""Two of everything at the same moment: workers, clicks, sweeps. One wins, the other is told, and nothing goes twice."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from contactsync import tasks, work
from contactsync.campaigns import dispatch, lifecycle, reports
from contactsync.campaigns.problems import CampaignProblem
from contactsync.models import Call, Campaign, Phonebook, ProviderAccount, Recipient, Run
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import executor, pace
from contactsync.sync import lifecycle as runs
from providers.sandbox import SandboxServer
from tests.campaigns.conftest import approve, received, states
from tests.chaos import at_ippanel
from tests.chaos.at_ippanel import PHONES, assert_everybody_got_one, finish_push, was_sent
from tests.chaos.recovery import assert_books_are_true, finish_campaign, sweep_up
from tests.sync.conftest import local_contacts, plan_push, remote_contacts
from tests.sync.test_two_workers import at_once

pytestmark = pytest.mark.django_db(transaction=True)
account, user, book, campaign = at_ippanel.account, at_ippanel.user, at_ippanel.book, at_ippanel.campaign
no_waiting, one_text_per_call = at_ippanel.no_waiting, at_ippanel.one_text_per_call
REFUSALS = (TransitionRefused, CampaignProblem)


def both(*clicks: Callable[[], Any]) -> int:
    """Click at the same moment; whoever does not win is told so, in words. Returns how many won."""
    raised = at_once(*clicks)
    for error in raised:
        assert isinstance(error, REFUSALS), repr(error)
    return len(clicks) - len(raised)


def again(campaign: Campaign) -> Campaign:
    """The campaign as another page has it."""
    return Campaign.objects.select_related("account").get(pk=campaign.pk)


def clicks(times: int, campaign: Campaign, step: Callable[[Campaign], Any]) -> list[Callable[[], Any]]:
    """The same button on so many pages."""
    return [functools.partial(step, again(campaign)) for _ in range(times)]


class TestTwoWorkers:
    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_at_one_send(
        self, account: ProviderAccount, campaign: Campaign, user: User, sandbox: SandboxServer, concurrency: int
    ) -> None:
        account.settings["concurrency"] = concurrency
        account.save()
        run = approve(campaign, user)
        sandbox.latency = 0.01
        assert at_once(*[lambda: dispatch.execute(run.pk)] * 3) == []
        finish_campaign(campaign, user, was_sent(sandbox))
        assert_everybody_got_one(sandbox)
        assert set(run.calls.values_list("attempts", "state")) == {(1, Call.State.ACCEPTED)}

    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_at_one_push(
        self, account: ProviderAccount, book: Phonebook, sandbox: SandboxServer, concurrency: int
    ) -> None:
        account.settings["concurrency"] = concurrency
        account.save()
        run = plan_push(book)
        runs.approve(run)
        sandbox.latency = 0.01
        assert at_once(*[lambda: executor.execute(run.pk)] * 3) == []
        finish_push(sandbox, book, run)
        assert set(run.calls.values_list("attempts", flat=True)) == {1}

    def test_one_of_whom_thinks_the_other_dead(
        self, campaign: Campaign, user: User, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lease of the first runs out in the middle of each of its calls."""
        run = approve(campaign, user)
        sandbox.latency = 0.02

        def hurry() -> None:
            for _ in range(6):
                past = timezone.now()
                Run.objects.filter(pk=run.pk).exclude(lease_until=None).update(lease_until=past)
                dispatch.execute(run.pk)

        assert at_once(lambda: dispatch.execute(run.pk), hurry) == []
        finish_campaign(campaign, user, was_sent(sandbox))
        assert_everybody_got_one(sandbox)

    def test_three_sweeps_wake_one_worker(
        self, campaign: Campaign, user: User, sandbox: SandboxServer, settings: Any
    ) -> None:
        settings.TASKS = {
            "default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend", "QUEUES": []},
        }
        run = approve(campaign, user)
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now())
        assert at_once(tasks.sweep, tasks.sweep, tasks.sweep) == []
        finish_campaign(campaign, user, was_sent(sandbox))
        assert_everybody_got_one(sandbox)


class TestTwoClicks:
    def test_on_prepare(self, campaign: Campaign, user: User) -> None:
        lifecycle.back_to_draft(campaign)
        assert both(*clicks(2, campaign, lambda page: work.prepare_campaign(page, user=user))) == 1

    def test_on_send(self, campaign: Campaign, user: User, sandbox: SandboxServer, run_tasks: Any) -> None:
        pages = [again(campaign) for _ in range(3)]
        hash_ = campaign.audience_hash
        won = both(*(lambda c=c: work.send_campaign(c, user=user, audience_hash=hash_) for c in pages))  # type: ignore[misc]
        assert won == 1
        run_tasks()
        assert_everybody_got_one(sandbox)

    def test_on_send_and_back(self, campaign: Campaign, user: User, sandbox: SandboxServer, run_tasks: Any) -> None:
        one, other = again(campaign), again(campaign)
        won = both(
            lambda: work.send_campaign(one, user=user, audience_hash=one.audience_hash),
            lambda: lifecycle.back_to_draft(other),
        )
        assert won == 1
        run_tasks()
        campaign.refresh_from_db()
        assert (campaign.state, len(received(sandbox))) in {(Campaign.State.SENT, 3), (Campaign.State.DRAFT, 0)}

    def test_on_stop(self, campaign: Campaign, user: User, sandbox: SandboxServer, run_tasks: Any) -> None:
        run = approve(campaign, user)
        assert both(*clicks(2, campaign, work.stop_campaign)) == 1
        campaign.refresh_from_db()
        run.refresh_from_db()
        assert (campaign.state, run.state) == (Campaign.State.STOPPED, Run.State.STOPPED)
        run_tasks()
        assert received(sandbox) == {}

    def test_on_resume(self, campaign: Campaign, user: User, sandbox: SandboxServer, run_tasks: Any) -> None:
        approve(campaign, user)
        lifecycle.stop(campaign)
        assert both(*clicks(3, campaign, lambda page: work.resume_campaign(page, user=user))) == 1
        run_tasks()
        assert_everybody_got_one(sandbox)

    def test_on_continue_after_a_pause(
        self, account: ProviderAccount, campaign: Campaign, user: User, sandbox: SandboxServer, run_tasks: Any
    ) -> None:
        sandbox.fault("status_401", "POST /api/send$")
        dispatch.execute(approve(campaign, user).pk)
        work.check_account(account)
        resumes = clicks(2, campaign, lambda page: work.resume_campaign(page, user=user))
        both(*resumes, *clicks(1, campaign, work.stop_campaign))  # one after the other, all three may be possible
        run_tasks()
        finish_campaign(campaign, user, was_sent(sandbox))
        assert_everybody_got_one(sandbox)

    def test_of_two_people_who_disagree_about_what_is_not_known(
        self, campaign: Campaign, user: User, sandbox: SandboxServer
    ) -> None:
        sandbox.fault("reset_after", "POST /api/send$")
        dispatch.execute(approve(campaign, user).pk)
        first, second = (Call.objects.get(state=Call.State.UNKNOWN) for _ in range(2))
        won = both(
            lambda: reports.resolve_unknown(first, sent=True, user=user),
            lambda: reports.resolve_unknown(second, sent=False, user=user),
            lambda: lifecycle.resume(again(campaign), user=user),
        )
        assert won in {1, 2}
        assert_books_are_true(campaign)
        assert not Call.objects.filter(state=Call.State.UNKNOWN).exists()

    def test_on_leave_it_so_and_resume(self, campaign: Campaign, user: User, sandbox: SandboxServer) -> None:
        approve(campaign, user)
        lifecycle.stop(campaign)
        one, other = again(campaign), again(campaign)
        won = both(lambda: work.resume_campaign(one, user=user), lambda: work.leave_unsent(other, user=user))
        assert won == 1
        campaign.refresh_from_db()
        assert campaign.state in {Campaign.State.SENDING, Campaign.State.CANCELLED}

    def test_on_push(self, book: Phonebook, user: User, sandbox: SandboxServer, run_tasks: Any) -> None:
        """Two plans may come of it; only one of them can be approved at a time, and what one has done the other leaves."""
        raised = at_once(*(lambda: work.plan_push(book, user=user) for _ in range(2)))
        assert raised == []
        run_tasks()
        planned = list(Run.objects.filter(state=Run.State.PLANNED))
        assert planned
        both(*(lambda r=run: work.approve_run(r, user=user) for run in [*planned, *planned]))  # type: ignore[misc]
        run_tasks()
        run = Run.objects.exclude(state__in=[Run.State.DISCARDED, Run.State.PLANNED]).get()
        assert run.state == Run.State.FINISHED
        assert remote_contacts(sandbox, book.title) == local_contacts(book)

    def test_on_stop_and_resume_of_a_push(
        self, book: Phonebook, user: User, sandbox: SandboxServer, run_tasks: Any
    ) -> None:
        run = plan_push(book)
        runs.approve(run)
        pages = [Run.objects.get(pk=run.pk) for _ in range(4)]
        both(lambda: work.stop_run(pages[0]), lambda: work.stop_run(pages[1]))
        run.refresh_from_db()
        assert run.state == Run.State.STOPPED
        assert both(*(lambda r=page: work.resume_run(r) for page in pages[2:])) == 1  # type: ignore[misc]
        run_tasks()
        finish_push(sandbox, book, run)


class TestAStopInTheVeryMoment:
    """A person presses stop at any moment of the work; the last one is when it has just come to its end."""

    TRIES = 6

    def test_of_a_send(
        self,
        account: ProviderAccount,
        user: User,
        sandbox: SandboxServer,
        one_text_per_call: None,
        chance: random.Random,
    ) -> None:
        for _ in range(self.TRIES):
            sandbox.reset()
            sandbox.latency = 0.01
            campaign = at_ippanel.make_ready(account, user)
            run = approve(campaign, user)
            seconds = chance.random() * 0.25

            def stop(campaign: Campaign = campaign, seconds: float = seconds) -> None:
                pace.hold(seconds)
                lifecycle.stop(again(campaign))

            raised = at_once(lambda run=run: dispatch.execute(run.pk), stop)  # type: ignore[misc]
            assert all(isinstance(error, TransitionRefused) for error in raised), raised
            sweep_up()
            campaign.refresh_from_db()
            run.refresh_from_db()
            assert campaign.state in {Campaign.State.STOPPED, Campaign.State.SENT}, campaign.state
            assert run.state in {Run.State.STOPPED, Run.State.FINISHED}, run.state
            got = received(sandbox)
            told = states(campaign)
            assert {phone for phone in PHONES if told[phone] == Recipient.State.ACCEPTED} == set(got)
            assert all(len(texts) == 1 for texts in got.values())
            assert_books_are_true(campaign)
            finish_campaign_of(campaign, user, sandbox)

    def test_of_a_push(self, account: ProviderAccount, sandbox: SandboxServer, chance: random.Random) -> None:
        sandbox.latency = 0.01
        for number in range(self.TRIES):
            book = at_ippanel.make_book(sandbox, account, f"book {number}")
            run = plan_push(book)
            runs.approve(run)
            seconds = chance.random() * 0.3

            def stop(run: Run = run, seconds: float = seconds) -> None:
                pace.hold(seconds)
                runs.stop(Run.objects.get(pk=run.pk))

            raised = at_once(lambda run=run: executor.execute(run.pk), stop)  # type: ignore[misc]
            assert all(isinstance(error, TransitionRefused) for error in raised), raised
            sweep_up()
            run.refresh_from_db()
            assert run.state in {Run.State.STOPPED, Run.State.FINISHED}, run.state
            finish_push(sandbox, book, run)


def finish_campaign_of(campaign: Campaign, user: User, sandbox: SandboxServer) -> None:
    """A person goes on with it: nobody has got it twice in the end."""
    if campaign.state == Campaign.State.STOPPED:
        dispatch.execute(lifecycle.resume(campaign, user=user).pk)
    assert_everybody_got_one(sandbox)
