"""The rows of a LOX24 account. Dates are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

COLUMNS = ("a", "b", "c", "d", "e")


@dataclass
class Group:
    """`labels` maps a column to what it is called; `phone_ids` ascend."""

    id: int
    name: str
    description: str | None = None
    labels: dict[str, str | None] = field(default_factory=dict)
    deleted_at: str | None = None
    phone_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Phone:
    id: int
    group_id: int
    phone: str
    columns: dict[str, str | None]
    callback_data: str | None = None
    subscribed_at: int | None = None
    unsubscribed_at: int | None = None
    unsubscribe_reason: int | None = None


@dataclass
class Blocked:
    """`type` 1: by the customer, 2: unsubscribed."""

    id: int
    number: str
    type: int
    added_at: int
