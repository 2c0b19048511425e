"""What a provider shows of one send whose outcome is not known.

What is looked for is the call's own text. Where that is not found, everything else that went to its people around that
time is looked at too, because a provider may have changed the text, or have taken a part of the call only: to say “not
sent” of what was sent makes a message come twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.resolve import EARLIER, began, sends_like, text_of
from contactsync.campaigns.weighing import Found, Proposal, Row, weigh, weigh_others
from contactsync.models import Call, Callback, Recipient
from contactsync.models.reasons import reason
from contactsync.sync import sends
from contactsync.sync.connect import SENDS, Operation, RecipientReport, SendReport, key_mark
from contactsync.sync.line import Line

ANSWER_WITHIN = dt.timedelta(minutes=15)  # longer than any call is on the wire
CLOCKS = dt.timedelta(minutes=10)  # how far the provider's clock may be behind ours
MOST_ROWS = 20  # of one call
MOST_LISTED = 2_000  # sends of one sender around one call

TOLD = gettext_noop(
    "The provider has told us of this send with the reference that only this call has. The state it told: %(state)s."
)
OTHER_KEY = gettext_noop(
    "Nothing is shown, but the key or the address of the account was changed since the campaign began, so what is shown may be "
    "what another customer has sent. Look in the panel of the account it was sent with."
)
NO_CONTACT = gettext_noop("The person's id at the provider is not known here, so the conversation cannot be read.")


def minutes_since(call: Call) -> int:
    """How long ago the call was made."""
    return int((timezone.now() - began(call)) / dt.timedelta(minutes=1))


def search_send(call: Call, line: Line) -> Found:
    """What the provider shows of it or has told of it, and what that speaks for. Raises `ProviderError`."""
    proposal, why, rows = _shown(call, line)
    told = Callback.objects.filter(account=call.run.account_id, our_reference=str(call.uuid)).order_by("-pk").first()
    if told is not None and proposal != Proposal.SENT:
        return Proposal.SENT, reason(TOLD, state=told.raw_state or "–"), rows
    keys = call.run.plan.get("keys", ())
    if proposal == Proposal.NOT_SENT and keys and keys != [key_mark(line.account)]:
        return Proposal.CANNOT_TELL, reason(OTHER_KEY), rows
    return proposal, why, rows


def _shown(call: Call, line: Line) -> Found:
    people = set(Recipient.objects.filter(call=call).values_list("phone", flat=True))
    if line.capabilities.can(Operation.FIND_SENDS):
        return _weighed(call, people, line, lambda text, since: _listed(call, line, text, since), reads_people=True)
    if not line.capabilities.can(Operation.READ_CONVERSATION) or len(people) != 1:
        return Proposal.CANNOT_TELL, reason(line.capabilities.why_not(Operation.FIND_SENDS)), []
    contact_id = _contact_id(call)
    if not contact_id:
        return Proposal.CANNOT_TELL, reason(NO_CONTACT), []
    return _weighed(
        call,
        people,
        line,
        lambda text, since: sends.sent_to(line, contact_id, text=text, since=since),
        reads_people=False,
    )


def _listed(call: Call, line: Line, text: str, since: dt.datetime) -> list[SendReport]:
    """What the call's sender sent: this text, or whatever it was when that is empty, then only until the call's time is over."""
    until, most = (None, None) if text else (_latest(call), MOST_LISTED + 1)
    return sends_like(call, line, text=text, since=since, until=until, most=most)


def _weighed(
    call: Call,
    people: set[str],
    line: Line,
    show: Callable[[str, dt.datetime], list[SendReport]],
    *,
    reads_people: bool,
) -> Found:
    """What `show(text, since)` speaks for. Where it does not tell whom a send went to, all of them went to this call's people."""
    since = began(call) - EARLIER
    shown = show(text_of(call), since)
    reader = line if reads_people else None
    rows = _with_owners(call, [_row(call, report, people, reader) for report in _first(shown, call)])
    doubt = _has_twin(call, people) or (not reads_people and _is_unexplained(call, people, shown, since))
    proposal, why, those = weigh(
        rows,
        people=len(people),
        minutes=minutes_since(call),
        has_twin=doubt,
        has_texts="texts" in call.target,
        is_cut=len(shown) > MOST_ROWS,
    )
    if proposal == Proposal.NOT_SENT:
        others, is_cut = _others(call, show("", began(call) - CLOCKS), known=shown)
        why_not, more = weigh_others([_row(call, report, people, reader) for report in others], is_cut=is_cut)
        if why_not:
            return Proposal.CANNOT_TELL, why_not, [*rows, *more]
    return proposal, why, [Row(**{**asdict(row), "is_it": row.reference in those}) for row in rows]


def _others(call: Call, shown: Sequence[SendReport], *, known: Sequence[SendReport]) -> tuple[list[SendReport], bool]:
    """Those in the time of the call that no call of ours is known to be, as many as are looked at; and whether there are more."""
    seen = {report.reference for report in known}
    in_time = [report for report in shown if report.made_at is not None and report.made_at <= _latest(call)]
    new = [report for report in in_time if report.reference not in seen]
    owners = _owners(call, {report.reference for report in new})
    free = [report for report in new if report.reference not in owners]
    return free[:MOST_ROWS], len(free) > MOST_ROWS or len(shown) > MOST_LISTED


def _first(shown: Sequence[SendReport], call: Call) -> list[SendReport]:
    """As many as are looked at, the one with our own reference before all others."""
    return sorted(shown, key=lambda report: report.our_reference != str(call.uuid))[:MOST_ROWS]


def _row(call: Call, report: SendReport, people: set[str], line: Line | None) -> Row:
    got = _people_of(call, report, line) if line is not None else people
    matched = None if got is None else len(got & people)
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
        is_late=report.made_at is None or report.made_at > _latest(call),
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


def _with_owners(call: Call, rows: Sequence[Row]) -> list[Row]:
    """With the calls of ours that have these references already."""
    owners = _owners(call, {row.reference for row in rows})
    return [Row(**{**asdict(row), "belongs_to": owners.get(row.reference)}) for row in rows]


def _owners(call: Call, wanted: set[str]) -> dict[str, int]:
    """Reference -> the other call of ours that has it."""
    if not wanted:
        return {}
    others = Call.objects.filter(run__account=call.run.account_id, operation__in=SENDS).exclude(references=[])
    near = others.filter(started_at__gte=began(call) - dt.timedelta(days=1)).exclude(pk=call.pk)
    return {
        reference: pk
        for pk, references in near.values_list("pk", "references").iterator()
        for reference in references
        if reference in wanted
    }


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
    """Whose conversation it is in. After an edit here the contact's id is still that of the old number, which got nothing."""
    person = Recipient.objects.filter(call=call).select_related("contact").first()
    if person is None or person.remote_id or person.contact is None:
        return person.remote_id if person else ""
    is_sure = (person.contact.pushed_payload or {}).get("phone") == person.phone
    return person.contact.remote_id if is_sure else ""


def _latest(call: Call) -> dt.datetime:
    """When the provider can have taken it at the latest."""
    return (call.finished_at or began(call)) + ANSWER_WITHIN
