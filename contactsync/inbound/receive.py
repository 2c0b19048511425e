"""Callbacks as they come in: kept before anything follows from them, each event once however often it is told."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from contactsync.inbound.replies import keep_replies
from contactsync.inbound.storable import storable
from contactsync.models import Callback, ProviderAccount
from contactsync.sync.callbacks import CallbackEvent, CallbackEventKind

State = Callback.State

NOTICED_EVERY = dt.timedelta(minutes=1)  # how often the account's row is written to say that it was called back
KEY_LENGTH = 200
FIELD_LENGTH = 100

_STATE_AT_FIRST = {
    CallbackEventKind.INBOUND: State.DONE,  # what follows from a reply is done together with keeping it
    CallbackEventKind.CONTACT_CHANGED: State.IGNORED,  # the next pull tells what has changed
    CallbackEventKind.OTHER: State.IGNORED,
}


@transaction.atomic
def keep_events(account: ProviderAccount, events: Iterable[CallbackEvent]) -> bool:
    """Keep what was told, and the replies among it. Whether something of it waits for a worker that nobody has been woken for."""
    now = timezone.now()
    earlier = Q(called_back_at=None) | Q(called_back_at__lt=now - NOTICED_EVERY)
    ProviderAccount.objects.filter(earlier, pk=account.pk).update(called_back_at=now)
    nobody_woken = not Callback.objects.filter(account=account, state=State.RECEIVED, not_before=None).exists()
    waiting = [_keep(account, event, now=now) for event in events]
    return nobody_woken and any(waiting)


def _keep(account: ProviderAccount, event: CallbackEvent, *, now: dt.datetime) -> bool:
    if event.inbound is not None:
        keep_replies(account, [event.inbound])
    state = _STATE_AT_FIRST.get(event.kind, State.RECEIVED)
    reference = event.reference or (event.inbound.remote_id if event.inbound else "")
    row, is_new = Callback.objects.get_or_create(
        account=account,
        key=_key(event.key),
        defaults={
            "kind": event.kind.value,
            "reference": _whole(reference),
            "our_reference": _whole(event.our_reference),
            "contact_remote_id": _whole(event.contact_id),
            "raw_state": storable(event.raw_state, most=FIELD_LENGTH),
            "is_proven": event.is_proven,
            "state": state,
            "handled_at": None if state == State.RECEIVED else now,
        },
    )
    return is_new and row.state == State.RECEIVED


def _key(key: str) -> str:
    key = storable(key)
    return key if len(key) <= KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def _whole(reference: str) -> str:
    """Empty for a reference that is too long to be one of ours: cut short, it might match one."""
    return storable(reference) if len(reference) <= FIELD_LENGTH else ""
