"""What becomes of a send as time passes.

With M the maturity in seconds: a send is reviewed (state 1) for 0.1 M, queued (5) until it is due, which is
0.2 M after acceptance or at its send time, being sent (2) for 0.3 M, and sent (6) after that. Recipients have
no status until then; afterwards each is handed over ("0"), at the operator ("1"), and final no later than
0.8 M after the send was due. Pattern sends skip the review.

How a number ends is fixed by its digits: …98 is blacklisted ("4"), …99 is not delivered ("3"), all others are
delivered ("2"). A send that costs more than the credit left when it is due ends in state 8.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

MCI_PRICE = 1900
OTHER_PRICE = 2050
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[~]|€\f")


class SendStatus(IntEnum):
    """`state_id` of a send."""

    CREATING = 0
    IN_REVIEW = 1
    SENDING = 2
    REJECTED = 3
    NO_VALID_RECIPIENT = 4
    QUEUED = 5
    SENT = 6
    CANCELLED = 7
    NO_CREDIT = 8
    SYSTEM_ERROR = 9


LABELS = {
    SendStatus.CREATING: ("creating", "در حال ایجاد"),
    SendStatus.IN_REVIEW: ("review", "در انتظار تایید"),
    SendStatus.SENDING: ("sending", "در حال ارسال"),
    SendStatus.REJECTED: ("reject", "رد شده"),
    SendStatus.NO_VALID_RECIPIENT: ("invalid", "گیرندگان نامعتبر"),
    SendStatus.QUEUED: ("queue", "در صف ارسال"),
    SendStatus.SENT: ("finish", "ارسال شده"),
    SendStatus.CANCELLED: ("cancel", "لغو شده"),
    SendStatus.NO_CREDIT: ("no_credit", "عدم موجودی"),
    SendStatus.SYSTEM_ERROR: ("error", "خطای سیستمی"),
}


def count_parts(text: str) -> int:
    """SMS parts: 160/153 units in the GSM alphabet, 70/67 otherwise; an empty text counts as one."""
    if all(char in GSM_BASIC or char in GSM_EXTENDED for char in text):
        units, one, many = len(text) + sum(char in GSM_EXTENDED for char in text), 160, 153
    else:
        units, one, many = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if units <= one else -(-units // many)


def is_mci(number: str) -> bool:
    """Whether a mobile number belongs to the operator MCI (the cheaper tariff)."""
    return number.startswith(("+9891", "+98990", "+98991", "+98992", "+98993", "+98994"))


def price(number: str, parts: int) -> int:
    """Rial for one message."""
    return parts * (MCI_PRICE if is_mci(number) else OTHER_PRICE)


@dataclass(slots=True)
class Message:
    """One text to one number. `final` is the status it will end with."""

    recipient: str
    text: str
    parts: int
    final: str


@dataclass
class Send:
    """One accepted send; dates in Unix seconds. `failed` is the state it ends in when it does not go out."""

    id: int
    type: str
    sender: str
    text: str
    created: float
    send_at: float | None
    maturity: float
    messages: list[Message] = field(default_factory=list)
    failed: int | None = None
    cancelled: bool = False
    dispatched: bool = False
    cost: float = 0.0

    @property
    def reviewed(self) -> float:
        return self.created if self.type == "pattern" else self.created + 0.1 * self.maturity

    @property
    def due(self) -> float:
        return max(self.send_at or 0.0, self.created + 0.2 * self.maturity)

    @property
    def sent(self) -> float:
        return self.due + 0.3 * self.maturity

    @property
    def waits(self) -> bool:
        return not (self.dispatched or self.cancelled or self.failed is not None)

    def status(self, now: float) -> SendStatus:
        """`state_id` at this moment."""
        if self.cancelled:
            return SendStatus.CANCELLED
        if now < self.reviewed:
            return SendStatus.IN_REVIEW
        if self.failed == SendStatus.REJECTED:
            return SendStatus.REJECTED
        if now < self.due:
            return SendStatus.QUEUED
        if self.failed is not None:
            return SendStatus(self.failed)
        return SendStatus.SENDING if now < self.sent else SendStatus.SENT

    def message_status(self, message: Message, now: float) -> str:
        """`message_status` of a recipient at this moment; "" before the send is final."""
        if self.cancelled or self.failed is not None or now < self.sent:
            return ""
        if message.final == "4":
            return "4"
        spread = zlib.crc32(message.recipient.encode()) % 1000 / 1000
        rest = 0.5 * self.maturity
        if now >= self.sent + (0.3 + 0.7 * spread) * rest:
            return message.final
        return "1" if now >= self.sent + 0.1 * rest else "0"

    def dump(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            **{name: getattr(self, name) for name in SCALARS},
            "messages": [[m.recipient, m.text, m.parts, m.final] for m in self.messages],
        }

    @classmethod
    def restore(cls, data: dict[str, Any]) -> Send:
        """Undo `dump`."""
        return cls(**{**data, "messages": [Message(*row) for row in data["messages"]]})


SCALARS = (
    "id", "type", "sender", "text", "created", "send_at", "maturity", "failed", "cancelled", "dispatched", "cost",
)  # fmt: skip
