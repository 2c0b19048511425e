"""The clock of this machine jumps. Nothing goes twice, and nothing waits for hours because an old lease does."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from contactsync import tasks
from contactsync.campaigns import dispatch, lifecycle
from contactsync.inbound import handle, inbox
from contactsync.models import Call, Callback, Campaign, ImportJob, Phonebook, ProviderAccount, Recipient, Run
from contactsync.sync import executor, ledger, pace
from contactsync.sync import lifecycle as runs
from contactsync.sync.crew import Crew
from contactsync.sync.turns import Turn
from providers.sandbox import SandboxServer
from tests.campaigns.conftest import approve
from tests.chaos import at_ippanel
from tests.chaos.at_ippanel import Events, Killed, assert_everybody_got_one, make_ready, was_sent
from tests.chaos.recovery import assert_books_are_true, finish_campaign
from tests.factories import make_campaign, make_phonebook
from tests.sync.conftest import local_contacts, plan_push, remote_contacts

pytestmark = pytest.mark.django_db(transaction=True)
account, user, book, campaign = at_ippanel.account, at_ippanel.user, at_ippanel.book, at_ippanel.campaign
no_waiting, one_text_per_call = at_ippanel.no_waiting, at_ippanel.one_text_per_call
IMMEDIATELY = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend", "QUEUES": []}}


class Clock:
    """The clock of this machine. The provider's goes right."""

    def __init__(self) -> None:
        self.offset = dt.timedelta(0)

    def jump(self, by: dt.timedelta) -> None:
        self.offset += by


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    now, seconds = timezone.now, pace.now
    monkeypatch.setattr(timezone, "now", lambda: now() + clock.offset)
    monkeypatch.setattr(pace, "now", lambda: seconds() + clock.offset.total_seconds())
    return clock


def sweeps_of(clock: Clock, minutes: int) -> Iterator[None]:
    """What a worker that is alive does every now and then."""
    for _ in range(0, minutes, 4):
        clock.jump(dt.timedelta(minutes=4))
        tasks.sweep()
        yield


ADD = "POST /api/phonebooks/numbers/add-list-new"
JUMPS = {
    "hours back": dt.timedelta(hours=-6),
    "a day ahead": dt.timedelta(days=1),
    "minutes back": dt.timedelta(minutes=-4),
    "minutes ahead": dt.timedelta(minutes=7),
}


@pytest.mark.parametrize("jump", JUMPS)
class TestTheClockJumps:
    """At any statement of the work. A worker dies right afterwards, or does not."""

    @pytest.fixture(autouse=True)
    def _at_once(self, settings: Any) -> None:
        settings.TASKS = IMMEDIATELY

    def test_in_a_send(
        self,
        jump: str,
        campaign: Campaign,
        user: User,
        sandbox: SandboxServer,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        run = approve(campaign, user)
        events = Events(1 + chance.randrange(40), lambda: clock.jump(JUMPS[jump]))
        with connection.execute_wrapper(events):
            dispatch.execute(run.pk)
        assert events.happened
        for _ in sweeps_of(clock, 20):
            pass
        finish_campaign(campaign, user, was_sent(sandbox))
        assert_everybody_got_one(sandbox)

    @pytest.mark.parametrize("place", ["claim", "make", "_write"])
    def test_in_a_send_whose_worker_dies(
        self,
        jump: str,
        place: str,
        campaign: Campaign,
        user: User,
        sandbox: SandboxServer,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        run = approve(campaign, user)
        original, passed = getattr(ledger, place), []

        def deadly(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            passed.append(place)
            if len(passed) == 2:
                clock.jump(JUMPS[jump])
                raise Killed
            return result

        with monkeypatch.context() as patch:
            patch.setattr(ledger, place, deadly)
            with pytest.raises(Killed):
                dispatch.execute(run.pk)
        for _ in sweeps_of(clock, 20):
            campaign.refresh_from_db()
            assert_books_are_true(campaign)
        # Twenty minutes later it is at rest, and says so: no lease of hours holds it.
        assert campaign.state in {Campaign.State.SENT, Campaign.State.ATTENTION}, campaign.state
        assert not Call.objects.filter(state=Call.State.ON_WIRE).exists()
        unknown = Recipient.objects.filter(state=Recipient.State.UNKNOWN).count()
        assert unknown == (0 if place == "_write" else 1)
        finish_campaign(campaign, user, was_sent(sandbox))
        assert_everybody_got_one(sandbox)

    def test_in_a_push_whose_worker_dies(
        self, jump: str, book: Phonebook, sandbox: SandboxServer, clock: Clock, chance: random.Random
    ) -> None:
        run = plan_push(book)
        runs.approve(run)

        def die() -> None:
            clock.jump(JUMPS[jump])
            raise Killed

        with connection.execute_wrapper(Events(20 + chance.randrange(25), die)), pytest.raises(Killed):
            executor.execute(run.pk)
        for _ in sweeps_of(clock, 20):
            pass
        run.refresh_from_db()
        assert run.state == Run.State.FINISHED, (run.state, run.error_text)
        assert remote_contacts(sandbox, book.title) == local_contacts(book)

    def test_while_a_push_rests_because_the_provider_asked_for_it(
        self, jump: str, book: Phonebook, sandbox: SandboxServer, clock: Clock
    ) -> None:
        run = plan_push(book)
        runs.approve(run)
        sandbox.fault("status_429", ADD, seconds=90)
        executor.execute(run.pk)
        run.refresh_from_db()
        assert run.state == Run.State.RUNNING
        assert run.error_text
        clock.jump(JUMPS[jump])
        for _ in sweeps_of(clock, 20):
            pass
        run.refresh_from_db()
        assert run.state == Run.State.FINISHED
        assert remote_contacts(sandbox, book.title) == local_contacts(book)


class TestAMomentFromBeforeTheClockWasSetBack:
    """Whatever a row waits for, it waits for minutes and not until the old time comes again."""

    @pytest.fixture(autouse=True)
    def _at_once(self, settings: Any) -> None:
        settings.TASKS = IMMEDIATELY

    @pytest.fixture
    def later(self) -> dt.datetime:
        return timezone.now() + dt.timedelta(hours=6)

    def test_the_lease_of_a_dead_worker_ends_in_time(
        self, campaign: Campaign, user: User, later: dt.datetime, sandbox: SandboxServer, clock: Clock
    ) -> None:
        run = approve(campaign, user)
        Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_owner="gone", lease_until=later)
        for _ in sweeps_of(clock, 12):
            pass
        run.refresh_from_db()
        assert run.state == Run.State.FINISHED
        assert_everybody_got_one(sandbox)

    def test_a_worker_who_is_alive_keeps_its_call_for_as_long_as_ever(
        self, campaign: Campaign, user: User, later: dt.datetime, clock: Clock
    ) -> None:
        run = approve(campaign, user)
        Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_owner="alive", lease_until=later)
        first = run.calls.first()
        Call.objects.filter(pk=first.pk).update(state=Call.State.ON_WIRE, lease_owner="alive", lease_until=later)
        Recipient.objects.filter(call=first).update(state=Recipient.State.ON_WIRE)
        tasks.sweep()
        first.refresh_from_db()
        assert first.state == Call.State.ON_WIRE
        assert dt.timedelta(minutes=9) < first.lease_until - timezone.now() <= ledger.LEASE
        for _ in sweeps_of(clock, 12):
            pass
        first.refresh_from_db()
        assert first.state == Call.State.UNKNOWN

    def test_a_call_that_may_not_be_made_yet(
        self, campaign: Campaign, user: User, later: dt.datetime, sandbox: SandboxServer, clock: Clock
    ) -> None:
        run = approve(campaign, user)
        Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_until=later)
        run.calls.update(not_before=later)
        for _ in sweeps_of(clock, 12):
            pass
        run.refresh_from_db()
        assert run.state == Run.State.FINISHED

    def test_a_campaign_that_waits_for_its_time_goes_on_waiting(
        self, account: ProviderAccount, later: dt.datetime, clock: Clock
    ) -> None:
        campaign = make_campaign(account, state=Campaign.State.WAITING, scheduled_for=later)
        run = Run.objects.create(
            kind=Run.Kind.SEND, account=account, campaign=campaign, state=Run.State.QUEUED, lease_until=later
        )
        for _ in sweeps_of(clock, 12):
            pass
        run.refresh_from_db()
        assert (run.state, run.lease_until) == (Run.State.QUEUED, later)

    def test_a_preparation(
        self, account: ProviderAccount, user: User, later: dt.datetime, sandbox: SandboxServer, clock: Clock
    ) -> None:
        lifecycle.back_to_draft(make_ready(account, user))
        campaign = Campaign.objects.get()
        lifecycle.begin_prepare(campaign, user=user)
        Campaign.objects.update(lease_owner="gone", lease_until=later)
        for _ in sweeps_of(clock, 12):
            pass
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.PREPARED

    def test_an_import(self, account: ProviderAccount, later: dt.datetime, clock: Clock) -> None:
        job = ImportJob.objects.create(
            phonebook=make_phonebook(account), state="checking", lease_owner="gone", lease_until=later, started_at=later
        )
        for _ in sweeps_of(clock, 12):
            pass
        job.refresh_from_db()
        assert job.state != "checking"

    def test_a_report_that_was_read_in_the_future(
        self, account: ProviderAccount, user: User, later: dt.datetime, sandbox: SandboxServer, clock: Clock
    ) -> None:
        campaign = make_ready(account, user)
        dispatch.execute(approve(campaign, user).pk)
        sandbox.advance(3600)
        Campaign.objects.update(reported_at=later, report_asked_at=later)
        tasks.sweep()
        campaign.refresh_from_db()
        assert campaign.summary["report"]["final"]

    def test_replies_and_call_backs(self, account: ProviderAccount, later: dt.datetime) -> None:
        ProviderAccount.objects.filter(pk=account.pk).update(inbox_read_at=later, callbacks_asked_at=later)
        Callback.objects.create(account=account, kind="delivery", key="k", not_before=later)
        assert inbox.claim_due() == [account.pk]
        handle.claim_accounts()
        row = Callback.objects.get()
        assert row.not_before < timezone.now() + dt.timedelta(minutes=11)

    def test_a_request_that_waits_for_its_turn(self, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also within one worker: the moment it was given is hours away all of a sudden."""
        moment, held = [1_000_000.0], []

        def hold(seconds: float) -> None:
            held.append(seconds)
            moment[0] += seconds
            if len(held) == 1:
                moment[0] -= 6 * 3600

        monkeypatch.setattr(pace, "now", lambda: moment[0])
        monkeypatch.setattr(pace, "hold", hold)
        pacer = pace.DatabasePacer("account:1", per_second=1)
        pacer.asked_to_stop = lambda: False
        pacer.wait()
        pacer.wait()
        assert sum(held) < 30

    def test_a_turn_of_a_thread(self, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch) -> None:
        account.settings["requests_per_second"] = 1
        account.save()
        crew = Crew(account, 2, most_unknown=3)
        turn = Turn(None, pace.now(), moment=pace.now() + 6 * 3600)
        crew._turns.append(turn)
        crew.collect(0.5)
        assert turn.answered.is_set()
        assert turn.error is None
