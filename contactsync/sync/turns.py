"""How a thread that makes calls asks the task's thread for leave before each request, and tells it what it has seen."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contactsync.sync import pace
from contactsync.sync.connect import Exchange, ProviderError
from contactsync.sync.jobs import Job
from providers.exceptions import Throttled


@dataclass(slots=True, eq=False)
class Turn:
    """A request that wants to leave."""

    job: Job | None
    asked_at: float
    moment: float | None = None
    answered: threading.Event = field(default_factory=threading.Event)
    error: ProviderError | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A provider said “too many requests”."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that was answered, or not."""

    exchange: Exchange


def not_now() -> Throttled:
    """For a request that waited for its turn when the work was ended: it never left."""
    return Throttled(pace.CROWDED, params={"seconds": 1}, status=None, retry_after=0.0)


class Turns:
    """The pacer of a thread: asks the task's thread. Fulfils `providers.types.Pacer`."""

    def __init__(self, inbox: queue.SimpleQueue[Any]) -> None:
        self._inbox = inbox
        self.job: Job | None = None  # the one its thread is at

    def wait(self) -> None:
        turn = Turn(self.job, pace.now())
        self._inbox.put(turn)
        turn.answered.wait()
        if turn.error is not None:
            raise turn.error

    def blocked(self, seconds: float) -> None:
        self._inbox.put(Blocked(seconds))

    def watching(self, observer: Callable[[Exchange], None] | None) -> Callable[[Exchange], None]:
        def observe(exchange: Exchange) -> None:
            self._inbox.put(Seen(exchange))
            if observer is not None:
                observer(exchange)

        return observe
