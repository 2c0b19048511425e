"""What a provider's dialect must offer, and which dialects there are."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar, Protocol

from providers.sandbox.callbacks import Callbacks
from providers.sandbox.clock import Clock
from providers.sandbox.wire import Request, Response

DIALECTS = {
    "atomtelecom": "providers.sandbox.atomtelecom.AtomTelecomDialect",
    "callbell": "providers.sandbox.callbell.CallbellDialect",
    "ippanel": "providers.sandbox.ippanel.IPPanelDialect",
    "lox24": "providers.sandbox.lox24.LOX24Dialect",
}

MAX_VIOLATIONS = 1000


@dataclass(frozen=True)
class Violation:
    """A request that the provider's document does not allow, as opposed to one that it documents as refused."""

    kind: str  # "undocumented field", "wrong type", "missing", "limit", "authorization", "content type", "path"
    where: str
    method: str
    path: str


@dataclass(frozen=True)
class Section:
    """One table of the page. Cells are plain text; the page escapes them."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


class State(Protocol):
    """What a dialect stores. Tests look into it and prepare it; `lock` guards it."""

    lock: threading.RLock
    violations: list[Violation]

    def dump(self) -> dict[str, Any]:
        """Everything as JSON-ready values, without any credential."""

    def load(self, data: dict[str, Any]) -> None:
        """Become what `dump` returned."""


@dataclass
class Settings:
    """What all dialects share. `maturity` is the time in seconds from acceptance of a send to its last delivery state.

    With `limits` a dialect answers 429 where its document's rate is exceeded.
    """

    key: str
    clock: Clock = field(default_factory=Clock)
    maturity: float = 10.0
    limits: bool = False
    callbacks: Callbacks = field(default_factory=Callbacks)


class Dialect:
    """One provider's wire format onto stored state. `handle` is called from many threads at once."""

    slug: ClassVar[str]
    secret_headers: ClassVar[frozenset[str]] = frozenset({"authorization"})  # in lower case
    base_path: ClassVar[str] = ""  # part of the base URL, such as "/v1"
    state: State

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def reset(self) -> None:
        """Forget everything: a fresh account with credit and senders, and nothing stored."""
        raise NotImplementedError

    def handle(self, request: Request) -> Response:
        """Carry out one request and answer it as the provider would."""
        raise NotImplementedError

    def changes(self, request: Request) -> bool:
        """Whether the route addressed writes or sends; reading routes that happen to be POST do not."""
        raise NotImplementedError

    def error(self, status: int) -> Response:
        """The provider's own body for an error status, for faults on demand."""
        raise NotImplementedError

    def sections(self) -> list[Section]:
        """What the page shows of the state."""
        raise NotImplementedError

    def tick(self) -> None:
        """Let happen what is due by the clock without anybody asking, such as calls back. Called often, from a thread of its own."""

    def receive(self, message: dict[str, Any]) -> dict[str, Any]:
        """A person writes to a number of the account; returns what is kept of it. Raises `ValueError` for a message that cannot be."""
        raise ValueError(f"the sandbox of {self.slug} receives no messages")

    def set_up(self, portal: dict[str, Any]) -> dict[str, Any]:
        """Change what a person sets in the provider's portal; returns all of it. Raises `ValueError` naming what is wrong."""
        raise ValueError(f"the sandbox of {self.slug} has nothing to set up in a portal")


def load_dialect(slug: str, settings: Settings) -> Dialect:
    """Build the dialect of a provider with fresh state. Raises `KeyError` for an unknown slug."""
    module_name, class_name = DIALECTS[slug].rsplit(".", 1)
    cls: type[Dialect] = getattr(import_module(module_name), class_name)
    dialect = cls(settings)
    dialect.reset()
    return dialect
