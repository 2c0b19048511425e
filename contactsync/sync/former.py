"""Removing contacts for good, so that their numbers stay known."""

from __future__ import annotations

from itertools import islice

from django.db import transaction
from django.db.models import QuerySet

from contactsync.models import Contact, FormerContact

AT_ONCE = 2000


def remove_contacts(contacts: QuerySet[Contact]) -> int:
    """Delete these contacts and keep which number each of them was. Returns how many there were."""
    with transaction.atomic():
        rows = contacts.order_by("pk").values_list("pk", "phone", "phonebook_id").iterator(chunk_size=AT_ONCE)
        while some := list(islice(rows, AT_ONCE)):
            FormerContact.objects.bulk_create(
                FormerContact(former_id=key, phone=phone, phonebook_id=book) for key, phone, book in some
            )
        _rows, by_model = contacts.delete()
    return by_model.get(Contact._meta.label, 0)
