"""Calls back to an application on this machine, as the providers do, one after the other in a thread of their own."""

from __future__ import annotations

import http.client
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from providers.address import is_loopback

TIMEOUT = 5.0
KEPT = 1_000


@dataclass(frozen=True)
class Delivered:
    """One callback and what came of it: the HTTP status, or None with the reason why there was no answer."""

    method: str
    url: str
    body: bytes = field(repr=False)
    status: int | None
    problem: str = ""


class Callbacks:
    """A line of calls back. `deliver` never waits and never raises; `join` waits until the line is empty.

    Only http addresses of this machine are called; any other is noted as refused, and nothing leaves.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: deque[tuple[str, str, bytes, dict[str, str]]] = deque()
        self._is_busy = False
        self._cleared = 0
        self._thread: threading.Thread | None = None
        self._done: deque[Delivered] = deque(maxlen=KEPT)

    @property
    def delivered(self) -> list[Delivered]:
        """What was called since the last `clear`, oldest first."""
        with self._changed:
            return list(self._done)

    def deliver(
        self, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> None:
        """Put one call in the line."""
        with self._changed:
            self._line.append((method, url, body, dict(headers or {})))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def join(self, timeout: float = 30.0) -> None:
        """Wait until everything in the line has been called. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._line or self._is_busy:
                if not self._changed.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"{len(self._line)} calls back are still waiting")

    def clear(self) -> None:
        """Forget what waits and what was done."""
        with self._changed:
            self._line.clear()
            self._done.clear()
            self._cleared += 1
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._line:
                    self._changed.wait()
                method, url, body, headers = self._line.popleft()
                self._is_busy, before = True, self._cleared
            outcome = call(method, url, body, headers)
            with self._changed:
                if before == self._cleared:
                    self._done.append(outcome)
                self._is_busy = False
                self._changed.notify_all()


def call(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Delivered:
    """Carry out one call; every failure is told in the result."""
    try:
        parts = urlsplit(url)
        if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
            return Delivered(method, url, body, None, "refused: only http addresses of this machine are called")
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path, body or None, {"User-Agent": "sandbox", **headers})
            with connection.getresponse() as answer:
                answer.read()
                return Delivered(method, url, body, answer.status)
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Delivered(method, url, body, None, repr(error))
