"""What providers tell by calling us, and the two calls by which one is asked to."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext as _

from contactsync.models import ProviderAccount
from contactsync.models.transitions import StepRefused
from contactsync.sync import accounts
from contactsync.sync.callback_address import callback_url
from contactsync.sync.connect import (
    NotFound,
    ProviderError,
    credentials_of,
    open_provider,
    provider_class,
)
from contactsync.sync.line import Line
from providers.exceptions import NotGenuine
from providers.types import CallbackEvent, CallbackEventKind, CallbackRequest
from providers.types import InboundMessage as ToldMessage

__all__ = [
    "CallbackEvent",
    "CallbackEventKind",
    "NotGenuine",
    "ToldMessage",
    "has_contact",
    "read",
    "subscribe",
    "unsubscribe",
]


def read(
    account: ProviderAccount,
    *,
    method: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
    reference: str = "",
) -> tuple[CallbackEvent, ...]:
    """What a request to the account's address tells. Makes no call. Raises `NotGenuine` when it is not the provider's.

    `reference` is what the address has behind the account's key. Raises `Misconfigured` when the secret cannot be opened.
    """
    request = CallbackRequest(
        method=method,
        headers={name.lower(): value for name, value in headers.items()},
        query=dict(query),
        body=body,
        reference=reference,
    )
    secret = credentials_of(account).get("callback_secret", "")
    return provider_class(account.provider).read_callback(request, secret=secret, now=timezone.now())


def has_contact(line: Line, remote_id: str) -> bool:
    """Whether the provider still has the contact. Raises `ProviderError`."""
    try:
        line.read(lambda provider: provider.get_contact(remote_id))
    except NotFound:
        return False
    return True


def subscribe(account: ProviderAccount) -> None:
    """Have the provider call our address, in place of any other.

    Raises `StepRefused` when it could not reach us, and `ProviderError`; refused credentials also pause the account.
    """
    address = callback_url(account)
    if not address:
        raise StepRefused(
            _(
                "This site is open on this machine only, so the provider could not call it. "
                "Set SITE_URL to an https address that can be reached from outside."
            )
        )
    _ask(account, address)
    ProviderAccount.objects.filter(pk=account.pk).update(callback_subscribed_at=timezone.now())


def unsubscribe(account: ProviderAccount) -> None:
    """Have the provider call nobody any more. Raises `ProviderError`; refused credentials also pause the account."""
    _ask(account, "")
    ProviderAccount.objects.filter(pk=account.pk).update(callback_subscribed_at=None)


def _ask(account: ProviderAccount, address: str) -> None:
    try:
        with open_provider(account) as provider:
            if address:
                provider.subscribe_callbacks(address)
            else:
                provider.unsubscribe_callbacks()
    except ProviderError as error:
        accounts.pause(account, error)
        raise
