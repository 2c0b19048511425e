"""What becomes of a message as time passes.

With M the maturity in seconds: a message waits (status 0) until it is due, which is 0.2 M after acceptance or at its
time of delivery, plus up to 0.3 M in a bulk. It is handed to the operator then (100, `dlr_code` 0), is queued there
(2) after 0.1 M, on its way (4) after 0.2 M, and final no later than 0.4 M after it was due. A bulk is being processed
(5) for 0.3 M from when it is due, and processed (10) after that.

How a number ends is fixed by its digits: …97 expires (8), …98 is blocked (status 208), …99 is rejected (16), all
others are delivered (1). `LOX24State.outcomes` can say otherwise.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

PRICE = 0.075
ABROAD = {"+41": 0.11, "+98": 0.19}  # what a part costs there
NEW, SENT, BLOCKED, CANCELLED = 0, 100, 208, 6000
BULK_NEW, BULK_RUNNING, BULK_DONE, BULK_CANCELLED, BULK_EMPTY = 0, 5, 10, 15, 201


def outcome_of(phone: str) -> tuple[int, int]:
    """Last `status_code` and `dlr_code` of a message to this number."""
    return {"97": (SENT, 8), "98": (BLOCKED, 0), "99": (SENT, 16)}.get(phone[-2:], (SENT, 1))


def price_of(phone: str, parts: int) -> float:
    """What so many parts to this number cost."""
    return ABROAD.get(phone[:3], PRICE) * parts


def spread(text: str) -> float:
    """A number from 0 to 1 that is always the same for the same text."""
    return zlib.crc32(text.encode()) % 1000 / 1000


@dataclass
class Sms:
    """One text to one number."""

    uuid: str
    phone: str
    text: str
    sender_id: str
    created: float
    due: float
    maturity: float
    outcome: tuple[int, int]
    parts: int
    is_unicode: bool
    service_code: str = "direct"
    delivery_at: int = 0
    source: int | None = None
    voice_lang: str | None = None
    callback_data: str | None = None
    bulk_id: str | None = None
    cancelled: bool = False
    told: tuple[int, int] = (NEW, 0)  # what the last callback said

    @property
    def price(self) -> float:
        return price_of(self.phone, self.parts)

    def codes(self, now: float) -> tuple[int, int]:
        """`status_code` and `dlr_code` at this moment."""
        if self.cancelled:
            return CANCELLED, 0
        if now < self.due:
            return NEW, 0
        status, delivery = self.outcome
        if status != SENT:
            return status, 0
        age = (now - self.due) / self.maturity if self.maturity else 1.0
        if age < 0.1:
            return SENT, 0
        if age < 0.2:
            return SENT, 2
        return SENT, delivery if age >= 0.2 + 0.2 * spread(self.phone) else 4

    def is_settled(self, now: float) -> bool:
        """Whether nothing more will become of it."""
        return self.cancelled or now >= self.due + 0.4 * self.maturity


@dataclass
class Bulk:
    """One text to many numbers; the messages themselves are kept as `Sms`, and shown once the bulk is processed."""

    uuid: str
    text: str
    sender_id: str
    created: float
    due: float
    maturity: float
    is_unicode: bool
    service_code: str = "direct"
    delivery_at: int = 0
    source: int | None = None
    voice_lang: str | None = None
    phones: list[str] = field(default_factory=list)
    msg_groups: list[int] = field(default_factory=list)
    sms_uuids: list[str] = field(default_factory=list)
    cancelled_at: float | None = None

    def is_begun(self, now: float) -> bool:
        """Whether its messages have been made."""
        return self.due <= (now if self.cancelled_at is None else self.cancelled_at)

    def status(self, now: float) -> int:
        """`status_code` at this moment."""
        if not self.sms_uuids:
            return BULK_EMPTY
        if self.cancelled_at is not None:
            return BULK_CANCELLED
        if now < self.due:
            return BULK_NEW
        return BULK_RUNNING if now < self.due + 0.3 * self.maturity else BULK_DONE
