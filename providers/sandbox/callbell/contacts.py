"""Contacts as they are read: the list with its cursor, one by id, one by number, what was said with one."""

from __future__ import annotations

import base64
import json
import math
from typing import Any
from urllib.parse import unquote

from providers.sandbox.callbell.call import Call, iso
from providers.sandbox.callbell.envelope import Refused, failure, not_found
from providers.sandbox.callbell.fields import Query
from providers.sandbox.callbell.records import Contact, Message
from providers.sandbox.callbell.state import CallbellState, digits
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response, json_response

PAGE = 20
LAST_PAGE = 500
FILTERS = ("source", "tags", "team_uuid", "include_field_types")


def spelled(phone: str) -> str | None:
    """A number as this contact happens to show it: every other one has a plus and blanks."""
    if not phone:
        return None
    if int(phone[-1]) % 2 == 0:
        return phone
    return "+" + " ".join(phone[start : start + 3] for start in range(0, len(phone), 3))


def show(state: CallbellState, contact: Contact, *, with_types: bool = False) -> dict[str, Any]:
    """A contact object. Checkbox values are JSON text, except among the metadata."""
    shown: dict[str, Any] = {
        "uuid": contact.uuid,
        "name": contact.name,
        "phoneNumber": spelled(contact.phone),
        "avatarUrl": None,
        "createdAt": iso(contact.created),
        "source": contact.source,
        "href": f"https://dash.callbell.eu/contacts/{contact.uuid}",
        "conversationHref": f"https://dash.callbell.eu/chat/{contact.uuid}",
        "tags": list(contact.tags),
        "assignedUser": contact.assigned_user,
        "customFields": {
            name: json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
            for name, value in contact.custom_fields.items()
        },
        "blockedAt": None if contact.blocked is None else iso(contact.blocked),
        "closedAt": None if contact.closed is None else iso(contact.closed),
        "team": {"uuid": contact.team, "name": state.teams[contact.team]} if contact.team else {},
        "channel": {"uuid": contact.channel},
        "note": contact.note,
    }
    if with_types:
        shown["customFieldsMetadata"] = {
            name: metadata(state, name, value) for name, value in contact.custom_fields.items()
        }
    return shown


def metadata(state: CallbellState, name: str, value: object) -> dict[str, Any]:
    field = state.custom_fields[name]
    return {"value": value, "type": field.type, **({"options": field.options} if field.options else {})}


def list_contacts(call: Call) -> Response:
    """20 a page, the latest conversation first. Page numbers reach 500; a cursor goes on from the last row shown."""
    query = call.query((*FILTERS, "page", "after"))
    page, with_types = query.page(), query.flag("include_field_types")
    call.problems.check()
    found = sorted(filtered(call, query), key=position)
    cursor = query.text("after")
    if cursor:
        last = read_cursor(cursor, query)
        found_after = [row for row in found if position(row) > last]
        shown, rest = found_after[:PAGE], found_after[PAGE:]
    else:
        if page > LAST_PAGE:
            raise Refused(failure(400, "Pagination limit exceeded"))
        shown, rest = found[(page - 1) * PAGE : page * PAGE], found[page * PAGE :]
    body: dict[str, Any] = {"contacts": [show(call.state, row, with_types=with_types) for row in shown]}
    if "no_meta" not in call.state.quirks:
        following = make_cursor(shown[-1], query) if rest else None
        body["meta"] = {"page": page, "pages": max(1, math.ceil(len(found) / PAGE)), "next": following}
    return json_response(200, body)


def position(contact: Contact) -> tuple[float, int]:
    return (-contact.touched, -contact.number)


def filtered(call: Call, query: Query) -> list[Contact]:
    found = list(call.state.contacts.values())
    if source := query.text("source"):
        found = [row for row in found if row.source == source]
    if tags := query.text("tags"):
        wanted = {name.strip().casefold() for name in tags.split(",")}
        found = [row for row in found if wanted & {name.casefold() for name in row.tags}]
    if team := query.text("team_uuid"):
        found = [row for row in found if row.team == team]
    return found


def make_cursor(contact: Contact, query: Query) -> str:
    content = [*position(contact), [query.text(name) for name in FILTERS]]
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def read_cursor(cursor: str, query: Query) -> tuple[float, int]:
    """The position it stands for. Raises `Refused` with 400 for one that is none or goes with other filters."""
    try:
        touched, number, filters = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        raise Refused(failure(400, "Invalid pagination cursor")) from None
    if filters != [query.text(name) for name in FILTERS]:
        raise Refused(failure(400, "Invalid pagination cursor"))
    return touched, number


def one_contact(call: Call, uuid: str) -> Response:
    query = call.query(("include_field_types",))
    with_types = query.flag("include_field_types")
    call.problems.check()
    return json_response(200, {"contact": [show(call.state, call.contact(uuid), with_types=with_types)]})


def by_phone(call: Call, number: str) -> Response:
    """Within one channel, by default the main WhatsApp channel."""
    query = call.query(("channel_uuid",))
    call.problems.check()
    channel = query.text("channel_uuid") or call.state.main_channel.uuid
    number = unquote(number)
    is_form = number.startswith("+") if "phone_needs_plus" in call.state.quirks else True
    uuids = call.state.by_phone.get(digits(number), ()) if is_form else ()
    for contact in (call.state.contacts[uuid] for uuid in uuids):
        if contact.channel == channel:
            return json_response(200, {"contact": show(call.state, contact)})
    if "phone_null" in call.state.quirks:
        return json_response(200, {"contact": None})
    raise Refused(not_found())


def messages(call: Call, uuid: str) -> Response:
    query = call.query(("page",))
    page = query.page()
    call.problems.check()
    contact = call.contact(uuid)
    found = call.state.conversation(contact.phone, contact.channel)[(page - 1) * PAGE : page * PAGE]
    return json_response(200, {"messages": [show_message(call.state, row) for row in found]})


def show_message(state: CallbellState, message: Message) -> dict[str, Any]:
    ours = state.channels[message.channel].title
    return {
        "uuid": message.uuid,
        "text": message.text,
        "createdAt": iso(message.created),
        "status": message.status,
        "channel": state.channels[message.channel].type,
        "from": message.phone if message.status == "received" else ours,
        "to": ours if message.status == "received" else message.phone,
    }


ROUTES = [
    Route("GET", "/contacts", list_contacts),
    Route("GET", "/contacts/phone/{number}", by_phone),
    Route("GET", "/contacts/{uuid}/messages", messages),
    Route("GET", "/contacts/{uuid}", one_contact),
]
