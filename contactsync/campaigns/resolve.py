"""Deciding what became of a send whose outcome was not known: by a person, or by proof from the provider."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.settle import settle_again
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.models.transitions import TransitionRefused, transition
from contactsync.sync import sends
from contactsync.sync.call_record import was_carried_out_late
from contactsync.sync.connect import SENDS, Operation, SendReport
from contactsync.sync.line import Line

logger = logging.getLogger(__name__)

SEARCHED_AT_ONCE = 20  # unknown sends looked for in one go
EARLIER = dt.timedelta(minutes=1)  # clocks differ

FOUND = gettext_noop("The answer was lost; the provider lists this send with our reference, so it was accepted.")
TOLD = gettext_noop("The answer was lost; the provider told us of this send with our reference, so it was accepted.")
OPEN_AGAIN = gettext_noop("%(before)s The provider has told us of this send since, so its outcome is open again.")
SEARCHED = gettext_noop(
    "%(before)s The provider was searched: sends of this sender with this text since then: %(found)s (%(references)s). "
    "None is proven to be this one, so a person decides."
)
NOT_FOUND = gettext_noop(
    "%(before)s The provider was searched and shows no send of this sender with this text since then. It may not show "
    "everything yet, so a person decides."
)


def resolve_unknown(call: Call, *, sent: bool, user: User, references: Sequence[str] = ()) -> Call:
    """A person found out what became of an unknown send. Its people count as accepted, or as not sent and may be resumed.

    `references` are the provider's, where it shows the send; its report is read by them afterwards.
    Raises `TransitionRefused` when the call is not an unknown send (any more).
    """
    decided = (
        gettext_noop("%(user)s decided: it was sent.") if sent else gettext_noop("%(user)s decided: it was not sent.")
    )
    why = reason(decided, user=user.get_username())
    state = Call.State.ACCEPTED if sent else Call.State.NOT_SENT
    return _decide(call, state, why=why, references=references if sent else ())


def resolve_by_callback(call_uuid: UUID | str, reference: str) -> bool:
    """The provider's proven (signed) word that it has the send with our reference. True when an unknown send was accepted by it."""
    call = Call.objects.filter(uuid=call_uuid, state=Call.State.UNKNOWN, operation__in=SENDS).first()
    if call is None:
        return False
    try:
        _decide(call, Call.State.ACCEPTED, why=reason(TOLD), references=[reference] if reference else [])
    except TransitionRefused:
        return False
    return True


def hear_late_answers(campaign: Campaign | None) -> None:
    """What a person called not sent, and was answered as accepted after that, is open again."""
    made = Call.objects.filter(operation__in=SENDS, attempts__gt=0)
    for call in made.filter(run__campaign=campaign, state=Call.State.NOT_SENT):
        if was_carried_out_late(call):
            open_again(call)


def open_again(call: Call) -> bool:
    """Take back that a send did not go out, because the provider speaks of it: nobody is to get it twice. False when that is too late,
    or it is of another outcome."""
    why = reason(OPEN_AGAIN, before=call.error)
    people = Recipient.objects.filter(call=call, state=Recipient.State.NOT_SENT)
    try:
        with transaction.atomic():
            run = _locked(call)
            if people.count() != call.item_count:  # they are in another call by now
                return False
            transition(call, Call.State.UNKNOWN, table=_OPEN_AGAIN, error=why)
            people.update(state=Recipient.State.UNKNOWN, error=why)
            settle_again(run)
    except TransitionRefused:
        return False
    return True


_OPEN_AGAIN = {Call.State.UNKNOWN: frozenset({Call.State.NOT_SENT})}


def search_unknown(campaign: Campaign, line: Line) -> int:
    """Look for the campaign's unknown sends at the provider, where it can be searched. Returns how many were decided.

    A few at once, those first that were not looked for longest: what is never found keeps no other from being looked for.
    Only what shows our own reference is proof; anything else is told to the person who decides. Raises `ProviderError`.
    """
    if not line.capabilities.can(Operation.FIND_SENDS):
        return 0
    unknown = Call.objects.filter(run__campaign=campaign, state=Call.State.UNKNOWN, operation__in=SENDS)
    decided = 0
    longest_first = unknown.order_by(F("reported_at").asc(nulls_first=True), "pk")
    for call in longest_first.select_related("run")[:SEARCHED_AT_ONCE]:
        if call.started_at is not None:
            line.pulse()
            decided += _search(call, line)
    return decided


def sends_like(
    call: Call, line: Line, *, text: str, since: dt.datetime, until: dt.datetime | None = None, most: int | None = None
) -> list[SendReport]:
    """What the provider lists of this call's sender, with this text (empty: any), in that time; where it keeps our reference,
    only the call itself. No more than `most` are read. Raises `ProviderError`."""
    return sends.find_sends(
        line.account,
        sender=call.run.plan["sender"],
        text=text,
        since=since,
        until=until,
        reference=str(call.uuid),
        line=line,
        most=most,
    )


def began(call: Call) -> dt.datetime:
    """When the call was made, as far as is known."""
    return call.started_at or call.run.created_at


def _search(call: Call, line: Line) -> bool:
    reference = str(call.uuid)
    found = sends_like(call, line, text=text_of(call), since=began(call) - EARLIER)
    if proven := [report.reference for report in found if report.our_reference == reference]:
        try:
            _decide(call, Call.State.ACCEPTED, why=reason(FOUND), references=proven)
        except TransitionRefused:
            logger.info("Call %s was decided while the provider was searched for it.", call.pk)
            return False
        return True
    before = call.error["params"]["before"] if call.error.get("message") in {SEARCHED, NOT_FOUND} else call.error
    why = reason(NOT_FOUND, before=before)
    if found:
        references = ", ".join(report.reference for report in found[:5])
        why = reason(SEARCHED, before=before, found=len(found), references=references)
    Call.objects.filter(pk=call.pk, state=Call.State.UNKNOWN).update(error=why, reported_at=timezone.now())
    return False


def text_of(call: Call) -> str:
    """The text to search for; of several in one call, the first."""
    if texts := call.target.get("texts"):
        return str(texts[0]["text"])
    if keyworded := call.target.get("keyworded"):
        return str(keyworded)
    return Recipient.objects.filter(call=call).values_list("text", flat=True).first() or ""


def _decide(call: Call, state: str, *, why: dict[str, Any], references: Sequence[str] = ()) -> Call:
    if call.operation not in SENDS:
        raise TransitionRefused(f"Call {call.pk} sends nothing.")
    changes: dict[str, Any] = {"error": why}
    people: dict[str, Any] = {"error": why}
    if references:
        changes |= {"references": list(references), "reported_at": None}  # its report was not read yet
        people |= {"error": {}, "reference": references[0][:100] if len(references) == 1 else ""}
    after = Recipient.State.ACCEPTED if state == Call.State.ACCEPTED else Recipient.State.NOT_SENT
    with transaction.atomic():
        run = _locked(call)
        transition(call, state, table={state: frozenset({Call.State.UNKNOWN})}, **changes)
        Recipient.objects.filter(call=call, state=Recipient.State.UNKNOWN).update(state=after, **people)
        settle_again(run)
    return call


def _locked(call: Call) -> Run:
    """The call's run, its campaign locked."""
    run = Run.objects.select_related("campaign").get(pk=call.run_id)
    Campaign.objects.select_for_update().get(runs=run)
    return run
