"""Which of our calls a callback is about."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from django.utils import timezone

from contactsync.models import Call, Callback, ProviderAccount, Recipient
from contactsync.sync.connect import SENDS

LOOKED_BACK = dt.timedelta(days=40)  # providers report no longer than that; older calls are not looked through


def calls_meant(account: ProviderAccount, told: Sequence[Callback]) -> dict[int, Call]:
    """Callback -> the call that sent what it is about, for those that have one.

    By our reference, which is the uuid of the call, of its recipient, or of a contact at the provider that the
    last send of this account went to; else by the provider's.
    """
    found = _by_ours(account, told)
    rest = {row.reference: row.pk for row in told if row.pk not in found and row.reference}
    by_reference = _by_theirs(account, set(rest))
    found |= {
        row.pk: by_reference[row.reference] for row in told if row.pk in rest.values() and row.reference in by_reference
    }
    calls = Call.objects.select_related("run__account", "run__campaign").in_bulk(set(found.values()))
    return {callback: calls[call] for callback, call in found.items() if call in calls}


def _by_ours(account: ProviderAccount, told: Iterable[Callback]) -> dict[int, int]:
    references = {row.pk: ours for row in told if (ours := _uuid(row.our_reference))}
    wanted = set(references.values())
    if not wanted:
        return {}
    sends = Call.objects.filter(run__account=account, operation__in=SENDS)
    people = Recipient.objects.filter(campaign__account=account).exclude(call=None).order_by("pk")
    known: dict[uuid.UUID, int | None] = {
        **dict(people.filter(contact__uuid__in=wanted).values_list("contact__uuid", "call")),
        **dict(people.filter(uuid__in=wanted).values_list("uuid", "call")),
        **dict(sends.filter(uuid__in=wanted).values_list("uuid", "pk")),
    }
    return {pk: call for pk, reference in references.items() if (call := known.get(reference))}


def _by_theirs(account: ProviderAccount, wanted: set[str]) -> dict[str, int]:
    if not wanted:
        return {}
    recent = Call.objects.filter(
        run__account=account, operation__in=SENDS, finished_at__gt=timezone.now() - LOOKED_BACK
    ).exclude(references=[])
    return {
        reference: call
        for call, references in recent.order_by("pk").values_list("pk", "references").iterator()
        for reference in wanted.intersection(map(str, references))
    }


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
