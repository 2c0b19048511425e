"""Read the provider's state of a phonebook: who is there, who is gone, who may not be written to. Changes nothing there.

What differs is listed item by item, so that a person may decide on it (`sync.reconcile`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator

from django.utils.translation import gettext_noop

from contactsync.models import Contact, Run
from contactsync.models.reasons import reason
from contactsync.sync import settle
from contactsync.sync.bulk import save_fields
from contactsync.sync.chunks import in_chunks, remote_ids_of
from contactsync.sync.comparison import Comparison
from contactsync.sync.decide import GONE
from contactsync.sync.details import Details
from contactsync.sync.leases import State
from contactsync.sync.mapping import Places, differences_from_remote, is_proven, payload_of, record_of
from contactsync.sync.opt_outs import OptOuts
from contactsync.sync.remote import RemoteIndex, find_phonebook, read_contacts
from contactsync.sync.worker import Halt, Worker
from providers.types import RemoteContact

#: where a list does not tell everything, at most so many contacts are read one by one, else none
MOST_DETAILS = 2000

NO_BOOK = gettext_noop("The phonebook is not at the provider. Push it first.")

SyncState = Contact.SyncState
KEPT = ["remote_id", "sync_state", "sync_error", "pushed_payload", "pushed_hash"]


def pull(worker: Worker) -> None:
    """Refresh states and ids of all contacts of the phonebook, list what differs, and take over who opted out. Raises `Halt`.

    After a crash it starts anew, as it only reads.
    """
    phonebook = worker.phonebook
    book = find_phonebook(worker.line, phonebook) if phonebook.remote_id else None
    if book is None:
        raise Halt(State.FAILED, reason(NO_BOOK))
    bar = _Bar(worker, there=book.count or 0, here=phonebook.contacts.count())
    remote = read_contacts(worker.line, phonebook, note=bar.read_so_far)
    bar.there = len(remote)
    details = Details(worker.line, most=None if len(remote) <= MOST_DETAILS else 0, keep=worker.keep)
    taken = remote_ids_of(phonebook)
    comparison = Comparison(worker.run, phonebook, remote)
    opt_outs = OptOuts()
    counts: Counter[str] = Counter()
    for contacts in in_chunks(phonebook):
        before = {contact.pk: _kept(contact) for contact in contacts}
        pairs = [(contact, _completed(details, _find(remote, contact, taken))) for contact in bar.over(contacts)]
        for contact, found in pairs:
            counts[_refresh(worker, contact, found, comparison.places)] += 1
            opt_outs.note(found)
        changed = [contact for contact in contacts if _kept(contact) != before[contact.pk]]
        save_fields(changed, KEPT)
        settle.mark_edited(changed)
        comparison.add(pairs)
        worker.keep()
    comparison.add_strangers(details)
    opt_outs.read_list(worker.line)
    counts["opted_out"] = opt_outs.take_over()
    counts["opt_outs_unread"] = details.unread if "opt_out" in details.tells else 0
    counts["details_unread"] = details.unread if "options" in details.tells else 0
    counts["strangers"] = comparison.strangers
    counts.update({name: number for name, number in comparison.counts.items() if name != "opted_out"})
    _keep_counts(worker.run, phonebook.contacts.count(), counts)


class _Bar:
    """How far a pull has come: contacts read there, then contacts looked at here."""

    def __init__(self, worker: Worker, *, there: int, here: int) -> None:
        self.worker = worker
        self.there = there  # as the provider counts them; 0: it does not
        self.here = here
        self.compared = 0
        self.read_so_far(0)

    def read_so_far(self, number: int) -> None:
        self.worker.tell(read=number, there=max(self.there, number) if self.there else 0, compared=0, here=self.here)

    def over(self, contacts: Iterable[Contact]) -> Iterator[Contact]:
        for contact in contacts:
            yield contact
            self.compared += 1
            self.worker.tell(read=self.there, there=self.there, compared=self.compared, here=self.here)


def _completed(details: Details, found: RemoteContact | None) -> RemoteContact | None:
    return None if found is None else details.complete(found)


def _kept(contact: Contact) -> tuple[object, ...]:
    return tuple(getattr(contact, name) for name in KEPT)


def _find(remote: RemoteIndex, contact: Contact, taken: Container[str]) -> RemoteContact | None:
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


def _keep_counts(run: Run, contacts: int, counts: Counter[str]) -> None:
    """The sum of a pull: contacts = present + missing + not there."""
    parts = counts["present"] + counts["missing"] + counts["not_there"]
    run.counts = {
        **counts,
        "planned": contacts,
        "done": parts,
        "failed": 0,
        "unknown": 0,
        "not_attempted": 0,
        "contacts": contacts,
        "present": counts["present"],
        "missing": counts["missing"],
        "not_there": counts["not_there"],
        "balances": contacts == parts,
    }
    run.save(update_fields=["counts"])
