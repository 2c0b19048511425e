"""From verdicts to the database: the only place of the package that writes contacts."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from contactsync.fingerprint import contact_fingerprint
from contactsync.imports import issues
from contactsync.imports.check import Judged, Outcome, Verdict
from contactsync.imports.issues import storable
from contactsync.imports.read import Row
from contactsync.imports.rows import Inserter
from contactsync.models import Contact, ImportChange, ImportIssue, ImportJob, Phonebook, Suppression

#: what an import may set, and what it keeps of a contact before it does
TOLD_FIELDS = ("prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note", "options")
DATA_FIELDS = (*TOLD_FIELDS, "consented_at", "consent_source")
_WRITTEN = (*DATA_FIELDS, "deleted_at", "payload_hash", "sync_state", "updated_at")


def numbers_of(rows: Sequence[Judged]) -> list[str]:
    """The numbers that must be looked up to settle the rows."""
    return [judged.phone for judged in rows if not judged.rejected and not judged.same_as_line]


def lock_phonebook(phonebook_id: int) -> None:
    """Imports into one phonebook take turns, chunk by chunk; within a transaction. (SQLite has one writer anyway.)"""
    list(Phonebook.objects.select_for_update(no_key=True).filter(pk=phonebook_id).values_list("pk"))


def contacts_by_phone(phonebook_id: int, numbers: Collection[str], *, lock: bool = False) -> dict[str, Contact]:
    """The contacts with these numbers, deleted ones included; with `lock` they stay as they are until the transaction ends."""
    contacts = Contact.objects.filter(phonebook_id=phonebook_id, phone__in=numbers).defer("pushed_payload")
    if lock:
        contacts = contacts.select_for_update().order_by("pk")
    return {contact.phone: contact for contact in contacts}


def suppressed_among(numbers: Collection[str]) -> frozenset[str]:
    """Those of the numbers that are on the suppression list."""
    return frozenset(Suppression.objects.filter(phone__in=numbers).values_list("phone", flat=True))


def write_contacts(job: ImportJob, verdicts: Sequence[Verdict]) -> None:
    """Create and update contacts as the verdicts say, and keep how each was before."""
    created = [verdict.judged for verdict in verdicts if verdict.outcome is Outcome.CREATED]
    updated = [verdict for verdict in verdicts if verdict.outcome is Outcome.UPDATED]
    ids = _create(job.phonebook_id, created)
    changes: list[tuple[int, Row, str, dict[str, Any] | None]] = [
        (ids[judged.phone], judged.row, ImportChange.Kind.CREATED.value, None) for judged in created
    ]
    changes += [
        (
            verdict.contact.pk,
            verdict.judged.row,
            ImportChange.Kind.UPDATED.value,
            _record(verdict.contact, verdict.changes),
        )
        for verdict in updated
        if verdict.contact
    ]
    _update(updated)
    inserter = Inserter(ImportChange, ("contact", "row", "line", "kind", "before"), shared={"job": job.pk})
    inserter.insert(
        (contact_id, row.number, row.line, kind, before)
        for contact_id, row, kind, before in sorted(changes, key=lambda change: change[1].number)
    )


def _create(phonebook_id: int, rows: Sequence[Judged]) -> dict[str, int]:
    """Write the new contacts; returns their ids by phone."""
    now = timezone.now()
    inserter = Inserter(
        Contact,
        ("uuid", "phone", *DATA_FIELDS, "payload_hash"),
        shared={"phonebook": phonebook_id, "created_at": now, "updated_at": now},
    )
    blank = {name: Contact._meta.get_field(name).get_default() for name in DATA_FIELDS}  # type: ignore[union-attr]
    contents = [(judged.phone, {**blank, **judged.fields, "options": judged.options}) for judged in rows]
    inserter.insert(
        (uuid.uuid4(), phone, *content.values(), _fingerprint(phone, content)) for phone, content in contents
    )
    found = Contact.objects.filter(phonebook_id=phonebook_id, phone__in=[judged.phone for judged in rows])
    return dict(found.values_list("phone", "pk")) if rows else {}


def _fingerprint(phone: str, content: Mapping[str, Any]) -> str:
    """The hash of what a provider may be told; consent stays here."""
    return contact_fingerprint(phone=phone, **{name: content[name] for name in TOLD_FIELDS})


def _update(verdicts: Sequence[Verdict]) -> None:
    now = timezone.now()
    contacts: list[Contact] = []
    for verdict in verdicts:
        contact = verdict.contact
        if contact is None:
            continue
        for name, value in verdict.changes.items():
            setattr(contact, name, value)
        contact.refresh_state()
        contact.updated_at = now
        contacts.append(contact)
    _update_rows(contacts)


def _update_rows(contacts: Sequence[Contact]) -> None:
    """One prepared UPDATE for all rows; Django's bulk_update takes many times as long."""
    if not contacts:
        return
    fields = [field for field in Contact._meta.concrete_fields if field.name in _WRITTEN]
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    table = quote(Contact._meta.db_table)
    rows = [
        (*(field.get_db_prep_save(getattr(contact, field.attname), connection) for field in fields), contact.pk)
        for contact in contacts
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {assignments} WHERE id = %s", rows)  # noqa: S608 - names of our own columns


def before_image(contact: Contact) -> dict[str, Any]:
    """The contact as it is, to be able to put it back."""
    image: dict[str, Any] = {name: getattr(contact, name) for name in DATA_FIELDS}
    image["consented_at"] = contact.consented_at.isoformat() if contact.consented_at else None
    image["deleted_at"] = contact.deleted_at.isoformat() if contact.deleted_at else None
    image["sync_state"] = contact.sync_state
    image["payload_hash"] = contact.payload_hash
    return image


def _record(contact: Contact, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The contact as it is, and under `set` what the row makes of it."""
    told = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in changes.items()}
    return {**before_image(contact), "set": told}


def write_issues(job: ImportJob, verdicts: Sequence[Verdict]) -> None:
    """Keep everything there is to say about the rows; rows that were not imported are kept whole, with their first issue."""
    names = ("row", "line", "column", "severity", "code", "value", "params", "suggestion", "cells")
    Inserter(ImportIssue, names, shared={"job": job.pk}).insert(
        (
            verdict.judged.row.number,
            verdict.judged.row.line,
            storable(problem.column)[: issues.LONGEST_COLUMN],
            problem.severity,
            problem.code,
            storable(problem.value),
            dict(problem.params),
            storable(problem.suggestion)[: issues.LONGEST_SUGGESTION],
            [storable(cell) for cell in verdict.judged.row.cells] if place == 0 and _is_left_out(verdict) else [],
        )
        for verdict in verdicts
        for place, problem in enumerate(verdict.problems)
    )


def _is_left_out(verdict: Verdict) -> bool:
    return verdict.outcome in {Outcome.REJECTED, Outcome.DUPLICATE}
