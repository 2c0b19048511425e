"""When a send stops to ask a person: the next call would fare no better."""

from __future__ import annotations

from contactsync.sync.policy import is_held_back
from contactsync.sync.sends import Performed, SendReceipt, Verdict

ATTEMPTS = 10  # at one call that does not get through, before a person is asked
UNKNOWN_IN_A_ROW = 3  # calls without an answer, before a person is asked: the next would be lost just the same


def asks_for_a_person(outcome: Performed[SendReceipt], *, attempts: int, unknown: int) -> bool:
    """Whether the next call would fare no better than this one; `unknown` of them in a row had no answer."""
    out_of_patience = outcome.verdict is Verdict.RETRY and attempts >= ATTEMPTS and not is_held_back(outcome.error)
    needs_mending = outcome.verdict in {Verdict.PAUSE_ACCOUNT, Verdict.STOP_RUN}
    return needs_mending or out_of_patience or unknown >= UNKNOWN_IN_A_ROW
