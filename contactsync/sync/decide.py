"""What a push has to do with one contact, from its row and what the provider shows. Reads and writes nothing."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.models import Contact
from contactsync.models.reasons import reason
from contactsync.sync.connect import Operation, Provider, reason_of
from contactsync.sync.mapping import (
    OPTION,
    Places,
    differences,
    differences_from_remote,
    is_proven,
    payload_of,
    record_of,
    titled,
)
from contactsync.sync.remote import RemoteIndex
from contactsync.sync.theirs import told
from providers.types import ContactRecord, RemoteContact

GONE = gettext_noop(
    "The contact is not at the provider any more. It may have opted out there, so it is not added again by itself; choose “Add again” if it shall be."
)
FULL = gettext_noop("The provider takes at most %(limit)s contacts in one phonebook.")
NUMBER_FIXED = gettext_noop(
    "The provider has this contact with the number %(phone)s and cannot change it. Choose “Make a new contact”: the old one is deleted from this phonebook there, and this number is added."
)
TOO_LONG = gettext_noop("“%(field)s” has %(length)s characters, and the provider takes at most %(limit)s.")
ID_TAKEN = gettext_noop("The provider's contact with this number is linked to another contact of this phonebook.")


class Step(StrEnum):
    """The next step with a contact; all but the last two become items of the run."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ADOPT = "adopt"
    CANNOT = "cannot"
    UNCHANGED = "unchanged"
    REMOVE = "remove"  # deleted here and never known there: nothing to ask for


@dataclass(frozen=True, slots=True)
class Decision:
    """What a push does about one contact, and why."""

    step: Step
    remote_id: str = ""
    changes: dict[str, list[Any]] = field(default_factory=dict)
    why: dict[str, Any] = field(default_factory=dict)
    is_gone: bool = False  # it was at the provider once and is not now
    theirs: dict[str, Any] = field(default_factory=dict)  # as the provider has what is to be updated


@dataclass(slots=True)
class Judge:
    """Decides contact by contact; `room` counts down the places left in the provider's book."""

    provider: type[Provider]
    places: Places
    remote: RemoteIndex
    taken_ids: Container[str]  # ids that contacts of this phonebook are linked to
    room: int | None = None
    tag: str = ""  # of this phonebook, at a provider whose phonebooks are tags

    def decide(self, contact: Contact) -> Decision:
        """The step for one contact, with what changes and why not."""
        if contact.deleted_at is not None:
            return self._deleted(contact)
        record = record_of(contact, places=self.places)
        found = self.find(contact)
        if found is None:
            return self._absent(contact, record)
        return self._present(contact, record, found)

    def find(self, contact: Contact) -> RemoteContact | None:
        """What the provider shows of the contact: by its id, else by its number unless that one belongs to another."""
        if contact.remote_id and contact.remote_id in self.remote.by_id:
            return self.remote.by_id[contact.remote_id]
        found = self.remote.by_phone.get(contact.phone)
        return found if found is not None and found.remote_id not in self.taken_ids else None

    def _deleted(self, contact: Contact) -> Decision:
        if contact.remote_id:
            found = self.remote.by_id.get(contact.remote_id)
        elif contact.sync_state == Contact.SyncState.UNKNOWN:
            found = self.find(contact)
        else:
            return Decision(Step.REMOVE)
        if found is None:  # gone there too: the item has no call, and only the row here goes
            return Decision(Step.DELETE, remote_id=contact.remote_id, is_gone=True)
        if not self._can(Operation.DELETE_CONTACTS):
            return self._cannot(self._why_not(Operation.DELETE_CONTACTS))
        return Decision(Step.DELETE, remote_id=found.remote_id, changes=self.loss(found))

    def loss(self, found: RemoteContact) -> dict[str, list[Any]]:
        """The tags of somebody to be deleted, `[there, left]`: without one left all of the contact goes. Empty where not known."""
        if not self.tag or found.tags is None:
            return {}
        left = sorted(found.tags)
        return {"tags": [[self.tag, *left], left]}

    def _absent(self, contact: Contact, record: ContactRecord) -> Decision:
        if contact.remote_id:
            return Decision(Step.CANNOT, why=reason(GONE), is_gone=True)
        return self.add(contact, record)

    def add(self, contact: Contact, record: ContactRecord) -> Decision:
        """Add somebody who is not there, even one who was there before."""
        if why := self.refused(contact, record):
            return self._cannot(why)
        if not self._can(Operation.CREATE_CONTACTS):
            return self._cannot(self._why_not(Operation.CREATE_CONTACTS))
        if self.room is not None:
            if self.room <= 0:
                limit = self.provider.capabilities.max_contacts_per_phonebook or 0
                return self._cannot(reason(FULL, limit=limit))
            self.room -= 1
        return Decision(Step.CREATE, changes=titled(differences(None, payload_of(record)), self.places))

    def _present(self, contact: Contact, record: ContactRecord, found: RemoteContact) -> Decision:
        limits = self.provider.capabilities
        drift = differences_from_remote(record, found, limits=limits)
        is_linked = contact.remote_id == found.remote_id and contact.pushed_payload is not None
        changes = differences(contact.pushed_payload, payload_of(record)) if is_linked else _unseen(record, found)
        if is_linked and not changes and not drift:
            return Decision(Step.UNCHANGED, remote_id=found.remote_id)
        if why := self.refused(contact, record):
            return self._cannot(why, remote_id=found.remote_id)
        if not is_linked and is_proven(record, found, limits=limits):
            return Decision(Step.ADOPT, remote_id=found.remote_id)
        if "phone" in drift and not limits.can_change_phone:
            return self._cannot(reason(NUMBER_FIXED, phone=found.phone), remote_id=found.remote_id)
        if not self._can(Operation.UPDATE_CONTACT):
            return self._cannot(self._why_not(Operation.UPDATE_CONTACT), remote_id=found.remote_id)
        changes = titled(_merged(changes, drift, contact.pushed_payload), self.places)
        return Decision(Step.UPDATE, remote_id=found.remote_id, changes=changes, theirs=told(found))

    def refused(self, contact: Contact, record: ContactRecord) -> dict[str, Any]:
        """Why the provider will not take it: it says so beforehand, or it refused exactly this before."""
        if why := self._too_long(record):
            return why
        if problem := self.provider.problem_with_contact(record):
            return reason_of(problem)
        if contact.sync_state == Contact.SyncState.FAILED and contact.pushed_hash == contact.payload_hash:
            return dict(contact.sync_error)
        return {}

    def _too_long(self, record: ContactRecord) -> dict[str, Any]:
        limits = self.provider.capabilities
        lengths: list[tuple[str | dict[str, Any], int, int | None]] = [
            (self.places.words(key), len(option.value), limits.max_option_chars)
            for key, option in record.options.items()
        ]
        lengths.append((reason(gettext_noop("note")), len(record.note), limits.max_note_chars))
        for title, length, limit in lengths:
            if limit is not None and length > limit:
                return reason(TOO_LONG, field=title, length=length, limit=limit)
        return {}

    def _can(self, operation: Operation) -> bool:
        return self.provider.capabilities.can(operation)

    def _why_not(self, operation: Operation) -> dict[str, Any]:
        return reason(self.provider.capabilities.why_not(operation))

    def _cannot(self, why: dict[str, Any], *, remote_id: str = "") -> Decision:
        return Decision(Step.CANNOT, remote_id=remote_id, why=why)


def _unseen(record: ContactRecord, found: RemoteContact) -> dict[str, list[Any]]:
    """Values of ours of which the provider does not show its own: `[None, here]`."""
    if found.options is not None:
        return {}
    return {f"{OPTION}{key}": [None, option.value] for key, option in record.options.items() if option.value}


def _merged(
    changes: dict[str, list[Any]], drift: dict[str, list[Any]], pushed: Mapping[str, Any] | None
) -> dict[str, list[Any]]:
    """What was changed here first, then what differs there; wherever the provider shows a value, with that one.

    A field for the whole name is named only when somebody changed it there.
    """
    names = {"first_name", "last_name"} & changes.keys()
    if names and "name" in drift:
        told = pushed or {}
        if drift["name"][0] == f"{told.get('first_name', '')} {told.get('last_name', '')}".strip():
            drift = {field: pair for field, pair in drift.items() if field != "name"}
        else:
            changes = {field: pair for field, pair in changes.items() if field not in names}
    return {**changes, **drift}
