"""Testing a connection, stopping an account, changing its key."""

from __future__ import annotations

from decimal import Decimal

import pytest

from contactsync.models import ProviderAccount
from contactsync.sync import accounts
from contactsync.sync.connect import AccountStopped, open_provider, provider_choices
from providers.exceptions import AuthFailed, ProviderError
from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY, make_account

pytestmark = pytest.mark.django_db
State = ProviderAccount.State


def test_a_working_key_makes_the_account_ready_and_tells_about_it(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    account.state = State.UNCHECKED
    account.save()
    accounts.check_account(account)
    account.refresh_from_db()
    assert account.state == State.READY
    assert account.identity
    assert account.can_send
    assert account.balance == Decimal(50_000_000)
    assert account.currency == "IRR"
    assert {"value": "+983000505", "label": ""} in account.senders
    assert account.checked_at is not None
    assert not sandbox.changing_requests


def test_a_refused_key_is_one_call_and_stops_the_account(sandbox: SandboxServer, account: ProviderAccount) -> None:
    accounts.set_credentials(account, {"api_key": "wrong-key-wrong-key-wrong-key-1"})
    accounts.check_account(account)
    account.refresh_from_db()
    assert account.state == State.REFUSED
    assert account.state_reason_text
    assert len(sandbox.requests) == 1
    with pytest.raises(AccountStopped):
        open_provider(account)
    assert len(sandbox.requests) == 1


def test_a_blocked_account_is_ready_with_a_warning(sandbox: SandboxServer, account: ProviderAccount) -> None:
    sandbox.state("ippanel").send_block = True
    accounts.check_account(account)
    assert account.state == State.READY
    assert not account.can_send
    assert "blocked sending" in account.state_reason_text


@pytest.mark.parametrize(
    ("before", "after"),
    [(State.UNCHECKED, State.UNCHECKED), (State.READY, State.READY), (State.REFUSED, State.REFUSED)],
)
def test_a_failure_that_passes_by_itself_proves_nothing(
    sandbox: SandboxServer, account: ProviderAccount, before: str, after: str
) -> None:
    account.state = before
    account.save()
    sandbox.fault("status_500", times=0)
    accounts.check_account(account)
    account.refresh_from_db()
    assert account.state == after
    assert account.state_reason_text


@pytest.mark.parametrize("fault", ["status_500", "status_429", "hang", "refuse", "reset_after", "html"])
def test_a_ready_account_stays_usable_when_a_test_does_not_get_through(
    sandbox: SandboxServer, account: ProviderAccount, fault: str
) -> None:
    if fault == "refuse":
        account.base_url = "http://127.0.0.1:9/ippanel/v1"
        account.save()
    else:
        sandbox.fault(fault, times=0)
    accounts.check_account(account)
    account.refresh_from_db()
    assert account.state == State.READY
    assert account.state_reason_text.startswith("The account works, but the last test could not reach")
    assert accounts.missed_last_test(account)
    open_provider(account).close()

    sandbox.faults.clear()
    account.base_url = sandbox.url("ippanel")
    accounts.check_account(account)
    assert (account.state, account.state_reason) == (State.READY, {})
    assert not accounts.missed_last_test(account)


def test_when_only_the_balance_cannot_be_read_the_account_is_ready(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    account.state = State.REFUSED
    account.save()
    sandbox.fault("status_500", "/api/payment/credit/mine", times=0)
    accounts.check_account(account)
    account.refresh_from_db()
    assert account.state == State.READY
    assert account.state_reason_text
    assert not accounts.missed_last_test(account)  # the test did get through


def test_a_bad_address_pauses_the_account(account: ProviderAccount) -> None:
    account.base_url = "not an address"
    accounts.check_account(account)
    assert account.state == State.PAUSED


def test_new_credentials_let_a_stopped_account_try_again(account: ProviderAccount) -> None:
    accounts.pause(account, AuthFailed("no"))
    assert account.is_stopped
    accounts.set_credentials(account, {"api_key": ""})
    account.refresh_from_db()
    assert account.state == State.UNCHECKED
    assert account.state_reason == {}
    assert account.credentials.open() == {"api_key": SANDBOX_KEY}  # blank keeps what is there


def test_only_what_a_person_must_mend_stops_an_account(account: ProviderAccount) -> None:
    accounts.pause(account, ProviderError("something else"))
    assert account.state == State.READY


def test_the_balance_is_read_afresh(sandbox: SandboxServer, account: ProviderAccount) -> None:
    sandbox.state("ippanel").credit = 12.5
    accounts.refresh_balance(account)
    account.refresh_from_db()
    assert account.balance == Decimal("12.5")


def test_a_refused_key_while_reading_the_balance_stops_the_account(
    sandbox: SandboxServer, account: ProviderAccount
) -> None:
    sandbox.use_key("another-key-altogether-000")
    with pytest.raises(AuthFailed):
        accounts.refresh_balance(account)
    account.refresh_from_db()
    assert account.state == State.REFUSED


def test_every_provider_of_the_registry_can_be_chosen() -> None:
    assert ("ippanel", "IPPanel") in provider_choices()


def test_an_account_without_a_key_makes_no_call(sandbox: SandboxServer) -> None:
    account = make_account(base_url=sandbox.url("ippanel"), key="")
    accounts.check_account(account)
    assert account.state == State.PAUSED
    assert "API key" in account.state_reason_text
    assert not sandbox.requests
