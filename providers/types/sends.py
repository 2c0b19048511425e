"""Sends and what becomes of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from providers.types.capabilities import Operation
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
class TextForNumbers:
    """One of several texts of a call, and whom it is for."""

    numbers: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class RemoteTemplate:
    """A text approved by the provider, with variables in the order in which it has them."""

    remote_id: str
    title: str
    text: str
    variables: tuple[str, ...] = ()
    is_usable: bool = True
    raw_state: str = ""


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A template and a value for each of its variables. `has_consent`: it is on record that the person agreed to be written to."""

    remote_id: str
    values: Mapping[str, str] = field(default_factory=dict)
    has_consent: bool = False


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One call that sends. Exactly one of `targets`, `numbers` and `texts` is filled.

    With `is_keyworded` the text holds the provider's own placeholders (`Provider.keyword`), and it fills them in.
    With `template` the text is what the template comes to, for the record; one number only.
    """

    sender: str
    text: str
    reference: str  # our call's uuid, passed on where the provider has a place for it
    targets: tuple[WholePhonebooks | ChosenContacts, ...] = ()
    numbers: tuple[str, ...] = ()
    texts: tuple[TextForNumbers, ...] = ()
    is_keyworded: bool = False
    template: TemplateUse | None = None
    send_at: dt.datetime | None = None  # aware
    callback_url: str = ""  # where the provider may tell what became of it

    @property
    def operation(self) -> Operation:
        """Which of the sends this is."""
        if self.template is not None:
            return Operation.SEND_TEMPLATE
        if self.texts:
            return Operation.SEND_TEXTS
        if self.targets:
            return Operation.SEND_KEYWORDS if self.is_keyworded else Operation.SEND_TO_PHONEBOOK
        return Operation.SEND_TO_NUMBERS


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
    made_at: dt.datetime | None = None  # when the provider took it
    sent_at: dt.datetime | None = None
    reason: str = ""
    people: tuple[RecipientReport, ...] | None = None  # everybody, where the same answer tells it; None: ask for them
    tells_states: bool = True  # whether asking for them brings their states already, or only who they are
    our_reference: str = ""  # our call's uuid, where the answer shows that the send carries it


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """State of one message. An empty `phone` means the only recipient of the send."""

    phone: str
    state: DeliveryState
    raw_state: str
    parts: int | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """What a person wrote to one of our numbers or channels."""

    remote_id: str
    phone: str  # E.164 where it can be told, else the provider's own text
    to: str
    text: str
    received_at: dt.datetime  # aware
