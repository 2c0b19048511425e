"""Single SMS: send, price, list, show, cancel many."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from providers.sandbox.lox24.call import Call
from providers.sandbox.lox24.delivery import Sms
from providers.sandbox.lox24.envelope import answer
from providers.sandbox.lox24.fields import Fields, refuse_body
from providers.sandbox.lox24.filters import Filters
from providers.sandbox.lox24.outgoing import COMMON, charge, new_sms, read_outgoing
from providers.sandbox.lox24.phones import international
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

FIELDS = frozenset({*COMMON, "phone", "callback_data", "is_text_deleted", "is_delete_text"})
ISO2 = {"+49": "DE", "+43": "AT", "+41": "CH", "+39": "IT", "+34": "ES", "+98": "IR", "+61": "AU"}

VALUES: dict[str, Callable[[Sms, float], Any]] = {
    "uuid": lambda sms, now: sms.uuid,
    "bulk": lambda sms, now: sms.bulk_id,
    "callback_data": lambda sms, now: sms.callback_data,
    "sender_id": lambda sms, now: sms.sender_id,
    "phone": lambda sms, now: sms.phone,
    "text": lambda sms, now: sms.text,
    "source": lambda sms, now: sms.source,
    "status_code": lambda sms, now: sms.codes(now)[0],
    "dlr_code": lambda sms, now: sms.codes(now)[1],
    "created_at": lambda sms, now: int(sms.created),
    "delivery_at": lambda sms, now: sms.delivery_at,
    "gateway_sent_at": lambda sms, now: int(sms.due) if now >= sms.due else 0,
    "parts_count": lambda sms, now: sms.parts,
    "chars_count": lambda sms, now: len(sms.text),
    "iso2": lambda sms, now: ISO2.get(sms.phone[:3]),
}
FILTERS = Filters(
    VALUES,
    many=("uuid", "iso2", "dlr_code", "status_code", "gateway_sent_at", "delivery_at", "created_at"),
    orders=("created_at", "gateway_sent_at"),
    has_ranges=True,
)


def show(call: Call, sms: Sms) -> dict[str, Any]:
    now = call.now
    status, delivery = sms.codes(now)
    data: dict[str, Any] = {
        "uuid": sms.uuid,
        "text": None if call.state.is_text_deleted else sms.text,
        "sender_id": sms.sender_id,
        "phone": sms.phone,
        "delivery_at": sms.delivery_at,
        "status_code": status,
        "gateway_sent_at": int(sms.due) if now >= sms.due and not sms.cancelled else None,
        "source": sms.source,
        "dlr_code": delivery,
        "ip": "127.0.0.1",
        "created_at": int(sms.created),
        "is_unicode": sms.is_unicode,
        "iso2": ISO2.get(sms.phone[:3]),
        "voice_lang": sms.voice_lang,
        "parts_count": sms.parts,
        "chars_count": len(sms.text),
        "callback_data": sms.callback_data,
        "bulk_id": sms.bulk_id,
        "key_id": 3,
        "service_code": sms.service_code,
        "is_text_deleted": call.state.is_text_deleted,
        "price": round(sms.price, 4),
        "is_sent": now >= sms.due and not sms.cancelled,
        "requests": [],
        "clicks": 0,
    }
    return {name: value for name, value in data.items() if name != "source" or "no_source" not in call.state.quirks}


def in_list(call: Call, sms: Sms) -> dict[str, Any]:
    data = show(call, sms)
    return {"@id": f"/sms/{sms.uuid}", "@type": "Sms", **data} if call.is_ld else data


def read_sms(call: Call, body: Fields) -> Sms:
    """A message that is not kept yet. Raises `Refused`."""
    outgoing = read_outgoing(call, body)
    phone = international(body.text("phone"))
    if not phone and body.has("phone"):
        call.problems.add("phone", "invalid value")
    callback_data = body.text_or_null("callback_data", max_length=36)
    body.boolean_or_null("is_text_deleted")
    body.boolean_or_null("is_delete_text")
    call.problems.check()
    return new_sms(call, outgoing, phone, callback_data=callback_data)


def send(call: Call) -> Response:
    sms = read_sms(call, call.body(FIELDS))
    charge(call, sms.parts, [sms.phone])
    call.state.accept(sms)
    return call.show(show(call, sms), f"/sms/{sms.uuid}", "Sms", status=201)


def dry_run(call: Call) -> Response:
    """The price, and nothing else happens."""
    sms = read_sms(call, call.body(FIELDS))
    return call.show(show(call, sms), f"/sms/{sms.uuid}", "Sms", status=201)


def list_sms(call: Call) -> Response:
    pairs = call.query(FILTERS.allows)
    refuse_body(call.request, call.problems)
    rows = FILTERS.select([sms for sms in call.state.sms.values() if call.state.is_made(sms)], pairs, call)
    return call.pages(rows, partial(in_list, call), "Sms", pairs)


def show_sms(call: Call, uuid: str) -> Response:
    call.nothing()
    if uuid not in call.state.sms or not call.state.is_made(call.state.sms[uuid]):
        raise call.not_found()
    return call.show(show(call, call.state.sms[uuid]), f"/sms/{uuid}", "Sms")


def batch_cancel(call: Call) -> Response:
    """Whatever the filters leave and has not gone out: without a filter, everything. That is never meant and noted."""
    pairs = [pair for pair in call.query(FILTERS.allows) if pair[0] != "page"]
    refuse_body(call.request, call.problems)
    rows = FILTERS.select(list(call.state.sms.values()), pairs, call)
    call.problems.check()
    if not any(name in {"uuid[]", "bulk"} and value for name, value in pairs):
        call.problems.violation("missing", "uuid[]", "Everything is cancelled.")
    return answer(200, {"canceled_sms_count": sum(call.state.cancel(sms) for sms in rows)})


ROUTES = [
    Route("POST", "/sms", send, changes=True),
    Route("POST", "/sms/dryrun", dry_run),
    Route("GET", "/sms", list_sms),
    Route("GET", "/sms/{uuid}", show_sms),
    Route("POST", "/sms/ops/batch_cancel", batch_cancel, changes=True),
]
