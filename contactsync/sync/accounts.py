"""The state of accounts: tested, refused, paused, and how much credit is left."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.crypto import Undecryptable
from contactsync.models import ProviderAccount
from contactsync.models.fields import Credentials
from contactsync.models.reasons import reason
from contactsync.sync.connect import (
    AccountConfig,
    AccountInfo,
    AccountStopped,
    AuthFailed,
    Misconfigured,
    NotSent,
    Operation,
    OutcomeUnknown,
    Provider,
    ProviderError,
    Throttled,
    Unsupported,
    capabilities,
    open_provider,
    provider_class,
    reason_of,
)
from contactsync.sync.templates import TemplateChanges, compare, listed

logger = logging.getLogger(__name__)
State = ProviderAccount.State
PASSING = (NotSent, OutcomeUnknown, Throttled)
NOT_REACHED = gettext_noop(
    "The account works, but the last test could not reach the provider: %(reason)s It is used as before; test it again later."
)


def default_region() -> str:
    """The country of numbers without a country code where no account is at hand: that of the first account."""
    return ProviderAccount.objects.order_by("pk").values_list("default_region", flat=True).first() or "IR"


def pause(account: ProviderAccount, error: ProviderError) -> None:
    """Stop all calls for the account after an error that only a person can mend; other errors change nothing.

    Nor does one that was met with a key or an address that somebody has replaced meanwhile.
    """
    if isinstance(error, AccountStopped) or not isinstance(error, AuthFailed | Misconfigured):
        return
    as_used = ProviderAccount.objects.filter(pk=account.pk, credentials=account.credentials, base_url=account.base_url)
    state, why = _state_after(error), reason_of(error)
    if as_used.update(state=state, state_reason=why, updated_at=timezone.now()):
        account.state, account.state_reason = state, why


def stored_credentials(account: ProviderAccount) -> dict[str, str | None]:
    """Name of each stored credential -> its value where that is no secret, else None. Empty when no configured key opens them."""
    try:
        stored = account.credentials.open()
    except Undecryptable:
        return {}
    readable = {field.name for field in provider_class(account.provider).credential_fields if not field.is_secret}
    return {name: value if name in readable else None for name, value in stored.items()}


def problem_with(account: ProviderAccount, entered: Mapping[str, str]) -> Misconfigured | None:
    """Why no call could be made for the account with these credentials over those stored; None when one could. Makes no call."""
    try:
        stored = account.credentials.open()
    except Undecryptable:
        stored = {}
    config = AccountConfig(
        slug=account.provider,
        credentials={**stored, **entered},
        base_url=account.base_url,
        sender=account.default_sender,
        settings=dict(account.settings),
    )
    try:
        provider_class(account.provider)(config).close()
    except Misconfigured as error:
        return error
    return None


def set_credentials(
    account: ProviderAccount, values: Mapping[str, str], *, remove: Collection[str] = ()
) -> ProviderAccount:
    """Keep new credentials, encrypted; an empty value keeps what is there. A stopped account may be tried again."""
    try:
        known = account.credentials.open()
    except Undecryptable:  # the key they were saved with is gone: what is entered now is all there is
        known = {}
    kept = {name: value for name, value in known.items() if name not in remove}
    account.credentials = Credentials.seal({**kept, **{name: value for name, value in values.items() if value}})
    account.state = State.UNCHECKED
    account.state_reason = {}
    account.save(update_fields=["credentials", "state", "state_reason", "updated_at"])
    return account


def check_account(account: ProviderAccount) -> ProviderAccount:
    """Test the connection and keep what was learnt. Exactly one call when the credentials are refused.

    Never raises for a provider's error: `state` and `state_reason` tell. A failure that passes by itself
    (no connection, no answer, 5xx, too many requests) proves nothing, so the account stays as it was: a ready one
    ready (`missed_last_test`), a stopped one stopped.
    """
    account.checked_at = timezone.now()
    was_answered = False
    try:
        with open_provider(account, even_if_stopped=True) as provider:
            _learn_identity(account, provider.check())
            was_answered = True
            _learn_details(account, provider)
    except ProviderError as error:
        account.state_reason = reason_of(error)
        if isinstance(error, AuthFailed | Misconfigured):
            account.state = _state_after(error)
        elif account.state == State.READY and not was_answered and isinstance(error, PASSING):
            account.state_reason = reason(NOT_REACHED, reason=account.state_reason)
    account.save(update_fields=LEARNT)
    return account


def missed_last_test(account: ProviderAccount) -> bool:
    """Whether the account works as far as is known, and only its last test did not get through."""
    return bool(account.state == State.READY and account.state_reason.get("message") == NOT_REACHED)


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


def note_balance(account: ProviderAccount) -> None:
    """Read the credit that is left if that works now; else the log says why, and what was read last stays."""
    try:
        refresh_balance(account)
    except ProviderError as error:
        logger.warning("The balance of account %s was not read: %s", account.pk, error.reason)


def refresh_templates(account: ProviderAccount) -> TemplateChanges:
    """Read the templates anew and tell what has changed. Raises `ProviderError`; refused credentials also pause the account."""
    limits = capabilities(account)
    if not limits.can(Operation.LIST_TEMPLATES):
        raise Unsupported(limits.why_not(Operation.LIST_TEMPLATES))
    try:
        with open_provider(account) as provider:
            found = listed(provider)
    except ProviderError as error:
        pause(account, error)
        raise
    changes = compare(account.templates, found)
    account.templates = found
    account.save(update_fields=["templates", "updated_at"])
    return changes
