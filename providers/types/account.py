"""An account at a provider: what it is opened with, what it says of itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request and its answer, already redacted, for the call's page and the log."""

    method: str
    url: str
    request_body: str
    status: int | None
    response_excerpt: str
    request_id: str
    started_at: dt.datetime
    seconds: float


class Pacer(Protocol):
    """Keeps the distance between requests that a provider wants, shared by everybody who speaks for the account."""

    def wait(self) -> None:
        """Return when the next request may leave. Raises `Throttled` when that is too far off to wait for here."""

    def blocked(self, seconds: float) -> None:
        """The provider said that nothing more may come for so long."""


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """What a backend needs to speak for one account. `repr` hides the credentials.

    Without `pacer` a client keeps its own distance, by `requests_per_second` of its settings.
    """

    slug: str
    credentials: Mapping[str, str] = field(repr=False)
    base_url: str = ""
    sender: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    observer: Callable[[Exchange], None] | None = field(default=None, repr=False, compare=False)
    pacer: Pacer | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One credential the account form asks for. One that is not secret by itself may turn up in answers."""

    name: str
    label: str
    required: bool = True
    is_secret: bool = True


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting the account form offers: `kind` is "integer", "text" or "choice"."""

    name: str
    label: str
    kind: str
    default: Any
    help_text: str = ""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """The answer of a credentials check. `warnings` are for people: the account works, but not for everything."""

    identity: str
    warnings: tuple[str, ...] = ()  # constant translatable sentences
    can_send: bool = True


@dataclass(frozen=True, slots=True)
class Sender:
    value: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class PriceEstimate:
    """Price of one message to one person; a range where the network decides."""

    low: Decimal
    high: Decimal
    currency: str
    parts: int
