"""Contacts, one per call. An address book shows them all at once, with four fields each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from providers import values
from providers.backends.atomtelecom import forms
from providers.backends.atomtelecom.books import NO_BOOK, BookCalls
from providers.backends.atomtelecom.facts import SLOTS
from providers.backends.atomtelecom.limits import problem_with_contact
from providers.exceptions import NotFound, ProviderError, Rejected
from providers.text import gettext_noop
from providers.types import BatchResult, BookRef, ContactRecord, ItemOutcome, ItemResult, RemoteContact

_NOT_THERE = gettext_noop("Atom Telecom has no contact with the id %(id)s.")
_NOT_SHOWN = gettext_noop("Atom Telecom does not show the contact with the id %(id)s: “%(words)s”.")


class ContactCalls(BookCalls):
    def list_contacts(self, book: BookRef, *, created_since: dt.datetime | None = None) -> Iterator[RemoteContact]:
        body = {"id": forms.id_number(book.remote_id)}
        try:
            answer = self.post("address-book/detail", body)
        except Rejected:
            if self._has_book(book):
                raise
            raise NotFound(NO_BOOK, params={"id": book.remote_id}) from None
        yield from self.http.read(answer, _contacts)

    def get_contact(self, remote_id: str) -> RemoteContact:
        body = {"id": str(forms.id_number(remote_id))}  # text here, an integer in edits and deletions
        try:
            answer = self.post("contact/detail", body)
        except Rejected as error:
            # The id is all that was sent, so nothing else can be wrong with it.
            words = error.params.get("words") or f"HTTP {error.status}"
            raise NotFound(_NOT_SHOWN, params={"id": remote_id, "words": words}, status=error.status) from None
        if answer.data.get("result") in (None, [], {}, {"contact": None}):
            raise NotFound(_NOT_THERE, params={"id": remote_id}, status=answer.status)
        return self.http.read(answer, lambda result: _detail(result["contact"]))

    def create_contacts(self, book: BookRef, records: Sequence[ContactRecord]) -> BatchResult:
        if len(records) > 1:
            raise ValueError(f"{len(records)} contacts in one call; at most 1")
        return BatchResult(tuple(self._create(book, record) for record in records))

    def _create(self, book: BookRef, record: ContactRecord) -> ItemResult:
        if problem := problem_with_contact(record):
            return _refused(record, problem)
        fields = forms.new_contact(record, form=self.settings["contact_number_form"])
        body = {"group_id": forms.id_number(book.remote_id), **fields}
        try:
            answer = self.post("contact/new", body)
        except Rejected as error:
            if not self._has_book(book):
                raise NotFound(NO_BOOK, params={"id": book.remote_id}) from None
            return _refused(record, error)
        return ItemResult(record.reference, ItemOutcome.DONE, self.http.read(answer, _id))

    def update_contact(self, book: BookRef, remote_id: str, record: ContactRecord) -> ItemResult:
        if problem := problem_with_contact(record):
            raise problem
        body = {
            "id": forms.id_number(remote_id),
            "group_id": forms.id_number(book.remote_id),
            **forms.changed_contact(record, form=self.settings["contact_number_form"]),
        }
        try:
            self.post("contact/edit", body)
        except Rejected:
            if self._shows(remote_id):
                raise
            raise NotFound(_NOT_THERE, params={"id": remote_id}) from None
        return ItemResult(record.reference, ItemOutcome.DONE, remote_id)

    def delete_contacts(self, book: BookRef, remote_ids: Sequence[str]) -> None:
        for remote_id in remote_ids:
            body = {"id": forms.id_number(remote_id)}
            try:
                self.post("contact/delete", body)
            except Rejected:
                if self._shows(remote_id):
                    raise

    def _shows(self, remote_id: str) -> bool:
        """Asked after a refusal: how an unknown id is refused is not documented."""
        try:
            self.get_contact(remote_id)
        except NotFound:
            return False
        return True


def _refused(record: ContactRecord, problem: ProviderError) -> ItemResult:
    return ItemResult(record.reference, ItemOutcome.REFUSED, message=problem.message, params=problem.params)


def _id(result: Any) -> str:
    return values.remote_id(result["id"])


def _contacts(result: Any) -> list[RemoteContact]:
    rows = result["contacts"]
    if not isinstance(rows, list):
        raise TypeError
    return [_contact(row) for row in rows]


def _contact(row: Any, options: dict[str, str] | None = None) -> RemoteContact:
    return RemoteContact(
        remote_id=values.remote_id(row["id"]),
        phone=forms.e164(row["phone_number"]),
        first_name=values.text(row.get("first_name")),
        last_name=values.text(row.get("last_name")),
        options=options,
        raw=row,
    )


def _detail(row: Any) -> RemoteContact:
    return _contact(row, {slot: values.text(row.get(slot)) for slot in SLOTS})
