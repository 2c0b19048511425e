"""What keeps the threads of a task from beginning more calls after an outcome that says no other would fare better."""

from __future__ import annotations

import threading
from typing import Any

from contactsync.sync.ledger import Performed
from contactsync.sync.policy import Verdict
from providers.exceptions import NotSent, Throttled


class Brake:
    """Put on in the thread that meets such an outcome, before that thread begins another call; released in the task's
    thread, once it has weighed the outcome.

    `most_unknown` calls in a row without an answer put it on too. `order` is to be held from `put_on_after` until the
    outcome is on its way to the task's thread, so that both count in the same order.
    """

    def __init__(self, most_unknown: int) -> None:
        self.order = threading.Lock()
        self._most_unknown = most_unknown
        self._unknown = 0
        self._times = 0

    @property
    def is_on(self) -> bool:
        return self._times > 0

    def put_on_after(self, performed: Performed[Any]) -> bool:
        """Whether this outcome put it on. With `order` held."""
        self._unknown = self._unknown + 1 if performed.verdict is Verdict.UNKNOWN else 0
        puts_on = fares_no_better(performed) or self._unknown >= self._most_unknown
        self._times += puts_on
        return puts_on

    def release(self, times: int) -> None:
        """So many outcomes that put it on were weighed, and the work goes on."""
        with self.order:
            self._times -= times


def fares_no_better(performed: Performed[Any]) -> bool:
    """Whether any other call would meet the same now."""
    if performed.verdict is Verdict.RETRY:
        return isinstance(performed.error, NotSent | Throttled)
    return performed.verdict in {Verdict.PAUSE_ACCOUNT, Verdict.STOP_RUN}
