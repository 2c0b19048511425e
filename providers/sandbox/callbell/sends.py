"""Messages: one recipient each. How one ends is fixed by its number.

…99 fails, …97 is read in the end, …96 is corrected to another number on the way, all others are delivered. A text to
WhatsApp later than 24 hours after the person's last message fails; a template does not.
"""

from __future__ import annotations

import re

from providers.sandbox.callbell.account import variables
from providers.sandbox.callbell.call import Call
from providers.sandbox.callbell.changes import BOT
from providers.sandbox.callbell.envelope import Refused, not_found
from providers.sandbox.callbell.fields import Fields
from providers.sandbox.callbell.hooks import tell_message, vendor_payload
from providers.sandbox.callbell.records import Channel, Send, make_id
from providers.sandbox.callbell.state import digits
from providers.sandbox.routing import Route
from providers.sandbox.wire import Response, json_response

TYPES = ("text", "image", "document")
FIELDS = (
    "from", "type", "content", "channel_uuid", "to", "bsuid", "template_uuid", "optin_contact", "template_values",
    "assigned_user", "team_uuid", "fields", "bot_status", "metadata",
)  # fmt: skip
ENDINGS = {"99": "failed", "97": "read", "96": "mismatch"}
MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 10, 50, 500


def send(call: Call) -> Response:
    body = call.body(FIELDS)
    channel = read_channel(call, body)
    to = body.text("to")
    if not to and not body.text("bsuid"):
        call.problems.violation("missing", "to", "to or bsuid is missing")
    if to and not re.fullmatch(r"\+?[1-9][0-9]{6,14}", to):
        call.problems.add("to is not a valid number")
    bot_status = body.text("bot_status", choices=BOT)
    metadata = read_metadata(call, body)
    text = read_content(call, body)
    call.problems.check()
    phone, state = digits(to), call.state
    is_late = channel.type == "whatsapp" and not body.has("template_uuid") and not state.may_reply(phone, channel.uuid)
    final = "failed" if is_late else ENDINGS.get(phone[-2:], "delivered")
    reason = "More than 24 hours have passed since the person's last message" if is_late else "Undeliverable"
    row = Send(
        make_id("send", state.number()), phone, channel.uuid, text, state.clock.now(), call.settings.maturity, final,
        metadata=metadata, reason=reason, bot_status=bot_status, template=body.text("template_uuid"),
    )  # fmt: skip
    state.add_send(row)
    tell_message(state, call.settings, state.messages[-1], metadata)
    return json_response(200, {"message": {"uuid": row.uuid, "status": "enqueued"}})


def read_channel(call: Call, body: Fields) -> Channel:
    """`from` is the type of the channel in `channel_uuid`."""
    sender, uuid = body.text("from", required=True), body.text("channel_uuid", required=True)
    channel = call.state.channels.get(uuid)
    if channel is None or channel.discarded_at:
        call.problems.add("channel_uuid is invalid")
        return channel or call.state.main_channel
    if sender != channel.type:
        call.problems.violation("wrong value", "from", "from is not the type of the channel")
    return channel


def read_content(call: Call, body: Fields) -> str:
    """The text that goes out."""
    kind = body.text("type", required=True, choices=TYPES)
    content = Fields(call.problems, body.mapping("content", required=True), ("text", "url"), prefix="content.")
    text, url = content.text("text"), content.text("url")
    values = body.texts("template_values")
    opted_in = body.flag("optin_contact")
    if not body.has("template_uuid"):
        if opted_in or values:
            call.problems.violation("undocumented field", "template_values", "only templates have values and opt-in")
        if not (text.strip() if kind == "text" else url):
            call.problems.add("content can't be blank")
        return text
    template = call.state.templates.get(body.text("template_uuid"))
    if template is None or template.status != "approved":
        call.problems.add("template_uuid is invalid")
        return text
    if not opted_in:
        call.problems.violation("missing", "optin_contact", "optin_contact must be true")
    places = variables(template)
    if len(places) == 1 and not values:
        values = [text]
    elif len(values) != len(places) or len(places) == 1:
        call.problems.violation("wrong value", "template_values", "template_values do not fit the template")
    if not all(value.strip() for value in values):
        call.problems.add("a template value can't be blank")
    filled = template.text
    for number, value in zip(places, values, strict=False):
        filled = filled.replace(f"{{{{{number}}}}}", value)
    return filled


def read_metadata(call: Call, body: Fields) -> dict[str, str]:
    metadata = body.mapping("metadata")
    fits = len(metadata) <= MOST_METADATA and all(
        len(key) <= LONGEST_KEY and type(value) is str and len(value) <= LONGEST_VALUE
        for key, value in metadata.items()
    )
    if not fits:
        call.problems.violation("limit", "metadata", "metadata is invalid")
    return metadata


def status(call: Call, uuid: str) -> Response:
    call.nothing()
    if uuid not in call.state.sends:
        raise Refused(not_found())
    row = call.state.sends[uuid]
    shown = {"uuid": row.uuid, "status": row.told, "messageStatusPayload": vendor_payload(row)}
    return json_response(200, {"message": shown})


ROUTES = [
    Route("POST", "/messages/send", send, changes=True),
    Route("GET", "/messages/status/{uuid}", status),
]
