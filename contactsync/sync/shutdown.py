"""Whether this process was asked to end: then no call is begun any more, and what is on the wire is waited for.

Nobody waits for the event itself, but looks at it: it is set by a signal's handler, which may interrupt such a wait in
the same thread while that holds the event's lock.
"""

from __future__ import annotations

import threading
import time

LOOK_EVERY = 0.5  # seconds between two looks while something is waited for
LAST_WAIT = 1.0  # seconds; no wait is longer once the process is to end

_asked = threading.Event()


class Ending(Exception):
    """This process is to end, and the work with it. What is left is taken up by the next worker."""


def ask() -> None:
    """Have all work of this process end after the calls on the wire. What is left is taken up by the next worker."""
    _asked.set()


def is_asked_for() -> bool:
    """Whether no call may be begun any more."""
    return _asked.is_set()


def end_if_asked() -> None:
    """Raises `Ending` when this process is to end."""
    if is_asked_for():
        raise Ending


def wait(seconds: float) -> None:
    """Hold this thread so long; once the process is to end, `LAST_WAIT` at the most."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if is_asked_for():
            time.sleep(min(left, LAST_WAIT))
            return
        time.sleep(min(left, LOOK_EVERY))
