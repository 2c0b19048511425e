"""Replies that a provider keeps for us are fetched once, by one worker, from where the last one stopped."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from contactsync.inbound import inbox
from contactsync.models import InboundMessage, ProviderAccount, Suppression
from contactsync.sync.connect import Throttled
from contactsync.tasks import sweep
from providers.sandbox import SandboxServer
from tests.factories import make_account, make_contact, make_phonebook

IRANIAN = "+989120000001"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(sandbox: SandboxServer) -> ProviderAccount:
    return make_account(base_url=sandbox.url("ippanel"), inbox_read_at=None)


def write(sandbox: SandboxServer, text: str, sender: str = IRANIAN) -> None:
    sandbox.dialects["ippanel"].receive({"from": sender, "message": text})


def test_every_reply_is_kept_once_however_often_it_is_read(sandbox: SandboxServer, account: ProviderAccount) -> None:
    contact = make_contact(make_phonebook(account), IRANIAN)
    write(sandbox, "سلام")
    write(sandbox, "قیمت؟")
    assert inbox.read_inbox(account.pk) == 2
    assert inbox.read_inbox(account.pk) == 0
    write(sandbox, "متشکرم")
    assert inbox.read_inbox(account.pk) == 1
    assert list(account.replies.order_by("pk").values_list("text", flat=True)) == ["سلام", "قیمت؟", "متشکرم"]
    account.refresh_from_db()
    assert account.inbox_cursor == account.replies.order_by("pk").last().remote_id
    assert account.inbox_read_at
    contact.refresh_from_db()
    assert contact.last_received_at


def test_a_cursor_that_was_not_kept_makes_no_reply_twice(sandbox: SandboxServer, account: ProviderAccount) -> None:
    """As after `kill -9` between the replies and the cursor."""
    write(sandbox, "لغو۱۱")
    inbox.read_inbox(account.pk)
    Suppression.objects.all().delete()  # a person knows better
    ProviderAccount.objects.update(inbox_cursor="")
    assert inbox.read_inbox(account.pk) == 0
    assert InboundMessage.objects.count() == 1
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("text", "is_suppressed"), [("لغو۱۱", True), ("11", True), ("انصراف", True), ("stop?", True), ("لغو نکنید", False)]
)
def test_whoever_asks_for_no_more_messages_is_suppressed(
    sandbox: SandboxServer, account: ProviderAccount, text: str, is_suppressed: bool
) -> None:
    write(sandbox, text)
    inbox.read_inbox(account.pk)
    assert Suppression.objects.filter(phone=IRANIAN, reason=text, source="reply").exists() is is_suppressed


def test_the_sweep_reads_when_it_is_time_and_only_then(
    sandbox: SandboxServer, account: ProviderAccount, run_tasks: Callable[[], None]
) -> None:
    write(sandbox, "سلام")
    assert sweep() == 1
    assert sweep() == 0
    run_tasks()
    assert account.replies.count() == 1
    ProviderAccount.objects.update(inbox_read_at=timezone.now() - inbox.EVERY - dt.timedelta(seconds=1))
    assert sweep() == 1


@pytest.mark.parametrize("state", ["unchecked", "refused", "paused"])
def test_an_account_that_is_not_ready_is_not_read(account: ProviderAccount, state: str) -> None:
    ProviderAccount.objects.update(state=state)
    assert inbox.claim_due() == []


def test_a_provider_that_keeps_no_replies_is_not_asked(sandbox: SandboxServer) -> None:
    other = make_account(provider="atomtelecom", base_url=sandbox.url("atomtelecom"), inbox_read_at=None)
    assert inbox.claim_due() == []
    assert inbox.read_inbox(other.pk) == 0
    assert sandbox.requests == []


def test_of_several_workers_one_is_told_to_read(account: ProviderAccount) -> None:
    told: list[list[int]] = []
    barrier = threading.Barrier(4)

    def claim() -> None:
        barrier.wait(timeout=10)
        told.append(inbox.claim_due())
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(told) == [[], [], [], [account.pk]]


def test_what_the_provider_says_against_it_is_in_the_log_and_the_cursor_stays(
    sandbox: SandboxServer,
    account: ProviderAccount,
    run_tasks: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("contactsync.sync.line.wait", lambda seconds: None)
    write(sandbox, "سلام")
    sandbox.fault("status_429", times=9)
    with pytest.raises(Throttled):
        inbox.read_inbox(account.pk)
    ProviderAccount.objects.update(inbox_read_at=None)
    sweep()
    run_tasks()
    assert f"The replies of account {account.pk} could not be read" in caplog.text
    account.refresh_from_db()
    assert account.inbox_cursor == ""
    sandbox.faults.clear()
    assert inbox.read_inbox(account.pk) == 1
