"""Phones: create one or many, list, show, update, delete."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from providers.sandbox.lox24.call import Call
from providers.sandbox.lox24.envelope import Refused, answer, failure, no_content, problem_body
from providers.sandbox.lox24.fields import Fields, refuse_body
from providers.sandbox.lox24.records import COLUMNS, Group, Phone
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

FIELDS = frozenset({"phone", *COLUMNS, "callback_data"})
MAX_BATCH = 1000


@dataclass
class Row:
    """One phone as it was sent; `complaint` says why it is refused."""

    phone: str
    columns: dict[str, str | None]
    callback_data: str | None
    complaint: str = ""


def international(phone: str) -> str:
    """The number as it is kept: +49…, 0049…, 49… and, for this German account, 01…; "" when it is none."""
    digits = re.sub(r"[\s()/-]", "", phone)
    for pattern, start in ((r"\+([1-9]\d{6,14})", "+"), (r"00([1-9]\d{6,14})", "+"), (r"0(1\d{8,11})", "+49")):
        if found := re.fullmatch(pattern, digits, re.ASCII):
            return start + found[1]
    return f"+{digits}" if re.fullmatch(r"[1-9]\d{6,14}", digits, re.ASCII) else ""


def read_row(fields: Fields) -> Row:
    written = fields.text("phone", max_length=30)
    columns = {column: fields.text_or_null(column, max_length=1530) for column in COLUMNS}
    phone = international(written)
    return Row(phone, columns, fields.text_or_null("callback_data", max_length=36), "" if phone else "invalid value")


def show(phone: Phone) -> dict[str, Any]:
    """The id is text here and a number in the path."""
    return {
        "id": str(phone.id),
        "phone": phone.phone,
        **phone.columns,
        "callback_data": phone.callback_data,
        "subscribed_at": phone.subscribed_at,
        "unsubscribed_at": phone.unsubscribed_at,
        "unsubscribe_reason": phone.unsubscribe_reason,
    }


def shown(call: Call, phone: Phone) -> dict[str, Any]:
    data = show(phone)
    return {"@id": f"/phones/{phone.id}", "@type": "Phone", **data} if call.is_ld else data


def list_phones(call: Call, group_id: str) -> Response:
    """All at once: no pages are documented. With the quirk "phones_paged" there are next links."""
    paged = "phones_paged" in call.state.quirks
    pairs = call.query(lambda name: paged and name == "page")
    refuse_body(call.request, call.problems)
    phones = call.state.phones_of(call.group(group_id))
    call.problems.check()
    if paged:
        return call.pages(phones, lambda phone: shown(call, phone), "Phone", pairs)
    held = phones[: call.state.page_size] if "phones_cut" in call.state.quirks else phones
    more = {} if "no_totals" in call.state.quirks else {"totalItems": len(phones)}
    return call.collection([shown(call, phone) for phone in held], f"/groups/{group_id}/phones", "Phone", **more)


def store(call: Call, group: Group, row: Row) -> Phone | str:
    """The new phone, or why there is none. A number that is there already is added again unless the quirk says otherwise."""
    if row.complaint:
        return row.complaint
    if "refuse_duplicates" in call.state.quirks and any(
        phone.phone == row.phone for phone in call.state.phones_of(group)
    ):
        return "This value is already used."
    return call.state.add_phone(group, row.phone, columns=row.columns, callback_data=row.callback_data)


def create_phone(call: Call, group_id: str) -> Response:
    group = call.group(group_id)
    row = read_row(call.body(FIELDS))
    call.problems.check()
    made = store(call, group, row)
    if isinstance(made, str):
        raise Refused(failure(422, violations=[("phone", made)], is_ld=call.is_ld))
    return call.show(show(made), f"/phones/{made.id}", "Phone", status=201)


def create_batch(call: Call, group_id: str) -> Response:
    """One status per element; the shape of the whole is what the state says, for the document is not clear."""
    group = call.group(group_id)
    rows = call.array()
    if not rows:
        call.problems.add("body", "This collection should contain 1 element or more.")
    if len(rows) > MAX_BATCH:
        call.problems.violation("limit", "body", f"This collection should contain {MAX_BATCH} elements or less.")
    read = []
    for index, data in enumerate(rows):
        if type(data) is not dict:
            call.problems.violation("wrong type", f"[{index}]", "This value should be of type object.")
        else:
            read.append(read_row(Fields(call.problems, data, FIELDS, prefix=f"[{index}].")))
    call.problems.check()
    elements = []
    for row in read:
        made = store(call, group, row)
        if isinstance(made, str):
            elements.append({"status": 422, "body": problem_body([("phone", made)], is_ld=call.is_ld)})
        else:
            elements.append({"status": 201, "body": shown(call, made)})
    return in_shape(call, group, elements)


def in_shape(call: Call, group: Group, elements: list[dict[str, Any]]) -> Response:
    """`batch_shape` of the state: "list", "reversed", "keyed", "single" or "bare"."""
    status = call.state.batch_status
    shape = call.state.batch_shape if call.is_ld else "bare"
    if shape == "reversed":
        elements = elements[::-1]
    if shape == "bare":
        return answer(status, elements, is_ld=call.is_ld)
    members: Any = elements
    if shape == "keyed":
        members = {str(index): element for index, element in enumerate(elements)}
    elif shape == "single":
        members = elements[0]
    made = call.collection(members, f"/groups/{group.id}/phones/batch", "Phone", totalItems=len(elements))
    return Response(status, made.body, made.content_type, made.headers)


def show_phone(call: Call, phone_id: str) -> Response:
    call.nothing()
    phone = call.phone(phone_id)
    return call.show(show(phone), f"/phones/{phone.id}", "Phone")


def update_phone(call: Call, phone_id: str) -> Response:
    """Everything is set: a column that is left out is emptied."""
    phone = call.phone(phone_id)
    row = read_row(call.body(FIELDS))
    call.problems.check()
    if row.complaint:
        raise Refused(failure(422, violations=[("phone", row.complaint)], is_ld=call.is_ld))
    phone.phone, phone.columns, phone.callback_data = row.phone, row.columns, row.callback_data
    status = 201 if "created_on_put" in call.state.quirks else 200
    return call.show(show(phone), f"/phones/{phone.id}", "Phone", status=status)


def delete_phone(call: Call, phone_id: str) -> Response:
    call.nothing()
    call.state.delete_phone(call.phone(phone_id))
    return no_content()


ROUTES = [
    Route("GET", "/groups/{group_id}/phones", list_phones),
    Route("POST", "/groups/{group_id}/phones", create_phone, changes=True),
    Route("POST", "/groups/{group_id}/phones/batch", create_batch, changes=True),
    Route("GET", "/phones/{phone_id}", show_phone),
    Route("PUT", "/phones/{phone_id}", update_phone, changes=True),
    Route("DELETE", "/phones/{phone_id}", delete_phone, changes=True),
]
