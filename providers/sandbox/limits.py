"""The rates that providers document, kept by the sandbox's own clock."""

from __future__ import annotations

from collections import deque


class Window:
    """At most `most` requests within any `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._taken: deque[float] = deque()

    def take(self, now: float) -> float:
        """0.0 when one more request fits now, which counts it; else the seconds until one does."""
        while self._taken and self._taken[0] <= now - self.seconds:
            self._taken.popleft()
        if len(self._taken) < self.most:
            self._taken.append(now)
            return 0.0
        return self._taken[0] + self.seconds - now
