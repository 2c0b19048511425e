"""Sends and what becomes of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from providers.types.contacts import BookRef


class SendState(StrEnum):
    """State of a whole send at the provider."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNRECOGNISED = "unrecognised"

    @property
    def is_final(self) -> bool:
        return self in {SendState.SENT, SendState.CANCELLED, SendState.FAILED}


class DeliveryState(StrEnum):
    """State of one message on its way to one person."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNRECOGNISED = "unrecognised"

    @property
    def is_final(self) -> bool:
        return self not in {DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.UNRECOGNISED}


@dataclass(frozen=True, slots=True)
class WholePhonebooks:
    """Everybody in these phonebooks, or `size` rows from row `start` (counted from 1) in the provider's own order."""

    books: tuple[BookRef, ...]
    start: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ChosenContacts:
    book: BookRef
    contact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One call that sends one text. Exactly one of `targets` and `numbers` is filled."""

    sender: str
    text: str
    reference: str  # our call's uuid, passed on where the provider has a place for it
    targets: tuple[WholePhonebooks | ChosenContacts, ...] = ()
    numbers: tuple[str, ...] = ()
    send_at: dt.datetime | None = None  # aware


@dataclass(frozen=True, slots=True)
class SendReceipt:
    """The provider accepted the send. `references` are all the ids it gave: never assume how many."""

    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendReport:
    """State of one send as the provider reports it."""

    reference: str
    state: SendState
    raw_state: str
    label: str = ""
    sender: str = ""
    text: str = ""
    recipients: int | None = None
    cost: Decimal | None = None
    sent_at: dt.datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RecipientReport:
    phone: str
    state: DeliveryState
    raw_state: str
    parts: int | None = None
