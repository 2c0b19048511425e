"""What the providers show of calls whose outcome is not known: looked up (`lookup`), weighed (`weighing`), and kept. A person
applies it, nobody else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.lookup import minutes_since, search_send
from contactsync.campaigns.resolve import resolve_unknown
from contactsync.campaigns.weighing import SETTLED, TOO_EARLY, Found, Proposal, Row
from contactsync.models import Call, Evidence, ProviderAccount, RunItem
from contactsync.models.reasons import reason
from contactsync.models.transitions import TransitionRefused, transition
from contactsync.sync import shutdown
from contactsync.sync.connect import (
    SENDS,
    AccountStopped,
    AuthFailed,
    Misconfigured,
    Operation,
    ProviderError,
    Rejected,
    reason_of,
)
from contactsync.sync.line import Line
from contactsync.sync.remote import Finder

SEARCHED_AT_ONCE = 200  # calls of one account
LONGEST_SEARCH = dt.timedelta(minutes=4)
LOST_IN_A_ROW = 3  # searches without an answer, before the next would be lost just the same
ACCOUNT_ITSELF = (AccountStopped, AuthFailed, Misconfigured)

NOT_SEARCHED = gettext_noop("The provider could not be searched: %(reason)s")
SILENT = gettext_noop("It did not answer the questions before this one. Search again later.")
ALL_THERE = gettext_noop("All its contacts (%(people)s) are in the provider's phonebook.")
NONE_THERE = gettext_noop("None of its contacts (%(people)s) is in the provider's phonebook.")
SOME_THERE = gettext_noop(
    "Some of its contacts are in the provider's phonebook: %(there)s of %(people)s. The next push finds out."
)
BY_PUSH = gettext_noop("The next push of the phonebook reads the provider and finds out.")


def unknown_calls() -> QuerySet[Call]:
    """All calls of unknown outcome, whatever they are."""
    return Call.objects.filter(state=Call.State.UNKNOWN)


def search_account(account_id: int, *, asked_at: dt.datetime | None = None) -> bool:
    """Search the account's provider for its unknown calls, those first that were not searched for longest, and those only
    that were not searched since `asked_at`. False when it ended before it was through.

    Others wait for this worker: it ends after a while, and when its process is to end. A provider that does not answer
    is not asked about the rest.
    """
    account = ProviderAccount.objects.get(pk=account_id)
    calls = unknown_calls().filter(run__account=account).select_related("run__account", "run__phonebook")
    if asked_at is not None:
        calls = calls.exclude(evidence__searched_at__gte=asked_at)
    waiting = list(calls.order_by(F("evidence__searched_at").asc(nulls_first=True), "pk")[:SEARCHED_AT_ONCE])
    give_up_at = timezone.now() + LONGEST_SEARCH
    lost: list[Call] = []  # in a row
    try:
        with Line(account) as line:
            while waiting and len(lost) < LOST_IN_A_ROW:
                if shutdown.is_asked_for() or timezone.now() >= give_up_at:
                    return False
                lost = [] if _search(waiting[0], line) else [*lost, waiting[0]]
                del waiting[0]
    except shutdown.Ending:
        return False
    except ACCOUNT_ITSELF as error:
        _leave(waiting, reason_of(error))
    else:
        if waiting:
            _leave(waiting, reason(SILENT))
            Evidence.objects.filter(call__in=lost).update(
                searched_at=timezone.now()
            )  # the others are asked about first
    return True


def _leave(calls: Sequence[Call], why: dict[str, Any]) -> None:
    for call in calls:
        _keep(call, Proposal.CANNOT_TELL, reason(NOT_SEARCHED, reason=why), [])


def _search(call: Call, line: Line) -> bool:
    """False when the provider did not answer, with all patience. Raises what concerns the whole account."""
    answered = True
    try:
        found = search_send(call, line) if call.operation in SENDS else _search_contacts(call, line)
    except ACCOUNT_ITSELF:
        raise
    except ProviderError as error:
        answered = isinstance(error, Rejected)
        found = Proposal.CANNOT_TELL, reason(NOT_SEARCHED, reason=reason_of(error)), []
    _keep(call, *found)
    return answered


def _keep(call: Call, proposal: str, why: dict[str, Any], rows: Sequence[Row]) -> None:
    values = {"proposal": proposal, "why": why, "rows": [asdict(row) for row in rows], "searched_at": timezone.now()}
    Evidence.objects.update_or_create(call=call, defaults=values)


# Contacts


def _search_contacts(call: Call, line: Line) -> Found:
    phones = set(RunItem.objects.filter(call=call).values_list("phone", flat=True))
    if call.operation != Operation.CREATE_CONTACTS or call.run.phonebook is None or not phones:
        return Proposal.CANNOT_TELL, reason(BY_PUSH), []
    there = len(Finder(line, call.run.phonebook).find(phones))
    if there == len(phones):
        return Proposal.SENT, reason(ALL_THERE, people=there), []
    if there:
        return Proposal.CANNOT_TELL, reason(SOME_THERE, there=there, people=len(phones)), []
    if minutes_since(call) < SETTLED / dt.timedelta(minutes=1):
        return Proposal.CANNOT_TELL, reason(TOO_EARLY), []
    return Proposal.NOT_SENT, reason(NONE_THERE, people=len(phones)), []


# Decisions

_DONE = gettext_noop("%(user)s decided: it was carried out.")
_NOT_DONE = gettext_noop("%(user)s decided: it was not carried out.")


def decide(call: Call, *, sent: bool, user: User) -> None:
    """A person decides about one unknown call. What the provider shows goes with it. Raises `TransitionRefused`.

    Contacts of a call that was no send are told by the next push, which reads the provider; here only the call is closed.
    """
    if call.operation in SENDS:
        evidence = Evidence.objects.filter(call=call).first()
        resolve_unknown(call, sent=sent, user=user, references=evidence.references if evidence and sent else ())
        return
    why = reason(_DONE if sent else _NOT_DONE, user=user.get_username())
    state = Call.State.ACCEPTED if sent else Call.State.NOT_SENT
    transition(call, state, table={state: frozenset({Call.State.UNKNOWN})}, error=why)


def apply(calls: QuerySet[Call], proposal: str, *, user: User) -> int:
    """Decide as proposed for those of the calls whose evidence speaks for `proposal`, and is not replaced meanwhile. Returns for how many."""
    if proposal not in {Proposal.SENT, Proposal.NOT_SENT}:
        return 0
    decided = 0
    proposed = calls.filter(state=Call.State.UNKNOWN, evidence__proposal=proposal)
    for call in proposed.select_related("evidence").order_by("pk"):
        try:
            with transaction.atomic():
                seen = Evidence.objects.select_for_update().filter(call=call, searched_at=call.evidence.searched_at)
                if not seen.exists():  # searched again in this moment
                    continue
                decide(call, sent=proposal == Proposal.SENT, user=user)
        except TransitionRefused:  # decided by somebody else or by the provider meanwhile
            continue
        decided += 1
    return decided
