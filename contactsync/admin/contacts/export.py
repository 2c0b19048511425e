"""Contacts as a file: the headers are those the import understands, so the file makes the round trip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contactsync.admin.files.downloads import CHUNK
from contactsync.models import Contact, CustomOption, PhonebookOption


def contact_file(rows: QuerySet[Contact]) -> tuple[list[str], Iterable[list[Any]]]:
    """Headers and rows. Options stand by title, each once, although several accounts may use it."""
    books = rows.order_by().values("phonebook")
    used = PhonebookOption.objects.filter(phonebook__in=books, option__isnull=False).values("option")
    columns: dict[str, list[str]] = {}
    for option in CustomOption.objects.filter(pk__in=used).order_by("pk"):
        columns.setdefault(option.title, []).append(str(option.pk))
    headers = [
        _("phone number"),
        _("prefix"),
        _("first name"),
        _("last name"),
        _("company"),
        _("e-mail"),
        _("tags"),
        _("assigned user"),
        _("note"),
        _("consent given at"),
        _("how consent was given"),
        *columns,
        _("phonebook"),
        _("state at the provider"),
        _("reason"),
        _("id at the provider"),
    ]
    return headers, _lines(rows, list(columns.values()))


def _lines(rows: QuerySet[Contact], columns: list[list[str]]) -> Iterator[list[Any]]:
    for contact in rows.select_related("phonebook").iterator(chunk_size=CHUNK):
        yield [
            contact.phone,
            contact.prefix,
            contact.first_name,
            contact.last_name,
            contact.company,
            contact.email,
            ", ".join(contact.tags),
            contact.assigned_user,
            contact.note,
            contact.consented_at,
            contact.consent_source,
            *(next((contact.options[key] for key in keys if contact.options.get(key)), "") for keys in columns),
            contact.phonebook.title,
            contact.get_sync_state_display(),
            contact.sync_error_text,
            contact.remote_id,
        ]
