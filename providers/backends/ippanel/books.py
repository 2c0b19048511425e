"""Phonebooks, and the custom options attached to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from providers import values
from providers.answers import Answer
from providers.backends.ippanel import facts, forms
from providers.backends.ippanel.calls import Calls
from providers.backends.ippanel.limits import problem_with_title
from providers.exceptions import Rejected, Unsupported
from providers.text import gettext_noop
from providers.types import (
    AccountConfig,
    BookRef,
    Operation,
    OptionKind,
    OptionSpec,
    PhonebookSpec,
    RemoteOption,
    RemotePhonebook,
)

_PHONEBOOKS = "/api/phonebooks"
_PHONEBOOK_LIST = "/api/phonebooks/list-new"
_OPTIONS = "/api/phonebooks/options"
_OPTION_LIST = "/api/phonebooks/options/list-new"
_METHOD_NOT_ALLOWED = 405
_UNPROCESSABLE = 422

_NO_SUCH_KIND = gettext_noop("IPPanel has no custom options of the kind “%(kind)s”.")
_NOT_RENAMED = gettext_noop("IPPanel did not change the title of the custom option.")


class BookCalls(Calls):
    def __init__(self, account: AccountConfig) -> None:
        super().__init__(account)
        self._lists_books_by_post = False

    def list_phonebooks(self, *, title: str = "", remote_id: str = "") -> Iterator[RemotePhonebook]:
        wanted: dict[str, str | int] = {}
        if title:
            wanted["title"] = title
        if remote_id:
            wanted["id"] = forms.id_number(remote_id)
        for book in self.pages(lambda page: self._books_page(page, wanted), _book, size=facts.LARGEST_PAGE):
            # Whether the filter on titles finds parts of them is not documented.
            if title in ("", book.title) and remote_id in ("", book.remote_id):
                yield book

    def _books_page(self, page: int, wanted: dict[str, str | int]) -> Answer:
        """GET by the English page, changed last; POST with the same fields, as the Persian one has it, where GET is refused."""
        fields = {**wanted, "page": page, "per_page": facts.LARGEST_PAGE}
        if not self._lists_books_by_post:
            try:
                return self.get(_PHONEBOOK_LIST, **fields)
            except Rejected as error:
                if error.status != _METHOD_NOT_ALLOWED:
                    raise
                self._lists_books_by_post = True
        return self.post(_PHONEBOOK_LIST, fields)

    def create_phonebook(self, spec: PhonebookSpec) -> RemotePhonebook:
        return self.http.read(self.post(_PHONEBOOKS, _book_body(spec)), _book)

    def update_phonebook(self, book: BookRef, spec: PhonebookSpec) -> None:
        # Whether `options` is replaced or merged is not documented: always the whole wanted list.
        self.put(f"{_PHONEBOOKS}/{forms.id_number(book.remote_id)}", {"options": [], **_book_body(spec)})

    def delete_phonebooks(self, books: Sequence[BookRef]) -> None:
        if books:
            ids = [forms.id_number(book.remote_id) for book in books]
            self.post(f"{_PHONEBOOKS}/delete-list", {"listPhonebooks": ids})

    def list_options(self, *, titles: Sequence[str] = ()) -> Iterator[RemoteOption]:
        for type_name in facts.OPTION_KINDS:
            try:
                yield from self._options(type=type_name)
            except Rejected as error:
                if error.status != _UNPROCESSABLE:
                    raise
                # The document marks `title` as required; where that is true, each is looked up by itself.
                for title in dict.fromkeys(titles):
                    yield from (
                        option for option in self._options(type=type_name, title=title) if option.title == title
                    )

    def _options(self, **wanted: str) -> Iterator[RemoteOption]:
        return self.pages(
            lambda page: self.get(_OPTION_LIST, **wanted, page=page, per_page=facts.LARGEST_PAGE),
            _option,
            size=facts.LARGEST_PAGE,
        )

    def create_option(self, spec: OptionSpec) -> RemoteOption:
        if spec.kind not in facts.OPTION_TYPES:
            raise Unsupported(_NO_SUCH_KIND, params={"kind": spec.kind.value}, code=Operation.CREATE_OPTION.value)
        _refuse_title(spec.title)
        body = {"type": facts.OPTION_TYPES[spec.kind], "title": spec.title}
        return self.http.read(self.post(_OPTIONS, body), _option)

    def rename_option(self, remote_id: str, title: str) -> None:
        _refuse_title(title)
        answer = self.put(f"{_OPTIONS}/{forms.id_number(remote_id)}", {"title": title})
        if answer.data["data"] is False:
            raise Rejected(_NOT_RENAMED, status=answer.status)

    def delete_options(self, remote_ids: Sequence[str]) -> None:
        if remote_ids:
            # The table of the document names another field; its body and its Persian page name this one.
            ids = [forms.id_number(remote_id) for remote_id in remote_ids]
            self.post(f"{_OPTIONS}/delete-list", {"listOptions": ids})


def _refuse_title(title: str) -> None:
    if problem := problem_with_title(title):
        raise problem


def _book_body(spec: PhonebookSpec) -> dict[str, Any]:
    _refuse_title(spec.title)
    return {"title": spec.title, **({"options": list(spec.options)} if spec.options else {})}


def _book(data: Any) -> RemotePhonebook:
    labels = {values.remote_id(option["id"]): values.text(option.get("title")) for option in data.get("options") or ()}
    return RemotePhonebook(
        remote_id=values.remote_id(data["id"]),
        title=values.text(data["title"]),
        count=forms.whole(data.get("count")),  # "0" after creation, a number in lists
        option_keys=tuple(labels),
        option_labels=labels,
    )


def _option(data: Any) -> RemoteOption:
    return RemoteOption(
        remote_id=values.remote_id(data["id"]),
        title=values.text(data["title"]),
        kind=facts.OPTION_KINDS.get(values.text(data.get("type")), OptionKind.TEXT),
    )
