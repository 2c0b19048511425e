"""From verdicts to the database: the only place of the package that writes contacts."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

from django.utils import timezone

from contactsync.fingerprint import contact_fingerprint
from contactsync.imports import issues
from contactsync.imports.issues import Problem, number_in, storable
from contactsync.imports.judged import Judged
from contactsync.imports.rows import lock_suppression_list
from contactsync.imports.settle import Outcome, Verdict
from contactsync.models import Contact, ImportChange, ImportIssue, ImportJob, Phonebook, Suppression
from contactsync.models.bulk import Inserter, next_ids, time_ordered_uuids, update_rows
from contactsync.models.listed import among

#: what an import may set, and what it keeps of a contact before it does
TOLD_FIELDS = ("prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note", "options")
DATA_FIELDS = (*TOLD_FIELDS, "consented_at", "consent_source")
#: all of a contact that a change looks at
_LOOKED_AT = (
    *("phone", *DATA_FIELDS, "deleted_at", "updated_at"),
    *("sync_state", "sync_error", "payload_hash", "pushed_hash", "remote_id"),
)
#: a text as JSON; with anything but a text, a `TypeError`
_json: Callable[[str], str] = encode_basestring_ascii
_CREATED, _UPDATED = ImportChange.Kind.CREATED.value, ImportChange.Kind.UPDATED.value
#: as a new contact has it, but for what its row says
_BLANK: dict[str, Any] = {name: Contact._meta.get_field(name).get_default() for name in DATA_FIELDS}  # type: ignore[union-attr]
#: a new contact, ready to be written: the values of these fields, JSON as text; the hash last
NEW_FIELDS = ("phone", *DATA_FIELDS, "payload_hash")


def new_contacts(rows: Sequence[Judged]) -> dict[str, tuple[Any, ...]]:
    """The values of `NEW_FIELDS` for each usable row, by number, as if what it leaves blank were blank."""
    return {judged.phone: _new_contact(judged) for judged in rows if not judged.rejected and not judged.same_as_line}


def _new_contact(judged: Judged) -> tuple[Any, ...]:
    phone, options = judged.phone, judged.options
    values = {**_BLANK, **judged.fields, "options": options}
    # Consent stays here: no provider is told of it, and the hash knows nothing of it.
    told = contact_fingerprint(phone=phone, **{name: values[name] for name in TOLD_FIELDS})
    values["options"] = _as_json(options)
    values["tags"] = json.dumps(values["tags"]) if values["tags"] else "[]"
    return (phone, *values.values(), told)


def _as_json(options: Mapping[str, str]) -> str:
    """What `json.dumps` makes of them, and so every other way to save a contact, but in a third of the time."""
    return f"{{{', '.join([f'{_json(key)}: {_json(value)}' for key, value in options.items()])}}}"


def lock_place(job: ImportJob) -> None:
    """Imports into one phonebook, or onto the suppression list, take turns, chunk by chunk; within a transaction."""
    if job.is_suppression:
        lock_suppression_list()
    else:  # SQLite has one writer anyway
        list(Phonebook.objects.select_for_update(no_key=True).filter(pk=job.book.pk).values_list("pk"))


def compare(
    phonebook_id: int, rows: Sequence[Judged], new: Mapping[str, tuple[Any, ...]], *, adds_only: bool = False
) -> tuple[set[str], list[str]]:
    """The numbers of the rows that are in the phonebook: those whose contact stays as it is, and those to be looked at.

    `new` holds what each usable row would be as a new contact (`new_contacts`).
    It stays when the row says just the same: equal hashes tell that of all that providers are told, except of the
    order of tags. With `adds_only` whoever is there stays, whatever the row says.
    """
    there = Contact.objects.with_numbers(phonebook_id, new)
    found = {
        phone: (known, deleted_at)
        for phone, known, deleted_at in there.values_list("phone", "payload_hash", "deleted_at")
    }
    if not found:
        return set(), []
    if adds_only:
        there_now = {phone for phone, (_known, deleted_at) in found.items() if deleted_at is None}
        return there_now, [phone for phone in found if phone not in there_now]
    same = {
        judged.phone
        for judged in rows
        if judged.phone in found
        and judged.phone in new
        and found[judged.phone] == (new[judged.phone][-1], None)
        and "consented_at" not in judged.fields
        and "consent_source" not in judged.fields
        and len(judged.fields.get("tags", ())) < 2
    }
    return same, [phone for phone in found if phone not in same]


def contacts_by_phone(phonebook_id: int, numbers: Collection[str], *, lock: bool = False) -> dict[str, Contact]:
    """The contacts with these numbers, deleted ones included; with `lock` they stay as they are until the transaction ends."""
    if not numbers:
        return {}
    contacts = Contact.objects.with_numbers(phonebook_id, numbers).only(*_LOOKED_AT)
    if lock:
        contacts = contacts.select_for_update().order_by("pk")
    return {contact.phone: contact for contact in contacts}


def suppressed_among(numbers: Collection[str]) -> frozenset[str]:
    """Those of the numbers that are on the suppression list."""
    return frozenset(Suppression.objects.filter(phone__in=among(numbers)).values_list("phone", flat=True))


def write_contacts(job: ImportJob, verdicts: Sequence[Verdict], new: Mapping[str, tuple[Any, ...]]) -> None:
    """Create and update contacts as the verdicts say, and keep how each was before."""
    created = [verdict.judged.phone for verdict in verdicts if verdict.outcome is Outcome.CREATED]
    updated = [verdict for verdict in verdicts if verdict.outcome is Outcome.UPDATED]
    ids = next_ids(Contact, len(created))
    left = iter(ids)
    changes: list[tuple[int, int, int, str, dict[str, Any] | None]] = []
    for verdict in verdicts:
        row, contact = verdict.judged.row, verdict.contact
        if verdict.outcome is Outcome.CREATED:
            changes.append((next(left), row.number, row.line, _CREATED, None))
        elif verdict.outcome is Outcome.UPDATED and contact:
            changes.append((contact.pk, row.number, row.line, _UPDATED, _record(contact, verdict.changes)))
    _create(job.book.pk, ids, [new[phone] for phone in created])
    _update(updated)
    inserter = Inserter(ImportChange, ("contact", "row", "line", "kind", "before"), shared={"job": job.pk})
    inserter.insert(changes)


def _create(phonebook_id: int, ids: Sequence[int], contacts: Sequence[tuple[Any, ...]]) -> None:
    now = timezone.now()
    shared = {"phonebook": phonebook_id, "created_at": now, "updated_at": now}
    uuids = time_ordered_uuids(len(contacts))
    Inserter(Contact, ("id", "uuid", *NEW_FIELDS), shared=shared).insert(
        (number, uuid, *values) for number, uuid, values in zip(ids, uuids, contacts, strict=True)
    )


def _update(verdicts: Sequence[Verdict]) -> None:
    """Write what changes, column by column: the fields that any of the rows changes, and what follows from them."""
    contacts: list[Contact] = []
    names = dict.fromkeys(("payload_hash",))
    for verdict in verdicts:
        contact = verdict.contact
        if contact is None:
            continue
        for name, value in verdict.changes.items():
            setattr(contact, name, value)
            names[name] = None
        state, why = contact.sync_state, contact.sync_error
        contact.refresh_state()
        if (contact.sync_state, contact.sync_error) != (state, why):
            names |= dict.fromkeys(("sync_state", "sync_error"))
        contacts.append(contact)
    rows = [(contact.pk, *[getattr(contact, name) for name in names]) for contact in contacts]
    update_rows(Contact, list(names), rows, shared={"updated_at": timezone.now()})


def before_image(contact: Contact) -> dict[str, Any]:
    """The contact as it is, to be able to put it back."""
    image: dict[str, Any] = {name: getattr(contact, name) for name in DATA_FIELDS}
    image["consented_at"] = contact.consented_at.isoformat() if contact.consented_at else None
    image["deleted_at"] = contact.deleted_at.isoformat() if contact.deleted_at else None
    image["sync_state"] = contact.sync_state
    image["sync_error"] = contact.sync_error
    image["payload_hash"] = contact.payload_hash
    image["updated_at"] = contact.updated_at.isoformat()
    return image


def _record(contact: Contact, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The contact as it is, and under `set` what the row makes of it."""
    told = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in changes.items()}
    return {**before_image(contact), "set": told}


def write_issues(job: ImportJob, verdicts: Sequence[Verdict]) -> None:
    """Keep everything there is to say about the rows; rows that were not imported are kept whole, with their first issue."""
    names = ("row", "line", "column", "severity", "code", "value", "params", "suggestion", "cells", "number")
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
            _number_of(verdict.judged, problem),
        )
        for verdict in verdicts
        for place, problem in enumerate(verdict.problems)
    )


def _number_of(judged: Judged, problem: Problem) -> str:
    """The number the issue is about: that of the row, else the digits of the cell that is none."""
    if judged.phone or not problem.code.startswith("phone_"):
        return judged.phone
    return number_in(problem.value)


def _is_left_out(verdict: Verdict) -> bool:
    return verdict.outcome in {Outcome.REJECTED, Outcome.DUPLICATE}
