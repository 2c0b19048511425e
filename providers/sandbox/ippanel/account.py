"""The account itself: token check, credit, sender numbers, price."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict

from providers.sandbox.ippanel.call import Call
from providers.sandbox.ippanel.delivery import MCI_PRICE, OTHER_PRICE, count_parts
from providers.sandbox.ippanel.envelope import ok
from providers.sandbox.ippanel.fields import Fields
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

MAX_CHARACTERS = 1400
MAX_PARTS = 20


def check_token(call: Call) -> Response:
    call.nothing()
    state = call.state
    return ok(
        {
            "user_name": state.user_name,
            "user_id": 41001,
            "document_block": state.document_block,
            "is_reseller": False,
            "send_block": state.send_block,
            "name": state.name,
        }
    )


def credit(call: Call) -> Response:
    call.nothing()
    updated = dt.datetime.fromtimestamp(call.state.clock.now(), dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    amount = round(call.state.credit, 2)
    return ok({"credit": amount, "yesterday_credit": amount, "gift": 0, "gift_expires_at": None, "updated_at": updated})


def numbers(call: Call) -> Response:
    """The document shows no pagination members here."""
    query = call.query(("page", "per_page"))
    page, per_page = query.pages()
    call.problems.check()
    rows = call.state.numbers[(page - 1) * per_page : page * per_page]
    return ok([asdict(row) for row in rows])


def read_sender(call: Call, body: Fields, name: str) -> str:
    """A required sender of the account."""
    sender = body.text(name, required=True)
    if sender and all(sender != row.number for row in call.state.numbers):
        call.problems.add(body.where(name), "شماره فرستنده معتبر نیست")
    return sender


def read_message(call: Call, body: Fields) -> str:
    """A required text of at most 1400 characters and 20 parts."""
    message = body.text("message", required=True, max_length=MAX_CHARACTERS)
    if len(message) <= MAX_CHARACTERS and count_parts(message) > MAX_PARTS:
        call.problems.violation("limit", body.where("message"), f"پیام نباید بیشتر از {MAX_PARTS} بخش باشد")
    return message


def calculate_price(call: Call) -> Response:
    body = call.body(("number", "message"))
    read_sender(call, body, "number")
    message = read_message(call, body)
    call.problems.check()
    parts = count_parts(message)
    return ok({"mci_price": MCI_PRICE * parts, "other_price": OTHER_PRICE * parts, "parts": parts})


ROUTES = [
    Route("POST", "/api/acl/auth/check_token", check_token),
    Route("GET", "/api/payment/credit/mine", credit),
    Route("GET", "/api/number/numbers", numbers),
    Route("POST", "/api/send/calculate-price", calculate_price),
]
