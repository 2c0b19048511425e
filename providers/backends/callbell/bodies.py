"""Contacts as Callbell takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.backends.callbell import forms
from providers.types import ContactRecord


def new_contact(record: ContactRecord, tag: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The body of POST /contacts: what is not known is left out. The number stands for a missing name, which is required."""
    fields = {
        "identifier": forms.digits(record.phone),
        "source": settings["source"],
        "name": record.full_name or record.phone,
        "tags": forms.joined((tag,), record.tags),
        "custom_fields": {key: wire for key, value in record.options.items() if (wire := forms.wire_value(value))},
        "assigned_user": record.assigned_user,
        "team_uuid": settings["team_uuid"],
        "channel_uuid": settings["channel_uuid"],
        "bot_status": settings["bot_status"],
        "note": record.note,
    }
    return {name: value for name, value in fields.items() if value}


def changed_contact(
    record: ContactRecord, tag: str, settings: Mapping[str, Any], *, known: Mapping[str, Any]
) -> dict[str, Any]:
    """The body of PATCH /contacts/:uuid; `known` is the contact as just read.

    Whether tags and custom fields are replaced or merged is not documented: always everything there with ours on top.
    An empty name would not be taken, so that the name there stays.
    """
    custom_fields = forms.field_values(known)
    for key, value in record.options.items():
        wire = forms.wire_value(value)
        if wire:
            custom_fields[key] = wire
        elif key in custom_fields:  # emptied in the form it has there
            custom_fields[key] = [] if isinstance(custom_fields[key], list) else ""
    body = {
        "tags": forms.joined((tag,), record.tags, forms.names(known.get("tags"))),
        "custom_fields": custom_fields,
        "name": record.full_name,
        "team_uuid": settings["team_uuid"],
        "bot_status": settings["bot_status"],
    }
    body = {name: value for name, value in body.items() if value}
    if "assigned_user" not in record.leave:
        body |= _assignment(record.assigned_user, known)
    if "note" not in record.leave and (record.note or known.get("note")):
        body["note"] = record.note  # an empty one clears it, one left out would stay
    return body


def _assignment(user: str, known: Mapping[str, Any]) -> dict[str, Any]:
    if user:
        return {"assigned_user": user}
    return {"unassign_user": True} if known.get("assignedUser") else {}
