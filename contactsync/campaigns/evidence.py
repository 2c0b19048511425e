"""What the providers show of calls whose outcome is not known: looked up, kept, and weighed. A person applies it, nobody else.

A send is known again by our own reference, which is proof, or by who got it: exactly its people, once, in its time, and
no other call of ours that it could be. Everything less speaks for nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.resolve import EARLIER, resolve_unknown, text_of
from contactsync.models import Call, Evidence, ProviderAccount, Recipient, RunItem
from contactsync.models.reasons import reason
from contactsync.models.transitions import TransitionRefused, transition
from contactsync.sync import sends
from contactsync.sync.connect import SENDS, Operation, ProviderError, RecipientReport, SendReport, reason_of
from contactsync.sync.line import Line
from contactsync.sync.remote import Finder

Proposal = Evidence.Proposal

SETTLED = dt.timedelta(minutes=10)  # after a call; before, a provider may not show it yet
ANSWER_WITHIN = dt.timedelta(minutes=15)  # longer than any call is on the wire
SEARCHED_AT_ONCE = 200  # calls of one account
MOST_ROWS = 20  # of one call

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
NO_CONTACT = gettext_noop("The person's id at the provider is not known here, so the conversation cannot be read.")
NOT_SEARCHED = gettext_noop("The provider could not be searched: %(reason)s")
ALL_THERE = gettext_noop("All its contacts (%(people)s) are in the provider's phonebook.")
NONE_THERE = gettext_noop("None of its contacts (%(people)s) is in the provider's phonebook.")
SOME_THERE = gettext_noop(
    "Some of its contacts are in the provider's phonebook: %(there)s of %(people)s. The next push finds out."
)
BY_PUSH = gettext_noop("The next push of the phonebook reads the provider and finds out.")


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


def unknown_calls() -> QuerySet[Call]:
    """All calls of unknown outcome, whatever they are."""
    return Call.objects.filter(state=Call.State.UNKNOWN)


def search_account(account_id: int) -> int:
    """Search the account's provider for its unknown calls, those first that were not searched for longest. Returns how many."""
    account = ProviderAccount.objects.get(pk=account_id)
    calls = unknown_calls().filter(run__account=account).select_related("run__account", "run__phonebook")
    waiting = list(calls.order_by(F("evidence__searched_at").asc(nulls_first=True), "pk")[:SEARCHED_AT_ONCE])
    try:
        with Line(account) as line:
            for call in waiting:
                _search(call, line)
    except ProviderError as error:  # the account itself
        for call in waiting:
            _keep(call, Proposal.CANNOT_TELL, reason(NOT_SEARCHED, reason=reason_of(error)), [])
    return len(waiting)


def _search(call: Call, line: Line) -> None:
    try:
        found = _search_send(call, line) if call.operation in SENDS else _search_contacts(call, line)
    except ProviderError as error:
        found = Proposal.CANNOT_TELL, reason(NOT_SEARCHED, reason=reason_of(error)), []
    _keep(call, *found)


Found = tuple[str, dict[str, Any], list[Row]]


def _keep(call: Call, proposal: str, why: dict[str, Any], rows: Sequence[Row]) -> None:
    values = {"proposal": proposal, "why": why, "rows": [asdict(row) for row in rows], "searched_at": timezone.now()}
    Evidence.objects.update_or_create(call=call, defaults=values)


# Sends


def _search_send(call: Call, line: Line) -> Found:
    people = set(Recipient.objects.filter(call=call).values_list("phone", flat=True))
    since = _began(call) - EARLIER
    if line.capabilities.can(Operation.FIND_SENDS):
        sender, reference = call.run.plan["sender"], str(call.uuid)
        shown = sends.find_sends(
            line.account, sender=sender, text=text_of(call), since=since, reference=reference, line=line
        )
        rows = [_row(call, report, people, line) for report in _first(shown, call)]
        doubt = _has_twin(call, people)
    elif line.capabilities.can(Operation.READ_CONVERSATION) and len(people) == 1:
        contact_id = _contact_id(call)
        if not contact_id:
            return Proposal.CANNOT_TELL, reason(NO_CONTACT), []
        shown = sends.sent_to(line, contact_id, text=text_of(call), since=since)
        rows = [_row(call, report, people, None) for report in _first(shown, call)]
        doubt = _has_twin(call, people) or _is_unexplained(call, people, shown, since)
    else:
        return Proposal.CANNOT_TELL, reason(line.capabilities.why_not(Operation.FIND_SENDS)), []
    rows = _with_owners(call, rows)
    proposal, why, those = weigh(
        rows,
        people=len(people),
        minutes=_minutes_since(call),
        has_twin=doubt,
        has_texts="texts" in call.target,
        is_cut=len(shown) > MOST_ROWS,
    )
    return proposal, why, [Row(**{**asdict(row), "is_it": row.reference in those}) for row in rows]


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


def _first(shown: Sequence[SendReport], call: Call) -> list[SendReport]:
    """As many as are looked at, the one with our own reference before all others."""
    return sorted(shown, key=lambda report: report.our_reference != str(call.uuid))[:MOST_ROWS]


def _row(call: Call, report: SendReport, people: set[str], line: Line | None) -> Row:
    got = _people_of(call, report, line) if line is not None else people
    matched = None if got is None else len(got & people)
    until = (call.finished_at or _began(call)) + ANSWER_WITHIN
    return Row(
        reference=report.reference,
        at=report.made_at.isoformat() if report.made_at else "",
        text=report.text[:500],
        state=report.label or report.raw_state,
        recipients=report.recipients,
        matched=matched,
        missing=None if matched is None else len(people) - matched,
        strangers=None if got is None else len(got - people),
        is_proof=report.our_reference == str(call.uuid),
        is_late=report.made_at is None or report.made_at > until,
    )


def _people_of(call: Call, report: SendReport, line: Line) -> set[str] | None:
    """Whom the provider shows in it; None when it shows nobody or fewer than it counts, which is not the same as nobody."""

    def gather(chunks: Iterator[list[RecipientReport]]) -> set[str]:
        return {row.phone for chunk in chunks for row in chunk}

    if report.people is not None:
        got = {row.phone for row in report.people}
    elif line.capabilities.can(Operation.READ_REPORT):
        got = sends.fold_recipients(line, report.reference, gather)
    else:
        return None
    got.discard("")
    return got if got and (report.recipients is None or len(got) >= report.recipients) else None


def _with_owners(call: Call, rows: Iterable[Row]) -> list[Row]:
    """With the calls of ours that have these references already."""
    rows = list(rows)
    wanted = {row.reference for row in rows}
    others = Call.objects.filter(run__account=call.run.account_id, operation__in=SENDS).exclude(references=[])
    near = others.filter(started_at__gte=_began(call) - dt.timedelta(days=1)).exclude(pk=call.pk)
    owners = {
        reference: pk
        for pk, references in near.values_list("pk", "references").iterator()
        for reference in references
        if reference in wanted
    }
    return [Row(**{**asdict(row), "belongs_to": owners.get(row.reference)}) for row in rows]


def _has_twin(call: Call, people: set[str]) -> bool:
    """Whether another unknown call had the same text for one of these people: what is shown could be that one."""
    others = Recipient.objects.filter(phone__in=sorted(people)[:1], state=Recipient.State.UNKNOWN)
    others = others.filter(campaign__account=call.run.account_id).exclude(call=call)
    return others.filter(text=text_of(call)).exists()


def _is_unexplained(call: Call, people: set[str], shown: Sequence[SendReport], since: dt.datetime) -> bool:
    """Whether an accepted message of this text to this person is shown under another id than the one we were given."""
    same = Recipient.objects.filter(
        phone__in=people, text=text_of(call), state=Recipient.State.ACCEPTED, call__started_at__gte=since
    )
    return same.exclude(call=call).exclude(reference__in=[report.reference for report in shown]).exists()


def _contact_id(call: Call) -> str:
    person = Recipient.objects.filter(call=call).select_related("contact").first()
    if person is None:
        return ""
    return person.remote_id or (person.contact.remote_id if person.contact else "")


def _began(call: Call) -> dt.datetime:
    return call.started_at or call.run.created_at


def _minutes_since(call: Call) -> int:
    return int((timezone.now() - _began(call)) / dt.timedelta(minutes=1))


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
    if _minutes_since(call) < SETTLED / dt.timedelta(minutes=1):
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
    """Decide as proposed for those of the calls whose evidence speaks for `proposal`. Returns for how many."""
    if proposal not in {Proposal.SENT, Proposal.NOT_SENT}:
        return 0
    decided = 0
    for call in calls.filter(state=Call.State.UNKNOWN, evidence__proposal=proposal).order_by("pk"):
        try:
            decide(call, sent=proposal == Proposal.SENT, user=user)
        except TransitionRefused:  # decided by somebody else or by the provider meanwhile
            continue
        decided += 1
    return decided
