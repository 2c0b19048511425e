"""The provider's report of one call, read into its recipients."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from contactsync.models import Call, Recipient
from contactsync.sync import sends
from contactsync.sync.connect import NotFound, ProviderError, RecipientReport, SendReport, reason_of
from contactsync.sync.line import Line

SHOWN_WITHIN = dt.timedelta(hours=1)  # by then a provider shows what it has accepted

_AFTER_SEND = {
    sends.SendState.QUEUED: Recipient.Delivery.QUEUED,
    sends.SendState.SENDING: Recipient.Delivery.SENT,
    sends.SendState.CANCELLED: Recipient.Delivery.CANCELLED,
    sends.SendState.FAILED: Recipient.Delivery.FAILED,
}


@dataclass(slots=True)
class _People:
    """Whom one reference reported."""

    phones: set[str] = field(default_factory=set)
    rows: int = 0
    carried: int = 0  # of the numbers, those that the call carried


def read_call(call: Call, line: Line) -> None:
    """Read state and recipients of an accepted call. Reading twice changes nothing twice.

    A call may have several references; only together they tell who is missing. Raises `ProviderError`, which is kept
    with the call as well, so that the others are asked about first the next time. A send that the provider has accepted
    and does not know long after reports nobody: somebody has to hear of that.
    """
    try:
        entries, unreported = _read(call, line)
    except NotFound as error:
        is_lost = call.finished_at is not None and timezone.now() - call.finished_at > SHOWN_WITHIN
        missing = {"unreported": _silent(call)} if is_lost else {}
        _keep(call, {**call.report, **missing, "error": reason_of(error)}, is_final=False)
        raise
    except ProviderError as error:
        _keep(call, {**call.report, "error": reason_of(error)}, is_final=False)
        raise
    over = all(entry["final"] for entry in entries)
    moving = Recipient.objects.filter(call=call).exclude(delivery__in=Recipient.FINAL_DELIVERIES)
    _keep(call, {"sends": entries, "unreported": unreported}, is_final=over and not moving.exists())


def _keep(call: Call, report: dict[str, Any], *, is_final: bool) -> None:
    call.report, call.report_is_final, call.reported_at = report, is_final, timezone.now()
    call.save(update_fields=["report", "report_is_final", "reported_at"])


@dataclass(slots=True)
class _Known:
    """What earlier readings of a call told, so that nothing is asked again that cannot have changed."""

    entries: dict[str, dict[str, Any]]
    references: set[str]  # whose people are known; empty where there is only one
    moving: set[str]  # whose people are not all at an end; "" for people of whom nothing was said

    @classmethod
    def of(cls, call: Call) -> _Known:
        people = Recipient.objects.filter(call=call).order_by()
        several = len(call.references) > 1
        named = people.exclude(reference="").values_list("reference", flat=True).distinct() if several else ()
        moving = people.exclude(delivery__in=Recipient.FINAL_DELIVERIES)
        return cls(
            entries={entry["reference"]: entry for entry in call.report.get("sends", [])},
            references=set(named),
            moving=set(moving.values_list("reference", flat=True).distinct()) if several else {""},
        )

    def ended(self, reference: str) -> dict[str, Any] | None:
        """The entry of a send that is over and whose people are asked for apart: its state stays as it is."""
        entry = self.entries.get(reference)
        return entry if entry and entry["final"] and entry["apart"] else None

    def is_settled(self, reference: str) -> bool:
        """Whether nothing at all can come of asking about this send."""
        return self.ended(reference) is not None and not {reference, ""} & self.moving


def _read(call: Call, line: Line) -> tuple[list[dict[str, Any]], int]:
    """(an entry per reference, carried numbers that a final report does not have)"""
    seen: set[str] = set()
    known = _Known.of(call)
    entries = [_read_send(call, reference, line, known=known, seen=seen) for reference in call.references]
    _name_the_rest(call, entries)
    over = all(entry["final"] for entry in entries)
    return entries, _silent(call) if over else 0


def _silent(call: Call) -> int:
    """How many of its people the provider has said nothing of."""
    return Recipient.objects.filter(call=call, delivery_raw="").count()


def _name_the_rest(call: Call, entries: Sequence[Mapping[str, Any]]) -> None:
    """A send that failed as a whole may list nobody: when there is only one of that kind, whoever is in no other is in it."""
    people = Recipient.objects.filter(call=call).order_by()
    named = set(people.values_list("reference", flat=True).distinct())
    nameless = [entry for entry in entries if entry["reference"] not in named]
    if len(entries) < 2 or len(nameless) != 1 or "" not in named:
        return
    (entry,) = nameless
    state = sends.SendState(entry["state"])
    if entry["final"] and state in _AFTER_SEND:
        people.filter(reference="").update(reference=entry["reference"][:100])
        _write_send_state(call, _AFTER_SEND[state], raw=entry["raw_state"], reference=entry["reference"])


def _read_send(call: Call, reference: str, line: Line, *, known: _Known, seen: set[str]) -> dict[str, Any]:
    """The entry of one reference. `seen` are the numbers of those before it."""
    if known.is_settled(reference):
        return known.entries[reference]
    entry, asks, people = known.ended(reference), True, None
    if entry is None:
        report = sends.send_report(line.account, reference, line=line)
        before = known.entries.get(reference, {})
        entry = {"unexpected": 0, "repeated": 0, **before, **_entry(call, reference, report)}
        people = report.people
        is_named = len(call.references) == 1 or reference in known.references
        asks = report.tells_states or not is_named
    if asks:
        told = _people(call, people, reference, line)
        entry["repeated"] = told.rows - len(told.phones) + len(seen & told.phones)
        entry["unexpected"] = len(told.phones) - told.carried
        seen |= told.phones
    if state := _AFTER_SEND.get(sends.SendState(entry["state"])):
        _write_send_state(call, state, raw=entry["raw_state"], reference=reference)
    return entry


def _entry(call: Call, reference: str, report: SendReport) -> dict[str, Any]:
    return {
        "reference": reference,
        "state": str(report.state),
        "raw_state": report.raw_state,
        "label": report.label or report.reason,
        "recipients": report.recipients,
        "call": call.pk,
        "final": report.state.is_final,
        "apart": report.people is None,
        "cost": None if report.cost is None else str(report.cost),
    }


def _people(call: Call, people: Sequence[RecipientReport] | None, reference: str, line: Line) -> _People:
    """Everybody in one report; asked for where the report itself did not tell."""
    if people is not None:
        return _fold(call, iter([list(people)]), reference=reference)
    return sends.fold_recipients(line, reference, lambda chunks: _fold(call, chunks, reference=reference))


def _fold(call: Call, chunks: Iterator[list[RecipientReport]], *, reference: str) -> _People:
    told = _People()
    for chunk in chunks:
        # Of a number reported twice the last word counts.
        rows = {row.phone: row for row in _named(call, chunk)}
        again = {phone: row for phone, row in rows.items() if phone in told.phones}
        told.carried += _write(call, [row for phone, row in rows.items() if phone not in again], reference=reference)
        _write(call, again.values(), reference=reference)
        told.phones |= rows.keys()
        told.rows += len(chunk)
    return told


def _named(call: Call, rows: list[RecipientReport]) -> list[RecipientReport]:
    """With the number where the provider leaves it out, as it may for the only recipient of a send."""
    if all(row.phone for row in rows):
        return rows
    phones = list(Recipient.objects.filter(call=call).values_list("phone", flat=True)[:2])
    return [row if row.phone or len(phones) != 1 else replace(row, phone=phones[0]) for row in rows]


def _write(call: Call, rows: Iterable[RecipientReport], *, reference: str) -> int:
    """Set the delivery of everybody reported, many at a time. Returns how many of them the call carried.

    A row without a code says only that the number is part of the send.
    """
    by_state: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        by_state.setdefault((str(row.state), row.raw_state[:50]), []).append(row.phone)
    carried = Recipient.objects.filter(call=call)
    several = len(call.references) > 1
    found = 0
    for (state, raw), phones in by_state.items():
        changes = {"delivery": state, "delivery_raw": raw, "delivery_at": timezone.now()} if raw else {}
        if several:
            changes["reference"] = reference[:100]
        rows_here = carried.filter(phone__in=phones)
        found += rows_here.update(**changes) if changes else rows_here.count()
    return found


def _write_send_state(call: Call, state: str, *, raw: str, reference: str) -> None:
    """What holds for the whole send holds for everybody of whom nothing is said; of several sends, for its own people."""
    silent = Recipient.objects.filter(call=call, delivery_raw="")
    if len(call.references) > 1:
        silent = silent.filter(reference=reference)
    code = raw[:50] if state in Recipient.FINAL_DELIVERIES else ""
    silent.update(delivery=state, delivery_raw=code, delivery_at=timezone.now())
