"""The logbook: a file beside the database that says which calls have left, for the day the database is not the newest any more.

One file per database and machine, a line of JSON per call, appended and on the disk before the call leaves. Its highest
mark is never above that of the database it belongs to, because the database counts first. Knows no database itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST = 1_000_000  # bytes of a file, before it is put aside as the earlier one
FILES, DIRECTORY = 0o600, 0o700
BROKEN = ".broken"


class LogbookUnusable(Exception):
    """The logbook cannot be read or written, or is not what was written."""

    def __init__(self, path: Path, why: str, *, is_corrupt: bool = False) -> None:
        self.path, self.why, self.is_corrupt = path, why, is_corrupt
        super().__init__(f"{path}: {why}")


@dataclass(slots=True)
class _Read:
    """How far a file was read, and the highest mark so far."""

    inode: int
    offset: int = 0
    highest: int = -1


_read: dict[Path, _Read] = {}


def to_disk(descriptor: int) -> None:
    """Wait until what was written is on the disk."""
    os.fsync(descriptor)


def highest(directory: Path, identity: str) -> int | None:
    """The highest mark of the database with this identity in any file of the directory; None when there is no file.

    Raises `LogbookUnusable`. Only what was added since the last look is read.
    """
    while True:
        try:
            return max((_highest_of(path) for path in _files(directory, identity)), default=None)
        except FileNotFoundError:  # put aside as the earlier one this moment
            continue


def entries_after(directory: Path, identity: str, mark: int) -> list[dict[str, Any]]:
    """The calls with a higher mark that the files still have, by mark. Raises `LogbookUnusable`."""
    while True:
        try:
            lines = [entry for path in _files(directory, identity) for entry in _parsed(path, _bytes_of(path, 0))]
            break
        except FileNotFoundError:  # put aside as the earlier one this moment
            continue
    calls = [entry for entry in lines if entry["mark"] > mark and entry.get("call")]
    return sorted(calls, key=lambda entry: int(entry["mark"]))


def append(directory: Path, identity: str, entries: Sequence[dict[str, Any]]) -> None:
    """Add lines, in one write, and wait until they are on the disk. Raises `LogbookUnusable`; then none of them counts."""
    path = path_of(directory, identity)
    lines = "".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n" for entry in entries).encode()
    try:
        with _alone(directory):
            if path.exists() and path.stat().st_size > LONGEST:
                os.replace(path, path.with_suffix(".earlier"))
            if path.exists():
                _add(path, lines)
            else:
                _begin(path, lines)
    except OSError as error:
        raise LogbookUnusable(path, error.strerror or str(error)) from error


def put_aside(directory: Path, identity: str) -> None:
    """Rename the files that are not what was written, so that a new one can be begun. Raises `LogbookUnusable`."""
    for path in _files(directory, identity):
        try:
            _highest_of(path)
        except LogbookUnusable as unusable:
            if not unusable.is_corrupt:
                raise
            try:
                os.replace(path, f"{path}{BROKEN}")
            except OSError as error:
                raise LogbookUnusable(path, error.strerror or str(error)) from error


def is_kept(directory: Path) -> bool:
    """Whether there is a logbook of any database. Raises `LogbookUnusable`."""
    return bool(_files(directory, ""))


def path_of(directory: Path, identity: str) -> Path:
    """The file of this machine."""
    machine = re.sub(r"[^A-Za-z0-9-]", "_", socket.gethostname())[:60] or "machine"
    return directory / f"{identity}.{machine}.log"


def why_unwritable(directory: Path) -> str:
    """Why no line could be added now, without adding one; empty when nothing speaks against it."""
    place = directory.absolute()
    nearest = next(each for each in (place, *place.parents) if each.exists())
    if not nearest.is_dir():
        return f"{nearest} is not a directory"
    return "" if os.access(nearest, os.W_OK | os.X_OK) else f"no right to write in {nearest}"


def _files(directory: Path, identity: str) -> list[Path]:
    try:
        with os.scandir(directory) as rows:
            names = [row.name for row in rows if not identity or row.name.startswith(f"{identity}.")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LogbookUnusable(directory, error.strerror or str(error)) from error
    return [directory / name for name in sorted(names) if name.endswith((".log", ".earlier"))]


def _highest_of(path: Path) -> int:
    try:
        facts = path.stat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LogbookUnusable(path, error.strerror or str(error)) from error
    known = _read.get(path)
    if known is None or known.inode != facts.st_ino or known.offset > facts.st_size:
        known = _Read(facts.st_ino)
    if known.offset < facts.st_size:
        added = _bytes_of(path, known.offset)
        marks = [int(entry["mark"]) for entry in _parsed(path, added)]
        whole = added.rfind(b"\n") + 1
        known = _Read(facts.st_ino, known.offset + whole, max([known.highest, *marks]))
    if known.highest < 0:
        raise LogbookUnusable(path, "it has no whole line", is_corrupt=True)
    _read[path] = known
    return known.highest


def _bytes_of(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LogbookUnusable(path, error.strerror or str(error)) from error


def _parsed(path: Path, data: bytes) -> Iterator[dict[str, Any]]:
    """The whole lines. What stands behind the last line end was cut short while it was written, before its call left."""
    for line in data[: data.rfind(b"\n") + 1].splitlines():
        try:
            entry = json.loads(line)
            if not isinstance(entry["mark"], int) or entry["mark"] < 0:
                raise ValueError
        except (ValueError, KeyError, TypeError) as error:
            raise LogbookUnusable(path, "a line is not as it was written", is_corrupt=True) from error
        yield entry


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One writer at a time on this machine."""
    directory.mkdir(mode=DIRECTORY, parents=True, exist_ok=True)
    lock = os.open(directory / "lock", os.O_CREAT | os.O_RDWR, FILES)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _add(path: Path, lines: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, min(size, LONGEST), max(0, size - LONGEST))
        whole = size - len(tail) + tail.rfind(b"\n") + 1
        if whole < size:
            os.ftruncate(descriptor, whole)
        try:
            _write(descriptor, lines)
        except OSError:
            os.ftruncate(descriptor, whole)
            raise
    finally:
        os.close(descriptor)


def _begin(path: Path, lines: bytes) -> None:
    """A new file, there as a whole or not at all."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, FILES)
    try:
        _write(descriptor, lines)
    finally:
        os.close(descriptor)
    os.replace(new, path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        to_disk(directory)
    finally:
        os.close(directory)


def _write(descriptor: int, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    to_disk(descriptor)
