"""Several workers, clicks and sweeps at once: every call is made exactly once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from contactsync.models import Call, ProviderAccount, Run
from contactsync.sync import executor, ledger, lifecycle
from contactsync.sync.line import Line
from contactsync.sync.policy import Verdict
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_phonebook
from tests.sync.conftest import assert_in_step, carry_out, plan_push

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs: Callable[[], Any]) -> list[BaseException]:
    """Run the jobs in threads that start together; returns what they raised."""
    barrier = threading.Barrier(len(jobs))
    raised: list[BaseException] = []

    def work(job: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=10)
            job()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


def test_two_workers_on_one_run_make_every_call_once(sandbox: SandboxServer, account: ProviderAccount) -> None:
    account.settings["batch_size"] = 1
    account.save()
    book = make_phonebook(account)
    for _ in range(6):
        make_contact(book)
    run = plan_push(book)
    lifecycle.approve(run)
    raised = at_once(lambda: executor.execute(run.pk), lambda: executor.execute(run.pk))
    assert raised == []
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert_in_step(sandbox, book)
    sent = Counter(
        row["number"]
        for request in sandbox.requests_to("POST /api/phonebooks/numbers/add")
        for row in request.json["list"]
    )
    assert set(sent.values()) == {1}
    assert set(run.calls.values_list("attempts", flat=True)) == {1}


def test_two_workers_on_one_call_make_it_once(sandbox: SandboxServer, account: ProviderAccount) -> None:
    run = Run.objects.create(kind=Run.Kind.SEND, account=account, state=Run.State.RUNNING)
    call = Call.objects.create(run=run, sequence=1, operation="send_to_numbers")
    made: list[str] = []
    verdicts: list[Verdict] = []

    def work(owner: str) -> None:
        with Line(ProviderAccount.objects.get(pk=account.pk)) as line:
            performed = ledger.perform(
                Call.objects.get(pk=call.pk),
                lambda provider: made.append(owner),
                account=line.account,
                owner=owner,
                line=line,
            )
        verdicts.append(performed.verdict)

    assert at_once(*(lambda owner=f"worker {number}": work(owner) for number in range(4))) == []  # type: ignore[misc]
    assert len(made) == 1
    assert Counter(verdicts) == {Verdict.DONE: 1, Verdict.TAKEN: 3}
    call.refresh_from_db()
    assert (call.state, call.attempts) == (Call.State.ACCEPTED, 1)


def test_two_clicks_on_approve_approve_once(account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book)
    run = plan_push(book)
    clicks = [Run.objects.get(pk=run.pk), Run.objects.get(pk=run.pk)]
    raised = at_once(*(lambda click=click: lifecycle.approve(click) for click in clicks))  # type: ignore[misc]
    assert [type(error) for error in raised] == [lifecycle.RunRefused]
    assert carry_out(run).state == Run.State.FINISHED


def test_a_second_run_of_a_phonebook_waits_for_the_first(account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book)
    first = plan_push(book)
    lifecycle.approve(first)
    second = plan_push(book)
    with pytest.raises(lifecycle.RunRefused, match="Another run"):
        lifecycle.approve(second)
    second.refresh_from_db()
    assert second.state == Run.State.PLANNED
    carry_out(first)
    lifecycle.approve(second)
    assert carry_out(second).counts["not_attempted"] == 1  # the first has put it there
