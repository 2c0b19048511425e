"""Sends and their cancellation."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable

from providers.sandbox.ippanel.account import read_sender
from providers.sandbox.ippanel.audience import Pairs, peer_to_peer, personalised, to_numbers, to_phonebooks
from providers.sandbox.ippanel.call import Call
from providers.sandbox.ippanel.envelope import DUPLICATE, Refused, failure, not_found, ok
from providers.sandbox.ippanel.fields import Fields, parse_body
from providers.sandbox.ippanel.patterns import fill_pattern
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

EARLIEST = 5 * 60
LATEST = 92 * 24 * 3600  # three months
COMMON = ("sending_type", "from_number", "send_time")
TYPES: dict[str, tuple[tuple[str, ...], Callable[[Call, Fields], list[Pairs]]]] = {
    "phonebook": ((*COMMON, "message", "params"), to_phonebooks),
    "keyword_phonebook": ((*COMMON, "message", "params"), personalised),
    "webservice": ((*COMMON, "message", "params"), to_numbers),
    "peer_to_peer": ((*COMMON, "params"), peer_to_peer),
    "pattern": ((*COMMON, "code", "recipients", "params", "phonebook"), fill_pattern),
}


def read_send_time(call: Call, body: Fields) -> float | None:
    """`YYYY-MM-DD HH:MM:SS` in UTC, between 5 minutes and 3 months ahead; None when it is left out."""
    text = body.text("send_time")
    if not body.has("send_time"):
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text, re.ASCII):
            raise ValueError(text)
        moment = float(calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S")))
    except ValueError:
        call.problems.violation("wrong type", "send_time", "زمان ارسال معتبر نیست")
        return None
    ahead = moment - call.state.clock.now()
    if not EARLIEST <= ahead <= LATEST:
        call.problems.add("send_time", "زمان ارسال باید بین ۵ دقیقه تا ۳ ماه آینده باشد")
    return moment


def send(call: Call) -> Response:
    """Nothing is sent unless the answer is 200."""
    data = parse_body(call.request, call.problems)
    kind = data.get("sending_type")
    if not isinstance(kind, str) or kind not in TYPES:
        call.problems.violation("wrong type", "sending_type", "نوع ارسال معتبر نیست")
        call.problems.check()
        return not_found()
    allowed, read = TYPES[kind]
    body = call.body(allowed)
    sender = read_sender(call, body, "from_number")
    send_at = read_send_time(call, body)
    messages = read(call, body)
    if call.state.send_block:
        call.problems.add("from_number", "ارسال پیام برای حساب شما مسدود است")
    call.problems.check()
    refuse_repetition(call, sender, messages)
    ids = [
        call.state.add_send(
            kind, sender, pairs[0][1], pairs, send_at=send_at, maturity=call.settings.maturity
        ).id
        for pairs in messages
    ]  # fmt: skip
    call.state.settle()
    return ok({"message_outbox_ids": ids})


def refuse_repetition(call: Call, sender: str, messages: list[Pairs]) -> None:
    """The same recipient, sender and text twice within 40 seconds is 429."""
    by_text: dict[str, set[str]] = {}
    for pairs in messages:
        for number, text in pairs:
            by_text.setdefault(text, set()).add(number)
    if any(call.state.is_repeated(sender, text, frozenset(numbers)) for text, numbers in by_text.items()):
        raise Refused(failure(429, "429-1", DUPLICATE))


def cancel(call: Call) -> Response:
    """Only a scheduled send, and only until 5 minutes before its time."""
    body = call.body(("message_outbox_id",))
    send_id = body.integer("message_outbox_id", required=True)
    call.problems.check()
    found = call.state.sends.get(send_id)
    if not found or not found.waits or found.send_at is None:
        return not_found()
    if found.send_at - call.state.clock.now() < EARLIEST:
        return not_found()
    found.cancelled = True
    return ok(None)


ROUTES = [
    Route("POST", "/api/send", send, changes=True),
    Route("POST", "/api/send/cancel", cancel, changes=True),
]
