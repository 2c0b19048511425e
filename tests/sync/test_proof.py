"""A wrong key at a provider that blocks addresses costs one request, whatever number of workers have it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from contactsync.models import ProviderAccount, RequestPace
from contactsync.models.fields import Credentials
from contactsync.sync import accounts, pace, proof
from contactsync.sync.connect import AccountStopped, AuthFailed, ProviderError, Throttled, open_provider
from contactsync.sync.line import Line
from contactsync.sync.proof import ProvingPacer
from providers.sandbox import SandboxServer
from providers.sandbox.lox24.state import CLIENT_ID
from providers.types import Exchange
from tests.factories import SANDBOX_KEY, make_account

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = "a-wrong-key-of-thirty-two-characters"


class Clock:
    """The time, ahead of the machine's by what was waited through."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.lock = threading.Lock()

    def hold(self, seconds: float) -> None:
        with self.lock:
            self.ahead += seconds


@pytest.fixture
def lox24(sandbox: SandboxServer, transactional_db: None) -> Callable[..., ProviderAccount]:
    def make(key: str = SANDBOX_KEY, **fields: Any) -> ProviderAccount:
        credentials = Credentials.seal({"client_id": CLIENT_ID, "api_key": key})
        rate = {"requests_per_second": 50}  # entered, so that the sandbox is not spared
        return make_account(
            provider="lox24", base_url=sandbox.url("lox24"), credentials=credentials, settings=rate, **fields
        )

    return make


def read(account: ProviderAccount) -> str:
    """As a worker begins: the kind of error, or an empty text."""
    try:
        with Line(ProviderAccount.objects.get(pk=account.pk)) as line:
            line.read(lambda provider: provider.balance())
    except ProviderError as error:
        return type(error).__name__
    return ""


def at_once(jobs: int, job: Callable[[], str]) -> list[str]:
    barrier = threading.Barrier(jobs)
    came: list[str] = []

    def work() -> None:
        barrier.wait(timeout=10)
        came.append(job())
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(came)


def test_a_wrong_key_costs_one_request_however_many_workers_begin_with_it(
    sandbox: SandboxServer, lox24: Callable[..., ProviderAccount]
) -> None:
    account = lox24(WRONG)
    sandbox.fault("latency", seconds=0.3)  # so that the others begin before the answer is there
    assert at_once(6, lambda: read(account)) == ["AccountStopped"] * 5 + ["AuthFailed"]
    assert [request.status for request in sandbox.requests] == [401]
    account.refresh_from_db()
    assert account.state == ProviderAccount.State.REFUSED


def test_with_a_good_key_all_workers_go_on_after_the_first_answer(
    sandbox: SandboxServer, lox24: Callable[..., ProviderAccount]
) -> None:
    account = lox24()
    sandbox.fault("latency", seconds=0.3)
    assert at_once(4, lambda: read(account)) == [""] * 4
    times = [request.at for request in sandbox.requests]
    assert len(times) == 4


def test_a_key_that_is_revoked_stops_everybody_before_the_address_is_blocked(
    sandbox: SandboxServer, lox24: Callable[..., ProviderAccount]
) -> None:
    account = lox24()
    assert read(account) == ""
    sandbox.use_key("another-key-entirely-0123456789abc")
    lines = [Line(account) for _ in range(5)]
    for line in lines:
        with pytest.raises((AuthFailed, AccountStopped)), line:
            line.read(lambda provider: provider.balance())
    assert [request.status for request in sandbox.requests if request.status == 401] == [401]


def test_the_button_tries_once_and_the_fourth_wrong_key_within_a_minute_is_not_tried(
    sandbox: SandboxServer, lox24: Callable[..., ProviderAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    account, clock = lox24(WRONG), Clock()
    start = pace.now()
    monkeypatch.setattr(pace, "now", lambda: start + clock.ahead)
    monkeypatch.setattr(pace, "hold", clock.hold)
    tried: list[float] = []
    for number in range(8):
        before = len(sandbox.requests)
        accounts.set_credentials(account, {"api_key": f"{WRONG}{number}"})
        accounts.check_account(account)
        assert len(sandbox.requests) - before in {0, 1}
        if len(sandbox.requests) > before:
            tried.append(clock.ahead)
    assert len(tried) >= 4
    assert all(later - earlier > 60 for earlier, later in zip(tried, tried[3:], strict=False))
    assert {request.status for request in sandbox.requests} == {401}


# By hand


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "now", lambda: 1_000_000.0 + clock.ahead)
    monkeypatch.setattr(pace, "hold", clock.hold)
    return clock


def pacer(account: ProviderAccount, stopped: Callable[[], ProviderError | None] = lambda: None) -> ProvingPacer:
    return ProvingPacer(account, key=f"account:{account.pk}", per_second=100, address="address:lox24", stopped=stopped)


def answer(made_with: ProvingPacer, status: int | None) -> None:
    exchange = Exchange("GET", "https://api.example.org/", "", status, "", "", dt.datetime.now(dt.UTC), 0.1)
    made_with.watching(None)(exchange)


def test_nobody_else_tries_until_the_answer_is_there(lox24: Callable[..., ProviderAccount], clock: Clock) -> None:
    one, two = pacer(lox24()), pacer(lox24())
    one.wait()
    with pytest.raises(Throttled) as caught:
        two.wait()
    assert "blocks the whole address" in caught.value.reason
    assert caught.value.status is None
    answer(one, 200)
    before = clock.ahead
    two.wait()
    assert clock.ahead == before


def test_after_a_refusal_the_next_try_has_to_wait_whoever_makes_it(
    lox24: Callable[..., ProviderAccount], clock: Clock
) -> None:
    one, two = pacer(lox24()), pacer(lox24())
    one.wait()
    answer(one, 401)
    refused_at = clock.ahead
    with pytest.raises(Throttled):
        two.wait()
    two.wait()
    assert clock.ahead >= refused_at + proof.TRIED_EVERY - 0.001


def test_a_proven_key_goes_on_while_another_is_refused(lox24: Callable[..., ProviderAccount], clock: Clock) -> None:
    good, bad = pacer(lox24()), pacer(lox24())
    good.wait()
    answer(good, 200)
    bad.wait()
    answer(bad, 401)
    before = clock.ahead
    good.wait()
    assert clock.ahead - before < 1


def test_another_key_of_the_account_is_proven_anew(lox24: Callable[..., ProviderAccount], clock: Clock) -> None:
    account = lox24()
    one = pacer(account)
    one.wait()
    answer(one, 200)
    assert pacer(account)._is_proven()
    accounts.set_credentials(account, {"api_key": WRONG})
    assert not pacer(account)._is_proven()


def test_a_proof_lasts_for_a_while_and_is_renewed_by_use(lox24: Callable[..., ProviderAccount], clock: Clock) -> None:
    account = lox24()
    one = pacer(account)
    one.wait()
    answer(one, 200)
    clock.ahead += proof.PROVEN_FOR * 0.75
    one.wait()
    answer(one, 404)  # a good key, though what was asked for is not there
    clock.ahead += proof.PROVEN_FOR * 0.75
    assert pacer(account)._is_proven()
    clock.ahead += proof.PROVEN_FOR
    assert not pacer(account)._is_proven()


@pytest.mark.parametrize("status", [None, 429, 500])
def test_an_answer_that_says_nothing_of_the_key_proves_nothing(
    lox24: Callable[..., ProviderAccount], clock: Clock, status: int | None
) -> None:
    account = lox24()
    one = pacer(account)
    one.wait()
    answer(one, status)
    assert not pacer(account)._is_proven()
    with pytest.raises(Throttled):
        pacer(account).wait()


def test_the_try_of_a_killed_worker_is_free_again_after_a_while(
    lox24: Callable[..., ProviderAccount], clock: Clock
) -> None:
    account = lox24()
    pacer(account).wait()
    clock.ahead += proof.TRIED_EVERY
    before = clock.ahead
    pacer(account).wait()
    assert clock.ahead - before < 1


def test_a_stopped_account_makes_no_request(sandbox: SandboxServer, lox24: Callable[..., ProviderAccount]) -> None:
    account = lox24()
    with open_provider(account) as provider:
        provider.balance()
        ProviderAccount.objects.update(state=ProviderAccount.State.PAUSED)
        before = len(sandbox.requests)
        with pytest.raises(AccountStopped):
            provider.balance()
    assert len(sandbox.requests) == before


def test_a_block_of_the_address_is_told_to_every_account_without_a_request(
    sandbox: SandboxServer, lox24: Callable[..., ProviderAccount]
) -> None:
    one, two = lox24(), lox24()
    sandbox.fault("status_429", times=1)
    assert read(one) == "Throttled"
    before = len(sandbox.requests)
    assert read(two) == "Throttled"
    assert len(sandbox.requests) == before
    assert RequestPace.objects.get(key="address:lox24").blocked_until > pace.now() + 500
