"""What an Atom Telecom account holds, and a test's way in. Dates are Unix seconds.

Ids come from separate ranges, so that an id of one kind is never valid as another.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from providers.sandbox.clock import Clock
from providers.sandbox.dialect import MAX_VIOLATIONS, Violation

FIRST_IDS = {"book": 11, "contact": 5001, "message": 12345, "callback": 98765}
TEXTS = ("first_name", "last_name", "company", "custom_1", "custom_2", "custom_3", "custom_4")


@dataclass
class Book:
    id: int
    name: str


@dataclass
class Contact:
    """`phone_number` stands as it was written."""

    id: int
    group_id: int
    phone_number: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    custom_1: str = ""
    custom_2: str = ""
    custom_3: str = ""
    custom_4: str = ""


@dataclass
class Message:
    """One accepted send. `told` says that its callback, where it has one, has been made."""

    message_id: str
    to: list[str]
    sender: str
    text: str
    callback: str
    created: float
    maturity: float
    told: bool = False


@dataclass
class Portal:
    """What a person sets up in the portal: a webhook, and the words that put people into a book or take them out."""

    automation: bool = False
    webhook: str = ""
    adding: list[str] = field(default_factory=lambda: ["yes"])
    removing: list[str] = field(default_factory=lambda: ["stop"])
    group_id: int = 0  # the book concerned; 0: whichever holds the number, and nobody is added


class AtomTelecomState:
    """Thread-safe when used under `lock`, as every request does.

    `quirks` switches what the document leaves open: "errors_by_status" (refusals have HTTP 400 or 404), "list_without_body"
    (the list of books refuses any body), "callback_by_get" (calls back put their fields into the query).
    """

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.violations: list[Violation] = []
        self.quirks: set[str] = set()
        self.senders = ["ACME", "61400000000"]
        self.books: dict[int, Book] = {}
        self.contacts: dict[int, Contact] = {}
        self.messages: dict[str, Message] = {}
        self.inbox: list[dict[str, Any]] = []
        self.portal = Portal()
        self.next_ids = dict(FIRST_IDS)

    def book(self, name: str) -> Book:
        """The first book with this name. Raises `KeyError`."""
        return next((book for book in self.books.values() if book.name == name), None) or self._missing(name)

    def contacts_of(self, book: Book | int) -> list[Contact]:
        """Everybody in a book, in order."""
        book_id = book if isinstance(book, int) else book.id
        return [contact for contact in self.contacts.values() if contact.group_id == book_id]

    def messages_to(self, number: str) -> list[str]:
        """Every text accepted for this number, given as E.164."""
        digits = number.removeprefix("+")
        return [message.text for message in self.messages.values() for to in message.to if to == digits]

    def add_book(self, name: str) -> Book:
        book = Book(self.next_id("book"), name)
        self.books[book.id] = book
        return book

    def add_contact(self, book: Book | int, phone_number: str, **texts: str) -> Contact:
        """Store one more, whoever has the number already."""
        book_id = book if isinstance(book, int) else book.id
        contact = Contact(self.next_id("contact"), book_id, phone_number, **texts)
        self.contacts[contact.id] = contact
        return contact

    def delete_book(self, book_id: int) -> None:
        """Remove a book with everybody in it."""
        for contact in self.contacts_of(book_id):
            del self.contacts[contact.id]
        del self.books[book_id]

    def add_message(self, to: list[str], sender: str, text: str, callback: str, *, maturity: float) -> Message:
        number = self.next_id("message")
        message_id = f"{number:08d}-{0xAB + number - FIRST_IDS['message']:013x}"
        message = Message(message_id, to, sender, text, callback, self.clock.now(), maturity)
        self.messages[message_id] = message
        return message

    def next_id(self, kind: str) -> int:
        number = self.next_ids[kind]
        self.next_ids[kind] += 1
        return number

    def violate(self, violation: Violation) -> None:
        """Remember a request that the document does not allow."""
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(violation)

    def dump(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return {
            "quirks": sorted(self.quirks),
            "senders": list(self.senders),
            "books": [asdict(row) for row in self.books.values()],
            "contacts": [asdict(row) for row in self.contacts.values()],
            "messages": [asdict(row) for row in self.messages.values()],
            "inbox": [dict(row) for row in self.inbox],
            "portal": asdict(self.portal),
            "violations": [asdict(row) for row in self.violations],
            "next_ids": dict(self.next_ids),
        }

    def load(self, data: dict[str, Any]) -> None:
        """Become what `dump` returned."""
        self.quirks = set(data["quirks"])
        self.senders = list(data["senders"])
        self.books = {row["id"]: Book(**row) for row in data["books"]}
        self.contacts = {row["id"]: Contact(**row) for row in data["contacts"]}
        self.messages = {row["message_id"]: Message(**row) for row in data["messages"]}
        self.inbox = [dict(row) for row in data["inbox"]]
        self.portal = Portal(**data["portal"])
        self.violations = [Violation(**row) for row in data["violations"]]
        self.next_ids = dict(data["next_ids"])

    def _missing(self, name: str) -> Book:
        raise KeyError(name)
