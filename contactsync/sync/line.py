"""An open connection of one worker to one account, with patience for reads."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from contactsync.models import ProviderAccount
from contactsync.sync import accounts, shutdown
from contactsync.sync.connect import Exchange, Provider, ProviderError, capabilities, open_provider
from contactsync.sync.pace import Turns
from contactsync.sync.policy import LONGEST_PAUSE, Verdict, judge, pause_before_retry
from providers.exceptions import OutcomeUnknown

T = TypeVar("T")

READ_ATTEMPTS = 4
LOOK_EVERY = 0.5  # seconds between two pulses of a worker that waits: a stop is felt within a second


def wait(seconds: float) -> None:
    """Hold this worker between two attempts at one call; longer pauses go back to the sweep instead."""
    shutdown.wait(seconds)


class Line:
    """A client for one account and what went over it. Not thread-safe; use as a context manager.

    Opening raises `AccountStopped` or `Misconfigured`; the latter also pauses the account. `pulse` is called
    from time to time during long reads and whenever this worker waits, and may raise to end the work; without one,
    `shutdown.Ending` does when the process is to end. `turns` as of `open_provider`.
    """

    def __init__(
        self, account: ProviderAccount, *, pulse: Callable[[], None] | None = None, turns: Turns | None = None
    ) -> None:
        self.account = account
        self.pulse = pulse or shutdown.end_if_asked
        self.exchanges: list[Exchange] = []
        self._interruption: Exception | None = None
        try:
            self.provider: Provider = open_provider(
                account, observer=self.exchanges.append, turns=turns, asked_to_stop=self._is_interrupted
            )
        except ProviderError as error:
            accounts.pause(account, error)
            raise
        self.capabilities = capabilities(account)

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.provider.close()

    def rest(self, seconds: float) -> None:
        """Hold this worker, with a pulse at least every `LOOK_EVERY` seconds."""
        while seconds > 0:
            wait(min(seconds, LOOK_EVERY))
            seconds -= LOOK_EVERY
            self.pulse()

    def end_if_interrupted(self) -> None:
        """Raise what a pulse raised while a request waited for its turn. The request did not leave."""
        if self._interruption is not None:
            raise self._interruption

    def _is_interrupted(self) -> bool:
        # Kept, not raised: in the middle of a call it would look like a call whose outcome is not known.
        try:
            self.pulse()
        except Exception as why:
            self._interruption = why
        return self._interruption is not None

    def read(self, question: Callable[[Provider], T]) -> T:
        """Ask something that changes nothing, again after a passing failure. Raises `ProviderError`; refused credentials pause the account.

        `question` must consume what it asks for (no lazy iterator out of it), as it may be called several times.
        """
        for attempt in range(1, READ_ATTEMPTS + 1):
            self.exchanges.clear()
            try:
                return question(self.provider)
            except ProviderError as error:
                self.end_if_interrupted()
                verdict = judge(error, operation="read", capabilities=self.capabilities)
                if verdict is Verdict.PAUSE_ACCOUNT:
                    accounts.pause(self.account, error)
                passing = verdict is Verdict.RETRY or isinstance(error, OutcomeUnknown)
                pause = pause_before_retry(attempt, error)
                if not passing or attempt == READ_ATTEMPTS or pause > LONGEST_PAUSE:
                    raise
                self.rest(pause)
            finally:
                self.exchanges.clear()
        raise AssertionError("unreachable")  # the last attempt returned or raised
