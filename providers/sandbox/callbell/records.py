"""The rows of a Callbell account. Dates are Unix seconds, phone numbers bare digits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

FIELD_TYPES = ("text", "email", "number", "date", "dropdown", "checkbox")


def make_id(kind: str, number: int) -> str:
    """32 hex digits, always the same for the same row."""
    return hashlib.sha256(f"callbell {kind} {number}".encode()).hexdigest()[:32]


MAIN_CHANNEL = make_id("channel", 1)
SECOND_CHANNEL = make_id("channel", 2)
INSTAGRAM_CHANNEL = make_id("channel", 3)
CLOSED_CHANNEL = make_id("channel", 4)
TEAM = make_id("team", 1)


@dataclass
class Channel:
    uuid: str
    title: str
    type: str
    main: bool = False
    discarded_at: bool | str = False  # the document has both


@dataclass
class Template:
    uuid: str
    title: str
    text: str
    status: str = "approved"
    type: str = "text"
    category: str = "UTILITY"
    created: float = 0.0


@dataclass
class CustomField:
    """`options` are what a dropdown or checkbox lets one choose from."""

    name: str
    type: str = "text"
    options: list[str] = field(default_factory=list)


@dataclass
class Contact:
    """`number` counts up; `touched` is the last conversation or change, by which lists are sorted."""

    uuid: str
    number: int
    name: str
    phone: str
    source: str
    channel: str
    created: float
    touched: float
    tags: list[str] = field(default_factory=list)
    custom_fields: dict[str, Any] = field(default_factory=dict)  # text, or a list for a checkbox
    assigned_user: str | None = None
    team: str = ""
    bot_status: str = "bot_start"
    note: str | None = None
    blocked: float | None = None
    closed: float | None = None


@dataclass
class Message:
    """One line of a conversation: `status` is "sent" or "received"."""

    uuid: str
    phone: str
    channel: str
    status: str
    text: str
    created: float


@dataclass
class Send:
    """One accepted message on its way. `final` is the status it ends with, `told` the last one made known."""

    uuid: str
    phone: str
    channel: str
    text: str
    created: float
    maturity: float
    final: str
    metadata: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    bot_status: str = ""
    template: str = ""
    told: str = "enqueued"

    def status(self, now: float) -> str:
        """Enqueued for 0.2 of the maturity, sent until 0.6, then final; read only after all of it."""
        age = now - self.created
        if age < 0.2 * self.maturity:
            return "enqueued"
        if age < 0.6 * self.maturity:
            return "sent"
        return "delivered" if self.final == "read" and age < self.maturity else self.final

    @property
    def is_final(self) -> bool:
        return self.told == self.final


@dataclass
class Webhook:
    url: str
    subscriptions: list[str]
    created: float
