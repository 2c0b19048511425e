"""What somebody changed at the provider after the plan was made: such an update is left, not written over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.models import Call, RunItem
from contactsync.models.reasons import reason
from contactsync.sync.bulk import save_fields
from contactsync.sync.chunks import CHUNK
from contactsync.sync.connect import Operation
from contactsync.sync.mapping import Places, differences_from_remote
from contactsync.sync.remote import FEW, Finder, read_contacts
from contactsync.sync.settle import records_of
from contactsync.sync.theirs import told
from contactsync.sync.worker import Worker
from providers.types import RemoteContact

CHANGED_THERE = gettext_noop("The contact was changed at the provider after the plan was made. Push again.")


def leave_what_changed_there(worker: Worker, places: Places) -> None:
    """Of the planned updates, leave those whose contact the provider shows differently from what the plan was made on.

    Reads the provider's book once, a few contacts one by one. What the provider does not tell cannot be compared, and
    who is not found is left to the answer of the update itself. Raises `ProviderError` as every read does.
    """
    planned = worker.items().filter(call__operation=Operation.UPDATE_CONTACT.value, call__state=Call.State.PLANNED)
    planned = planned.exclude(theirs={}).order_by("pk")
    if not planned.exists():
        return
    remote = _shown(worker, planned[: FEW + 1])
    last = 0
    while items := list(planned.filter(pk__gt=last).select_related("contact")[:CHUNK]):
        last = items[-1].pk
        worker.keep()
        records = records_of(items, places)
        left = []
        for item in items:
            found = remote.get(item.remote_id)
            if item.pk not in records or found is None or not _differs(item.theirs, told(found)):
                continue
            if differences_from_remote(
                records[item.pk], found, limits=worker.limits
            ):  # not our own update, answer lost
                item.state, item.error = RunItem.State.NOT_ATTEMPTED, reason(CHANGED_THERE)
                left.append(item)
        save_fields(left, ["state", "error"])


def _shown(worker: Worker, first: Iterable[RunItem]) -> Mapping[str, RemoteContact]:
    """What the provider shows, by its id: of a few contacts, or of everybody."""
    items: Sequence[RunItem] = list(first)
    if len(items) > FEW or not worker.limits.searches_numbers:
        return read_contacts(worker.line, worker.phonebook).by_id
    phones = {str(phone) for item in items for phone in (item.phone, item.theirs.get("phone")) if phone}
    return {found.remote_id: found for found in Finder(worker.line, worker.phonebook).find(phones).values()}


def _differs(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """As far as both tell. Who opted out may still be updated."""
    return any(before[name] != now[name] for name in (before.keys() & now.keys()) - {"is_opted_out"})
