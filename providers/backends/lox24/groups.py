"""Groups, which are LOX24's phonebooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from providers import values
from providers.backends.lox24 import facts, forms
from providers.backends.lox24.calls import Calls
from providers.backends.lox24.limits import problem_with_group
from providers.exceptions import NotFound
from providers.types import BookRef, PhonebookSpec, RemotePhonebook

_GROUPS = "/groups"


class GroupCalls(Calls):
    def list_phonebooks(self, *, title: str = "", remote_id: str = "") -> Iterator[RemotePhonebook]:
        """A group that waits for its removal (`deleted_at`) is not there any more for us."""
        for data in self._groups(remote_id):
            book = _book(data)
            if not data.get("deleted_at") and title in ("", book.title) and remote_id in ("", book.remote_id):
                yield book

    def _groups(self, remote_id: str) -> Iterator[Any]:
        if not remote_id:
            yield from (data for data, _ in self.rows(_GROUPS, {}, _checked, has_pages=True))
            return
        try:
            answer = self.get(f"{_GROUPS}/{forms.path_id(remote_id)}")
        except NotFound:
            return
        yield self.http.read(answer, _checked)

    def create_phonebook(self, spec: PhonebookSpec) -> RemotePhonebook:
        """Empty: how `phones` would have to look differs between versions of the document."""
        body = {name: value for name, value in _group_body(spec).items() if value is not None}
        return self.http.read(self.post(_GROUPS, body), _book)

    def update_phonebook(self, book: BookRef, spec: PhonebookSpec) -> None:
        self.put(f"{_GROUPS}/{forms.path_id(book.remote_id)}", _group_body(spec))

    def delete_phonebooks(self, books: Sequence[BookRef]) -> None:
        """One call each. One that is gone already counts as deleted."""
        for book in books:
            path = f"{_GROUPS}/{forms.path_id(book.remote_id)}"
            try:
                self.delete(path)
            except NotFound:
                continue


def _group_body(spec: PhonebookSpec) -> dict[str, str | None]:
    """Every field with every label: whether one left out is kept is not documented."""
    if problem := problem_with_group(spec):
        raise problem
    labels = {f"name_{slot}": spec.options.get(slot) or None for slot in facts.SLOTS}
    return {"name": spec.title, "description": spec.description or None, **labels}


def _checked(data: Any) -> Any:
    _book(data)
    return data


def _book(data: Any) -> RemotePhonebook:
    labels = {slot: values.text(data.get(f"name_{slot}")) for slot in facts.SLOTS}
    labels = {slot: label for slot, label in labels.items() if label}
    return RemotePhonebook(
        remote_id=values.remote_id(data["id"]),
        title=values.text(data["name"]),
        count=forms.whole(data.get("count_items")),
        option_keys=tuple(labels),
        option_labels=labels,
        description=values.text(data.get("description")),
    )
