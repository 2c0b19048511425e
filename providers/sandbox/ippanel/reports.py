"""Reports on sends, and the inbox. All of them only read."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from providers.sandbox.ippanel.call import Call, is_id
from providers.sandbox.ippanel.delivery import LABELS, Message, Send, SendStatus, is_mci
from providers.sandbox.ippanel.envelope import Refused, invalid, not_found, ok
from providers.sandbox.ippanel.fields import Fields
from providers.sandbox.ippanel.records import Inbound
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

REJECT_COMMENT = "متن پیام مجاز نیست"
FILTERS = {
    "username": str,
    "number": str,
    "messages_outbox_id": str,
    "create_from_date": str,
    "create_to_date": str,
    "send_from_date": str,
    "send_to_date": str,
    "from_exit_count": int,
    "to_exit_count": int,
    "message": str,
    "state_id": str,
}
STATISTICS = {"4": "operators_blacklist", "3": "operators_failed", "0": "operators_pending", "": "operators_pending",
              "1": "operators_sent", "2": "operators_delivered"}  # fmt: skip


def find_send(call: Call, text: str) -> Send:
    found = call.state.sends.get(int(text)) if is_id(text) else None
    if found is None:
        raise Refused(not_found())
    return found


def show_send(call: Call, send: Send) -> dict[str, Any]:
    """The members that both report calls share."""
    now = call.state.clock.now()
    status = send.status(now)
    word, persian = LABELS[status]
    gone = len(send.messages) if status is SendStatus.SENT else 0
    return {
        "username": call.state.user_name,
        "number_color": "#000000",
        "number": send.sender,
        "number_id": str(next((row.id for row in call.state.numbers if row.number == send.sender), 0)),
        "messages_outbox_id": str(send.id),
        "state": word,
        "type": send.type,
        "time_send": str(int(send.due)),
        "time": str(int(send.created)),
        "rcpts_count": str(len(send.messages)),
        "exit_count": str(gone),
        "status": persian,
        "partner_id": None,
        "in_delivery_line": "0",
        "valid": "1",
        "message": send.text,
        "part": send.messages[0].parts if send.messages else 0,
        "cost": 0 if send.cancelled or send.failed is not None else send.cost,
        "summary": send.text[:50],
        "user_ip": "127.0.0.1",
        "user_id": 41001,
        "files_path": None,
        "parent_id": None,
        "state_id": int(status),
    }


def by_bulk(call: Call) -> Response:
    query = call.query(("messages_outbox_id",))
    send_id = query.text("messages_outbox_id", required=True)
    call.problems.check()
    send = find_send(call, send_id)
    rejected = send.status(call.state.clock.now()) is SendStatus.REJECTED
    return ok({**show_send(call, send), "return": 0, "reject_comment": REJECT_COMMENT if rejected else ""})


def new_list(call: Call) -> Response:
    """Newest first."""
    body = call.body(("page", "limit", "filters"))
    page, limit = body.integer("page", default=1), body.integer("limit", default=10)
    filters = body.nested("filters", FILTERS)
    wanted = {
        name: filters.text(name) if kind is str else filters.integer(name)
        for name, kind in FILTERS.items()
        if filters.has(name)
    }
    check_page(call, page, limit, "limit")
    check_filters(call, filters, wanted)
    call.problems.check()
    if "state_id" in wanted and wanted["state_id"] not in {str(int(status)) for status in SendStatus}:
        raise Refused(invalid({"state_id": ["وضعیت معتبر نیست"]}, code="400-31"))
    rows = [send for send in reversed(call.state.sends.values()) if fits(call, send, wanted)]
    return call.page(rows, page, limit, partial(show_send, call))


def check_page(call: Call, page: int, size: int, name: str) -> None:
    if page < 1:
        call.problems.violation("limit", "page", "مقدار مجاز نیست")
    if not 1 <= size <= 1000:
        call.problems.violation("limit", name, "مقدار مجاز نیست")


def check_filters(call: Call, filters: Fields, wanted: dict[str, Any]) -> None:
    """Dates are Unix seconds as strings."""
    for name, value in wanted.items():
        if name.endswith("_date") and not is_id(value):
            call.problems.violation("wrong type", filters.where(name), "زمان معتبر نیست")


def fits(call: Call, send: Send, wanted: dict[str, Any]) -> bool:
    """Whether a send passes every filter; texts fit in part, dates and counts include their ends."""
    now = call.state.clock.now()
    created, due = int(send.created), int(send.due)
    gone = len(send.messages) if send.status(now) is SendStatus.SENT else 0
    tests: dict[str, Callable[[Any], bool]] = {
        "username": lambda v: fnmatch.fnmatchcase(call.state.user_name, v),
        "number": lambda v: v == send.sender,
        "messages_outbox_id": lambda v: v == str(send.id),
        "create_from_date": lambda v: created >= int(v),
        "create_to_date": lambda v: created <= int(v),
        "send_from_date": lambda v: due >= int(v),
        "send_to_date": lambda v: due <= int(v),
        "from_exit_count": lambda v: gone >= v,
        "to_exit_count": lambda v: gone <= v,
        "message": lambda v: v in send.text,
        "state_id": lambda v: v == str(int(send.status(now))),
    }
    return all(tests[name](value) for name, value in wanted.items())


def recipients(call: Call) -> Response:
    query = call.query(("bulk_id", "page", "per_page"))
    page, per_page = query.pages()
    send_id = query.text("bulk_id", required=True)
    call.problems.check()
    send = find_send(call, send_id)
    now = call.state.clock.now()

    def show(message: Message) -> dict[str, Any]:
        return {
            "recipient": message.recipient,
            "message": message.text,
            "is_readable": True,
            "msg_parts": str(message.parts),
            "message_status": send.message_status(message, now),
        }

    return call.page(send.messages, page, per_page, show)


def bulk_stats(call: Call) -> Response:
    """Integers for one operator and numeric strings for the other, as the document's example mixes them."""
    query = call.query(("bulk_id",))
    send_id = query.text("bulk_id", required=True)
    call.problems.check()
    send = find_send(call, send_id)
    now = call.state.clock.now()
    counts: Counter[tuple[str, bool, bool]] = Counter(
        (STATISTICS[send.message_status(m, now)], is_mci(m.recipient), m.text.isascii()) for m in send.messages
    )
    return ok(
        {
            name: {
                "irancell": {"en": str(counts[name, False, True]), "fa": str(counts[name, False, False])},
                "mci": {"en": counts[name, True, True], "fa": counts[name, True, False]},
            }
            for name in dict.fromkeys(STATISTICS.values())
        }
    )


def messages_inbox(call: Call) -> Response:
    """Newest first; `from_id` leaves only those with a greater id."""
    body = call.body(("page", "per_page", "filters"))
    page, per_page = body.integer("page", default=1), body.integer("per_page", default=10)
    filters = body.nested("filters", ("from_id",))
    from_id = filters.integer("from_id")
    check_page(call, page, per_page, "per_page")
    call.problems.check()

    def show(row: Inbound) -> dict[str, Any]:
        return {
            "messages_inbox_id": row.id,
            "from": row.sender,
            "number": row.number,
            "message": row.message,
            "type": "sms",
            "time": row.time,
            "seen": "0",
        }

    return call.page([row for row in reversed(call.state.inbox) if row.id > from_id], page, per_page, show)


ROUTES = [
    Route("GET", "/api/report/by_bulk", by_bulk),
    Route("POST", "/api/report/new_list", new_list),
    Route("GET", "/api/report/recipients", recipients),
    Route("GET", "/api/report/bulk_stats", bulk_stats),
    Route("POST", "/api/report/messages-inbox", messages_inbox),
]
