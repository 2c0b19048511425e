"""Tells whether a request has begun to leave this machine, and why it did not; and gives up an answer that trickles in.

`requests.ConnectionError` covers "refused" as well as "reset after the server had read everything",
and a TLS handshake that hangs comes out as a `ReadTimeout`. So the connection itself keeps
the record: from the first byte of a request handed to an open connection, the server may have acted on it.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from providers.deadline import Deadline
from providers.text import gettext_noop

PATIENCE = 3  # an answer that keeps trickling in is given up after this many read time-outs


class Departure(threading.local):
    """Whether the request under way in this thread has begun to leave, and until when it may."""

    begun = False
    deadline: Deadline | None = None


departure = Departure()


class Overdue(OSError):
    """The time in which a request could leave is over."""


@contextmanager
def leaving_before(deadline: Deadline | None) -> Iterator[None]:
    """Requests of this thread leave before the deadline or not at all; without one, at any time.

    Looked at between the connection being there and each piece that is handed to it. A process that is stopped after
    that look and before the system has the piece still sends it when it goes on: no clock is read within a system call.
    """
    departure.deadline = deadline
    try:
        yield
    finally:
        departure.deadline = None


def _depart() -> None:
    if departure.deadline is not None and departure.deadline.has_passed():
        raise Overdue
    departure.begun = True


class _OnTime(io.RawIOBase):
    """What comes from a socket until the patience is over, which the time-out of the socket alone, being that of one piece, does not end."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._pieces = sock.makefile("rb", buffering=0)
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + PATIENCE * timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if left < (self._sock.gettimeout() or left):
                self._sock.settimeout(left)
        return self._pieces.readinto(buffer)

    def close(self) -> None:
        self._pieces.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer of which all has to come in time: status, headers and body, however small the pieces."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Reading(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Reading:
    """As much of a socket as an answer uses."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_OnTime(self._sock))


class _Connection(HTTPConnection):
    response_class = _Answer

    def connect(self) -> None:
        try:
            super().connect()
        finally:
            departure.begun = False  # what connecting itself wrote (a proxy's tunnel) is not the request

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _depart()
        super().send(data)


class _TLSConnection(HTTPSConnection):
    response_class = _Answer

    def connect(self) -> None:
        try:
            super().connect()
        finally:
            departure.begun = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _depart()
        super().send(data)


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS = {"http": _Pool, "https": _TLSPool}


class WatchedAdapter(HTTPAdapter):
    """An adapter whose connections keep `departure`. No retries: `max_retries` stays 0."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class WatchedSession(requests.Session):
    """A session that never follows a redirect and keeps no cookies: credentials go nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.mount("https://", WatchedAdapter())
        self.mount("http://", WatchedAdapter())

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        departure.begun = False
        response = super().send(request, **kwargs)
        self.cookies.clear()
        return response


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and every error inside it: arguments, urllib3's reason, cause, context."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [getattr(current, "reason", None), *current.args, current.__cause__, current.__context__]


_WHY_NOT_SENT: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (Overdue,),
        gettext_noop(
            "This process was held up for so long that the request to %(host)s might have been given up meanwhile, so it did "
            "not leave. Nothing was sent."
        ),
    ),
    (
        (urllib3.exceptions.NameResolutionError,),
        gettext_noop(
            "%(host)s could not be found. Check the API address and this machine's network. Nothing was sent."
        ),
    ),
    (
        (urllib3.exceptions.ProxyError, requests.exceptions.ProxyError),
        gettext_noop("The proxy did not connect to %(host)s. Nothing was sent."),
    ),
    (
        (urllib3.exceptions.SSLError, requests.exceptions.SSLError),
        gettext_noop(
            "No secure connection to %(host)s: its certificate or its TLS was not accepted. Nothing was sent."
        ),
    ),
    (
        (urllib3.exceptions.NewConnectionError,),
        gettext_noop("%(host)s refused the connection. Nothing was sent."),
    ),
    (
        (urllib3.exceptions.TimeoutError, requests.exceptions.Timeout),
        gettext_noop("%(host)s did not accept the connection in time. Nothing was sent."),
    ),
)
_NO_CONNECTION = gettext_noop("There was no connection to %(host)s. Nothing was sent.")


def why_not_sent(error: BaseException) -> str:
    """The sentence for a request that never left."""
    inside = list(causes(error))
    for kinds, sentence in _WHY_NOT_SENT:
        if any(isinstance(cause, kinds) for cause in inside):
            return sentence
    return _NO_CONNECTION


def is_timeout(error: BaseException) -> bool:
    """Whether the answer failed to come, as opposed to the connection breaking."""
    return any(
        isinstance(cause, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError | TimeoutError)
        for cause in causes(error)
    )
