"""Failures on demand: what a provider, or the network before it, may do wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    LATENCY = "latency"
    STATUS_401 = "status_401"
    STATUS_422 = "status_422"
    STATUS_429 = "status_429"
    STATUS_500 = "status_500"
    HANG = "hang"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    TRUNCATED = "truncated"
    HTML = "html"
    EMPTY = "empty"

    @property
    def carries_out(self) -> bool:
        """Whether the request is carried out although its answer is lost, unless the fault says otherwise."""
        return self in {
            FaultKind.LATENCY,
            FaultKind.HANG,
            FaultKind.RESET_AFTER,
            FaultKind.TRUNCATED,
            FaultKind.HTML,
            FaultKind.EMPTY,
        }


@dataclass
class Fault:
    """One planned failure.

    `path` is a prefix of the path after the mount ("/v1/api/send", or without the version "/api/send"), optionally
    with a method before it ("POST /api/send"), and exact when it ends in "$". `skip` matching requests go through
    first, then `times` are hit (0: every one). `seconds` is the delay of `latency`, the patience of `hang`, and the
    Retry-After of `status_429` (0: none). `processed` overrides whether the request is carried out.
    """

    kind: FaultKind
    provider: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    processed: bool | None = None
    hits: int = 0

    @classmethod
    def from_mapping(cls, data: dict[str, Any]) -> Fault:
        """Read what the control API was given. Raises `ValueError` naming what is wrong."""
        unknown = set(data) - {"kind", "provider", "path", "times", "skip", "seconds", "processed"}
        if unknown:
            raise ValueError(f"unknown field: {', '.join(sorted(unknown))}")
        processed = data.get("processed")
        if processed is not None and not isinstance(processed, bool):
            raise ValueError("processed must be true or false")
        numbers = (data.get("times", 1), data.get("skip", 0), data.get("seconds", 0))
        if any(isinstance(n, bool) or not isinstance(n, int | float) or n < 0 for n in numbers):
            raise ValueError("times, skip and seconds must be numbers, not negative")
        return cls(
            kind=FaultKind(data.get("kind", "")),
            provider=str(data.get("provider", "")),
            path=str(data.get("path", "")),
            times=int(numbers[0]),
            skip=int(numbers[1]),
            seconds=float(numbers[2]),
            processed=processed,
        )

    @property
    def carries_out(self) -> bool:
        return self.kind.carries_out if self.processed is None else self.processed

    def matches(self, provider: str, method: str, paths: Iterable[str]) -> bool:
        """Whether this request is meant; `paths` are its spellings with and without the base path."""
        if self.provider not in ("", provider):
            return False
        wanted_method, _, wanted = self.path.rpartition(" ")
        if wanted_method not in ("", method):
            return False
        if wanted.endswith("$"):
            return wanted[:-1] in paths
        return any(path.startswith(wanted) for path in paths)

    def as_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "kind": self.kind.value,
            "provider": self.provider,
            "path": self.path,
            "times": self.times,
            "skip": self.skip,
            "seconds": self.seconds,
            "processed": self.carries_out,
            "hits": self.hits,
        }


class Faults:
    """The planned failures, oldest first. `released` wakes every request that hangs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self.released = threading.Event()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(fault)

    def clear(self) -> None:
        """Forget all plans and let go of the requests that hang now."""
        with self._lock:
            self._planned.clear()
            self.released.set()
            self.released = threading.Event()

    def planned(self) -> list[Fault]:
        with self._lock:
            return list(self._planned)

    def take(self, provider: str, method: str, paths: tuple[str, ...]) -> Fault | None:
        """The failure this request meets, counted as used; None when it goes through."""
        if not self._planned:
            return None
        with self._lock:
            for fault in self._planned:
                if not fault.matches(provider, method, paths):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                if fault.times and fault.hits >= fault.times:
                    self._planned.remove(fault)
                return fault
        return None
