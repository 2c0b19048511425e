"""Bulks: one text to groups or to numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from providers.sandbox.lox24.call import Call
from providers.sandbox.lox24.delivery import BULK_NEW, BULK_RUNNING, Bulk
from providers.sandbox.lox24.envelope import Refused, failure
from providers.sandbox.lox24.fields import refuse_body
from providers.sandbox.lox24.filters import Filters
from providers.sandbox.lox24.outgoing import COMMON, charge, new_sms, read_outgoing
from providers.sandbox.lox24.phones import international
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

FIELDS = frozenset({*COMMON, "phones", "msg_groups"})

VALUES: dict[str, Callable[[Bulk, float], Any]] = {
    "uuid": lambda bulk, now: bulk.uuid,
    "text": lambda bulk, now: bulk.text,
    "sender_id": lambda bulk, now: bulk.sender_id,
    "status_code": lambda bulk, now: bulk.status(now),
    "msg_total_count": lambda bulk, now: len(bulk.sms_uuids),
    "created_at": lambda bulk, now: int(bulk.created),
    "delivery_at": lambda bulk, now: bulk.delivery_at,
    "processed_at": lambda bulk, now: int(bulk.due),
}
FILTERS = Filters(
    VALUES,
    many=("uuid", "status_code", "created_at", "delivery_at", "processed_at"),
    orders=("created_at", "delivery_at", "processed_at", "msg_total_count"),
    has_ranges=False,
)


def show(call: Call, bulk: Bulk) -> dict[str, Any]:
    status = bulk.status(call.now)
    data = {
        "uuid": bulk.uuid,
        "delivery_at": bulk.delivery_at,
        "sender_id": bulk.sender_id,
        "text": None if call.state.is_text_deleted else bulk.text,
        "phones": bulk.phones,
        "msg_groups": bulk.msg_groups,
        "status_code": status,
        "msg_total_count": len(bulk.sms_uuids) if bulk.is_begun(call.now) else 0,
        "created_at": int(bulk.created),
        "processed_at": int(bulk.due) if status > BULK_NEW else None,
        "ip": "127.0.0.1",
        "is_unicode": bulk.is_unicode,
        "is_dryrun": False,
        "service_code": bulk.service_code,
        "key_id": 3,
        "source": bulk.source,
        "voice_lang": bulk.voice_lang,
        "is_text_deleted": call.state.is_text_deleted,
        "price": round(sum(call.state.sms[uuid].price for uuid in bulk.sms_uuids), 4),
    }
    return {name: value for name, value in data.items() if name != "source" or "no_source" not in call.state.quirks}


def in_list(call: Call, bulk: Bulk) -> dict[str, Any]:
    data = show(call, bulk)
    return {"@id": f"/bulks/{bulk.uuid}", "@type": "Bulk", **data} if call.is_ld else data


def create(call: Call) -> Response:
    """Everybody in the groups gets it, one who is there twice gets it twice: nothing else is documented."""
    body = call.body(FIELDS)
    outgoing = read_outgoing(call, body)
    phones, groups = body.array("phones", str), body.array("msg_groups", int)
    if body.has("phones") == body.has("msg_groups"):
        call.problems.violation("missing", "phones", "Either phones or msg_groups is needed.")
    people: list[tuple[str, str | None]] = []
    for index, written in enumerate(phones):
        people.append((international(written), None))
        if not people[-1][0]:
            call.problems.add(f"phones[{index}]", "invalid value")
    for index, group_id in enumerate(groups):
        if group_id not in call.state.groups:
            call.problems.add(f"msg_groups[{index}]", "This group does not exist.")
            continue
        people += [(phone.phone, phone.callback_data) for phone in call.state.phones_of(group_id)]
    call.problems.check()
    charge(call, outgoing.parts, [phone for phone, _ in people])
    bulk = Bulk(
        uuid=call.state.new_uuid(),
        text=outgoing.text,
        sender_id=outgoing.sender_id,
        created=call.now,
        due=outgoing.due(call.now, call.settings.maturity),
        maturity=call.settings.maturity,
        is_unicode=outgoing.is_unicode,
        service_code=outgoing.service_code,
        delivery_at=outgoing.delivery_at,
        source=outgoing.source,
        voice_lang=outgoing.voice_lang,
        phones=phones,
        msg_groups=groups,
    )
    for phone, callback_data in people:
        sms = new_sms(call, outgoing, phone, callback_data=callback_data, bulk_id=bulk.uuid)
        call.state.accept(sms)
        bulk.sms_uuids.append(sms.uuid)
    call.state.bulks[bulk.uuid] = bulk
    return call.show(show(call, bulk), f"/bulks/{bulk.uuid}", "Bulk", status=201)


def list_bulks(call: Call) -> Response:
    pairs = call.query(FILTERS.allows)
    refuse_body(call.request, call.problems)
    rows = FILTERS.select(list(call.state.bulks.values()), pairs, call)
    return call.pages(rows, partial(in_list, call), "Bulk", pairs)


def find(call: Call, uuid: str) -> Bulk:
    if uuid not in call.state.bulks:
        raise call.not_found()
    return call.state.bulks[uuid]


def show_bulk(call: Call, uuid: str) -> Response:
    call.nothing()
    return call.show(show(call, find(call, uuid)), f"/bulks/{uuid}", "Bulk")


def cancel(call: Call, uuid: str) -> Response:
    """Before it is processed, and while it is: then what has not left stays."""
    call.nothing()
    bulk = find(call, uuid)
    if bulk.status(call.now) not in (BULK_NEW, BULK_RUNNING):
        violation = ("status_code", "The bulk can't be cancelled.")
        raise Refused(failure(422, violations=[violation], is_ld=call.is_ld))
    for sms_uuid in bulk.sms_uuids:
        call.state.cancel(call.state.sms[sms_uuid])
    bulk.cancelled_at = call.now
    return call.show(show(call, bulk), f"/bulks/{uuid}", "Bulk")


ROUTES = [
    Route("POST", "/bulks", create, changes=True),
    Route("GET", "/bulks", list_bulks),
    Route("GET", "/bulks/{uuid}", show_bulk),
    Route("PUT", "/bulks/{uuid}/cancel", cancel, changes=True),
]
