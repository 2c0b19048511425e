"""Requests of one account keep their distance, whoever makes them."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import threading
import time
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from contactsync.models import ProviderAccount, RequestPace, Run
from contactsync.models.fields import Credentials
from contactsync.sync import lifecycle, pace, shutdown
from contactsync.sync.connect import Throttled, capabilities, open_provider, pacer_of
from contactsync.sync.policy import Verdict, judge
from contactsync.sync.sweep import expired_runs
from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY, make_account, make_contact, make_phonebook
from tests.sync.conftest import carry_out, expire_leases, plan_push

pytestmark = pytest.mark.django_db

KEY = "account:1"
ADDRESS = "address:somebody"
EACH = pace.SPARE / 10


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.waits: list[float] = []

    def hold(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "now", lambda: clock.now)
    monkeypatch.setattr(pace, "hold", clock.hold)
    return clock


def pacer(key: str = KEY, **fields: Any) -> pace.DatabasePacer:
    return pace.DatabasePacer(key, **{"per_second": 10, **fields})


def test_the_first_request_leaves_at_once_and_the_next_ones_one_after_the_other(clock: Clock) -> None:
    for _ in range(4):
        pacer().wait()
    assert clock.waits == [pytest.approx(EACH)] * 3


def test_a_request_that_waits_while_the_process_is_to_end_does_not_leave_early(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "_asked", threading.Event())
    pacer().wait()
    shutdown.ask()
    with pytest.raises(Throttled) as caught:
        pacer().wait()
    assert caught.value.retry_after == 0


def test_two_workers_take_turns(clock: Clock) -> None:
    one, two = pacer(), pacer()
    started = clock.now
    for worker in (one, two, two, one, two):
        worker.wait()
    assert clock.now - started == pytest.approx(4 * EACH)


def test_a_rest_saves_nothing_up(clock: Clock) -> None:
    pacer().wait()
    clock.now += 60
    pacer().wait()
    assert clock.waits == []
    pacer().wait()
    assert clock.waits == [pytest.approx(EACH)]


def test_never_more_than_the_rate_within_any_second(clock: Clock) -> None:
    chance = random.Random(7)
    left: list[float] = []
    workers = [pacer() for _ in range(3)]
    for _ in range(200):
        clock.now += chance.choice([0, 0, 0.01, 0.3, 2])
        chance.choice(workers).wait()
        left.append(clock.now)
    assert max(sum(start <= other < start + 1 for other in left) for start in left) <= 10


def test_the_distance_survives_a_restart(clock: Clock) -> None:
    pacer().wait()
    row = RequestPace.objects.get()
    assert row.key == KEY
    assert row.next_at == pytest.approx(clock.now + EACH)
    del row
    pacer().wait()  # as a new process would make it
    assert clock.waits == [pytest.approx(EACH)]


def test_accounts_do_not_wait_for_each_other(clock: Clock) -> None:
    pacer("account:1").wait()
    pacer("account:2").wait()
    assert clock.waits == []


def test_a_queue_that_is_too_long_is_told_and_takes_no_place(clock: Clock) -> None:
    RequestPace.objects.create(key=KEY, next_at=clock.now + pace.LONGEST_WAIT + 5)
    with pytest.raises(Throttled) as caught:
        pacer().wait()
    assert caught.value.retry_after == pytest.approx(pace.LONGEST_WAIT + 5)
    assert caught.value.status is None
    assert "26 seconds" in caught.value.reason
    assert RequestPace.objects.get().next_at == clock.now + pace.LONGEST_WAIT + 5


def test_a_block_holds_for_the_other_worker_too(clock: Clock) -> None:
    one, two = pacer(), pacer()
    one.wait()
    one.blocked(3)
    two.wait()
    assert clock.waits == [pytest.approx(3)]


def test_a_long_block_is_not_waited_for_here(clock: Clock) -> None:
    pacer().blocked(600)
    with pytest.raises(Throttled) as caught:
        pacer().wait()
    assert caught.value.retry_after == pytest.approx(600)
    assert "asked for a pause" in caught.value.reason
    clock.now += 600
    pacer().wait()
    assert clock.waits == []


def test_a_shorter_block_does_not_lift_a_longer_one(clock: Clock) -> None:
    pacer().blocked(600)
    pacer().blocked(1)
    assert RequestPace.objects.get().blocked_until == pytest.approx(clock.now + 600)


def test_a_block_that_comes_while_somebody_waits_holds_for_him(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = pacer(), pacer()
    one.wait()
    times = iter([True])

    def hold(seconds: float) -> None:
        clock.hold(seconds)
        if next(times, False):
            one.blocked(2)

    monkeypatch.setattr(pace, "hold", hold)
    started = clock.now
    two.wait()
    assert clock.now == pytest.approx(started + EACH + 2)


def test_a_block_of_the_address_holds_for_other_accounts_of_the_provider(clock: Clock) -> None:
    pacer("account:1", address=ADDRESS).blocked(600)
    with pytest.raises(Throttled):
        pacer("account:2", address=ADDRESS).wait()
    pacer("account:3").wait()


def test_a_clock_that_was_set_back_stops_nobody(clock: Clock) -> None:
    pacer().wait()
    pacer().blocked(5)
    clock.now -= 10_000
    pacer().wait()
    assert clock.waits == []


def test_what_was_held_back_here_did_not_leave_and_may_be_sent_later() -> None:
    limits = capabilities(make_account())
    assert limits.duplicate_send_window
    held = pace.DatabasePacer._throttled(5.0, 1.0, is_blocked=False)
    assert judge(held, operation="send_to_numbers", capabilities=limits) is Verdict.RETRY
    answered = Throttled("too many", status=429)
    assert judge(answered, operation="send_to_numbers", capabilities=limits) is Verdict.UNKNOWN


def test_within_a_transaction_nobody_may_wait(transactional_db: None) -> None:
    from django.db import transaction

    with transaction.atomic(), pytest.raises(RuntimeError):
        pacer().wait()


@pytest.mark.parametrize("entered", [None, "", "many", 0])
def test_a_server_on_this_machine_is_spared_only_when_a_rate_was_entered(sandbox: SandboxServer, entered: Any) -> None:
    account = make_account(base_url=sandbox.url("ippanel"), settings={"requests_per_second": entered})
    assert pacer_of(account) is None
    account.base_url = "https://api.example.org"
    outside = pacer_of(account)
    assert outside is not None
    assert math.isclose(outside.interval, pace.SPARE / capabilities(account).requests_per_second)


def test_the_entered_rate_counts_and_reads_are_paced_as_well(sandbox: SandboxServer, clock: Clock) -> None:
    account = make_account(base_url=sandbox.url("ippanel"), settings={"requests_per_second": 2})
    with open_provider(account) as provider:
        provider.check()
        provider.balance()
    with open_provider(account) as provider:
        provider.senders()
    assert clock.waits == [pytest.approx(pace.SPARE / 2)] * (len(sandbox.requests) - 1)
    assert len(sandbox.requests) == 3


def test_a_429_blocks_the_account(sandbox: SandboxServer, clock: Clock) -> None:
    account = make_account(base_url=sandbox.url("ippanel"), settings={"requests_per_second": 2})
    sandbox.fault("status_429", times=1)
    with open_provider(account) as provider, pytest.raises(Throttled):
        provider.check()
    assert RequestPace.objects.get(key=f"account:{account.pk}").blocked_until > clock.now


def test_a_run_waits_for_the_end_of_a_block_and_goes_on_by_itself(sandbox: SandboxServer, clock: Clock) -> None:
    account = make_account(base_url=sandbox.url("ippanel"), settings={"requests_per_second": 50})
    book = make_phonebook(account)
    make_contact(book)
    run = plan_push(book)
    lifecycle.approve(run)
    pacer(f"account:{account.pk}").blocked(600)
    before = len(sandbox.requests)
    carry_out(run)
    assert (run.state, run.lease_owner) == (Run.State.RUNNING, "")
    assert 590 < (run.lease_until - timezone.now()).total_seconds() <= 600
    assert "asked for a pause" in run.error_text
    assert len(sandbox.requests) == before
    clock.now += 600
    expire_leases()
    assert expired_runs() == [run.pk]
    assert carry_out(run).state == Run.State.FINISHED


# With real workers


WORKER = """
import django
django.setup()
from contactsync.models import ProviderAccount
from contactsync.sync.connect import open_provider
account = ProviderAccount.objects.get()
with open_provider(account) as provider:
    for _ in range(6):
        provider.check()
"""


@pytest.fixture
def atom(sandbox: SandboxServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> ProviderAccount:
    """An account at a server that keeps the document's ten requests a second, and time that is real."""
    monkeypatch.setattr(pace, "now", time.time)
    monkeypatch.setattr(pace, "hold", time.sleep)
    sandbox.settings.limits = True
    return make_account(
        provider="atomtelecom",
        base_url=sandbox.url("atomtelecom"),
        credentials=Credentials.seal({"token": SANDBOX_KEY}),
        settings={"requests_per_second": 8},
    )


def database_url() -> str:
    """Where the test database is, for another process."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user = f"{database['USER']}:{quote(database['PASSWORD'])}"
    return f"postgres://{user}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


def assert_kept(sandbox: SandboxServer, requests: int) -> None:
    """All were answered, and the whole took as long as the rate wants."""
    assert [request.status for request in sandbox.requests] == [200] * requests
    times = [request.at for request in sandbox.requests]
    assert max(times) - min(times) > (requests - 1) / 8 * 0.9


def test_threads_share_the_rate_and_no_request_is_refused(sandbox: SandboxServer, atom: ProviderAccount) -> None:
    def work() -> None:
        with open_provider(ProviderAccount.objects.get()) as provider:
            for _ in range(6):
                provider.check()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert_kept(sandbox, 12)


def test_processes_share_the_rate_and_no_request_is_refused(sandbox: SandboxServer, atom: ProviderAccount) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "contactsync.settings", "DATABASE_URL": database_url()}
    workers = [subprocess.Popen([sys.executable, "-c", WORKER], env=environment) for _ in range(2)]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    assert_kept(sandbox, 12)
