"""Contacts, one per call. A phonebook is those that bear its tag."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from providers import values
from providers.backends.callbell import bodies, forms
from providers.backends.callbell.calls import checked_id
from providers.backends.callbell.envelope import single
from providers.backends.callbell.limits import problem_with_contact, problem_with_tag
from providers.backends.callbell.reading import ReadingCalls, Row, contact_row, has_tag, remote_contact
from providers.exceptions import NotFound, ProviderError, Rejected
from providers.text import gettext_noop
from providers.types import BatchResult, BookRef, ContactRecord, ItemOutcome, ItemResult, RemoteContact

_NOT_THERE = gettext_noop("Callbell has no contact with the id %(id)s.")
_OTHER_NUMBER = gettext_noop(
    "Callbell cannot change the number of a contact: it has %(there)s there and %(here)s here. "
    "Add the new number as a new contact and decide whether the old one is deleted."
)
_TAG_STAYS = gettext_noop(
    "Callbell still shows the tag “%(tag)s” on this contact after it was taken away. Take it away in Callbell's dashboard, then push again."
)


class ContactCalls(ReadingCalls):
    def list_contacts(self, book: BookRef, *, created_since: dt.datetime | None = None) -> Iterator[RemoteContact]:
        """Everybody with the tag; people on Facebook or Instagram have no number, and an empty `phone`."""
        _refuse(problem_with_tag(book))
        for row in self.contact_rows(tags=book.remote_id):
            if has_tag(row, book.remote_id):
                yield remote_contact(row, tag=book.remote_id)

    def find_contact(self, book: BookRef, phone: str) -> RemoteContact | None:
        row = self._look_up(phone)
        if row is None or not has_tag(row, book.remote_id):
            return None
        return remote_contact(row, tag=book.remote_id)

    def get_contact(self, remote_id: str) -> RemoteContact:
        """All its tags are told, as it is not known which of them is the phonebook's."""
        return remote_contact(self._row(remote_id))

    def create_contacts(self, book: BookRef, records: Sequence[ContactRecord]) -> BatchResult:
        """Each number is looked for first, since it is not documented whether a second contact would be made.

        One that is there already has existed: it gets the tag, and nothing else of it is changed.
        """
        if len(records) > 1:
            raise ValueError(f"{len(records)} contacts in one call; at most 1")
        return BatchResult(tuple(self._create(book, record) for record in records))

    def _create(self, book: BookRef, record: ContactRecord) -> ItemResult:
        if problem := problem_with_tag(book) or problem_with_contact(record):
            return _refused(record, problem)
        known = self._look_up(record.phone)
        try:
            if known is not None:
                self._add_tag(known, book.remote_id)
                return ItemResult(record.reference, ItemOutcome.EXISTED, known["uuid"])
            answer = self.post("/contacts", bodies.new_contact(record, book.remote_id, self.settings))
        except Rejected as error:
            return _refused(record, error)
        return ItemResult(record.reference, ItemOutcome.DONE, self.http.read(answer, _made))

    def _add_tag(self, known: Row, tag: str) -> None:
        if not has_tag(known, tag):
            tags = forms.joined((tag,), forms.names(known.get("tags")))
            self.patch(f"/contacts/{checked_id(known['uuid'])}", {"tags": tags})

    def update_contact(self, book: BookRef, remote_id: str, record: ContactRecord) -> ItemResult:
        """Reads the contact first: its number cannot be changed, and what others put on it must be sent along."""
        _refuse(problem_with_tag(book) or problem_with_contact(record))
        known = self._row(remote_id)
        there = values.text(known.get("phoneNumber"))
        if there and forms.digits(there) != forms.digits(record.phone):
            raise Rejected(_OTHER_NUMBER, params={"there": forms.e164(there), "here": record.phone})
        body = bodies.changed_contact(record, book.remote_id, self.settings, known=known)
        self.patch(f"/contacts/{checked_id(remote_id)}", body)
        return ItemResult(record.reference, ItemOutcome.DONE, remote_id)

    def delete_contacts(self, book: BookRef, remote_ids: Sequence[str]) -> None:
        """Who bears other tags too only loses the phonebook's; who bears no other is destroyed for good.

        The tags are read directly before that request; what somebody else, or a run on another phonebook, changes between
        the two is lost, or comes back, and shows at the next comparison.
        """
        if len(remote_ids) > 1:
            raise ValueError(f"{len(remote_ids)} contacts in one call; at most 1")
        for remote_id in remote_ids:
            try:
                self._take_out(book, remote_id)
            except NotFound:
                continue  # gone already

    def _take_out(self, book: BookRef, remote_id: str) -> None:
        _refuse(problem_with_tag(book))
        tag, known = book.remote_id, self._row(remote_id, parse=_with_tags)
        if not has_tag(known, tag):
            return
        others = remote_contact(known, tag=tag).tags
        if not others:
            self.delete(f"/contacts/{checked_id(remote_id)}")
            return
        answer = self.patch(f"/contacts/{checked_id(remote_id)}", {"tags": list(others)})
        told = self.http.read(answer, contact_row)
        # Whether tags are replaced or merged is not documented, so that only a contact without the tag is proof.
        is_proven = told is not None and "tags" in told and not has_tag(told, tag)
        if not is_proven and has_tag(self._row(remote_id, parse=_with_tags), tag):
            raise Rejected(_TAG_STAYS, params={"tag": tag})

    def _row(self, remote_id: str, *, parse: Callable[[Any], Row | None] = contact_row) -> Row:
        answer = self.get(f"/contacts/{checked_id(remote_id)}", include_field_types="true")
        row = self.http.read(answer, parse)
        if row is None:
            raise NotFound(_NOT_THERE, params={"id": remote_id}, status=answer.status)
        return row

    def _look_up(self, phone: str) -> Row | None:
        """The contact with this number. The form of the number is not documented: digits first, then with a plus."""
        channel = {"channel_uuid": self.settings["channel_uuid"]} if self.settings["channel_uuid"] else {}
        wanted = forms.digits(phone)
        refused: list[Rejected] = []
        for number in (wanted, f"%2B{wanted}"):
            try:
                answer = self.get(f"/contacts/phone/{number}", **channel)
            except NotFound:
                continue
            except Rejected as error:
                refused.append(error)
                continue
            row = self.http.read(answer, contact_row)
            if row and forms.digits(values.text(row.get("phoneNumber"))) in ("", wanted):
                return row
        if len(refused) == 2:
            raise refused[0]
        return None


def _with_tags(data: Any) -> Row | None:
    """As `contact_row`, of an answer that tells the tags: none told is not none there."""
    row = contact_row(data)
    if row is not None and "tags" not in row:
        raise KeyError("tags")
    return row


def _made(data: Any) -> str:
    row = single(data, "contact")
    if row is None:
        raise ValueError
    return forms.remote_id(row["uuid"])


def _refuse(problem: ProviderError | None) -> None:
    if problem:
        raise problem


def _refused(record: ContactRecord, problem: ProviderError) -> ItemResult:
    return ItemResult(record.reference, ItemOutcome.REFUSED, message=problem.message, params=problem.params)
