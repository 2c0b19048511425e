"""The errors of a run's calls: each different one once, in order of appearance, with its count and its calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from contactsync.admin.common import COUNTED
from contactsync.models import Call, Run
from contactsync.models.reasons import describe

#: different errors that are shown, and calls that each links to
SHOWN = 5
LINKED = 3


@dataclass(slots=True)
class CallError:
    """One error, how often it came, and some of the calls that met it."""

    text: str
    count: int = 0
    calls: list[Call] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CallErrors:
    """The first different errors, how many there are besides, and whether only the first calls were looked at."""

    shown: list[CallError]
    others: int
    is_capped: bool

    def __bool__(self) -> bool:
        return bool(self.shown)


def of_run(run: Run) -> CallErrors:
    """The errors of the calls that were tried and did not succeed, in the order in which they came."""
    tried = run.calls.filter(attempts__gt=0).exclude(state=Call.State.ACCEPTED).exclude(error={})
    found: dict[str, CallError] = {}
    calls = list(tried.only("id", "operation", "error").order_by("sequence")[: COUNTED + 1])
    for call in calls[:COUNTED]:
        text = describe(call.error)
        error = found.setdefault(text, CallError(text))
        error.count += 1
        if len(error.calls) < LINKED:
            error.calls.append(call)
    errors = list(found.values())
    return CallErrors(errors[:SHOWN], max(0, len(errors) - SHOWN), len(calls) > COUNTED)
