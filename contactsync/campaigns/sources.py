"""Who a target means: its people in chunks, in a fixed order, each with the contact id to send by."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.fields.json import KT

from contactsync.models import CampaignTarget, Contact, Phonebook

CHUNK = 2_000

_FIELDS = (
    "pk", "phone", "prefix", "first_name", "last_name", "company", "options",
    "consented_at", "last_received_at", "remote_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RemoteBook:
    """A phonebook as the provider holds it: (contact id, number) in the provider's own order."""

    rows: Sequence[tuple[str, str]]
    id_by_phone: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str]]) -> RemoteBook:
        id_by_phone: dict[str, str] = {}
        for remote_id, phone in rows:
            id_by_phone.setdefault(phone, remote_id)
        return cls(rows, id_by_phone)

    def part(self, start: int | None, size: int | None) -> Sequence[tuple[str, str]]:
        """The rows from `start` (counted from 1) on, `size` of them; all of them without."""
        first = (start or 1) - 1
        return self.rows[first : first + size if size is not None else None]

    def digest(self, start: int | None, size: int | None) -> str:
        """SHA-256 over the rows of a part: ids and numbers, and their order where rows are counted."""
        rows = self.part(start, size)
        ordered = sorted(rows) if start is None and size is None else rows
        digest = hashlib.sha256()
        for row in ordered:
            digest.update(json.dumps(row).encode())
        return digest.hexdigest()


@dataclass(slots=True)
class Candidate:
    """One number a target names, with what a text may say about it. Plain values: there may be a million of them.

    `contact_id` is None for a number that only the provider's phonebook holds; an empty `remote_id` means: by number.
    `own_id` is the contact's id at the provider, whether its number is sure or not.
    """

    contact_id: int | None
    phone: str
    prefix: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    consented_at: dt.datetime | None = None
    last_received_at: dt.datetime | None = None
    own_id: str = ""
    remote_id: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


def candidates(target: CampaignTarget, book: RemoteBook | None) -> Iterator[list[Candidate]]:
    """The people of `target` in chunks. A contact deleted here is never among them.

    `book` is needed for a slice, whose order only the provider knows; else it only makes the
    contact ids certain.
    """
    if is_slice(target):
        if book is None:
            raise ValueError("A slice of a phonebook needs the phonebook as the provider holds it.")
        yield from _slice(target, book)
        return
    for chunk in _in_chunks(_contacts_of(target), ids_known=book is None):
        if book is not None:
            for candidate in chunk:
                candidate.remote_id = book.id_by_phone.get(candidate.phone, "")
        yield chunk


def is_slice(target: CampaignTarget) -> bool:
    """Some rows of a phonebook in the provider's order, rather than everybody in it."""
    return target.type == CampaignTarget.Type.ALL and (target.start is not None or target.size is not None)


def needs_remote_book(target: CampaignTarget) -> bool:
    """The provider's phonebook has to be read: for its order, or to see whether it holds exactly these people."""
    return target.type == CampaignTarget.Type.ALL and bool(target.phonebook.remote_id)


def _contacts_of(target: CampaignTarget) -> QuerySet[Contact]:
    contacts = Contact.objects.present().filter(phonebook_id=target.phonebook_id)
    if target.type == CampaignTarget.Type.DETAIL:
        chosen = CampaignTarget.contacts.through._default_manager.filter(campaigntarget=target)
        contacts = contacts.filter(pk__in=chosen.values("contact_id"))
    return contacts


def _in_chunks(contacts: QuerySet[Contact], *, ids_known: bool) -> Iterator[list[Candidate]]:
    """By key, not by an open cursor: each chunk is written in its own transaction."""
    # An id is only as good as the number behind it: after an edit here the provider still has the old one.
    contacts = contacts.annotate(pushed_phone=KT("pushed_payload__phone"))
    # One stale id would have the whole call refused, so who is missing there is sent to by number.
    sure = Case(
        When(sync_state=Contact.SyncState.MISSING, then=Value("")),
        When(pushed_phone=F("phone"), then=F("remote_id")),
        default=Value(""),
    )
    rows = contacts.order_by("pk").values_list(*_FIELDS, sure if ids_known else Value(""))
    last = 0
    while chunk := [Candidate(*row) for row in rows.filter(pk__gt=last)[:CHUNK]]:
        yield chunk
        last = chunk[-1].contact_id or 0


def _slice(target: CampaignTarget, book: RemoteBook) -> Iterator[list[Candidate]]:
    rows = book.part(target.start, target.size)
    for position in range(0, len(rows), CHUNK):
        chunk = rows[position : position + CHUNK]
        yield _slice_chunk(target.phonebook, chunk)


def _slice_chunk(phonebook: Phonebook, rows: Sequence[tuple[str, str]]) -> list[Candidate]:
    contacts = Contact.objects.with_numbers(phonebook.pk, [phone for _, phone in rows])
    deleted = set(contacts.filter(deleted_at__isnull=False).values_list("phone", flat=True))
    known = {row[1]: row for row in contacts.filter(deleted_at=None).values_list(*_FIELDS)}
    chunk = []
    for remote_id, phone in rows:
        if phone not in deleted:
            candidate = Candidate(*known[phone]) if phone in known else Candidate(None, phone[:16])
            candidate.remote_id = remote_id
            chunk.append(candidate)
    return chunk
