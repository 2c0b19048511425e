"""What the provider holds, read into a form that can be compared: free of side effects."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Mapping

from contactsync.models import CustomOption, Phonebook
from contactsync.sync import spill
from contactsync.sync.connect import Operation, Provider
from contactsync.sync.line import Line
from contactsync.sync.spill import ContactFile, RemoteContacts
from providers.types import BookRef, RemoteContact, RemoteOption, RemotePhonebook

#: up to so many contacts are looked up one by one; more are found by reading the whole book
FEW = 10
PULSE_EVERY = 1000


class RemoteIndex:
    """The contacts of one remote phonebook by id and by number; of twins the first one counts.

    Those of a large one lie in a temporary file; all are added before any is looked up.
    """

    def __init__(self) -> None:
        self._few: dict[str, RemoteContact] = {}
        self._few_phones: dict[str, RemoteContact] = {}
        self._file: ContactFile | None = None
        self._waiting: list[RemoteContact] = []
        self._sealed: tuple[RemoteContacts, RemoteContacts] | None = None

    @property
    def by_id(self) -> Mapping[str, RemoteContact]:
        return self._few if self._file is None else self._looked_up()[0]

    @property
    def by_phone(self) -> Mapping[str, RemoteContact]:
        return self._few_phones if self._file is None else self._looked_up()[1]

    def add(self, contact: RemoteContact) -> None:
        slim = dataclasses.replace(contact, raw={})
        if self._file is None and len(self._few) < spill.MOST:
            self._few[slim.remote_id] = slim
            self._few_phones.setdefault(slim.phone, slim)
            return
        if self._file is None:
            self._file = ContactFile()
            self._waiting, self._few, self._few_phones = list(self._few.values()), {}, {}
        self._waiting.append(slim)
        if len(self._waiting) >= spill.AT_ONCE:
            self._write()

    def _write(self) -> None:
        if self._file is not None:
            self._file.add(self._waiting)
        self._waiting = []

    def _looked_up(self) -> tuple[RemoteContacts, RemoteContacts]:
        if self._sealed is None:
            assert self._file is not None  # noqa: S101 - for the type checker
            self._write()
            self._sealed = self._file.sealed()
        return self._sealed

    def __len__(self) -> int:
        return len(self.by_id)


def book_of(phonebook: Phonebook) -> BookRef:
    """The phonebook as calls name it."""
    return BookRef(phonebook.remote_id, phonebook.title)


def tag_of(phonebook: Phonebook, line: Line) -> str:
    """The tag that the phonebook is at its provider; empty where phonebooks are no tags."""
    return phonebook.remote_id or phonebook.title if line.capabilities.phonebooks_are_tags else ""


def find_phonebook(line: Line, phonebook: Phonebook) -> RemotePhonebook | None:
    """The provider's book of this phonebook: by its id, else by exactly its title unless another phonebook has that one."""
    if not line.capabilities.can(Operation.LIST_PHONEBOOKS):
        return None
    if phonebook.remote_id:
        books = line.read(lambda provider: list(provider.list_phonebooks(remote_id=phonebook.remote_id)))
        return next((book for book in books if book.remote_id == phonebook.remote_id), None)
    others = set(
        Phonebook.objects.filter(account=phonebook.account_id).exclude(remote_id="").values_list("remote_id", flat=True)
    )
    books = line.read(lambda provider: list(provider.list_phonebooks(title=phonebook.title)))
    return next((book for book in books if book.title == phonebook.title and book.remote_id not in others), None)


def list_options(line: Line, options: Iterable[CustomOption]) -> list[RemoteOption]:
    """The account's options at the provider, at least those titled like one of `options`; empty where none are listed."""
    if not line.capabilities.can(Operation.LIST_OPTIONS):
        return []
    titles = [option.title for option in options]
    return line.read(lambda provider: list(provider.list_options(titles=titles)))


def match_option(option: CustomOption, remote: Iterable[RemoteOption]) -> RemoteOption | None:
    """The provider's option with this title and kind, unless another option of ours has it."""
    taken = set(
        CustomOption.objects.filter(account=option.account_id)
        .exclude(pk=option.pk)
        .exclude(remote_key="")
        .values_list("remote_key", flat=True)
    )
    return next(
        (
            found
            for found in remote
            if found.title == option.title and found.kind == option.kind and found.remote_id not in taken
        ),
        None,
    )


def read_contacts(
    line: Line,
    phonebook: Phonebook,
    *,
    created_since: dt.datetime | None = None,
    note: Callable[[int], None] = lambda number: None,
) -> RemoteIndex:
    """Everybody in the provider's book; empty when there is no book yet. `note` is told how many have been read."""

    book = book_of(phonebook)

    def read(provider: Provider) -> RemoteIndex:
        index = RemoteIndex()
        for number, contact in enumerate(provider.list_contacts(book, created_since=created_since), start=1):
            index.add(contact)
            note(number)
            if number % PULSE_EVERY == 0:
                line.pulse()
        return index

    return line.read(read) if phonebook.remote_id else RemoteIndex()


class Finder:
    """Looks for numbers in the provider's book, in as few reads as seems right: few one by one, more in one listing.

    Where a provider cannot search, everything is one listing. Listings are kept, so use one finder only while nothing
    is written. `created_since` is only a hint.
    """

    def __init__(self, line: Line, phonebook: Phonebook, *, created_since: dt.datetime | None = None) -> None:
        self.line = line
        self.phonebook = phonebook
        self.created_since = created_since
        self._recent: RemoteIndex | None = None
        self._everybody: RemoteIndex | None = None

    def find(self, phones: Iterable[str]) -> dict[str, RemoteContact]:
        """Those of `phones` that are there."""
        missing = set(phones)
        found: dict[str, RemoteContact] = {}
        few = FEW if self.line.capabilities.searches_numbers else 0
        for listing in (self._recent_ones, self._all):
            if len(missing) <= few:
                break
            shown = listing().by_phone
            found.update({phone: shown[phone] for phone in missing if phone in shown})
            missing -= found.keys()
        if self._everybody is None:
            found.update(self._one_by_one(missing))
        return found

    def _recent_ones(self) -> RemoteIndex:
        if self.created_since is None or not self.line.capabilities.lists_recent:
            return self._all()
        if self._recent is None:
            self._recent = read_contacts(self.line, self.phonebook, created_since=self.created_since)
        return self._recent

    def _all(self) -> RemoteIndex:
        if self._everybody is None:
            self._everybody = read_contacts(self.line, self.phonebook)
        return self._everybody

    def _one_by_one(self, phones: Iterable[str]) -> dict[str, RemoteContact]:
        book = book_of(self.phonebook)
        found = {}
        for phone in sorted(phones):
            contact = self.line.read(lambda provider, phone=phone: provider.find_contact(book, phone))  # type: ignore[misc]
            if contact is not None:
                found[phone] = contact
        return found
