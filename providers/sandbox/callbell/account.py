"""The account: who holds the token, its plan and teams, its channels, its templates."""

from __future__ import annotations

import math
import re
from typing import Any

from providers.sandbox.callbell.call import Call, iso
from providers.sandbox.callbell.envelope import Refused, not_found
from providers.sandbox.callbell.records import Channel, Template
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response, json_response

CHANNEL_TYPES = ("facebook", "whatsapp", "instagram", "telegram")
PAGE = 20


def me(call: Call) -> Response:
    call.nothing()
    state = call.state
    return json_response(
        200,
        {"status": "ok", "user_email": state.user_email, "user_name": state.user_name, "api_key": state.key_name},
    )


def show_channel(channel: Channel) -> dict[str, Any]:
    return {
        "uuid": channel.uuid,
        "title": channel.title,
        "type": channel.type,
        "main": channel.main,
        "discardedAt": channel.discarded_at,
    }


def list_channels(call: Call) -> Response:
    query = call.query(("page", "type", "active"))
    page, kind, active = query.page(), query.text("type", choices=CHANNEL_TYPES), query.flag("active")
    call.problems.check()
    found = [row for row in call.state.channels.values() if kind in ("", row.type)]
    if query.has("active"):
        found = [row for row in found if bool(row.discarded_at) is not active]
    shown = [show_channel(row) for row in found[(page - 1) * PAGE : page * PAGE]]
    pages = max(1, math.ceil(len(found) / PAGE))
    return json_response(200, {"channels": shown, "meta": {"page": page, "pages": pages}})


def one_channel(call: Call, uuid: str) -> Response:
    call.nothing()
    return json_response(200, {"channel": show_channel(call.channel(uuid))})


def show_template(template: Template) -> dict[str, Any]:
    return {
        "uuid": template.uuid,
        "title": template.title,
        "templateType": template.type,
        "category": template.category,
        "status": template.status,
        "text": template.text,
        "createdAt": iso(template.created),
    }


def list_templates(call: Call) -> Response:
    """No page parameter is documented, but `meta.pages` is: `page` is taken from the second page on."""
    query = call.query(("page",))
    page = query.page()
    call.problems.check()
    found = list(call.state.templates.values())
    pages = max(1, math.ceil(len(found) / PAGE))
    shown = [show_template(row) for row in found[(page - 1) * PAGE : page * PAGE]]
    return json_response(200, {"templates": shown, "meta": {"page": page, "pages": pages}})


def one_template(call: Call, uuid: str) -> Response:
    call.nothing()
    if uuid not in call.state.templates:
        raise Refused(not_found())
    return json_response(200, {"template": show_template(call.state.templates[uuid])})


def variables(template: Template) -> list[int]:
    """The numbers of the places in the text."""
    return sorted({int(number) for number in re.findall(r"\{\{([0-9]+)\}\}", template.text)})


ROUTES = [
    Route("GET", "/auth/me", me),
    Route("GET", "/channels", list_channels),
    Route("GET", "/channels/{uuid}", one_channel),
    Route("GET", "/templates", list_templates),
    Route("GET", "/templates/{uuid}", one_template),
]
