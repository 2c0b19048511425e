"""A call on its way through the threads that make calls, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contactsync.models import Call
from contactsync.sync.connect import Exchange, Provider
from contactsync.sync.ledger import Performed
from providers.deadline import Deadline


@dataclass(slots=True, eq=False)
class Job:
    """One call to be made. `about` is for whoever planned it."""

    call: Call
    make: Callable[[Provider], Any]
    about: Any = None
    attempts: int = 0  # by this worker
    given_at: float = 0.0
    deadline: Deadline | None = None  # of its claim; what has not left by then does not
    has_left: bool = False  # its first request had its turn
    is_alone: bool = False  # to be made in the task's thread, with nothing else on the wire


@dataclass(slots=True, eq=False)
class Result:
    """What came of a job; `performed` None: it was not begun."""

    job: Job
    performed: Performed[Any] | None
    exchanges: list[Exchange] = field(default_factory=list)
    puts_brake_on: bool = False
