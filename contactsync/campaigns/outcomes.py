"""What becomes of the recipients of calls, written in the transactions that write the calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from contactsync.models import Call, Recipient
from contactsync.sync.connect import reason_of
from contactsync.sync.sends import Performed, SendReceipt, Verdict

_State = Recipient.State
_AFTER = {Verdict.DONE: _State.ACCEPTED, Verdict.FAIL_ITEM: _State.REFUSED, Verdict.UNKNOWN: _State.UNKNOWN}


def put_on_wire(calls: Sequence[Call]) -> None:
    """All recipients of these calls go with them. Raises `RuntimeError` when a call has others than it was planned for."""
    waiting = Recipient.objects.filter(call__in=[call.pk for call in calls], state=_State.PLANNED)
    if waiting.update(state=_State.ON_WIRE) != sum(call.item_count for call in calls):
        pks = ", ".join(str(call.pk) for call in calls)
        raise RuntimeError(f"Of the calls {pks}, one does not have the recipients it was planned for.")


def put_back(calls: Sequence[Call]) -> None:
    """These calls were not begun and are planned again: so are their recipients."""
    begun = Recipient.objects.filter(call__in=[call.pk for call in calls], state=_State.ON_WIRE)
    begun.filter(call__state=Call.State.PLANNED).update(state=_State.PLANNED)


def keep(outcomes: Sequence[tuple[Call, Performed[SendReceipt]]]) -> None:
    """What came of these calls, for each of their recipients.

    The sweep may have given a call up while its answer was on the way; then the answer still counts, but nothing is planned again.
    """
    fields: dict[str, Any] = {field.name: field for field in Recipient._meta.concrete_fields}
    quoted = connection.ops.quote_name
    as_json = fields["error"].get_db_prep_save
    state, reference, error, call = (quoted(fields[name].column) for name in ("state", "reference", "error", "call"))
    values = []
    for row, performed in outcomes:
        after = _AFTER.get(performed.verdict, _State.PLANNED)
        also_from = _State.ON_WIRE if after == _State.PLANNED else _State.UNKNOWN
        references = performed.value.references if performed.value else ()
        why = reason_of(performed.error) if performed.error and after != _State.PLANNED else {}
        one = references[0][:100] if len(references) == 1 else ""
        values.append((str(after), one, as_json(why, connection), row.pk, str(_State.ON_WIRE), str(also_from)))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quoted(Recipient._meta.db_table)} SET {state} = %s, {reference} = %s, {error} = %s "  # noqa: S608 - the model's own names
            f"WHERE {call} = %s AND {state} IN (%s, %s)",
            values,
        )
