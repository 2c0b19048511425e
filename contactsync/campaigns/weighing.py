"""What the rows that a provider shows speak for: a send is known again by our own reference, which is proof, or by who got it.

That is exactly its people, once, in its time, and no other call of ours that it could be. Everything less speaks for nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.models import Evidence
from contactsync.models.reasons import reason

Proposal = Evidence.Proposal
Found = tuple[str, dict[str, Any], list["Row"]]

SETTLED = dt.timedelta(minutes=10)  # after a call; before, a provider may not show it yet

PROOF = gettext_noop("The provider shows this send with our own reference.")
SAME_PEOPLE = gettext_noop(
    "One send of this sender with this text shows exactly these people (%(people)s), in its time."
)
NOTHING = gettext_noop(
    "The provider was searched %(minutes)s minutes after the call and shows nothing that reached any of its people."
)
TOO_EARLY = gettext_noop(
    "Nothing is shown, but the call is so recent that the provider may not show it yet. Search again later."
)
SEVERAL = gettext_noop(
    "Several sends show exactly these people, or another call of ours could be the one that is shown."
)
PARTLY = gettext_noop("Sends that are shown reached some of its people, and not exactly these in its time.")
UNREAD = gettext_noop("The provider shows a send that it could be, but not (yet) whom it went to.")
MANY_TEXTS = gettext_noop("The call has several texts, so that no single send is the whole of it.")
OTHER_WORDS = gettext_noop(
    "Nothing is shown with exactly its text, but something else went out to its people around that time. Providers may "
    "change a text (an opt-out line, line breaks), so compare what is shown with the campaign."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One send that the provider shows. Counts are of people; None: not told."""

    reference: str
    at: str  # when the provider took it
    text: str
    state: str  # in the provider's words or code
    recipients: int | None
    matched: int | None = None  # of the call's people
    missing: int | None = None
    strangers: int | None = None
    is_proof: bool = False
    is_late: bool = False  # taken so long after the call that it is hardly its answer
    belongs_to: int | None = None  # another call of ours, which has this reference
    is_it: bool = False


def weigh(
    rows: Sequence[Row], *, people: int, minutes: int, has_twin: bool, has_texts: bool = False, is_cut: bool = False
) -> tuple[str, dict[str, Any], set[str]]:
    """What these rows speak for: the proposal, why, and the references that are the call. `is_cut`: there are more of them."""
    if proof := {row.reference for row in rows if row.is_proof}:
        return Proposal.SENT, reason(PROOF), proof
    if is_cut:  # it may be one that was not looked at
        return Proposal.CANNOT_TELL, reason(UNREAD), set()
    ours = [row for row in rows if row.belongs_to is None]
    same = [row for row in ours if people and row.matched == people and not row.strangers and not row.is_late]
    near = [row for row in ours if row not in same and row.matched != 0]
    if same and has_texts:
        return Proposal.CANNOT_TELL, reason(MANY_TEXTS), set()
    if len(same) > 1 or (same and has_twin):
        return Proposal.CANNOT_TELL, reason(SEVERAL), set()
    if near:
        unread = any(row.matched is None for row in near)
        return Proposal.CANNOT_TELL, reason(UNREAD if unread else PARTLY), set()
    if same:
        return Proposal.SENT, reason(SAME_PEOPLE, people=people), {same[0].reference}
    if minutes < SETTLED / dt.timedelta(minutes=1):
        return Proposal.CANNOT_TELL, reason(TOO_EARLY), set()
    return Proposal.NOT_SENT, reason(NOTHING, minutes=minutes), set()


def weigh_others(rows: Sequence[Row], *, is_cut: bool = False) -> tuple[dict[str, Any], list[Row]]:
    """Why what went out around that time in other words forbids to say that the call was not sent, and which rows; or nothing.

    `rows` are none that weighed in already. `is_cut`: there are more of them.
    """
    free = [row for row in rows if row.belongs_to is None and row.matched != 0]
    if any(row.matched for row in free):
        return reason(OTHER_WORDS), free
    return (reason(UNREAD), free) if free or is_cut else ({}, [])
