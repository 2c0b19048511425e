"""Care with a provider that blocks our address after a few wrong keys, as LOX24 does after the fourth within a minute.

A key that has not been accepted lately is tried by one request at a time, whatever number of workers, accounts and
buttons there are; the others wait for what comes of it. After a refusal the next one that is not proven has to wait
for so long that an address is never blocked. Proven keys go on meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_noop

from contactsync.models import ProviderAccount, RequestPace
from contactsync.sync import pace
from contactsync.sync.pace import LONGEST_WAIT, DatabasePacer
from providers.exceptions import ProviderError, Throttled
from providers.types import Exchange

PROVEN_FOR = 600.0  # seconds after an answer that only a good key gets
TRIED_EVERY = 21.0  # seconds: not more than three tries fall within any minute
MOST_UNANSWERED = (
    2  # requests of one task at a time: should the key be refused just now, each of them counts as a wrong one
)
LOOK_AGAIN = 0.2  # seconds between two looks at what came of another worker's try
REFUSED = frozenset({401, 403})
SAYS_NOTHING = frozenset({429})

UNPROVEN = gettext_noop(
    "This provider blocks the whole address after a few wrong keys, so one that it has not accepted yet is tried only now and then. "
    "It can be tried again in %(seconds)s seconds."
)


class ProvingPacer(DatabasePacer):
    """As `DatabasePacer`, and with a key that is not proven only one request leaves until its answer is there.

    `stopped` tells why no call may be made for the account any more; it is asked before every request.
    """

    def __init__(
        self,
        account: ProviderAccount,
        *,
        key: str,
        per_second: float,
        address: str,
        stopped: Callable[[], ProviderError | None],
    ) -> None:
        super().__init__(key, per_second=per_second, address=address)
        digest = hashlib.sha256(account.credentials.token.encode()).hexdigest()[:16]  # another key is proven anew
        self.proof = f"proof:{account.pk}:{digest}"
        self.address = address
        self._stopped = stopped
        self._is_trying = False
        self._in_wait = False
        self._unanswered = 0  # of those that `take` gave a moment to
        self._proven_until = 0.0

    def wait(self) -> None:
        """As of the base. Raises what `stopped` gives, and `Throttled` when a key may not be tried now."""
        self._wait_for_proof()
        self._in_wait = True
        try:
            super().wait()
        finally:
            self._in_wait = False
        if self._is_trying:  # counted from the moment at which it really leaves
            self._set(self.address, pace.now() + TRIED_EVERY)

    def take(self, count: int, *, latest: float) -> list[float]:
        """As of the base; few at a time, and none while what comes of a key that is not proven has to be waited for."""
        if self._in_wait:
            return super().take(count, latest=latest)
        if (stopped := self._stopped()) is not None:
            raise stopped
        if self._unanswered >= MOST_UNANSWERED and pace.now() + LOOK_AGAIN <= latest:
            return []
        if not self._is_trying and self._is_proven():
            moments = super().take(max(1, min(count, MOST_UNANSWERED - self._unanswered)), latest=latest)
            self._unanswered += len(moments)
            return moments
        if self._is_trying or not self._try():
            if (until := self._blocked_until()) > latest:
                raise self._throttled(until, pace.now(), is_blocked=True)
            if pace.now() + LOOK_AGAIN > latest:
                raise self._not_yet()
            return []
        try:
            moments = super().take(1, latest=latest)
        except ProviderError:
            self._is_trying = False
            raise
        self._unanswered += 1
        self._set(self.address, moments[0] + TRIED_EVERY)
        return moments

    def missed(self, count: int) -> None:
        self._is_trying = False
        self._unanswered -= count

    def watching(self, observer: Callable[[Exchange], None] | None) -> Callable[[Exchange], None]:
        """The observer to hand to the client: it learns from every answer what it says about the key."""

        def observe(exchange: Exchange) -> None:
            self._learn(exchange.status)
            if observer is not None:
                observer(exchange)

        return observe

    def _wait_for_proof(self) -> None:
        give_up_at = pace.now() + LONGEST_WAIT
        while True:
            if (stopped := self._stopped()) is not None:
                raise stopped
            if self._is_proven() or self._try():
                return
            if (until := self._blocked_until()) > give_up_at:
                raise self._throttled(until, pace.now(), is_blocked=True)
            if pace.now() + LOOK_AGAIN > give_up_at:
                raise self._not_yet()
            pace.hold(LOOK_AGAIN)
            self._end_if_asked()

    def _is_proven(self) -> bool:
        until = RequestPace.objects.filter(key=self.proof).values_list("next_at", flat=True).first() or 0.0
        self._proven_until = until if until <= pace.now() + PROVEN_FOR else 0.0
        return self._proven_until > pace.now()

    def _try(self) -> bool:
        """Take the one try there is at this address. It is free again after `TRIED_EVERY`, should this worker die."""
        self._add_rows()
        moment = pace.now()
        free = Q(next_at__lte=moment) | Q(next_at__gt=moment + TRIED_EVERY + LONGEST_WAIT)  # a clock was set back
        taken = RequestPace.objects.filter(free, key=self.address).update(next_at=moment + TRIED_EVERY)
        self._is_trying = bool(taken)
        return self._is_trying

    def _learn(self, status: int | None) -> None:
        was_trying, self._is_trying = self._is_trying, False
        self._unanswered = max(0, self._unanswered - 1)
        moment = pace.now()
        if status is None or status >= 500 or status in SAYS_NOTHING:
            return
        if status in REFUSED:
            self._set(self.proof, 0.0)
            self._set(self.address, moment + TRIED_EVERY)
            return
        if self._proven_until - moment < PROVEN_FOR / 2:
            self._proven_until = moment + PROVEN_FOR
            self._set(self.proof, self._proven_until)
        if was_trying:
            self._set(self.address, moment)

    def _not_yet(self) -> Throttled:
        free_at = RequestPace.objects.filter(key=self.address).values_list("next_at", flat=True).first() or 0.0
        seconds = min(max(free_at - pace.now(), 1.0), TRIED_EVERY)
        params: dict[str, Any] = {"seconds": int(seconds) + 1}
        return Throttled(UNPROVEN, params=params, status=None, retry_after=seconds)

    @staticmethod
    def _set(key: str, next_at: float) -> None:
        RequestPace.objects.update_or_create(key=key, defaults={"next_at": next_at})
