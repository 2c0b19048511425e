"""What differs between a phonebook here and at its provider, written down as items of a pull."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.models import Contact, Phonebook, Run, RunItem
from contactsync.models.reasons import reason
from contactsync.sync.chunks import CHUNK
from contactsync.sync.connect import capabilities
from contactsync.sync.details import Details
from contactsync.sync.mapping import differences, differences_from_remote, payload_of, places_of, record_of, titled
from contactsync.sync.remote import RemoteIndex
from contactsync.sync.spill import Keys
from contactsync.sync.theirs import NO_NUMBER, number_of, shown, told
from providers.types import RemoteContact

TWIN = gettext_noop("The number is there more than once. Messages to the whole phonebook may reach this person twice.")

Operation = RunItem.Operation
Pair = tuple[Contact, RemoteContact | None]


class Comparison:
    """Items of one pull; those of an earlier attempt at it are thrown away."""

    def __init__(self, run: Run, phonebook: Phonebook, remote: RemoteIndex) -> None:
        self.run = run
        self.phonebook = phonebook
        self.remote = remote
        self.places = places_of(phonebook)
        self.limits = capabilities(phonebook.account)
        self.counts: Counter[str] = Counter({operation.value: 0 for operation in DIFFERENCES})
        self.strangers = 0
        self._seen = Keys()
        self._ours: dict[str, int] = {}  # number to key, of contacts that are deleted here and still there
        self._phones = Keys()
        RunItem.objects.filter(run=run).delete()

    def add(self, pairs: Iterable[Pair]) -> None:
        """Contacts of ours with what the provider shows of them."""
        items = []
        for contact, found in pairs:
            if found is not None and contact.deleted_at is None:
                self._seen.add(found.remote_id)
                self._phones.add(found.phone)
            item = self._item(contact, found)
            if item is not None:
                items.append(item)
        self._write(items)

    def _item(self, contact: Contact, found: RemoteContact | None) -> RunItem | None:
        if contact.deleted_at is not None:
            if found is not None:
                self._ours[found.remote_id] = contact.pk
            return None
        record = record_of(contact, places=self.places, whole=True)
        if found is None:
            changes = differences(None, payload_of(record))
            return self._row(Operation.ONLY_HERE, contact.phone, changes, contact=contact)
        changes = differences_from_remote(record, found, limits=self.limits)
        if not changes and not found.is_opted_out:
            return None
        operation = Operation.OPTED_OUT if found.is_opted_out else Operation.DIFFERENT
        return self._row(operation, contact.phone, changes, contact=contact, theirs=found)

    def add_strangers(self, details: Details) -> None:
        """Everybody at the provider whom no contact of ours is linked to, and second ones with the same number."""
        items: list[RunItem] = []
        for remote_id, found in self.remote.by_id.items():
            if remote_id in self._seen:
                continue
            self.strangers += remote_id not in self._ours
            items.append(self._stranger(details.complete(found)))
            if len(items) == CHUNK:
                self._write(items)
                items = []
                details.keep()
        self._write(items)

    def _stranger(self, found: RemoteContact) -> RunItem:
        theirs = told(found)
        changes = {name: [value, ""] for name, value in shown(theirs).items()}
        item = self._row(Operation.ONLY_THERE, found.phone, changes, theirs=found)
        item.contact_id = self._ours.get(found.remote_id)
        if not number_of(theirs, self.phonebook.account.default_region):
            item.error = reason(NO_NUMBER, number=found.phone)
        elif found.phone in self._phones:
            item.error = reason(TWIN)
        self._phones.add(found.phone)
        return item

    def _row(
        self,
        operation: Operation,
        phone: str,
        changes: dict[str, Any],
        *,
        contact: Contact | None = None,
        theirs: RemoteContact | None = None,
    ) -> RunItem:
        self.counts[operation.value] += 1
        is_settled = operation == Operation.OPTED_OUT  # whoever opted out is suppressed by the pull itself
        return RunItem(
            run=self.run,
            contact=contact,
            phone=phone[:LONGEST_PHONE],
            remote_id=theirs.remote_id if theirs else "",
            operation=operation,
            decision=RunItem.Decision.SUPPRESS if is_settled else "",
            state=RunItem.State.DONE if is_settled else RunItem.State.PLANNED,
            changes=titled(changes, self.places),
            theirs=told(theirs) if theirs else {},
            payload_hash=contact.payload_hash if contact else "",
        )

    def _write(self, items: list[RunItem]) -> None:
        RunItem.objects.bulk_create(items, batch_size=CHUNK)


DIFFERENCES = (Operation.ONLY_HERE, Operation.ONLY_THERE, Operation.DIFFERENT, Operation.OPTED_OUT)
LONGEST_PHONE = 40  # of an item; longer ones are no numbers
