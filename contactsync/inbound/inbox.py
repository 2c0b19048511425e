"""Replies read from providers that keep them for us to fetch."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from contactsync.inbound.replies import keep_replies
from contactsync.inbound.storable import storable
from contactsync.models import ProviderAccount
from contactsync.sync.connect import Misconfigured, Operation, capabilities
from contactsync.sync.line import Line

EVERY = dt.timedelta(minutes=5)
AT_ONCE = 200  # messages between two notes of how far we have come


def can_be_read(account: ProviderAccount) -> bool:
    """Whether the account's provider keeps replies for us to fetch."""
    try:
        return capabilities(account).can(Operation.LIST_INBOX)
    except Misconfigured:  # its backend is not installed
        return False


def claim_due() -> list[int]:
    """Accounts whose replies are to be read now; each is told to one caller only."""
    ready = ProviderAccount.objects.filter(_is_due(), state=ProviderAccount.State.READY)
    return [account.pk for account in ready if can_be_read(account) and _claim(account)]


def _is_due() -> Q:
    now = timezone.now()
    return (
        Q(inbox_read_at=None) | Q(inbox_read_at__lt=now - EVERY) | Q(inbox_read_at__gt=now + EVERY)
    )  # a clock set back


def _claim(account: ProviderAccount) -> bool:
    mine = ProviderAccount.objects.filter(_is_due(), pk=account.pk).update(inbox_read_at=timezone.now())
    return bool(mine)


def read_inbox(account_id: int) -> int:
    """Keep every reply since the last that was read. Returns how many were new. Raises `ProviderError`; reading on goes from there.

    Two that read at once keep nothing twice.
    """
    account = ProviderAccount.objects.get(pk=account_id)
    if not can_be_read(account):
        return 0
    ProviderAccount.objects.filter(pk=account.pk).update(inbox_read_at=timezone.now())
    with Line(account) as line:
        messages = line.read(lambda provider: list(provider.list_inbox(after=account.inbox_cursor)))
    new = 0
    for first in range(0, len(messages), AT_ONCE):
        some = messages[first : first + AT_ONCE]
        new += keep_replies(account, some)
        cursor = storable(some[-1].remote_id, most=100)
        ProviderAccount.objects.filter(pk=account.pk).update(inbox_cursor=cursor)
    return new
