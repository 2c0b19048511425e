"""What may be done in each case of an undo, and what the contact then is. Reads and writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from contactsync.fingerprint import contact_fingerprint
from contactsync.imports.apply import DATA_FIELDS, TOLD_FIELDS
from contactsync.models import Contact, ImportChange, ImportUndoChange

Case = ImportUndoChange.Case
Action = ImportUndoChange.Action
SyncState = Contact.SyncState
#: what an undo puts back
FIELDS = (*DATA_FIELDS, "deleted_at")
#: states whose reason is not the contact's contents
_NOT_TOUCHED = frozenset({SyncState.UNKNOWN, SyncState.MISSING})
_MOMENTS = frozenset({"consented_at", "deleted_at"})


class Choice(StrEnum):
    """What a person may want done in a case."""

    KEEP = "keep"
    REMOVE = "remove"
    RESTORE = "restore"
    RESTORE_REST = "restore_rest"  # only the fields not edited since


#: case -> what is offered, what is done unless somebody chooses otherwise first
OFFERS: dict[str, tuple[Choice, ...]] = {
    Case.CREATED: (Choice.REMOVE,),
    Case.CREATED_PUSHED: (Choice.REMOVE, Choice.KEEP),
    Case.CREATED_EDITED: (Choice.KEEP, Choice.REMOVE),
    Case.CREATED_MESSAGED: (Choice.KEEP, Choice.REMOVE),
    Case.UPDATED: (Choice.RESTORE,),
    Case.UPDATED_PUSHED: (Choice.RESTORE, Choice.KEEP),
    Case.UPDATED_EDITED: (Choice.KEEP, Choice.RESTORE_REST, Choice.RESTORE),
    Case.DELETED: (Choice.KEEP,),
    Case.CREATED_ASKED: (Choice.KEEP,),  # nobody may write to people who have asked for nothing more
    Case.CREATED_NAMED: (Choice.KEEP, Choice.REMOVE),
}


def choice_of(choices: Mapping[str, str], case: str) -> Choice:
    """What is to be done in a case: what was chosen, else the first offer."""
    offered = OFFERS[case]
    chosen = choices.get(case, "")
    return Choice(chosen) if chosen in offered else offered[0]


def contents(contact: Contact) -> dict[str, Any]:
    """What an undo looks at and puts back."""
    return {name: getattr(contact, name) for name in FIELDS}


def _read(image: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a stored image, with its moments as moments."""
    return {
        name: dt.datetime.fromisoformat(image[name]) if name in _MOMENTS and image[name] else image[name]
        for name in FIELDS
        if name in image
    }


def contents_before(change: ImportChange) -> dict[str, Any]:
    """The contact as it was before an import updated it."""
    return _read(change.before or {})


def _told(change: ImportChange) -> dict[str, Any]:
    return _read((change.before or {}).get("set") or {})


def edited_fields(change: ImportChange, contact: Contact) -> list[str]:
    """The fields that are not any more as the import left them."""
    before = contents_before(change)
    after = {**before, **_told(change)}
    now = contents(contact)
    edited = [name for name in FIELDS if now[name] != after.get(name)]
    # The number is not kept with the change, but it is part of the hash.
    told = {name: before[name] for name in TOLD_FIELDS if name in before}
    known = len(told) == len(TOLD_FIELDS) and (change.before or {}).get("payload_hash")
    if known and known != contact_fingerprint(phone=contact.phone, **told):
        edited.append("phone")
    return edited


def put_back(change: ImportChange, now: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """The contents after the undo of one update; unless `whole`, later edits stay, of options one by one."""
    before = contents_before(change)
    if whole:
        return before
    wanted = dict(now)
    for name, told in _told(change).items():
        if name == "options":
            wanted[name] = _options_back(before.get(name) or {}, told or {}, now[name])
        elif now[name] == told:
            wanted[name] = before[name]
    return wanted


def _options_back(before: Mapping[str, Any], told: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    if now == told:
        return dict(before)
    wanted = dict(now)
    for key in {**before, **told}:
        if before.get(key) == told.get(key) or now.get(key) != told.get(key):
            continue
        if key in before:
            wanted[key] = before[key]
        else:
            wanted.pop(key, None)
    return wanted


def set_contents(
    contact: Contact, wanted: Mapping[str, Any], *, earlier_state: str, earlier_error: Mapping[str, Any] | None
) -> None:
    """Give the contact these contents and a true state; not saved.

    Where it had `earlier_state` with just these contents, and the provider was told nothing else since, it has it
    again, with the reason it had (None: not on record).
    """
    error = contact.sync_error if earlier_error is None else dict(earlier_error)
    for name, value in wanted.items():
        setattr(contact, name, value)
    contact.refresh_state()
    if contact.sync_state in Contact.WAITING and contact.pushed_hash == contact.payload_hash:
        was_in_step = earlier_state == SyncState.SYNCED and contact.remote_id
        was_refused = earlier_state == SyncState.FAILED and error
        if was_in_step or was_refused:
            contact.sync_state = earlier_state
    is_as_earlier = contact.sync_state == earlier_state and earlier_state not in _NOT_TOUCHED
    if is_as_earlier:
        contact.sync_error = error
