"""What becomes of items and contacts after an answer, written in bulk and together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.models import Contact, Run, RunItem
from contactsync.models.listed import among_ids
from contactsync.models.reasons import reason
from contactsync.sync.bulk import save_fields
from contactsync.sync.decide import ID_TAKEN
from contactsync.sync.former import remove_contacts
from contactsync.sync.mapping import Places, payload_of, record_of
from providers.types import ContactRecord

SyncState = Contact.SyncState
ItemState = RunItem.State

CHANGED_SINCE = gettext_noop("The contact was changed after the plan was made. Push again.")
DELETED_SINCE = gettext_noop("The contact was deleted after the plan was made.")
REVIVED_SINCE = gettext_noop("The contact is not marked as deleted any more, so it was kept.")
DELETE_LINKED_SINCE = gettext_noop(
    "The contact was linked at the provider since the plan was made, so nothing was deleted. Plan again."
)
LINKED_SINCE = gettext_noop("The contact was put at the provider by another run meanwhile. Push again.")

PUSHED_FIELDS = ["remote_id", "sync_state", "pushed_hash", "pushed_payload", "sync_error", "pushed_at"]


def usable(items: Iterable[RunItem]) -> list[RunItem]:
    """Those items whose contact is still as the plan has shown it; the others are left, with the reason."""
    items = list(items)
    good: list[RunItem] = []
    left: list[RunItem] = []
    linked = _linked_by_now(items)
    for item in items:
        why = LINKED_SINCE if item.remote_id in linked else _why_not(item)
        if why:
            item.state, item.error = ItemState.NOT_ATTEMPTED, reason(why)
            left.append(item)
        else:
            good.append(item)
    save_fields(left, ["state", "error"])
    return good


def _linked_by_now(items: Sequence[RunItem]) -> set[str]:
    """Ids of strangers to be deleted that belong to a contact of ours since the plan was made."""
    strangers = [item for item in items if item.operation == RunItem.Operation.ONLY_THERE and item.contact is None]
    if not strangers:
        return set()
    phonebook = Run.objects.values_list("phonebook_id", flat=True).get(pk=strangers[0].run_id)
    ours = Contact.objects.present().with_remote_ids(phonebook or 0, {item.remote_id for item in strangers})
    return set(ours.values_list("remote_id", flat=True))


def _why_not(item: RunItem) -> str:
    contact = item.contact
    if item.operation in {RunItem.Operation.DELETE, RunItem.Operation.ONLY_THERE}:
        if contact is None:
            return ""
        return REVIVED_SINCE if contact.deleted_at is None else _why_not_deleted(item, contact)
    if contact is None or contact.deleted_at is not None:
        return DELETED_SINCE
    if contact.payload_hash != item.payload_hash:
        return CHANGED_SINCE
    is_first_link = item.operation in {RunItem.Operation.CREATE, RunItem.Operation.ADOPT} or not item.remote_id
    if is_first_link and contact.remote_id not in {"", item.remote_id} and contact.sync_state == SyncState.SYNCED:
        return LINKED_SINCE
    return ""


def _why_not_deleted(item: RunItem, contact: Contact) -> str:
    """A push in between may have put it there, or put it there anew: the id of the plan is not the one to delete."""
    may_be_there = not item.remote_id and contact.sync_state == SyncState.UNKNOWN
    is_another = contact.remote_id not in {"", item.remote_id}
    return DELETE_LINKED_SINCE if may_be_there or is_another else ""


def records_of(items: Sequence[RunItem], places: Places) -> dict[int, ContactRecord]:
    """The records of the items' contacts, by item. Who decided to keep ours wants what is empty here to be empty there."""
    return {
        item.pk: record_of(item.contact, places=places, whole=item.decision == RunItem.Decision.KEEP_OURS)
        for item in items
        if item.contact is not None
    }


def done(items: Mapping[int, str], rows: Sequence[RunItem], records: Mapping[int, ContactRecord]) -> None:
    """Items (key to remote id) that are at the provider exactly as recorded: contact in step, item done."""
    now = timezone.now()
    rows = _without_conflicts(items, rows)
    contacts = []
    for item in rows:
        contact = item.contact
        if contact is None:
            continue
        contact.remote_id = items[item.pk]
        contact.sync_state = SyncState.SYNCED
        contact.pushed_hash = item.payload_hash
        # A contact edited between call and reading back: what was told is not on hand any more, so all is told again.
        is_as_told = contact.payload_hash == item.payload_hash
        contact.pushed_payload = payload_of(records[item.pk]) if is_as_told else None
        contact.sync_error = {}
        contact.pushed_at = now
        contacts.append(contact)
        item.state, item.error, item.remote_id = ItemState.DONE, {}, items[item.pk]
    save_fields(contacts, PUSHED_FIELDS)
    mark_edited(contacts)
    save_fields(rows, ["state", "error", "remote_id"])


def mark_edited(contacts: Sequence[Contact]) -> None:
    """Of contacts just written as in step: those that were edited in that moment are not."""
    if contacts:
        written = Contact.objects.filter(pk__in=among_ids([contact.pk for contact in contacts]))
        # by their keys: an index of states tempts PostgreSQL to look at all that are in step, of which it knows none yet
        in_step = written.alias(its_state=Concat("sync_state", Value(""))).filter(its_state=SyncState.SYNCED)
        in_step.exclude(payload_hash=F("pushed_hash")).update(sync_state=SyncState.CHANGED)


def link(items: Mapping[int, str], rows: Sequence[RunItem]) -> list[RunItem]:
    """Keep the provider's id of contacts that are there but not yet as they should be. Returns the items that could be linked."""
    rows = _without_conflicts(items, rows)
    for item in rows:
        item.remote_id = items[item.pk]
        if item.contact is not None:
            item.contact.remote_id = items[item.pk]
    save_fields([item.contact for item in rows if item.contact is not None], ["remote_id"])
    save_fields(rows, ["remote_id"])
    return rows


def _without_conflicts(items: Mapping[int, str], rows: Sequence[RunItem]) -> list[RunItem]:
    """An id belongs to one contact of a phonebook; an item whose id is another's fails with that reason."""
    wanted = [item for item in rows if item.pk in items and item.contact is not None]
    if not wanted:
        return []
    phonebook = next(item.contact.phonebook_id for item in wanted if item.contact is not None)
    owners = dict(Contact.objects.with_remote_ids(phonebook, set(items.values())).values_list("remote_id", "pk"))
    good: list[RunItem] = []
    bad: list[RunItem] = []
    for item in wanted:
        is_free = owners.setdefault(items[item.pk], item.contact_id or 0) == item.contact_id
        (good if is_free else bad).append(item)
    if bad:
        failed(bad, reason(ID_TAKEN), mark_contacts=False)
    return good


def orphaned(items: Mapping[int, str], rows: Sequence[RunItem]) -> None:
    """Made at the provider as planned, but the contact is gone here meanwhile; the item keeps number and id."""
    gone = [item for item in rows if item.pk in items and item.contact_id is None]
    for item in gone:
        item.remote_id = items[item.pk]
    save_fields(gone, ["remote_id"])
    _close(gone, ItemState.DONE, reason(DELETED_SINCE))


def failed(items: Sequence[RunItem], why: Mapping[str, Any], *, mark_contacts: bool = True) -> None:
    """Refused for good: nothing was done for these items."""
    _close(items, ItemState.FAILED, why)
    if mark_contacts:
        _mark(items, SyncState.FAILED, why)


def unknown(items: Sequence[RunItem], why: Mapping[str, Any]) -> None:
    """It may have been done; the next push looks."""
    _close(items, ItemState.UNKNOWN, why)
    _mark(items, SyncState.UNKNOWN, why)


def missing(items: Sequence[RunItem], why: Mapping[str, Any]) -> None:
    """The contact turned out to be gone at the provider."""
    _close(items, ItemState.FAILED, why)
    _mark(items, SyncState.MISSING, why)


def _close(items: Sequence[RunItem], state: str, why: Mapping[str, Any]) -> None:
    for item in items:
        item.state, item.error = state, dict(why)
    save_fields(items, ["state", "error"])


def _mark(items: Sequence[RunItem], state: str, why: Mapping[str, Any]) -> None:
    """The state of the contacts. `pushed_hash` keeps a refusal in force until the contact is edited."""
    contacts = [item.contact for item in items if item.contact is not None]
    for item in items:
        if item.contact is not None:
            item.contact.sync_state, item.contact.sync_error = state, dict(why)
            if state == SyncState.FAILED:
                item.contact.pushed_hash = item.payload_hash
    save_fields(contacts, ["sync_state", "sync_error", "pushed_hash"])


def removed(items: Sequence[RunItem]) -> None:
    """Gone at the provider: the rows here go too, and the items keep the number. Who was revived meanwhile is new there."""
    _close(items, ItemState.DONE, {})
    keys = [item.contact_id for item in items if item.contact_id]
    remove_contacts(Contact.objects.filter(pk__in=keys, deleted_at__isnull=False))
    Contact.objects.filter(pk__in=keys).update(
        remote_id="", sync_state=SyncState.NEW, pushed_hash="", pushed_payload=None, sync_error={}
    )
