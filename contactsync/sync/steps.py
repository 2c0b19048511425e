"""What `together` needs to know of the calls of one kind, and of whoever holds the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contactsync.models import Call, Run
from contactsync.sync.jobs import Job
from contactsync.sync.ledger import Performed
from contactsync.sync.worker import MOST_UNKNOWN

#: jobs for these calls; a call that shall not be made any more is dropped instead
Prepare = Callable[[Sequence[Call]], list[Job]]
#: writes what becomes of the rows of these calls, within the transaction that records the calls
Keep = Callable[[Sequence[tuple[Job, Performed[Any]]]], None]
#: looks at one that is on record; raises `Halt` when no other would fare better
After = Callable[[Performed[Any]], None]
#: writes for jobs that are put on the wire, or come back not begun, within the transaction that says so of their calls
Write = Callable[[Sequence[Job]], None]


class Holder(Protocol):
    """Whoever holds the run: `Worker` for runs on contacts."""

    run: Run
    owner: str

    def hold(self) -> None:
        """Renew the lease. Raises when this work is to end."""

    def keep(self) -> None:
        """As `hold`, and renews the counts from time to time."""

    def weigh(self, call: Call, performed: Performed[Any]) -> None:
        """Raises `Halt` when the run is to end with this outcome, or has to wait."""


def nothing(_: Any) -> None:
    """For a step that a kind of call does not need."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What the calls of one kind need. `last_look` returns the jobs that may leave now; each leaves within moments of it."""

    prepare: Prepare
    keep: Keep
    after: After = nothing
    last_look: Callable[[list[Job]], list[Job]] = list
    on_claim: Write = nothing
    on_return: Write = nothing
    make_alone: Callable[[Call], Performed[Any]] | None = None  # for jobs that `is_alone`; records the outcome too
    most_unknown: int = MOST_UNKNOWN
