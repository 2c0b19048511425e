"""Until when a request may leave, told by clocks that go on while this process does not."""

from __future__ import annotations

import time
from dataclasses import dataclass

_BOOT_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def wall() -> float:
    """Seconds since the epoch. Set right after a pause of the whole machine, and sometimes set back."""
    return time.time()


def since_boot() -> float:
    """Seconds of a clock that is never set, and goes on while the machine is suspended where it has such a one."""
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment that has passed as soon as one of the two clocks says so: neither is right after every kind of pause."""

    at_wall: float
    at_boot: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(wall() + seconds, since_boot() + seconds)

    def has_passed(self) -> bool:
        """Whether it is too late by either clock."""
        return wall() >= self.at_wall or since_boot() >= self.at_boot
