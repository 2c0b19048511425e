"""From an account to a client that can speak for it: the one place that opens credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, gettext_noop

from contactsync.crypto import Undecryptable
from contactsync.models import ProviderAccount
from contactsync.models.reasons import describe, reason
from contactsync.sync.hidden import hide_address, hiding
from contactsync.sync.pace import DatabasePacer, Turns, entered_rate
from contactsync.sync.proof import ProvingPacer
from providers import registry
from providers.address import is_loopback
from providers.base import Provider
from providers.exceptions import (
    AuthFailed,
    InsufficientFunds,
    Misconfigured,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Throttled,
    Unsupported,
)
from providers.types import (
    SENDS,
    AccountConfig,
    AccountInfo,
    CallbackKind,
    Capabilities,
    Exchange,
    Operation,
    PriceEstimate,
    RecipientReport,
    SendReport,
)

__all__ = [
    "SENDS",
    "AccountConfig",
    "AccountInfo",
    "AccountStopped",
    "AuthFailed",
    "CallbackKind",
    "Capabilities",
    "Exchange",
    "InsufficientFunds",
    "Misconfigured",
    "NotFound",
    "NotSent",
    "Operation",
    "OutcomeUnknown",
    "PriceEstimate",
    "Provider",
    "ProviderError",
    "RecipientReport",
    "Rejected",
    "SendReport",
    "Throttled",
    "Unsupported",
    "batch_size",
    "calls_at_once",
    "capabilities",
    "credentials_of",
    "error_text",
    "is_at_home",
    "is_loopback",
    "key_mark",
    "open_provider",
    "pacer_of",
    "provider_choices",
    "provider_class",
    "reason_of",
    "stop_reason",
]


class AccountStopped(ProviderError):
    """The account was stopped after a refusal; no call is made until a person has looked at it."""

    def __init__(self, account: ProviderAccount) -> None:
        self.why = account.state_reason
        super().__init__(
            gettext_noop(
                "The account “%(account)s” is stopped: %(reason)s Correct it on the account's page, test the connection, then resume."
            ),
            params={"account": account.name, "reason": account.state_reason_text},
        )


def reason_of(error: ProviderError) -> dict[str, Any]:
    """The error in the form in which reasons are stored in rows."""
    if isinstance(error, AccountStopped):
        return reason(error.message, **{**error.params, "reason": error.why})
    said = {name: hide_address(value) if isinstance(value, str) else value for name, value in error.params.items()}
    return reason(error.message, **said)


def error_text(error: ProviderError) -> str:
    """The error in the active language."""
    return describe(reason_of(error))


def provider_class(slug: str) -> type[Provider]:
    """The backend of a provider. Raises `Misconfigured` when there is none."""
    return registry.backend(slug)


def provider_choices() -> list[tuple[str, str]]:
    """Slug and label of every provider, in the order of the registry."""
    return [(slug, gettext(registry.backend(slug).label)) for slug in registry.BACKENDS]


def capabilities(account: ProviderAccount) -> Capabilities:
    """What the account's provider can do. Raises `Misconfigured` for an unknown provider."""
    return provider_class(account.provider).capabilities


def is_at_home(account: ProviderAccount) -> bool:
    """Whether the account's provider is a server on this machine, as the sandbox is."""
    address = account.base_url or provider_class(account.provider).default_base_url
    try:
        return is_loopback(urlsplit(address).hostname or "")
    except ValueError:  # no address at all; the backend refuses it
        return False


def batch_size(account: ProviderAccount) -> int:
    """How many contacts go into one creating call: the account's setting within the provider's limit."""
    limits = capabilities(account)
    wanted = account.settings.get("batch_size") or limits.default_batch
    try:
        return max(1, min(int(wanted), limits.max_batch))
    except (TypeError, ValueError):
        return limits.default_batch


def calls_at_once(account: ProviderAccount) -> int:
    """How many calls may be on the wire for the account at a time: its setting, else what its backend says; at least 1."""
    fields = {field.name: field for field in provider_class(account.provider).setting_fields}
    if (field := fields.get("concurrency")) is None:
        return 1
    try:
        wanted = int(account.settings.get("concurrency") or field.default)
    except (TypeError, ValueError):
        wanted = int(field.default)
    return max(1, min(wanted, field.maximum or wanted))


def stop_reason(account: ProviderAccount) -> AccountStopped | None:
    """Why no call may be made for this account now, read afresh from the database; None when calls may be made."""
    account.refresh_from_db(fields=["state", "state_reason"])
    if not account.is_stopped:
        return None
    return AccountStopped(account)


def credentials_of(account: ProviderAccount) -> dict[str, str]:
    """The account's credentials, opened: never to be shown, logged or kept. Raises `Misconfigured` when no key opens them."""
    try:
        return account.credentials.open()
    except Undecryptable as error:
        raise Misconfigured(
            gettext_noop(
                "The stored credentials of “%(account)s” do not open with any configured key. Enter the credentials again."
            ),
            params={"account": account.name},
        ) from error


def key_mark(account: ProviderAccount) -> str:
    """Tells one key and address of the account from another, and nothing of either. Raises `Misconfigured` as `credentials_of`."""
    let_in = {name: value for name, value in credentials_of(account).items() if name != "callback_secret"}
    words = json.dumps([account.base_url, let_in], sort_keys=True)
    return salted_hmac("contactsync.key_mark", words, algorithm="sha256").hexdigest()[:16]


def pacer_of(account: ProviderAccount, *, even_if_stopped: bool = False) -> DatabasePacer | None:
    """Who keeps the distance between the account's requests. None for a server on this machine, unless a rate was entered for it."""
    limits, entered = capabilities(account), entered_rate(account)
    if entered is None and is_at_home(account):
        return None
    key, per_second = f"account:{account.pk}", entered or limits.requests_per_second
    if not limits.blocks_address:
        return DatabasePacer(key, per_second=per_second)
    return ProvingPacer(
        account,
        key=key,
        per_second=per_second,
        address=f"address:{account.provider}",
        stopped=lambda: None if even_if_stopped else stop_reason(account),
    )


def open_provider(
    account: ProviderAccount,
    *,
    observer: Callable[[Exchange], None] | None = None,
    even_if_stopped: bool = False,
    turns: Turns | None = None,
    asked_to_stop: Callable[[], bool] | None = None,
) -> Provider:
    """A client for the account; close it after use. `observer` is told of every exchange, already redacted.
    `turns` says when requests may leave, in place of the pace in the database;
    without it, `asked_to_stop` is asked while a request waits for its turn, and such a request does not leave then.

    Raises `AccountStopped` for a stopped account unless `even_if_stopped` (only a connection test may),
    and `Misconfigured` when credentials or address are missing, malformed or cannot be decrypted.
    """
    if not even_if_stopped and (stopped := stop_reason(account)):
        raise stopped
    credentials = credentials_of(account)
    pacer = turns or pacer_of(account, even_if_stopped=even_if_stopped)
    if isinstance(pacer, DatabasePacer):
        pacer.asked_to_stop = asked_to_stop
    observer = hiding(observer)
    return registry.build(
        AccountConfig(
            slug=account.provider,
            credentials=credentials,
            base_url=account.base_url,
            sender=account.default_sender,
            settings=dict(account.settings),
            observer=pacer.watching(observer) if pacer else observer,
            pacer=pacer,
        )
    )
