"""The ledger: on record before the first byte, the outcome at once, and no secret ever."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import time_machine
from django.core import serializers
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from contactsync.models import Call, Contact, ProviderAccount, Run
from contactsync.models.reasons import reason
from contactsync.sync import accounts, connect, ledger, lifecycle
from contactsync.sync.ledger import Performed, perform, perform_patiently
from contactsync.sync.line import Line
from contactsync.sync.policy import Verdict
from providers import wire
from providers.exceptions import (
    AuthFailed,
    InsufficientFunds,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Throttled,
)
from providers.sandbox import SandboxServer
from providers.types import SendReceipt
from tests.factories import SANDBOX_KEY, make_account, make_contact, make_option, make_phonebook
from tests.meanwhile import just_before
from tests.sync.conftest import carry_out, plan_push, push

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(account: ProviderAccount) -> Call:
    run = Run.objects.create(kind=Run.Kind.SEND, account=account, state=Run.State.RUNNING)
    return Call.objects.create(run=run, sequence=1, operation="send_to_numbers", item_count=1)


def raising(error: BaseException) -> Any:
    def act(provider: object) -> Any:
        raise error

    return act


def test_the_call_is_on_record_before_it_is_made_and_its_outcome_after(account: ProviderAccount, call: Call) -> None:
    seen: list[tuple[str, int]] = []

    def act(provider: object) -> SendReceipt:
        row = Call.objects.get(pk=call.pk)
        seen.append((row.state, row.attempts))
        assert row.lease_owner == "me"
        assert row.lease_until is not None
        assert row.lease_until > timezone.now()
        return SendReceipt(("77", "78"))

    performed = perform(call, act, account=account, owner="me")
    assert performed.is_done
    assert seen == [(Call.State.ON_WIRE, 1)]
    call.refresh_from_db()
    assert (call.state, call.references, call.lease_until) == (Call.State.ACCEPTED, ["77", "78"], None)
    assert call.finished_at is not None


@pytest.mark.parametrize(
    ("error", "verdict", "state"),
    [
        (Rejected("no"), Verdict.FAIL_ITEM, Call.State.REFUSED),
        (OutcomeUnknown("?"), Verdict.UNKNOWN, Call.State.UNKNOWN),
        (NotSent("down"), Verdict.RETRY, Call.State.PLANNED),
        (Throttled("slow"), Verdict.UNKNOWN, Call.State.UNKNOWN),
        (InsufficientFunds("poor"), Verdict.STOP_RUN, Call.State.PLANNED),
        (AuthFailed("who"), Verdict.PAUSE_ACCOUNT, Call.State.PLANNED),
    ],
)
def test_the_outcome_decides_the_next_state(
    account: ProviderAccount, call: Call, error: ProviderError, verdict: Verdict, state: str
) -> None:
    performed = perform(call, raising(error), account=account, owner="me")
    assert (performed.verdict, performed.error) == (verdict, error)
    call.refresh_from_db()
    assert call.state == state
    assert call.error["message"] == error.message
    assert (call.not_before is not None) == (verdict is Verdict.RETRY)


def test_a_refused_key_stops_the_account_and_no_further_call_is_made(account: ProviderAccount, call: Call) -> None:
    perform(call, raising(AuthFailed("The key was refused.")), account=account, owner="me")
    account.refresh_from_db()
    assert account.state == ProviderAccount.State.REFUSED
    made: list[int] = []
    performed = perform(call, lambda provider: made.append(1), account=account, owner="me")
    assert made == []
    assert performed.verdict is Verdict.PAUSE_ACCOUNT
    call.refresh_from_db()
    assert (call.state, call.attempts) == (Call.State.PLANNED, 1)


@pytest.mark.parametrize("replace", ["key", "address"])
def test_a_refusal_of_what_was_replaced_meanwhile_does_not_stop_the_account(
    account: ProviderAccount, call: Call, replace: str
) -> None:
    def act(provider: object) -> None:
        if replace == "key":
            accounts.set_credentials(ProviderAccount.objects.get(pk=account.pk), {"api_key": "a-new-one"})
        else:
            ProviderAccount.objects.filter(pk=account.pk).update(base_url="https://elsewhere.example")
        raise AuthFailed("The key was refused.")

    assert perform(call, act, account=account, owner="me").verdict is Verdict.PAUSE_ACCOUNT
    account.refresh_from_db()
    assert not account.is_stopped
    assert account.state_reason == {}


def test_an_account_stopped_by_another_worker_is_noticed(account: ProviderAccount, call: Call) -> None:
    with Line(account) as line:
        ProviderAccount.objects.update(state=ProviderAccount.State.PAUSED)
        performed = perform(call, lambda provider: None, account=account, owner="me", line=line)
    assert performed.verdict is Verdict.PAUSE_ACCOUNT


def test_our_own_mistake_is_parked_as_unknown_and_its_message_is_not_logged(
    account: ProviderAccount, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    performed = perform(call, raising(ValueError(f"key {SANDBOX_KEY}")), account=account, owner="me")
    assert performed.verdict is Verdict.UNKNOWN
    call.refresh_from_db()
    assert call.state == Call.State.UNKNOWN
    assert "ValueError" in call.error_text
    assert "ValueError" in caplog.text
    assert SANDBOX_KEY not in caplog.text


def test_a_call_that_is_not_planned_is_left_alone(account: ProviderAccount, call: Call) -> None:
    Call.objects.update(state=Call.State.UNKNOWN)
    assert perform(call, raising(AssertionError()), account=account, owner="me").verdict is Verdict.TAKEN
    call.refresh_from_db()
    assert (call.state, call.attempts) == (Call.State.UNKNOWN, 0)


def test_the_hooks_write_in_the_same_transactions(account: ProviderAccount, call: Call) -> None:
    def on_claim() -> None:
        assert Call.objects.get(pk=call.pk).state == Call.State.ON_WIRE
        Run.objects.update(counts={"claimed": 1})
        raise RuntimeError("the rows of the call could not be written")

    with pytest.raises(RuntimeError):
        perform(call, raising(AssertionError()), account=account, owner="me", on_claim=on_claim)
    call.refresh_from_db()
    call.run.refresh_from_db()
    assert (call.state, call.run.counts) == (Call.State.PLANNED, {})

    outcomes: list[Performed[str]] = []
    perform(call, lambda provider: "yes", account=account, owner="me", on_outcome=outcomes.append)
    assert [outcome.value for outcome in outcomes] == ["yes"]


@pytest.mark.django_db(transaction=True)
def test_a_call_cannot_be_made_inside_a_transaction(account: ProviderAccount, call: Call) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        perform(call, raising(AssertionError()), account=account, owner="me")


def test_patience_ends_and_leaves_the_call_for_later(account: ProviderAccount, call: Call, waits: list[float]) -> None:
    performed = perform_patiently(call, raising(NotSent("down")), account=account, owner="me")
    assert performed.verdict is Verdict.RETRY
    assert waits == [0.5, 1, 2, 4]
    call.refresh_from_db()
    assert (call.state, call.attempts) == (Call.State.PLANNED, ledger.ATTEMPTS_AT_ONCE)
    assert call.not_before is not None


def test_a_long_wait_is_not_sat_out(account: ProviderAccount, call: Call, waits: list[float]) -> None:
    Call.objects.update(operation="create_contacts")
    call.refresh_from_db()
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        perform_patiently(call, raising(Throttled("later", retry_after=600)), account=account, owner="me")
    call.refresh_from_db()
    assert waits == []
    assert call.not_before is not None
    assert call.not_before.isoformat() == "2026-01-01T00:10:00+00:00"


def test_what_is_known_late_still_counts_after_a_sweep_called_it_unknown(account: ProviderAccount, call: Call) -> None:
    def act(provider: object) -> SendReceipt:
        Call.objects.update(state=Call.State.UNKNOWN)
        return SendReceipt(("77",))

    assert perform(call, act, account=account, owner="me").is_done
    call.refresh_from_db()
    assert (call.state, call.references) == (Call.State.ACCEPTED, ["77"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_outcome_that_was_written_although_the_database_hung_up_is_no_late_answer(
    sandbox: SandboxServer, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch, concurrency: int
) -> None:
    account.settings["concurrency"] = concurrency
    account.save()
    book = make_phonebook(account)
    make_contact(book)
    push(book)
    Contact.objects.update(first_name="Sara", payload_hash="changed")
    commit = connection._commit
    moments: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if (
            sql.startswith('UPDATE "contactsync_call" SET "state"')
            and "accepted" in repr(params).lower()
            and not moments
        ):
            moments.append("written")
        return execute(sql, params, many, context)

    def commit_and_hang_up() -> None:
        commit()
        if moments == ["written"]:
            moments.append("committed")
            raise OperationalError("server closed the connection unexpectedly")

    run = plan_push(book)
    lifecycle.approve(run)
    monkeypatch.setattr(connection, "_commit", commit_and_hang_up)
    with connection.execute_wrapper(watch):
        carry_out(run)
    assert moments == ["written", "committed"]
    assert (run.state, run.counts["done"]) == (Run.State.FINISHED, 1)
    assert list(run.calls.values_list("state", "error", "attempts")) == [(Call.State.ACCEPTED, {}, 1)]


def test_what_was_said_is_kept_with_the_call(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    make_contact(book, "+989120000001", first_name="Sara")
    run = push(book)
    call = run.calls.get(operation="create_contacts")
    assert call.request_line.startswith("POST http://127.0.0.1")
    assert call.request_line.endswith("/add-list-new")
    assert "+989120000001" in call.request_excerpt
    assert '"added"' in call.response_excerpt
    assert call.status == 200
    assert call.seconds is not None
    assert call.counters == {"added": 1, "errors": 0, "existences": 0}


def test_the_key_is_nowhere_in_the_rows_or_the_log(
    sandbox: SandboxServer, account: ProviderAccount, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    option = make_option(account, "city")
    book = make_phonebook(account, options=(option,))
    make_contact(book, options={str(option.pk): "Rome"})
    sandbox.fault("status_500", "POST /api/phonebooks/numbers")
    push(book)
    sandbox.use_key("another-key-altogether-000")
    make_contact(book)
    push_again = Run.objects.create(kind=Run.Kind.PUSH, account=account, phonebook=book)
    from contactsync.sync import planner

    planner.plan(push_again.pk)
    accounts.check_account(account)
    account.refresh_from_db()
    rows = serializers.serialize("json", [*Run.objects.all(), *Call.objects.all(), *ProviderAccount.objects.all()])
    assert account.state == ProviderAccount.State.REFUSED
    assert SANDBOX_KEY not in rows
    assert SANDBOX_KEY not in caplog.text
    assert SANDBOX_KEY not in repr(account.__dict__)


def test_credentials_that_do_not_open_pause_the_account(sandbox: SandboxServer) -> None:
    account = make_account(base_url=sandbox.url("ippanel"))
    ProviderAccount.objects.filter(pk=account.pk).update(credentials=type(account.credentials)("gAAAA-not-ours"))
    account.refresh_from_db()
    run = Run.objects.create(kind=Run.Kind.SEND, account=account, state=Run.State.RUNNING)
    call = Call.objects.create(run=run, sequence=1, operation="send_to_numbers")
    performed = perform(call, raising(AssertionError()), account=account, owner="me")
    assert performed.verdict is Verdict.PAUSE_ACCOUNT
    account.refresh_from_db()
    assert account.state == ProviderAccount.State.PAUSED
    assert "Enter the credentials again" in account.state_reason_text
    assert not sandbox.requests


def test_no_call_can_outlast_its_lease(account: ProviderAccount) -> None:
    settings = {field.name: field for field in connect.provider_class(account.provider).setting_fields}
    connecting, answering = settings["connect_timeout"].maximum, settings["read_timeout"].maximum
    assert connecting
    assert answering
    one_request = connecting + wire.PATIENCE * answering
    assert 2 * one_request < ledger.LEASE.total_seconds()  # a deletion is proven by a second request


@pytest.mark.parametrize(
    ("act", "said"),
    [(lambda provider: SendReceipt(("77",)), "carried out"), (raising(Rejected("The text is empty.")), "is empty")],
)
def test_an_answer_that_comes_after_the_call_was_decided_is_kept_beside_the_decision(
    account: ProviderAccount, call: Call, act: Any, said: str
) -> None:
    def late(provider: object) -> Any:
        Call.objects.update(state=Call.State.NOT_SENT, error=reason("A person said that it was not sent."))
        return act(provider)

    performed = perform(call, late, account=account, owner="me")
    assert performed.verdict is Verdict.TAKEN
    call.refresh_from_db()
    assert call.state == Call.State.NOT_SENT
    assert call.error_text.startswith("A person said")
    assert "Answered late" in call.error_text
    assert said in call.error_text


@pytest.mark.parametrize("outcome", [None, NotSent("Nobody is there."), Rejected("No."), OutcomeUnknown("Nothing.")])
def test_an_answer_that_comes_while_another_worker_makes_the_call_is_not_the_answer_to_theirs(
    account: ProviderAccount, call: Call, outcome: ProviderError | None
) -> None:
    def act(provider: object) -> SendReceipt:
        Call.objects.filter(pk=call.pk).update(lease_owner="another")  # planned again by a sweep, and taken
        if outcome is not None:
            raise outcome
        return SendReceipt(("77",))

    performed = perform(call, act, account=account, owner="me")
    call.refresh_from_db()
    assert performed.verdict is Verdict.TAKEN
    assert (call.state, call.lease_owner, call.references) == (Call.State.ON_WIRE, "another", [])
    assert "Answered late" in call.error_text


@pytest.mark.django_db(transaction=True)
def test_nor_is_it_where_answers_are_written_together(sandbox: SandboxServer, account: ProviderAccount) -> None:
    account.settings["concurrency"] = 3
    account.save()
    book = make_phonebook(account)
    make_contact(book)
    push(book)
    Contact.objects.update(first_name="Sara", payload_hash="changed")
    run = plan_push(book)
    lifecycle.approve(run)
    taken = run.calls.filter(operation="update_contact")
    with just_before(
        r'^SELECT "contactsync_call"."id"[^,]*, "contactsync_call"."error"', lambda: taken.update(lease_owner="another")
    ):
        carry_out(run)
    assert [(call.state, "Answered late" in call.error_text) for call in taken] == [(Call.State.ON_WIRE, True)]


def test_a_late_answer_outlives_the_outcome_of_the_next_attempt(account: ProviderAccount, call: Call) -> None:
    def late(provider: object) -> SendReceipt:
        Call.objects.update(state=Call.State.PLANNED)
        return SendReceipt(("77",))

    perform(call, late, account=account, owner="me")
    perform(call, lambda provider: SendReceipt(("78",)), account=account, owner="another")
    call.refresh_from_db()
    assert (call.state, call.references) == (Call.State.ACCEPTED, ["78"])
    assert "Answered late" in call.error_text


def test_the_request_that_writes_is_kept_although_a_reading_one_came_after(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    book = make_phonebook(account)
    contact = make_contact(book)
    push(book)
    Contact.objects.filter(pk=contact.pk).update(deleted_at=timezone.now())
    run = push(book)
    assert run.calls.get().request_line.startswith("POST ")
