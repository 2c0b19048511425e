"""One chunk of an undo, and of its redo: contacts removed, marked, put back, brought back. Within the caller's transaction."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone

from contactsync.imports.undo_cases import FIELDS, Action, Choice, choice_of, contents, put_back, set_contents
from contactsync.imports.undo_images import NEVER_PUSHED, bring_back, contact_from, image_of, link_again, links_of
from contactsync.imports.undo_look import being_pushed, is_known, look
from contactsync.models import Contact, ImportChange, ImportUndo, ImportUndoChange
from contactsync.sync.bulk import save_fields

Redone = ImportUndoChange.Redone
WRITTEN = [*FIELDS, "payload_hash", "sync_state", "sync_error", "updated_at"]


def locked_contacts(rows: Iterable[ImportUndoChange]) -> dict[int, Contact]:
    """The contacts of these rows that still exist; they stay as they are until the transaction ends."""
    keys = [row.contact_id for row in rows if row.contact_id]
    contacts = Contact.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    return {contact.pk: contact for contact in contacts}


def undo_rows(undo: ImportUndo, rows: Sequence[ImportUndoChange]) -> Counter[str]:
    """Do with each change what was chosen for its case. Returns how often what was done."""
    contacts = locked_contacts(rows)
    found = look([row.change for row in rows], contacts)
    removed: list[Contact] = []
    written: list[Contact] = []
    busy = being_pushed(contacts)
    for row in rows:
        contact = contacts.get(row.contact_id or 0)
        now = found[row.change_id]
        row.before, row.links = None, {}
        if contact is None or contact.deleted_at is not None:
            row.action = Action.LEFT
        elif (now.case, now.seen) != (row.case, row.facts.get("seen")):
            row.action = Action.MOVED
        else:
            image = image_of(contact)
            row.action = _undo(row, contact, choice_of(undo.choices, row.case), busy)
            if row.action in ImportUndoChange.CHANGING:
                row.before = image
                (removed if row.action == Action.REMOVED else written).append(contact)
    save_fields(written, WRITTEN)
    _remove(rows, removed)
    save_fields(rows, ["action", "before", "links"])
    return Counter(str(row.action) for row in rows)


def _undo(row: ImportUndoChange, contact: Contact, choice: Choice, busy: set[int]) -> Action:
    """Change the contact as chosen; nothing is written yet."""
    if choice is Choice.KEEP:
        return Action.KEPT
    if choice is Choice.REMOVE:
        if not is_known(contact, busy):
            return Action.REMOVED
        contact.deleted_at = timezone.now()
        return Action.MARKED
    before, now = row.change.before or {}, contents(contact)
    whole = choice is Choice.RESTORE
    wanted = put_back(row.change, now, whole=whole)
    if wanted == now:
        return Action.KEPT
    state, error = before.get("sync_state", ""), before.get("sync_error")
    set_contents(contact, wanted, earlier_state=state, earlier_error=error)
    at = before.get("updated_at") if whole else None
    contact.updated_at = dt.datetime.fromisoformat(at) if at else timezone.now()
    return Action.RESTORED if whole else Action.PARTLY


def _remove(rows: Sequence[ImportUndoChange], contacts: Sequence[Contact]) -> None:
    keys = [contact.pk for contact in contacts]
    if not keys:
        return
    links = links_of(keys)
    for row in rows:
        if row.action == Action.REMOVED:
            row.links = links.get(row.contact_id or 0, {})
    Contact.objects.filter(pk__in=keys).delete()


def redo_rows(undo: ImportUndo, rows: Sequence[ImportUndoChange]) -> Counter[str]:
    """Make of what the undo changed what it was before. Returns how often what was done."""
    contacts = locked_contacts(rows)
    phonebook = undo.job.book.pk
    numbers = [row.before["phone"] for row in rows if row.before and row.contact_id not in contacts]
    taken = set(Contact.objects.with_numbers(phonebook, numbers).values_list("phone", flat=True))
    back: list[Contact] = []
    written: list[Contact] = []
    for row in rows:
        contact, image = contacts.get(row.contact_id or 0), row.before or {}
        if contact is not None:
            row.redone = _redo(row, contact, image)
            if row.redone == Redone.DONE:
                written.append(contact)
        elif row.action not in {Action.REMOVED, Action.MARKED}:
            row.redone = Redone.GONE
        elif image["phone"] in taken:
            row.redone = Redone.TAKEN
        else:
            row.redone = Redone.DONE
            # Marked, and gone: the provider has deleted it meanwhile.
            told = {} if row.action == Action.REMOVED else NEVER_PUSHED
            back.append(contact_from(row.contact_id or 0, phonebook, {**image, **told}))
    save_fields(written, WRITTEN)
    bring_back(back)
    made = {contact.pk for contact in back}
    link_again((row.contact_id or 0, row.links) for row in rows if row.contact_id in made)
    save_fields(rows, ["redone"])
    return Counter(str(row.redone) for row in rows)


def _redo(row: ImportUndoChange, contact: Contact, image: Mapping[str, Any]) -> Redone:
    """Give the contact back what the image holds, if it is still as the undo has left it; nothing is written yet."""
    was = contact_from(contact.pk, contact.phonebook_id, image)
    if contact.phone != was.phone or contents(contact) != _left(row, was, contact):
        return Redone.KEPT
    set_contents(contact, contents(was), earlier_state=was.sync_state, earlier_error=was.sync_error)
    contact.updated_at = was.updated_at
    return Redone.DONE


def _left(row: ImportUndoChange, was: Contact, contact: Contact) -> dict[str, Any]:
    """How the undo has left the contact."""
    if row.action == Action.MARKED:
        return {**contents(was), "deleted_at": contact.deleted_at or "no more"}
    change: ImportChange = row.change
    return put_back(change, contents(was), whole=row.action == Action.RESTORED)
