"""A provider in memory with other abilities than the real ones: what the sync does must follow from capabilities alone.

It stands in only for shapes that no sandbox dialect speaks yet: one contact per call, ids and results per item,
creating is not safe to repeat, options in fixed slots or by name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from providers.base import Provider
from providers.exceptions import ProviderError, Rejected
from providers.types import (
    AccountInfo,
    BatchResult,
    BookRef,
    Capabilities,
    ContactRecord,
    ItemOutcome,
    ItemResult,
    Operation,
    OptionKind,
    PhonebookSpec,
    RemoteContact,
    RemotePhonebook,
)

MANAGED = frozenset(
    {
        Operation.CHECK,
        Operation.LIST_PHONEBOOKS,
        Operation.CREATE_PHONEBOOK,
        Operation.UPDATE_PHONEBOOK,
        Operation.LIST_CONTACTS,
        Operation.CREATE_CONTACTS,
        Operation.UPDATE_CONTACT,
        Operation.DELETE_CONTACTS,
    }
)
CAPABILITIES = Capabilities(
    operations=MANAGED,
    safe_to_repeat=frozenset({Operation.UPDATE_CONTACT, Operation.DELETE_CONTACTS, Operation.UPDATE_PHONEBOOK}),
    option_kinds=frozenset({OptionKind.TEXT}),
    option_identity="slot",
    slots=("a", "b"),
    default_batch=2,
    max_batch=3,
    has_separate_names=True,
    has_company=True,
    max_option_label=50,
)


class FakeProvider(Provider):
    """`books` and `contacts` are the stored state; `trouble` maps an operation to what happens instead of, or after, it."""

    slug = "fake"
    label = "Fake"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    ids: ClassVar[Iterator[int]] = itertools.count(1)
    books: ClassVar[dict[str, PhonebookSpec]] = {}
    contacts: ClassVar[dict[str, dict[str, ContactRecord]]] = {}
    calls: ClassVar[list[Operation]] = []
    trouble: ClassVar[dict[Operation, list[Callable[[], None]]]] = {}
    lose_answer: ClassVar[dict[Operation, list[ProviderError]]] = {}

    @classmethod
    def reset(cls, capabilities: Capabilities = CAPABILITIES) -> None:
        cls.capabilities = capabilities
        cls.books, cls.contacts, cls.calls, cls.trouble, cls.lose_answer = {}, {}, [], {}, {}

    def _begin(self, operation: Operation) -> None:
        self.calls.append(operation)
        if self.trouble.get(operation):
            self.trouble[operation].pop(0)()

    def _end(self, operation: Operation) -> None:
        if self.lose_answer.get(operation):
            raise self.lose_answer[operation].pop(0)

    def check(self) -> AccountInfo:
        return AccountInfo("fake")

    def list_phonebooks(self, *, title: str = "", remote_id: str = "") -> Iterator[RemotePhonebook]:
        for key, spec in self.books.items():
            if title in ("", spec.title) and remote_id in ("", key):
                yield RemotePhonebook(key, spec.title, len(self.contacts[key]), option_labels=spec.options)

    def create_phonebook(self, spec: PhonebookSpec) -> RemotePhonebook:
        self._begin(Operation.CREATE_PHONEBOOK)
        key = f"book-{next(self.ids)}"
        self.books[key], self.contacts[key] = spec, {}
        self._end(Operation.CREATE_PHONEBOOK)
        return RemotePhonebook(key, spec.title, 0)

    def update_phonebook(self, book: BookRef, spec: PhonebookSpec) -> None:
        self._begin(Operation.UPDATE_PHONEBOOK)
        self.books[book.remote_id] = spec

    def list_contacts(self, book: BookRef, **hints: Any) -> Iterator[RemoteContact]:
        for key, record in self.contacts[book.remote_id].items():
            yield self._shown(key, record)

    def _shown(self, key: str, record: ContactRecord) -> RemoteContact:
        return RemoteContact(
            key,
            record.phone,
            first_name=record.first_name,
            last_name=record.last_name,
            company=record.company,
            options={name: option.value for name, option in record.options.items()},
        )

    def create_contacts(self, book: BookRef, records: Sequence[ContactRecord]) -> BatchResult:
        self._begin(Operation.CREATE_CONTACTS)
        items = []
        for record in records:
            if record.first_name == "refuse me":
                items.append(ItemResult(record.reference, ItemOutcome.REFUSED, message="Refused."))
                continue
            key = f"contact-{next(self.ids)}"
            self.contacts[book.remote_id][key] = record
            items.append(ItemResult(record.reference, ItemOutcome.DONE, key))
        self._end(Operation.CREATE_CONTACTS)
        return BatchResult(tuple(items))

    def update_contact(self, book: BookRef, remote_id: str, record: ContactRecord) -> ItemResult:
        self._begin(Operation.UPDATE_CONTACT)
        if record.first_name == "refuse me":
            return ItemResult(record.reference, ItemOutcome.REFUSED, message="Refused.")
        self.contacts[book.remote_id][remote_id] = record
        return ItemResult(record.reference, ItemOutcome.DONE, remote_id)

    def delete_contacts(self, book: BookRef, remote_ids: Sequence[str]) -> None:
        self._begin(Operation.DELETE_CONTACTS)
        if len(remote_ids) > self.capabilities.max_delete_batch:
            raise Rejected("Too many.")
        for remote_id in remote_ids:
            self.contacts[book.remote_id].pop(remote_id, None)
