"""What to do after an error: the class of the error and the nature of the operation decide, nothing else."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from django.utils.translation import gettext_noop

from contactsync.models import Call
from contactsync.sync.connect import AccountStopped
from providers.exceptions import (
    AuthFailed,
    InsufficientFunds,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Throttled,
    Unsupported,
)
from providers.types import SENDS, Capabilities

FIRST_PAUSE = 0.5  # seconds, doubled with every attempt
LONGEST_PAUSE = 30.0


class Verdict(StrEnum):
    """What follows from one performed call."""

    DONE = "done"
    RETRY = "retry"  # nothing was done, or doing it twice is the same: wait, then again
    FAIL_ITEM = "fail_item"  # refused for good; the next item may fare better
    STOP_RUN = "stop_run"  # nothing was done, and the next call would fare no better
    PAUSE_ACCOUNT = "pause_account"  # no call for this account until a person has looked
    UNKNOWN = "unknown"  # it may have happened: look first, and never repeat a send
    TAKEN = "taken"  # somebody else performs or has performed this call; no call was made


class InternalError(ProviderError):
    """Our own mistake in the middle of a call: parked, shown, never repeated by itself."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            gettext_noop(
                "An internal error (%(kind)s) came up during this call, so its outcome is not known. It is in the log; please report it."
            ),
            params={"kind": kind},
        )


def judge(error: ProviderError, *, operation: str, capabilities: Capabilities) -> Verdict:
    """The error table: what the caller does after `error` came out of `operation` at this provider."""
    is_send = operation in SENDS
    match error:
        case AccountStopped() | AuthFailed() | Misconfigured():
            return Verdict.PAUSE_ACCOUNT
        case InsufficientFunds():
            return Verdict.STOP_RUN
        case Rejected() | Unsupported():
            return Verdict.FAIL_ITEM
        case NotSent():
            return Verdict.RETRY
        case Throttled(status=None):  # held back here; the request never left
            return Verdict.RETRY
        case Throttled():
            # Where identical sends are refused for a while, this answer may mean that the send was accepted before.
            return Verdict.UNKNOWN if is_send and capabilities.duplicate_send_window else Verdict.RETRY
        case OutcomeUnknown() if not is_send and operation in capabilities.safe_to_repeat:
            return Verdict.RETRY
        case _:
            return Verdict.UNKNOWN


CALL_STATE_AFTER = {
    Verdict.DONE: Call.State.ACCEPTED,
    Verdict.RETRY: Call.State.PLANNED,
    Verdict.FAIL_ITEM: Call.State.REFUSED,
    Verdict.STOP_RUN: Call.State.PLANNED,
    Verdict.PAUSE_ACCOUNT: Call.State.PLANNED,
    Verdict.UNKNOWN: Call.State.UNKNOWN,
}


def is_held_back(error: ProviderError | None) -> bool:
    """Whether our own pace kept the request from leaving: that is no attempt."""
    return isinstance(error, Throttled) and error.status is None


def rest_after(error: ProviderError) -> dt.timedelta | None:
    """How long work rests before it goes on by itself, because it asked too often; None after any other error."""
    if not isinstance(error, Throttled):
        return None
    return dt.timedelta(seconds=LONGEST_PAUSE if error.retry_after is None else max(0.0, error.retry_after))


def pause_before_retry(attempts: int, error: ProviderError | None, *, waited: float = 0.0) -> float:
    """Seconds to wait before the next attempt: what the provider asked for, else doubling from half a second.

    After an answer that was `waited` for in vain at least as long again: a slow provider may still be carrying it out.
    """
    if isinstance(error, Throttled) and error.retry_after is not None:
        return max(0.0, error.retry_after)
    doubled: float = FIRST_PAUSE * 2.0 ** max(0, attempts - 1)
    return min(LONGEST_PAUSE, max(doubled, waited if isinstance(error, OutcomeUnknown) else 0.0))
