"""A new number at a provider that cannot change one: the old contact is deleted there, and a new one is added."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone

from contactsync.models import Contact
from contactsync.sync.connect import capabilities


def make_new_contacts(contacts: Iterable[Contact]) -> int:
    """Let the next push delete the contacts with the numbers they had there, and add them with the numbers they have here.

    Nothing happens before that push is approved. Leaves alone whoever has the same number there, and those whose old
    number belongs to another contact of the phonebook by now. Returns how many.
    """
    return sum(_make_new(contact) for contact in contacts)


def _make_new(contact: Contact) -> bool:
    old = (contact.pushed_payload or {}).get("phone", "")
    is_fixed = not capabilities(contact.phonebook.account).can_change_phone
    if not (is_fixed and contact.remote_id and old and old != contact.phone) or contact.deleted_at is not None:
        return False
    leaving = Contact(
        phonebook=contact.phonebook,
        phone=old,
        remote_id=contact.remote_id,
        pushed_payload=contact.pushed_payload,
        pushed_hash=contact.pushed_hash,
        pushed_at=contact.pushed_at,
        sync_state=Contact.SyncState.CHANGED,
        deleted_at=timezone.now(),
    )
    contact.remote_id, contact.pushed_payload, contact.pushed_hash = "", None, ""
    contact.sync_state, contact.sync_error = Contact.SyncState.NEW, {}
    try:
        with transaction.atomic():
            contact.save(update_fields=["remote_id", "pushed_payload", "pushed_hash", "sync_state", "sync_error"])
            leaving.save()
    except IntegrityError:
        contact.refresh_from_db()
        return False
    return True
