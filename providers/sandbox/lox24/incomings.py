"""What people wrote: the list."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from providers.sandbox.lox24.call import Call
from providers.sandbox.lox24.fields import refuse_body
from providers.sandbox.lox24.filters import Filters
from providers.sandbox.lox24.records import Incoming
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

VALUES: dict[str, Callable[[Incoming, float], Any]] = {
    "text": lambda row, now: row.text,
    "from": lambda row, now: row.sender,
    "to": lambda row, now: row.to,
    "msg_uuid": lambda row, now: row.msg_uuid,
    "received_at": lambda row, now: row.received_at,
}
FILTERS = Filters(VALUES, many=("msg_uuid",), orders=("received_at",))


def show(call: Call, row: Incoming) -> dict[str, Any]:
    data = {
        "uuid": row.uuid,
        "to": row.to,
        "from": row.sender,
        "received_at": row.received_at,
        "text": row.text,
        "msg_uuid": row.msg_uuid,
    }
    return {"@id": f"/incomings/{row.uuid}", "@type": "Incoming", **data} if call.is_ld else data


def list_incomings(call: Call) -> Response:
    pairs = call.query(lambda name: name != "received_at" and FILTERS.allows(name))
    refuse_body(call.request, call.problems)
    rows = FILTERS.select(list(call.state.inbox), pairs, call)
    return call.pages(rows, partial(show, call), "Incoming", pairs)


ROUTES = [Route("GET", "/incomings", list_incomings)]
