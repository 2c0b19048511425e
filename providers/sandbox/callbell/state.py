"""What a Callbell account holds, and a test's way in."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from typing import Any

from providers.sandbox.callbell import samples
from providers.sandbox.callbell.keeping import dump_state, load_state
from providers.sandbox.callbell.records import MAIN_CHANNEL, TEAM, Channel, Contact, Message, Send, Webhook, make_id
from providers.sandbox.clock import Clock
from providers.sandbox.dialect import MAX_VIOLATIONS, Violation

REPLY_WINDOW = 24 * 3600


def digits(phone: str) -> str:
    return re.sub(r"[^0-9]", "", phone)


class CallbellState:
    """Thread-safe when used under `lock`, as every request does.

    `quirks` switches what the document leaves open: "no_meta" (lists of contacts without `meta`), "phone_needs_plus"
    and "phone_null" (looking up by number), "updates_merge" (tags and custom fields of an update are added to what
    is there), "blank_refused" (an empty custom field is no valid value), "bare_404" (a 404 without a body).
    """

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.violations: list[Violation] = []
        self.quirks: set[str] = set()
        self.user_name, self.user_email = "Ops", "ops@example.org"
        self.key_name = "Integration key 2f81"  # shown by /auth/me, never to be kept
        self.channels = {row.uuid: row for row in samples.channels()}
        self.templates = {row.uuid: row for row in samples.templates()}
        self.custom_fields = {row.name: row for row in samples.custom_fields()}
        self.tags: list[str] = list(samples.TAGS)
        self.users: dict[str, str] = dict(samples.USERS)
        self.teams: dict[str, str] = {TEAM: "Team Italia"}
        self.contacts: dict[str, Contact] = {}
        self.by_phone: dict[str, list[str]] = {}
        self.messages: list[Message] = []
        self.conversations: dict[str, list[Message]] = {}  # the same, by number
        self.sends: dict[str, Send] = {}
        self.waiting: list[Send] = []  # not final yet
        self.webhook: Webhook | None = None
        self.secret = ""  # signs calls back where one is made; a credential, never dumped
        self.next_number = 1

    # Looking

    @property
    def main_channel(self) -> Channel:
        return next(row for row in self.channels.values() if row.main)

    def contact(self, phone: str) -> Contact:
        """The first contact with this number. Raises `KeyError`."""
        return self.contacts[self.by_phone[digits(phone)][0]]

    def contacts_with(self, tag: str) -> list[Contact]:
        """Everybody with this tag, oldest first."""
        wanted = tag.casefold()
        return [row for row in self.contacts.values() if wanted in (name.casefold() for name in row.tags)]

    def messages_to(self, phone: str) -> list[str]:
        """Every text accepted for this number."""
        return [send.text for send in self.sends.values() if send.phone == digits(phone)]

    def conversation(self, phone: str, channel: str = "") -> list[Message]:
        """What was said with this number, newest first."""
        return [row for row in reversed(self.conversations.get(phone, ())) if channel in ("", row.channel)]

    def may_reply(self, phone: str, channel: str) -> bool:
        """Whether the person wrote within the last 24 hours."""
        earliest = self.clock.now() - REPLY_WINDOW
        return any(row.status == "received" and row.created > earliest for row in self.conversation(phone, channel))

    # Changing

    def number(self) -> int:
        self.next_number += 1
        return self.next_number

    def add_tag(self, name: str) -> str:
        self.tags.append(name)
        return name

    def add_contact(
        self, phone: str, name: str = "", *, tags: Iterable[str] = (), source: str = "whatsapp", **more: Any
    ) -> Contact:
        """A new contact, whether or not the number is there already; empty `phone` for one without."""
        number, now = self.number(), self.clock.now()
        more.setdefault("channel", MAIN_CHANNEL)
        contact = Contact(
            make_id("contact", number), number, name, digits(phone), source,
            created=now, touched=now, tags=list(tags), **more,
        )  # fmt: skip
        self.contacts[contact.uuid] = contact
        self.by_phone.setdefault(contact.phone, []).append(contact.uuid)
        return contact

    def delete_contact(self, contact: Contact) -> None:
        del self.contacts[contact.uuid]
        self.by_phone[contact.phone].remove(contact.uuid)

    def add_message(self, phone: str, channel: str, status: str, text: str) -> Message:
        message = Message(make_id("message", self.number()), phone, channel, status, text, self.clock.now())
        self.keep_message(message)
        for uuid in self.by_phone.get(phone, ()):
            self.contacts[uuid].touched = message.created
        return message

    def keep_message(self, message: Message) -> None:
        self.messages.append(message)
        self.conversations.setdefault(message.phone, []).append(message)

    def receive(self, phone: str, text: str, *, channel: str = "", makes_contact: bool = True) -> Message:
        """The person writes; Callbell makes a contact of an unknown one unless told otherwise."""
        channel = channel or self.main_channel.uuid
        if makes_contact and not self.by_phone.get(digits(phone)):
            self.add_contact(phone, name=phone, source=self.channels[channel].type, channel=channel)
        return self.add_message(digits(phone), channel, "received", text)

    def add_send(self, send: Send) -> None:
        self.sends[send.uuid] = send
        self.waiting.append(send)
        self.add_message(send.phone, send.channel, "sent", send.text)

    # Keeping

    def dump(self) -> dict[str, Any]:
        """Everything as JSON-ready values; the signature secret is left out."""
        return dump_state(self)

    def load(self, data: dict[str, Any]) -> None:
        """Become what `dump` returned."""
        load_state(self, data)

    def violate(self, violation: Violation) -> None:
        """Remember a request that the document does not allow."""
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(violation)
