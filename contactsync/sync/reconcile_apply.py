"""The part of a reconciliation that changes this side: chunk by chunk, each chunk and its items in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from contactsync.models import Contact, RunItem, Suppression
from contactsync.models.reasons import reason
from contactsync.sync.bulk import save_fields
from contactsync.sync.former import remove_contacts
from contactsync.sync.mapping import differences, payload_of, record_of
from contactsync.sync.reconcile_plan import CHANGED_HERE, GONE_HERE, HERE, HERE_BY_NOW
from contactsync.sync.theirs import NO_NUMBER, NOT_ALL_TOLD, Taker, number_of
from contactsync.sync.worker import Worker

AT_ONCE = 500  # items in one transaction
DECIDED = gettext_noop("Decided when the phonebook was compared with the provider")

SyncState = Contact.SyncState
ItemState = RunItem.State
Decision = RunItem.Decision
TAKEN = [
    "phone", "prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note", "options", "deleted_at",
    "remote_id", "payload_hash", "pushed_hash", "pushed_payload", "sync_state", "sync_error", "updated_at",
]  # fmt: skip


def apply_here(worker: Worker) -> None:
    """Carry out the decisions that need no call. Raises `Halt`."""
    taker = Taker(worker.phonebook)
    steps: dict[str, Callable[[Taker, list[RunItem]], None]] = {
        Decision.DELETE_HERE: _delete,
        Decision.TAKE_THEIRS: _take,
        Decision.ADD_HERE: _add,
        Decision.SUPPRESS: _suppress,
    }
    waiting = worker.items().filter(decision__in=HERE).exclude(operation=RunItem.Operation.CANNOT)
    for decision, step in steps.items():
        while True:
            worker.keep()
            with transaction.atomic():
                items = list(waiting.filter(decision=decision).select_related("contact").order_by("pk")[:AT_ONCE])
                step(taker, items)
                save_fields(items, ["state", "error", "contact"])
            if not items:
                break


def _unchanged(items: Sequence[RunItem]) -> list[RunItem]:
    """Those whose contact is still as the plan has shown it; the others are left, with the reason."""
    good = []
    for item in items:
        contact = item.contact
        if contact is None or contact.deleted_at is not None:
            item.state, item.error = ItemState.NOT_ATTEMPTED, reason(GONE_HERE)
        elif contact.payload_hash != item.payload_hash:
            item.state, item.error = ItemState.NOT_ATTEMPTED, reason(CHANGED_HERE)
        else:
            good.append(item)
    return good


def _delete(taker: Taker, items: list[RunItem]) -> None:
    good = _unchanged(items)
    remove_contacts(Contact.objects.filter(pk__in=[item.contact_id for item in good]))
    for item in good:
        item.state, item.contact = ItemState.DONE, None


def _suppress(taker: Taker, items: list[RunItem]) -> None:
    for item in items:
        number = number_of(item.theirs, taker.region) or item.phone
        if number.startswith("+"):
            item.state, item.phone = ItemState.DONE, number
        else:
            item.state, item.error = ItemState.FAILED, reason(NO_NUMBER, number=item.phone)
    rows = [
        Suppression(phone=item.phone, reason=gettext(DECIDED), source=Suppression.Source.PERSON)
        for item in items
        if item.state == ItemState.DONE
    ]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)


def _take(taker: Taker, items: list[RunItem]) -> None:
    good = _unchanged(items)
    wanted = [number_of(item.theirs, taker.region) for item in good]
    there = Contact.objects.with_numbers(taker.phonebook.pk, wanted)
    owners = dict(there.values_list("phone", "pk"))
    contacts = []
    for item, number in zip(good, wanted, strict=True):
        contact = item.contact
        assert contact is not None  # noqa: S101 - `_unchanged` has seen it
        problem = taker.take(contact, item.theirs)
        if not problem and number != contact.phone:
            problem = _move(contact, number, owners, item.phone)
        if problem:
            item.state, item.error = ItemState.FAILED, problem
            continue
        _keep_taken(taker, contact, item.theirs)
        contacts.append(contact)
        item.state = ItemState.DONE
    save_fields(contacts, TAKEN)


def _move(contact: Contact, number: str, owners: dict[str, int], shown: str) -> dict[str, Any]:
    if not number:
        return reason(NO_NUMBER, number=shown)
    if owners.setdefault(number, contact.pk) != contact.pk:
        return reason(HERE_BY_NOW)
    contact.phone = number
    return {}


def _keep_taken(taker: Taker, contact: Contact, theirs: dict[str, Any]) -> None:
    """State and payload after taking over: what was told is in step, what was not is as it was before."""
    before = contact.pushed_payload
    payload = payload_of(record_of(contact, places=taker.places))
    contact.payload_hash = contact.fingerprint()
    contact.updated_at = timezone.now()
    contact.sync_error = {}
    if taker.tells_all(theirs):
        contact.pushed_payload = payload
    elif before is None:
        contact.sync_state, contact.sync_error = SyncState.UNKNOWN, reason(NOT_ALL_TOLD)
        return
    else:
        contact.pushed_payload = (
            {**payload, "options": before.get("options", {})} if "options" not in theirs else payload
        )
    in_step = not differences(contact.pushed_payload, payload)
    contact.sync_state = SyncState.SYNCED if in_step else SyncState.CHANGED
    contact.pushed_hash = contact.payload_hash if in_step else ""


def _add(taker: Taker, items: list[RunItem]) -> None:
    numbers = [number_of(item.theirs, taker.region) for item in items]
    known = {
        contact.phone: contact
        for contact in Contact.objects.with_numbers(taker.phonebook.pk, [number for number in numbers if number])
    }
    ids = [item.remote_id for item in items]
    linked = Contact.objects.present().with_remote_ids(taker.phonebook.pk, ids)
    taken = set(linked.values_list("remote_id", flat=True))
    targets: list[tuple[RunItem, Contact]] = []
    for item, number in zip(items, numbers, strict=True):
        contact = known.get(number)
        if not number:
            item.state, item.error = ItemState.FAILED, reason(NO_NUMBER, number=item.phone)
        elif (contact is not None and contact.deleted_at is None) or item.remote_id in taken:
            item.state, item.error = ItemState.NOT_ATTEMPTED, reason(HERE_BY_NOW)
        else:
            target = contact or Contact(phonebook=taker.phonebook, phone=number)
            item.error = adopt(taker, target, item.theirs, item.remote_id)
            known[number] = target
            targets.append((item, target))
    Contact.objects.bulk_create([target for _item, target in targets if target._state.adding])
    save_fields([target for _item, target in targets], TAKEN)
    for item, target in targets:
        item.state, item.contact = ItemState.DONE, target
    opted_out = [item.contact.phone for item in items if item.contact and item.theirs.get("is_opted_out")]
    Suppression.objects.bulk_create(
        [Suppression(phone=phone, reason=gettext(DECIDED), source=Suppression.Source.PROVIDER) for phone in opted_out],
        ignore_conflicts=True,
    )


def adopt(taker: Taker, contact: Contact, theirs: dict[str, Any], remote_id: str) -> dict[str, Any]:
    """Make a contact what the provider tells, linked to it; not saved. Returns why some of it could not be taken, if so.

    It counts as in step only where the provider told everything and all of it fits here.
    """
    contact.deleted_at = None
    problem = taker.take(contact, theirs)
    contact.remote_id = remote_id
    contact.payload_hash = contact.fingerprint()
    contact.updated_at = timezone.now()
    if taker.tells_all(theirs) and not problem:
        contact.sync_state, contact.sync_error = SyncState.SYNCED, {}
        contact.pushed_hash = contact.payload_hash
        contact.pushed_payload = payload_of(record_of(contact, places=taker.places))
    else:
        contact.sync_state, contact.sync_error = SyncState.UNKNOWN, problem or reason(NOT_ALL_TOLD)
        contact.pushed_hash, contact.pushed_payload = "", None
    return problem
