"""The state of accounts: tested, refused, paused, and how much credit is left."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from contactsync.crypto import Undecryptable
from contactsync.models import ProviderAccount
from contactsync.models.fields import Credentials
from contactsync.models.reasons import reason
from contactsync.sync.connect import (
    AccountInfo,
    AccountStopped,
    AuthFailed,
    Misconfigured,
    Operation,
    Provider,
    ProviderError,
    capabilities,
    open_provider,
    reason_of,
)
from contactsync.sync.templates import listed

State = ProviderAccount.State


def pause(account: ProviderAccount, error: ProviderError) -> None:
    """Stop all calls for the account after an error that only a person can mend; other errors change nothing."""
    if isinstance(error, AccountStopped) or not isinstance(error, AuthFailed | Misconfigured):
        return
    account.state = _state_after(error)
    account.state_reason = reason_of(error)
    account.save(update_fields=["state", "state_reason", "updated_at"])


def set_credentials(account: ProviderAccount, values: Mapping[str, str]) -> ProviderAccount:
    """Keep new credentials, encrypted; an empty value keeps what is there. A stopped account may be tried again."""
    try:
        known = account.credentials.open()
    except Undecryptable:  # the key they were saved with is gone: what is entered now is all there is
        known = {}
    account.credentials = Credentials.seal({**known, **{name: value for name, value in values.items() if value}})
    account.state = State.UNCHECKED
    account.state_reason = {}
    account.save(update_fields=["credentials", "state", "state_reason", "updated_at"])
    return account


def check_account(account: ProviderAccount) -> ProviderAccount:
    """Test the connection and keep what was learnt. Exactly one call when the credentials are refused.

    Never raises for a provider's error: `state` and `state_reason` tell. A failure that passes by itself
    (no connection, 5xx) leaves a stopped account stopped and makes any other one unchecked.
    """
    account.checked_at = timezone.now()
    try:
        with open_provider(account, even_if_stopped=True) as provider:
            _learn_identity(account, provider.check())
            _learn_details(account, provider)
    except ProviderError as error:
        account.state_reason = reason_of(error)
        if isinstance(error, AuthFailed | Misconfigured):
            account.state = _state_after(error)
        elif not account.is_stopped and account.state != State.READY:
            account.state = State.UNCHECKED
    account.save(update_fields=LEARNT)
    return account


LEARNT = [
    "state", "state_reason", "identity", "can_send", "senders", "templates", "balance", "currency", "checked_at", "updated_at",
]  # fmt: skip


def _state_after(error: AuthFailed | Misconfigured) -> str:
    return State.REFUSED if isinstance(error, AuthFailed) else State.PAUSED


def _learn_identity(account: ProviderAccount, info: AccountInfo) -> None:
    account.state = State.READY
    account.identity = info.identity[:200]
    account.can_send = info.can_send
    account.state_reason = reason(info.warnings[0]) if info.warnings else {}


def _learn_details(account: ProviderAccount, provider: Provider) -> None:
    can = provider.capabilities.can
    if can(Operation.READ_BALANCE):
        balance = provider.balance()
        account.balance, account.currency = balance.amount, balance.currency
    if can(Operation.LIST_SENDERS):
        account.senders = [{"value": sender.value, "label": sender.label} for sender in provider.senders()]
    if can(Operation.LIST_TEMPLATES):
        account.templates = listed(provider)


def refresh_balance(account: ProviderAccount) -> None:
    """Read the credit that is left. Raises `ProviderError`; refused credentials also pause the account."""
    if not capabilities(account).can(Operation.READ_BALANCE):
        return
    try:
        with open_provider(account) as provider:
            balance = provider.balance()
    except ProviderError as error:
        pause(account, error)
        raise
    account.balance, account.currency = balance.amount, balance.currency
    account.save(update_fields=["balance", "currency", "updated_at"])
