"""Work done ahead in a process of its own, so that reading and judging take one core and writing the other."""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import selectors
import signal
import struct
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from contactsync.sync import shutdown

_SIZE = struct.Struct(">Q")
#: systems without fork, such as Windows, do without the second process
POSSIBLE = hasattr(os, "fork")
#: held by another thread while it is at a database: SQLite has locks of the whole process, and a copy of the process made
#: while one of them is taken waits for it for ever
UNDIVIDED = threading.Lock()
#: bytes; what a user without privileges may ask for on Linux
PIPE_SIZE = 1 << 20
#: seconds without an item after which the second process is taken for stuck; well below a lease
PATIENCE = 60.0


class Ended(Exception):
    """The process that worked ahead is gone without a word, killed most likely for want of memory, or stuck."""


@contextmanager
def ahead(items: Iterator[Any]) -> Iterator[Iterator[Any]]:
    """The items (anything that can be pickled), made in a second process, at most a few ahead of their use.

    What the maker raises is raised here. It must not touch a database connection: those stay with this process.
    """
    reading, writing = _wide_pipe()
    with warnings.catch_warnings():
        # Python warns of other threads and their locks; the maker only computes, and leaves without tidying up.
        warnings.simplefilter("ignore", DeprecationWarning)
        _give_back_memory()
        try:
            with UNDIVIDED:
                pid = os.fork()
        except OSError:
            os.close(reading)
            os.close(writing)
            raise
    if pid == 0:
        os.close(reading)
        _make(items, writing)
    os.close(writing)
    with open(reading, "rb", buffering=0), ThreadPoolExecutor(1, "items made ahead") as taker:
        try:
            yield _received(reading, taker)
        finally:
            os.kill(pid, signal.SIGKILL)  # it has nothing to tidy up, and may be stuck; the taker finds the end
            os.waitpid(pid, 0)


def _wide_pipe() -> tuple[int, int]:
    """A pipe that takes as much as Linux lets everybody have, so that neither end waits for the other every few rows."""
    import fcntl  # not there on systems without fork

    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # this user has too many of them: the usual size does
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    return reading, writing


def _make(items: Iterator[Any], writing: int) -> NoReturn:
    """The life of the second process. It ends when nobody listens any more, and on nobody else's signal."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        gc.disable()
        with open(writing, "wb", buffering=0) as pipe:
            try:
                for item in items:
                    _send(pipe, (item, None))
                _send(pipe, (None, StopIteration()))
            except BrokenPipeError:
                pass
            except Exception as error:
                error.add_note(traceback.format_exc())
                _send(pipe, (None, error))
    finally:
        os._exit(0)


def _send(pipe: Any, message: tuple[Any, BaseException | None]) -> None:
    data = pickle.dumps(message, protocol=5)
    view = memoryview(_SIZE.pack(len(data)) + data)
    while view:
        view = view[pipe.write(view) :]


def _received(pipe: int, taker: ThreadPoolExecutor) -> Iterator[Any]:
    """The items. The next is taken out of the pipe while one is in use, as its user mostly waits for the database."""
    coming = taker.submit(_receive, pipe)
    while True:
        item, error = coming.result()
        if isinstance(error, StopIteration):
            return
        if error is not None:
            raise error
        coming = taker.submit(_receive, pipe)
        yield item


def _receive(pipe: int) -> tuple[Any, BaseException | None]:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        (size,) = _SIZE.unpack(_read(pipe, selector, _SIZE.size))
        item, error = pickle.loads(_read(pipe, selector, size))  # noqa: S301 - from our own process
    return item, error


def _read(pipe: int, selector: selectors.BaseSelector, size: int) -> bytearray:
    """So many bytes. Raises `Ended` when fewer come, for it may be killed in the middle of an item."""
    data = bytearray()
    while len(data) < size:
        more = os.read(pipe, min(size - len(data), 1 << 20)) if _comes(selector) else b""
        if not more:
            raise Ended
        data += more
    return data


def _comes(selector: selectors.BaseSelector) -> bool:
    """Whether something comes while there is patience. Raises `shutdown.Ending` when this process is to end."""
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        if selector.select(shutdown.LOOK_EVERY):
            return True
        shutdown.end_if_asked()
    return False


def _give_back_memory() -> None:
    """Return to the system what is free, but kept by the C library (that of GNU). Else both processes fill it, each its own copy."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
