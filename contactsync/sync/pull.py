"""Read the provider's state of a phonebook: who is there, who is gone, who may not be written to. Changes nothing there."""

from __future__ import annotations

from collections import Counter

from django.utils.translation import gettext, gettext_noop

from contactsync.models import Contact, Run, Suppression
from contactsync.models.reasons import reason
from contactsync.sync import settle
from contactsync.sync.bulk import update_rows
from contactsync.sync.chunks import in_chunks
from contactsync.sync.connect import NotFound, Operation
from contactsync.sync.decide import GONE
from contactsync.sync.leases import State
from contactsync.sync.mapping import Places, differences_from_remote, is_proven, payload_of, places_of, record_of
from contactsync.sync.remote import RemoteIndex, find_phonebook, read_contacts
from contactsync.sync.worker import Halt, Worker
from providers.types import RemoteContact

CHUNK = 2000
#: where a list does not tell who opted out, at most so many contacts are read one by one
MOST_DETAILS = 2000

NO_BOOK = gettext_noop("The phonebook is not at the provider. Push it first.")
OPTED_OUT = gettext_noop("Opted out at the provider")

SyncState = Contact.SyncState
KEPT = ["remote_id", "sync_state", "sync_error", "pushed_payload", "pushed_hash"]


def pull(worker: Worker) -> None:
    """Refresh states and ids of all contacts of the phonebook, and take over who opted out. Raises `Halt`."""
    phonebook = worker.phonebook
    if not phonebook.remote_id or find_phonebook(worker.line, phonebook) is None:
        raise Halt(State.FAILED, reason(NO_BOOK))
    remote = read_contacts(worker.line, phonebook)
    places = places_of(phonebook)
    taken = frozenset(phonebook.contacts.exclude(remote_id="").values_list("remote_id", flat=True))
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    for contacts in in_chunks(phonebook):
        before = {contact.pk: _kept(contact) for contact in contacts}
        for contact in contacts:
            found = _find(remote, contact, taken)
            if found is not None:
                seen.add(found.remote_id)
            counts[_refresh(worker, contact, found, places)] += 1
        changed = [contact for contact in contacts if _kept(contact) != before[contact.pk]]
        update_rows(changed, KEPT)
        settle.mark_edited(changed)
        worker.keep()
    seen_there = [remote.by_id[remote_id] for remote_id in sorted(seen)]
    counts["opted_out"], counts["opt_outs_unread"] = _take_over_opt_outs(worker, seen_there)
    counts["strangers"] = len(remote) - len(seen)
    _keep_counts(worker.run, phonebook.contacts.count(), counts)


def _kept(contact: Contact) -> tuple[object, ...]:
    return tuple(getattr(contact, name) for name in KEPT)


def _find(remote: RemoteIndex, contact: Contact, taken: frozenset[str]) -> RemoteContact | None:
    """By id; a contact without one by its number, unless it was deleted here or the id belongs to another."""
    if contact.remote_id:
        return remote.by_id.get(contact.remote_id)
    found = remote.by_phone.get(contact.phone)
    is_known_deleted = contact.deleted_at is not None and contact.sync_state != SyncState.UNKNOWN
    return None if found is None or is_known_deleted or found.remote_id in taken else found


def _refresh(worker: Worker, contact: Contact, found: RemoteContact | None, places: Places) -> str:
    """Set the contact's state by what the provider shows. Returns the part of the sum it belongs to."""
    if found is None:
        if contact.remote_id:
            if contact.deleted_at is None:
                contact.sync_state, contact.sync_error = SyncState.MISSING, reason(GONE)
            return "missing"
        if contact.sync_state == SyncState.UNKNOWN:
            contact.sync_state, contact.sync_error = SyncState.NEW, {}
        return "not_there"
    record = record_of(contact, places=places)
    drift = differences_from_remote(record, found, limits=worker.limits)
    is_linked = contact.remote_id == found.remote_id
    contact.remote_id = found.remote_id
    if is_proven(record, found, limits=worker.limits) and contact.sync_state != SyncState.FAILED:
        contact.sync_state, contact.sync_error = SyncState.SYNCED, {}
        contact.pushed_hash, contact.pushed_payload = contact.payload_hash, payload_of(record)
    elif is_linked and contact.sync_state == SyncState.MISSING and not drift:
        was_in_step = contact.pushed_hash == contact.payload_hash
        contact.sync_state, contact.sync_error = SyncState.SYNCED if was_in_step else SyncState.CHANGED, {}
    elif drift or not is_linked or contact.sync_state in {SyncState.UNKNOWN, SyncState.MISSING}:
        contact.sync_state, contact.sync_error = SyncState.CHANGED, {}
    return "present"


def _take_over_opt_outs(worker: Worker, contacts: list[RemoteContact]) -> tuple[int, int]:
    """Suppress the numbers that the provider says have opted out; lifts nothing.

    Returns how many those are, and of how many contacts the provider could tell but was not asked, as they are too many.
    """
    unread = 0
    if worker.limits.can(Operation.READ_CONTACT) and len(contacts) <= MOST_DETAILS:
        contacts = [_detail(worker, contact) for contact in contacts]
    elif worker.limits.can(Operation.READ_CONTACT):
        unread = sum(contact.is_opted_out is None for contact in contacts)
    phones = sorted({contact.phone for contact in contacts if contact.is_opted_out})
    Suppression.objects.bulk_create(
        [
            Suppression(phone=phone, reason=gettext(OPTED_OUT), source=Suppression.Source.PROVIDER)
            for phone in phones
            if phone.startswith("+")
        ],
        ignore_conflicts=True,
        batch_size=CHUNK,
    )
    return len(phones), unread


def _detail(worker: Worker, contact: RemoteContact) -> RemoteContact:
    if contact.is_opted_out is not None:
        return contact
    worker.keep()
    try:
        return worker.line.read(lambda provider: provider.get_contact(contact.remote_id))
    except NotFound:  # it went between the list and now; the next pull tells
        return contact


def _keep_counts(run: Run, contacts: int, counts: Counter[str]) -> None:
    """The sum of a pull: contacts = present + missing + not there."""
    parts = counts["present"] + counts["missing"] + counts["not_there"]
    run.counts = {
        "planned": contacts,
        "done": parts,
        "failed": 0,
        "unknown": 0,
        "not_attempted": 0,
        "contacts": contacts,
        "present": counts["present"],
        "missing": counts["missing"],
        "not_there": counts["not_there"],
        "strangers": counts["strangers"],
        "opted_out": counts["opted_out"],
        "opt_outs_unread": counts["opt_outs_unread"],
        "balances": contacts == parts,
    }
    run.save(update_fields=["counts"])
