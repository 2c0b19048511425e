"""The distance between requests, kept in the database: all workers of an account keep it together, also across restarts.

Each request takes the next free moment in one short transaction and is waited for outside of it, so nothing is
held meanwhile. There is no saving up: after a rest requests leave as evenly as before. Workers on several machines
need clocks that agree to a fraction of a second.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Protocol

from django.db import transaction
from django.utils.translation import gettext_noop

from contactsync.models import ProviderAccount, RequestPace
from contactsync.sync import shutdown
from providers.exceptions import Throttled
from providers.types import Exchange, Pacer

LONGEST_WAIT = 20.0  # seconds a worker holds itself; beyond, the call waits as `not_before`
LONGEST_BLOCK = 3600.0  # seconds; a block that lasts longer comes from a clock that was set back
LONGEST_QUEUE = LONGEST_WAIT + 60.0  # seconds; the same of a free moment further off
SPARE = 1.05  # requests on their way do not all take the same time, so they leave a little further apart

LOOK_EVERY = 0.5  # seconds between two looks, while a request waits, whether it shall leave at all

STOPPED = gettext_noop("The work was to end while this request waited for its turn, so it did not leave.")
BLOCKED = gettext_noop("The provider asked for a pause; the next request may leave in %(seconds)s seconds.")
CROWDED = gettext_noop(
    "More requests wait for this account than its rate lets through; the next may leave in %(seconds)s seconds."
)


def now() -> float:
    """Seconds since the epoch."""
    return time.time()


def hold(seconds: float) -> None:
    """Hold this worker until its request may leave."""
    shutdown.wait(seconds)


class Turns(Pacer, Protocol):
    """Gives leave to the requests of one client."""

    def watching(self, observer: Callable[[Exchange], None] | None) -> Callable[[Exchange], None] | None:
        """The observer to hand to the client together with this pacer."""


class DatabasePacer:
    """The pace of one account. Fulfils `providers.types.Pacer`; must be used outside any transaction.

    `address` is the key shared by all accounts of a provider that blocks our address; empty where it does not.
    """

    def __init__(self, key: str, *, per_second: float, address: str = "") -> None:
        self.key = key
        self.interval = SPARE / per_second
        self.keys = [key, address] if address else [key]
        self.asked_to_stop: Callable[[], bool] | None = None  # asked while a request waits

    def wait(self) -> None:
        """Return when the next request may leave.

        Raises `Throttled` when that is more than `LONGEST_WAIT` seconds off, or when the work is to end meanwhile.
        """
        give_up_at = now() + LONGEST_WAIT
        while (moment := self.take(1, latest=give_up_at)[0]) > now():
            self._hold_until(moment)
            if not self.is_blocked():  # nobody was told to stop meanwhile
                return

    def _hold_until(self, moment: float) -> None:
        held = 0.0  # never longer than it can take: the clock may be set back meanwhile
        while (left := min(moment - now(), LONGEST_WAIT + LOOK_EVERY - held)) > 0:
            pause = left if self.asked_to_stop is None else min(left, LOOK_EVERY)
            hold(pause)
            held += pause
            self._end_if_asked()

    def _end_if_asked(self) -> None:
        # by either: a hold is cut short when the process is to end, and nothing may leave before its turn
        if shutdown.is_asked_for() or (self.asked_to_stop is not None and self.asked_to_stop()):
            raise Throttled(STOPPED, status=None, retry_after=0.0)

    def blocked(self, seconds: float) -> None:
        """Nothing may leave for so long, by whatever worker; where the provider blocks addresses, for none of its accounts."""
        until = now() + min(max(seconds, 0.0), LONGEST_BLOCK)
        self._add_rows()
        for key in self.keys:
            RequestPace.objects.filter(key=key, blocked_until__lt=until).update(blocked_until=until)

    def watching(self, observer: Callable[[Exchange], None] | None) -> Callable[[Exchange], None] | None:
        """The observer to hand to the client together with this pacer."""
        return observer

    def is_blocked(self) -> bool:
        """Whether nothing may leave now, because the provider said so."""
        return self._blocked_until() > now()

    def missed(self, count: int) -> None:
        """So many moments that were taken passed unused, because of a block."""

    def take(self, count: int, *, latest: float) -> list[float]:
        """The moments at which so many requests may leave, taken so that nobody else has them; fewer where the others were
        later than `latest`. Raises `Throttled` when that is so of the first.
        """
        with transaction.atomic(durable=True):
            rows = self._rows()
            own = rows[self.key]
            moment = now()
            blocked_until = max(_until(row, moment) for row in rows.values())
            next_at = own.next_at if own.next_at <= moment + LONGEST_QUEUE + self.interval else 0.0
            free_at = max(moment, next_at, blocked_until)
            if free_at > latest:
                raise self._throttled(free_at, moment, is_blocked=blocked_until > latest)
            moments = [free_at + number * self.interval for number in range(count)]
            moments = [moment for moment in moments if moment <= latest]
            RequestPace.objects.filter(pk=own.pk).update(next_at=moments[-1] + self.interval)
        return moments

    def _rows(self) -> dict[str, RequestPace]:
        rows = self._locked()
        if len(rows) < len(self.keys):
            self._add_rows()
            rows = self._locked()
        return rows

    def _locked(self) -> dict[str, RequestPace]:
        return {
            row.key: row for row in RequestPace.objects.select_for_update().filter(key__in=self.keys).order_by("key")
        }

    def _add_rows(self) -> None:
        RequestPace.objects.bulk_create([RequestPace(key=key) for key in self.keys], ignore_conflicts=True)

    def _blocked_until(self) -> float:
        return max((_until(row, now()) for row in RequestPace.objects.filter(key__in=self.keys)), default=0.0)

    @staticmethod
    def _throttled(free_at: float, moment: float, *, is_blocked: bool) -> Throttled:
        seconds = free_at - moment
        message = BLOCKED if is_blocked else CROWDED
        return Throttled(message, params={"seconds": int(seconds) + 1}, status=None, retry_after=seconds)


def paused_until(account: ProviderAccount) -> dt.datetime | None:
    """Until when no request leaves for the account, as its provider asked for that; None when nothing holds it back."""
    keys = [f"account:{account.pk}", f"address:{account.provider}"]
    until = max((_until(row, now()) for row in RequestPace.objects.filter(key__in=keys)), default=0.0)
    return dt.datetime.fromtimestamp(until, dt.UTC) if until > now() else None


def _until(row: RequestPace, moment: float) -> float:
    return row.blocked_until if row.blocked_until <= moment + LONGEST_BLOCK else 0.0


def entered_rate(account: ProviderAccount) -> float | None:
    """The rate among the account's settings; one that is no number is refused by the backend, not here."""
    try:
        rate = float(account.settings.get("requests_per_second") or 0)
    except (TypeError, ValueError):
        return None
    return rate if rate > 0 else None
