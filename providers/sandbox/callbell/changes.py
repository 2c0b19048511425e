"""Contacts as they are made, changed and destroyed. The same identifier twice makes a second contact."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from providers.sandbox.callbell.call import Call
from providers.sandbox.callbell.contacts import show
from providers.sandbox.callbell.fields import Fields
from providers.sandbox.callbell.hooks import tell
from providers.sandbox.callbell.records import Contact, CustomField
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response, json_response

SOURCES = ("whatsapp", "facebook", "instagram", "telegram")
BOT = ("bot_start", "bot_end")
LONGEST_NOTE = 1000
COMMON = ("name", "tags", "custom_fields", "assigned_user", "team_uuid", "bot_status", "note")
NEW = (*COMMON, "identifier", "source", "channel_uuid")
CHANGED = (*COMMON, "unassign_user")


def read_common(call: Call, body: Fields, *, is_new: bool) -> dict[str, Any]:
    """What creating and updating share, only what was sent, as attributes of a contact."""
    problems, state = call.problems, call.state
    given: dict[str, Any] = {"name": body.text("name", required=is_new)}
    given["tags"] = body.texts("tags")
    for name in given["tags"]:
        if name not in state.tags:
            problems.add(f"Tag {name} does not exist")
    given["custom_fields"] = body.mapping("custom_fields")
    for name, value in given["custom_fields"].items():
        check_value(call, name, value)
    given["assigned_user"] = body.text("assigned_user")
    if given["assigned_user"] and given["assigned_user"] not in state.users:
        problems.add(f"User {given['assigned_user']} does not exist")
    given["team_uuid"] = body.text("team_uuid")
    if given["team_uuid"] and given["team_uuid"] not in state.teams:
        problems.add(f"Team {given['team_uuid']} does not exist")
    given["bot_status"] = body.text("bot_status", choices=BOT)
    given["note"] = body.text("note", max_length=LONGEST_NOTE)
    given = {name: value for name, value in given.items() if body.has(name)}
    if "team_uuid" in given:
        given["team"] = given.pop("team_uuid")
    return given


def check_value(call: Call, name: str, value: object) -> None:
    """Text for all types but the checkbox, which has an array; an empty one takes the value away."""
    field = call.state.custom_fields.get(name)
    if field is None:
        call.problems.add(f"Custom field {name} does not exist")
    elif type(value) is not (list if field.type == "checkbox" else str):
        call.problems.violation("wrong type", f"custom_fields.{name}", f"{name} has an invalid value")
    elif not value:
        if field.type != "text" and "blank_refused" in call.state.quirks:
            call.problems.add(f"{name} has an invalid value")
    elif not is_value(field, value):
        call.problems.add(f"{name} has an invalid value")


def is_value(field: CustomField, value: Any) -> bool:
    match field.type:
        case "checkbox":
            return all(type(each) is str and each in field.options for each in value)
        case "dropdown":
            return value in field.options
        case "number":
            return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is not None
        case "email":
            return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) is not None
        case "date":
            try:
                return dt.date.fromisoformat(value).isoformat() == str(value)
            except ValueError:
                return False
        case _:
            return True


def create(call: Call) -> Response:
    body = call.body(NEW)
    identifier = body.text("identifier", required=True)
    source = body.text("source", required=True, choices=SOURCES)
    if source == "whatsapp" and identifier and not re.fullmatch(r"[1-9][0-9]{6,14}", identifier):
        call.problems.add("identifier is not a valid WhatsApp number")
    channel = body.text("channel_uuid") or call.state.main_channel.uuid
    if channel not in call.state.channels:
        call.problems.add(f"Channel {channel} does not exist")
    given = read_common(call, body, is_new=True)
    call.problems.check()
    fields = {name: value for name, value in given.pop("custom_fields", {}).items() if value}
    contact = call.state.add_contact(identifier, source=source, channel=channel, custom_fields=fields, **given)
    tell(call.state, call.settings, "contact_created", show(call.state, contact))
    return json_response(201, {"contact": [show(call.state, contact)]})


def update(call: Call, uuid: str) -> Response:
    """Tags and custom fields sent take the place of those there, or with "updates_merge" join them."""
    contact = call.contact(uuid)
    body = call.body(CHANGED)
    unassigns = body.flag("unassign_user")
    given = read_common(call, body, is_new=False)
    if "name" in given and not given["name"].strip():
        call.problems.add("name can't be blank")
    call.problems.check()
    merge(contact, given, merges="updates_merge" in call.state.quirks)
    for name, value in given.items():
        setattr(contact, name, value)
    if unassigns:
        contact.assigned_user = None
    if contact.note == "":
        contact.note = None
    tell(call.state, call.settings, "contact_updated", show(call.state, contact))
    return json_response(200, {"contact": [show(call.state, contact)]})


def merge(contact: Contact, given: dict[str, Any], *, merges: bool) -> None:
    if merges and "tags" in given:
        given["tags"] = [*contact.tags, *(name for name in given["tags"] if name not in contact.tags)]
    if "custom_fields" in given:
        fields = {**(contact.custom_fields if merges else {}), **given["custom_fields"]}
        given["custom_fields"] = {name: value for name, value in fields.items() if value}


def destroy(call: Call, uuid: str) -> Response:
    call.nothing()
    contact = call.contact(uuid)
    call.state.delete_contact(contact)
    tell(call.state, call.settings, "contact_deleted", {"uuid": uuid})
    return json_response(200, {"status": "contact was destroyed"})


ROUTES = [
    Route("POST", "/contacts", create, changes=True),
    Route("PATCH", "/contacts/{uuid}", update, changes=True),
    Route("DELETE", "/contacts/{uuid}", destroy, changes=True),
]
