"""Contacts, which LOX24 calls the phones of a group."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from providers.backends.lox24 import facts, forms
from providers.backends.lox24.batch import parse_batch
from providers.backends.lox24.calls import Calls
from providers.exceptions import NotFound, OutcomeUnknown
from providers.text import gettext_noop
from providers.types import BatchResult, BookRef, ContactRecord, ItemOutcome, ItemResult, RemoteContact

_NOT_ALL = gettext_noop(
    "LOX24 listed %(listed)s of the %(count)s contacts of this group, so it cannot be said who is missing. Try again later."
)


class PhoneCalls(Calls):
    def list_contacts(self, book: BookRef, *, created_since: dt.datetime | None = None) -> Iterator[RemoteContact]:
        """Raises `OutcomeUnknown` at the end when fewer came than the group holds: no pages are documented for this list."""
        group = f"/groups/{forms.path_id(book.remote_id)}"
        listed, count = 0, None
        for contact, total in self.rows(f"{group}/phones", {}, forms.contact, has_pages=False):
            listed, count = listed + 1, total
            yield contact
        if count is None:
            # Neither a total nor, in some answers, this count: then there is nothing to compare with.
            count = self.http.read(self.get(group), lambda data: forms.whole(data.get("count_items")))
        if count is not None and listed < count:
            raise OutcomeUnknown(_NOT_ALL, params={"listed": listed, "count": count})

    def get_contact(self, remote_id: str) -> RemoteContact:
        return self.http.read(self.get(_path(remote_id)), forms.contact)

    def create_contacts(self, book: BookRef, records: Sequence[ContactRecord]) -> BatchResult:
        if len(records) > facts.LARGEST_BATCH:
            raise ValueError(f"{len(records)} contacts in one call; at most {facts.LARGEST_BATCH}")
        if not records:
            return BatchResult(())
        path = f"/groups/{forms.path_id(book.remote_id)}/phones/batch"
        answer = self.post(path, [forms.new_phone(record) for record in records])
        return self.http.read(answer, lambda data: parse_batch(data, records, self.http.words))

    def update_contact(self, book: BookRef, remote_id: str, record: ContactRecord) -> ItemResult:
        self.put(_path(remote_id), forms.changed_phone(record))
        return ItemResult(record.reference, ItemOutcome.DONE, remote_id)

    def delete_contacts(self, book: BookRef, remote_ids: Sequence[str]) -> None:
        for remote_id in remote_ids:
            path = _path(remote_id)
            try:
                self.http.request("DELETE", path)
            except NotFound:
                continue


def _path(remote_id: str) -> str:
    """A single phone is not under its group."""
    return f"/phones/{forms.path_id(remote_id)}"
