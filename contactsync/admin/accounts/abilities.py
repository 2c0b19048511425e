"""What the provider of an account cannot do, in the words for the place where a person would look for it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from contactsync.models import ProviderAccount
from contactsync.sync.connect import Capabilities, Misconfigured, Operation, capabilities, error_text


def limits_of(account: ProviderAccount | None) -> Capabilities | None:
    """What the account's provider can do; None while there is no account, or its provider is not installed."""
    try:
        return capabilities(account) if account else None
    except Misconfigured:
        return None


def counts_parts(account: ProviderAccount | None) -> bool:
    """Whether messages of this account are SMS, counted in parts; others are counted in characters."""
    limits = limits_of(account)
    return limits is None or limits.counts_parts


def why_not(account: ProviderAccount, operation: Operation) -> str:
    """Why the provider cannot do this, in one line; empty when it can."""
    try:
        can = capabilities(account)
    except Misconfigured as error:
        return error_text(error)
    return "" if can.can(operation) else _(can.why_not(operation))
