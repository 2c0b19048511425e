"""Whether this process was asked to end: then no call is begun any more, and what is on the wire is waited for."""

from __future__ import annotations

import threading

_asked = threading.Event()


def ask() -> None:
    """Have all work of this process end after the calls on the wire. What is left is taken up by the next worker."""
    _asked.set()


def is_asked_for() -> bool:
    return _asked.is_set()
