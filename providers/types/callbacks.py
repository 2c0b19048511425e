"""What a provider tells us by calling us."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from providers.types.sends import InboundMessage


class CallbackEventKind(StrEnum):
    DELIVERY = "delivery"  # something became of a message; ask with `report` before believing it
    INBOUND = "inbound"  # a person wrote to us
    CONTACT_CHANGED = "contact_changed"
    CONTACT_DELETED = "contact_deleted"
    OTHER = "other"  # nothing we act on: a connection check, a conversation closed


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """One request to our callback address, as it came."""

    method: str
    headers: Mapping[str, str] = field(repr=False)  # names in lower case
    query: Mapping[str, str]
    body: bytes = field(repr=False)
    reference: str = ""  # the last part of the path: our call's uuid where the address went along with a send


@dataclass(frozen=True, slots=True)
class CallbackEvent:
    """What one request tells. `key` is the same when the same event is told again."""

    kind: CallbackEventKind
    key: str
    reference: str = ""  # the provider's id of the send, as in `SendReceipt`
    our_reference: str = ""  # our call's uuid, where the provider hands it back
    contact_id: str = ""  # the provider's id of the contact
    raw_state: str = ""
    inbound: InboundMessage | None = None
    at: dt.datetime | None = None  # aware
    is_proven: bool = False  # a valid signature stands behind it
