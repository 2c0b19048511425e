"""Walking through many rows without holding them all."""

from __future__ import annotations

from collections.abc import Iterator

from contactsync.models import Contact, Phonebook

CHUNK = 2000


def in_chunks(phonebook: Phonebook) -> Iterator[list[Contact]]:
    """All contacts of the phonebook by key, `CHUNK` at a time; rows may be written between the chunks."""
    last = 0
    while contacts := list(phonebook.contacts.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield contacts
        last = contacts[-1].pk
