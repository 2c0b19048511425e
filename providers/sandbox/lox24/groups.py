"""Groups: create, list, show, update, delete."""

from __future__ import annotations

from functools import partial
from typing import Any

from providers.sandbox.lox24.call import Call
from providers.sandbox.lox24.envelope import no_content
from providers.sandbox.lox24.fields import Fields, refuse_body
from providers.sandbox.lox24.records import COLUMNS, Group
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response

#: `phones`, whose form differs between versions of the document, is not taken
FIELDS = frozenset({"name", "description", *(f"name_{column}" for column in COLUMNS)})


def show(call: Call, group: Group) -> dict[str, Any]:
    data: dict[str, Any] = {"id": group.id, "name": group.name, "description": group.description}
    data |= {f"name_{column}": group.labels.get(column) for column in COLUMNS}
    if "no_count" not in call.state.quirks:
        data["count_items"] = len(group.phone_ids)
    return {**data, "deleted_at": group.deleted_at}


def read(fields: Fields) -> tuple[str, str | None, dict[str, str | None]]:
    """Name, description and labels; what is left out is nothing."""
    name = fields.text("name", max_length=50)
    labels = {column: fields.text_or_null(f"name_{column}", max_length=50) for column in COLUMNS}
    return name, fields.text_or_null("description", max_length=255), labels


def list_groups(call: Call) -> Response:
    pairs = call.query(lambda name: name == "page")
    refuse_body(call.request, call.problems)
    return call.pages(list(call.state.groups.values()), partial(in_list, call), "Group", pairs)


def in_list(call: Call, group: Group) -> dict[str, Any]:
    data = show(call, group)
    return {"@id": f"/groups/{group.id}", "@type": "Group", **data} if call.is_ld else data


def create_group(call: Call) -> Response:
    name, description, labels = read(call.body(FIELDS))
    call.problems.check()
    group = call.state.add_group(name, description=description, labels=labels)
    return call.show(show(call, group), f"/groups/{group.id}", "Group", status=201)


def show_group(call: Call, group_id: str) -> Response:
    call.nothing()
    group = call.group(group_id)
    return call.show(show(call, group), f"/groups/{group.id}", "Group")


def update_group(call: Call, group_id: str) -> Response:
    """Everything is set: a label that is left out is gone."""
    group = call.group(group_id)
    name, description, labels = read(call.body(FIELDS))
    call.problems.check()
    group.name, group.description, group.labels = name, description, labels
    status = 201 if "created_on_put" in call.state.quirks else 200
    return call.show(show(call, group), f"/groups/{group.id}", "Group", status=status)


def delete_group(call: Call, group_id: str) -> Response:
    call.nothing()
    call.state.delete_group(call.group(group_id))
    return no_content()


ROUTES = [
    Route("GET", "/groups", list_groups),
    Route("POST", "/groups", create_group, changes=True),
    Route("GET", "/groups/{group_id}", show_group),
    Route("PUT", "/groups/{group_id}", update_group, changes=True),
    Route("DELETE", "/groups/{group_id}", delete_group, changes=True),
]
