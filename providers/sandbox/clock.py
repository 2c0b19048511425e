"""The sandbox's own time: the machine's, moved forward on demand."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Unix seconds that a test can move forward. Thread-safe: one float is read and replaced."""

    def __init__(self, source: Callable[[], float] | None = None) -> None:
        self._source = source
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since 1970 in the sandbox. `time.time` is looked up at each call, so a frozen clock is followed."""
        return (self._source or time.time)() + self.offset

    def advance(self, seconds: float) -> None:
        """Move time forward. Raises `ValueError` for a negative step: stored dates must stay in order."""
        if seconds < 0:
            raise ValueError("The sandbox's clock only moves forward.")
        self.offset += seconds
