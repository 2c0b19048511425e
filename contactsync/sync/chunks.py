"""Walking through many rows without holding them all, and with no more of each than a comparison needs."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from django.db.models import QuerySet

from contactsync.models import Contact, Phonebook, RunItem
from contactsync.models.bulk import lean
from contactsync.sync.spill import Keys

CHUNK = 2000
#: what is compared with the provider, told to it and kept of its answer
CONTACT = (
    "id", "phonebook_id", "uuid", "phone", "prefix", "first_name", "last_name", "company", "email", "tags",
    "assigned_user", "note", "options", "remote_id", "sync_state", "payload_hash", "pushed_hash", "pushed_payload",
    "sync_error", "deleted_at",
)  # fmt: skip
ITEM = ("id", "run_id", "contact_id", "phone", "remote_id", "operation", "decision", "payload_hash", "state", "call_id")
CONTACT_OF_ITEM = tuple(f"contact__{name}" for name in CONTACT if name != "sync_error")


def in_chunks(phonebook: Phonebook) -> Iterator[list[Contact]]:
    """All contacts of the phonebook by key, `CHUNK` at a time; rows may be written between the chunks."""
    last = 0
    while contacts := lean(phonebook.contacts.filter(pk__gt=last).order_by("pk")[:CHUNK], CONTACT):
        yield contacts
        last = contacts[-1].pk


class Later:
    """Contacts that are looked at again after all others: their keys, and the numbers they had."""

    def __init__(self) -> None:
        self._keys, self._digits = array("q"), array("q")

    def add(self, contact: Contact) -> None:
        self._keys.append(contact.pk)
        self._digits.append(int(contact.phone))  # in E.164, so that it says all

    def in_chunks(self) -> Iterator[dict[int, str]]:
        """Key to number, `CHUNK` at a time."""
        for start in range(0, len(self._keys), CHUNK):
            part = slice(start, start + CHUNK)
            yield {pk: f"+{digits}" for pk, digits in zip(self._keys[part], self._digits[part], strict=True)}


def remote_ids_of(phonebook: Phonebook) -> Keys:
    """The provider's ids that contacts of the phonebook are linked to."""
    return Keys(phonebook.contacts.exclude(remote_id="").values_list("remote_id", flat=True).order_by().iterator())


def items_with_contacts(items: QuerySet[RunItem]) -> list[RunItem]:
    """The items with their contacts, as far as a call needs them."""
    return lean(items, (*ITEM, *CONTACT_OF_ITEM))
