"""The account itself, and the numbers nothing is sent to."""

from __future__ import annotations

from providers.sandbox.lox24.call import Call
from providers.sandbox.lox24.fields import refuse_body
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response


def me(call: Call) -> Response:
    call.nothing()
    state = call.state
    data = {
        "id": int(state.client_id),
        "currency": state.currency,
        "balance_amount": round(state.balance, 4),
        "balance_changed_at": int(call.now),
        "is_text_deleted": state.is_text_deleted,
        "services": list(state.services),
        "groups": {str(group_id): f"/groups/{group_id}" for group_id in state.groups},
    }
    return call.show(data, "/me", "Client")


def blocked_numbers(call: Call) -> Response:
    """No pages are documented: all at once."""
    wanted = dict(call.query(lambda name: name in {"number", "type"}))
    refuse_body(call.request, call.problems)
    call.problems.check()
    rows = [
        {"id": row.id, "number": row.number, "type": row.type, "added_at": row.added_at}
        for row in call.state.blocked
        if wanted.get("number", row.number) == row.number and wanted.get("type", str(row.type)) == str(row.type)
    ]
    return call.collection(rows, "/blocked_numbers", "BlockedNumber", totalItems=len(rows))


ROUTES = [
    Route("GET", "/me", me),
    Route("GET", "/blocked_numbers", blocked_numbers),
]
