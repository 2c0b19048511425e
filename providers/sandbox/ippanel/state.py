"""What an IPPanel account holds, and a test's way in.

Ids come from separate ranges, so that an id of one kind is never valid as another. Tests may
change the public attributes at will; the helpers below keep the indexes right.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import Any

from providers.sandbox.clock import Clock
from providers.sandbox.dialect import MAX_VIOLATIONS, Violation
from providers.sandbox.ippanel.delivery import Message, Send, SendStatus, count_parts, price
from providers.sandbox.ippanel.keeping import dump_state, load_state
from providers.sandbox.ippanel.records import Contact, Inbound, Option, Pattern, Phonebook, SenderNumber

CAPACITY = 100_000
DUPLICATE_SECONDS = 40
FIRST_IDS = {"option": 46001, "phonebook": 1201, "contact": 5_000_001, "send": 1_123_594_001, "inbox": 7001}


class IPPanelState:
    """Thread-safe when used under `lock`, as every request does.

    `quirks` switches what the document leaves open: "options_need_title" (listing options without a title is
    refused), "phonebooks_by_post" (the list answers POST only), "update_blanks_omitted" (an update without a
    field empties it), "loses_last_of_batch" (the last of several contacts is neither added nor counted),
    "counts_short" (it is added but not counted). `rejected_words` make the monitoring refuse a message that holds
    one of them.
    """

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.violations: list[Violation] = []
        self.user_name = "acme"
        self.name = "شرکت نمونه"
        self.document_block = False
        self.send_block = False
        self.credit = 50_000_000.0
        self.capacity = CAPACITY
        self.quirks: set[str] = set()
        self.rejected_words: set[str] = {"#reject"}
        self.numbers = [SenderNumber(301, "+983000505"), SenderNumber(302, "+9810001234", alias="Acme")]
        self.options: dict[int, Option] = {}
        self.phonebooks: dict[int, Phonebook] = {}
        self.contacts: dict[int, Contact] = {}
        self.sends: dict[int, Send] = {}
        self.waiting: list[Send] = []  # accepted, not yet on their way
        self.recent: dict[tuple[str, str], list[tuple[float, frozenset[str]]]] = {}  # (sender, text): (when, to whom)
        self.blacklist: set[str] = set()  # beside every number that ends in 98
        self.inbox: list[Inbound] = []
        self.patterns: dict[str, Pattern] = {}
        self.next_ids = dict(FIRST_IDS)
        self.last_stamp = 0.0

    # Looking

    def phonebook(self, title: str) -> Phonebook:
        """The first phonebook with this title. Raises `KeyError`."""
        for book in self.phonebooks.values():
            if book.title == title:
                return book
        raise KeyError(title)

    def contacts_of(self, book: Phonebook | int) -> list[Contact]:
        """Everybody in a phonebook, in order."""
        book = self.phonebooks[book] if isinstance(book, int) else book
        return [self.contacts[contact_id] for contact_id in book.contact_ids]

    def contact(self, book: Phonebook | int, number: str) -> Contact:
        """The contact with this number. Raises `KeyError`."""
        book = self.phonebooks[book] if isinstance(book, int) else book
        return self.contacts[book.by_number[number]]

    def messages_to(self, number: str) -> list[str]:
        """Every text accepted for this number, once per time it would go out."""
        return [
            message.text for send in self.sends.values() for message in send.messages if message.recipient == number
        ]

    # Changing

    def next_id(self, kind: str) -> int:
        number = self.next_ids[kind]
        self.next_ids[kind] += 1
        return number

    def stamp(self) -> float:
        """The time for a new row; never earlier than the last one, so that ids and dates sort alike."""
        self.last_stamp = max(self.last_stamp, self.clock.now())
        return self.last_stamp

    def add_option(self, title: str, type: str = "string") -> Option:
        option = Option(self.next_id("option"), title, type, self.stamp())
        self.options[option.id] = option
        return option

    def add_phonebook(self, title: str, *, option_ids: list[int] | None = None) -> Phonebook:
        now = self.stamp()
        book = Phonebook(self.next_id("phonebook"), title, list(option_ids or []), now, now)
        self.phonebooks[book.id] = book
        return book

    def add_contact(
        self,
        book: Phonebook,
        number: str,
        *,
        pre: str = "",
        name: str = "",
        email: str = "",
        options: dict[str, str] | None = None,
    ) -> Contact:
        """Store a new contact; the number must not be in the book yet."""
        now = self.stamp()
        contact = Contact(self.next_id("contact"), book.id, number, pre, name, email, dict(options or {}), now, now)
        self.contacts[contact.id] = contact
        book.contact_ids.append(contact.id)
        book.by_number[number] = contact.id
        return contact

    def rekey_contact(self, contact: Contact, book: Phonebook, number: str) -> None:
        """Give a contact another number or phonebook, where that number must be free."""
        old_book = self.phonebooks[contact.phonebook_id]
        del old_book.by_number[contact.number]
        if old_book is not book:
            del old_book.contact_ids[bisect_left(old_book.contact_ids, contact.id)]
            book.contact_ids.insert(bisect_left(book.contact_ids, contact.id), contact.id)
        contact.phonebook_id = book.id
        contact.number = number
        book.by_number[number] = contact.id

    def delete_contacts(self, contact_ids: set[int]) -> None:
        """Remove those that exist."""
        gone = [self.contacts.pop(contact_id) for contact_id in contact_ids if contact_id in self.contacts]
        for book_id in {contact.phonebook_id for contact in gone}:
            book = self.phonebooks[book_id]
            book.contact_ids = [contact_id for contact_id in book.contact_ids if contact_id not in contact_ids]
        for contact in gone:
            self.phonebooks[contact.phonebook_id].by_number.pop(contact.number, None)

    def delete_phonebook(self, book_id: int) -> None:
        """Remove a phonebook with everybody in it; nothing happens when it is gone already."""
        book = self.phonebooks.pop(book_id, None)
        for contact_id in book.contact_ids if book else ():
            del self.contacts[contact_id]

    def receive(self, sender: str, message: str, *, number: str = "") -> Inbound:
        """Store an incoming message; "11" or "لغو11" is an opt-out and puts the sender on the blacklist."""
        inbound = Inbound(
            self.next_id("inbox"), sender, number or self.numbers[0].number, message, int(self.clock.now())
        )
        self.inbox.append(inbound)
        if message.strip() in ("11", "لغو11"):
            self.blacklist.add(sender)
        return inbound

    # Sends

    def is_blacklisted(self, number: str) -> bool:
        return number.endswith("98") or number in self.blacklist

    def is_repeated(self, sender: str, text: str, numbers: frozenset[str]) -> bool:
        """Whether one of these numbers was sent this text from this sender within the last 40 seconds."""
        horizon = self.clock.now() - DUPLICATE_SECONDS
        recent = [entry for entry in self.recent.get((sender, text), ()) if entry[0] > horizon]
        return any(not numbers.isdisjoint(earlier) for _, earlier in recent)

    def add_send(
        self, type: str, sender: str, text: str, messages: list[tuple[str, str]], *, send_at: float | None, maturity: float
    ) -> Send:  # fmt: skip
        """Accept a send of (number, text) pairs; `text` is what stands for the whole in reports."""
        now = self.stamp()
        send = Send(self.next_id("send"), type, sender, text, now, send_at, maturity)
        for number, body in messages:
            final = "4" if self.is_blacklisted(number) else "3" if number.endswith("99") else "2"
            send.messages.append(Message(number, body, count_parts(body), final))
        send.cost = sum(price(message.recipient, message.parts) for message in send.messages)
        if type != "pattern" and any(word in text for word in self.rejected_words):
            send.failed = SendStatus.REJECTED
        self.sends[send.id] = send
        self.waiting.append(send)
        self._remember(sender, messages, now)
        return send

    def settle(self) -> None:
        """Let every send that is due go out and be paid for, in the order of their times."""
        now = self.clock.now()
        self.waiting = [send for send in self.waiting if send.waits]
        for send in sorted((send for send in self.waiting if send.due <= now), key=lambda send: send.due):
            if send.cost > self.credit:
                send.failed = SendStatus.NO_CREDIT
            else:
                self.credit -= send.cost
                send.dispatched = True

    def _remember(self, sender: str, messages: list[tuple[str, str]], now: float) -> None:
        horizon = now - DUPLICATE_SECONDS
        if len(self.recent) > 1000:
            self.recent = {key: entries for key, entries in self.recent.items() if entries[-1][0] > horizon}
        by_text: dict[str, set[str]] = {}
        for number, body in messages:
            by_text.setdefault(body, set()).add(number)
        for body, numbers in by_text.items():
            entries = [entry for entry in self.recent.get((sender, body), ()) if entry[0] > horizon]
            self.recent[sender, body] = [*entries, (now, frozenset(numbers))]

    def dump(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return dump_state(self)

    def load(self, data: dict[str, Any]) -> None:
        """Become what `dump` returned."""
        load_state(self, data)

    def violate(self, violation: Violation) -> None:
        """Remember a request that the document does not allow."""
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(violation)
