"""What happened to the contacts of an import since: edited, pushed, in a campaign, deleted. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from contactsync.imports.undo_cases import Case, edited_fields
from contactsync.models import Contact, ImportChange, ImportJob, Recipient, RunItem
from contactsync.sync.draft import APPROVED

#: messages that went out, or are about to
MESSAGED = (Recipient.State.PLANNED, Recipient.State.ON_WIRE, Recipient.State.ACCEPTED, Recipient.State.UNKNOWN)
NAMED = 5  # campaigns and imports named for one contact


@dataclass(frozen=True, slots=True)
class Found:
    """The case of one change, and what it follows from."""

    case: str
    facts: dict[str, Any]

    @property
    def seen(self) -> Any:
        """When the contact was last changed; another moment means somebody edited it meanwhile."""
        return self.facts.get("seen")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What others know of some contacts."""

    being_pushed: Collection[int]
    campaigns: Mapping[int, list[int]]
    later_imports: Mapping[int, list[tuple[int, int]]]  # (change, import) by contact


def look(changes: Sequence[ImportChange], contacts: Mapping[int, Contact]) -> dict[int, Found]:
    """The case of each change, by its id. `contacts` holds those that still exist."""
    around = _surroundings(changes, contacts)
    return {change.pk: _look(change, contacts.get(change.contact_id or 0), around) for change in changes}


def is_known(contact: Contact, being_pushed: Collection[int]) -> bool:
    """Whether the provider has the contact, may have it, or is about to get it."""
    may_be_there = contact.sync_state == Contact.SyncState.UNKNOWN or contact.pk in being_pushed
    return bool(contact.remote_id) or contact.pushed_at is not None or may_be_there


def being_pushed(keys: Iterable[int]) -> set[int]:
    """Contacts that a run under way is about to tell the provider of."""
    items = RunItem.objects.filter(contact__in=list(keys), state=RunItem.State.PLANNED, run__state__in=APPROVED)
    return set(items.values_list("contact_id", flat=True))


def _look(change: ImportChange, contact: Contact | None, around: Surroundings) -> Found:
    if contact is None:
        return Found(Case.DELETED, {})
    facts: dict[str, Any] = {"seen": contact.updated_at.isoformat()}
    if contact.deleted_at is not None:  # an import leaves nobody deleted
        return Found(Case.DELETED, facts)
    is_new = change.kind == ImportChange.Kind.CREATED
    edited = [] if is_new else edited_fields(change, contact)
    is_edited = contact.updated_at != contact.created_at if is_new else bool(edited)
    later = [job for pk, job in around.later_imports.get(contact.pk, ()) if pk > change.pk]
    if edited:
        facts["fields"] = edited
    if is_edited and later:
        facts["imports"] = later[:NAMED]
    if campaigns := around.campaigns.get(contact.pk):
        facts["campaigns"] = campaigns[:NAMED]
    return Found(_case(contact, around, is_new=is_new, is_edited=is_edited), facts)


def _case(contact: Contact, around: Surroundings, *, is_new: bool, is_edited: bool) -> str:
    if is_new:
        if contact.pk in around.campaigns:
            return Case.CREATED_MESSAGED
        if is_edited:
            return Case.CREATED_EDITED
        return Case.CREATED_PUSHED if is_known(contact, around.being_pushed) else Case.CREATED
    if is_edited:
        return Case.UPDATED_EDITED
    # Untouched, so its last change was the import's.
    is_pushed = contact.pushed_at is not None and contact.pushed_at >= contact.updated_at
    return Case.UPDATED_PUSHED if is_pushed else Case.UPDATED


def _surroundings(changes: Sequence[ImportChange], contacts: Mapping[int, Contact]) -> Surroundings:
    there = [(change, contact) for change in changes if (contact := contacts.get(change.contact_id or 0))]
    new = {contact.pk for change, contact in there if change.kind == ImportChange.Kind.CREATED}
    return Surroundings(
        being_pushed(new),
        _campaigns([contact for _change, contact in there], new, changes[0].job) if there else {},
        _later_imports(changes) if changes else {},
    )


def _campaigns(contacts: Sequence[Contact], new: Collection[int], job: ImportJob) -> dict[int, list[int]]:
    """Campaigns since the import that a contact is in, or its number, through whatever phonebook."""
    by_phone = {contact.phone: contact for contact in contacts}
    by_key = {contact.pk: contact for contact in contacts}
    concerned = Q(contact__in=by_key) | Q(phone__in=by_phone)
    rows = Recipient.objects.filter(concerned, state__in=MESSAGED).order_by("pk")
    found: dict[int, list[int]] = defaultdict(list)
    for key, phone, campaign, at in rows.values_list("contact_id", "phone", "campaign_id", "campaign__prepared_at"):
        contact = by_key.get(key) or by_phone.get(phone)
        if contact is None:
            continue
        since = contact.created_at if contact.pk in new else job.started_at or job.created_at
        if (key == contact.pk and key in new) or (at is not None and at >= since):
            found[contact.pk].append(campaign)
    return dict(found)


def _later_imports(changes: Sequence[ImportChange]) -> dict[int, list[tuple[int, int]]]:
    """Changes by imports after this one that still stand."""
    keys = [change.contact_id for change in changes]
    later = (
        ImportChange.objects.filter(contact__in=keys, pk__gt=changes[0].pk)
        .exclude(job=changes[0].job_id)
        .exclude(job__state=ImportJob.State.UNDONE)
        .order_by("-pk")
    )
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for key, pk, job in later.values_list("contact_id", "pk", "job_id"):
        found[key].append((pk, job))
    return dict(found)
