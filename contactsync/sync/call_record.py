"""What stays of a call on record: what was said, the facts in the answer, and an answer that came too late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from contactsync.models import Call
from contactsync.models.reasons import reason
from contactsync.sync.connect import Exchange, ProviderError, reason_of
from providers.types import BatchResult, RemoteOption, RemotePhonebook, SendReceipt

LATE = gettext_noop("Answered late, after the outcome was decided without the answer: %(answer)s")
LATE_TOO = gettext_noop("%(before)s Answered late, after the outcome was decided without the answer: %(answer)s")
CARRIED_OUT = gettext_noop("It was carried out.")
EXCERPT = 4000


def keep_late_answer(call: Call, answer: ProviderError | None, exchanges: Sequence[Exchange]) -> None:
    """A call was decided before its answer came (None: it was carried out): the decision stands, the answer is put beside it."""
    came = reason_of(answer) if answer is not None else reason(CARRIED_OUT)
    with transaction.atomic(durable=True):
        row = Call.objects.select_for_update().get(pk=call.pk)
        changes: dict[str, Any] = {
            "error": reason(LATE_TOO, before=row.error, answer=came) if row.error else reason(LATE, answer=came)
        }
        if row.state not in {Call.State.ON_WIRE, Call.State.ACCEPTED} and exchanges:
            changes |= what_was_said(exchanges)
        Call.objects.filter(pk=call.pk).update(**changes)


def was_carried_out_late(call: Call) -> bool:
    """Whether the answer that came after the outcome was decided says that the call was carried out."""
    kept = call.error
    return kept.get("message") in {LATE, LATE_TOO} and kept["params"]["answer"] == reason(CARRIED_OUT)


def with_late_answer(call: Call, answer: ProviderError | None, *, kept: dict[str, Any] | None = None) -> dict[str, Any]:
    """The reason to keep with an outcome: its error, and what an earlier attempt was answered after it had been given up.

    `kept` is the reason on record now, where it has been read already.
    """
    error = reason_of(answer) if answer is not None else {}
    if kept is None:
        kept = Call.objects.values_list("error", flat=True).get(pk=call.pk)
    if kept.get("message") not in {LATE, LATE_TOO}:
        return error
    return reason(LATE_TOO, before=error, answer=kept["params"]["answer"]) if error else dict(kept)


def what_was_said(exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """The last exchange that may have changed something (a backend may also look before or after), already redacted."""
    if not exchanges:
        return {}
    last = next((exchange for exchange in reversed(exchanges) if exchange.method != "GET"), exchanges[-1])
    return {
        "request_line": f"{last.method} {last.url}"[:500],
        "request_excerpt": last.request_body[:EXCERPT],
        "response_excerpt": last.response_excerpt[:EXCERPT],
        "status": last.status,
        "provider_request_id": last.request_id[:100],
        "seconds": round(sum(exchange.seconds for exchange in exchanges), 4),
    }


def facts_of(value: object) -> dict[str, Any]:
    """What of the answer is worth its own columns."""
    match value:
        case SendReceipt():
            return {"references": list(value.references)}
        case BatchResult():
            return {"counters": dict(value.counters)}
        case RemotePhonebook() | RemoteOption():
            return {"references": [value.remote_id]}
    return {}
