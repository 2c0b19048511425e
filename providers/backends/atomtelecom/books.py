"""Phonebooks, which Atom Telecom calls address books, and groups in the bodies of contacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from providers import values
from providers.answers import Answer
from providers.backends.atomtelecom import forms
from providers.backends.atomtelecom.calls import Calls
from providers.exceptions import NotFound, OutcomeUnknown, Rejected
from providers.text import gettext_noop
from providers.types import AccountConfig, BookRef, PhonebookSpec, RemotePhonebook

NO_BOOK = gettext_noop("Atom Telecom has no address book with the id %(id)s.")
_NO_TITLE = gettext_noop("Atom Telecom needs a name for an address book.")


class BookCalls(Calls):
    def __init__(self, account: AccountConfig) -> None:
        super().__init__(account)
        self._lists_without_body = False

    def list_phonebooks(self, *, title: str = "", remote_id: str = "") -> Iterator[RemotePhonebook]:
        for book in self.http.read(self._book_list(), _books):
            if title in ("", book.title) and remote_id in ("", book.remote_id):
                yield book

    def _book_list(self) -> Answer:
        """With an empty object, as everything else has a body; with none, as the example of this call, where that is refused."""
        if self._lists_without_body:
            return self.post("address-book/list", None)
        try:
            return self.post("address-book/list", {})
        except (Rejected, OutcomeUnknown) as error:
            if isinstance(error, OutcomeUnknown) and (error.status or 0) < 500:
                raise  # no answer at all: the body was not the reason
        answer = self.post("address-book/list", None)
        self._lists_without_body = True
        return answer

    def create_phonebook(self, spec: PhonebookSpec) -> RemotePhonebook:
        _refuse_title(spec.title)
        return self.http.read(self.post("address-book/new", {"name": spec.title}), _book)

    def update_phonebook(self, book: BookRef, spec: PhonebookSpec) -> None:
        _refuse_title(spec.title)
        body = {"id": forms.id_number(book.remote_id), "name": spec.title}
        try:
            self.post("address-book/edit", body)
        except Rejected:
            if self._has_book(book):
                raise
            raise NotFound(NO_BOOK, params={"id": book.remote_id}) from None

    def delete_phonebooks(self, books: Sequence[BookRef]) -> None:
        for book in books:
            body = {"id": forms.id_number(book.remote_id)}
            try:
                self.post("address-book/delete", body)
            except Rejected:
                if self._has_book(book):
                    raise

    def _has_book(self, book: BookRef) -> bool:
        """Asked after a refusal: how an unknown id is refused is not documented."""
        return any(self.list_phonebooks(remote_id=book.remote_id))


def _refuse_title(title: str) -> None:
    if not title.strip():
        raise Rejected(_NO_TITLE)


def _book(result: Any) -> RemotePhonebook:
    return RemotePhonebook(values.remote_id(result["id"]), values.text(result["name"]), count=None)


def _books(result: Any) -> list[RemotePhonebook]:
    if not isinstance(result, list):
        raise TypeError
    return [_book(row) for row in result]
