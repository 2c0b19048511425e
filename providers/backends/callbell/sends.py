"""Sending to one person, and what became of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from providers import values
from providers.backends.callbell import facts, forms
from providers.backends.callbell.calls import Calls, checked_id
from providers.backends.callbell.envelope import rows, single
from providers.backends.callbell.limits import problem_with_message
from providers.exceptions import NotFound, NotSent, OutcomeUnknown, Rejected
from providers.text import gettext_noop
from providers.types import (
    AccountConfig,
    DeliveryState,
    OutboundMessage,
    RecipientReport,
    SendReceipt,
    SendReport,
    SendState,
    TemplateUse,
)

_NO_CHANNEL = gettext_noop("Callbell has no channel %(channel)s. Choose another sender.")
_CLOSED_CHANNEL = gettext_noop("The channel %(channel)s is no longer in use at Callbell. Choose another sender.")
_CHANNEL_UNREAD = gettext_noop("Callbell did not say what kind of channel %(channel)s is, so nothing was sent.")
_NO_SUCH_SEND = gettext_noop("Callbell has no message %(reference)s.")


class SendCalls(Calls):
    def __init__(self, account: AccountConfig) -> None:
        super().__init__(account)
        self._channel_types: dict[str, str] = {}

    def send(self, message: OutboundMessage) -> SendReceipt:
        if not self.capabilities.can(message.operation):
            self._unsupported(message.operation)
        if problem := problem_with_message(message):
            raise problem
        channel_type = self._channel_type(message.sender)
        answer = self.post("/messages/send", _send_body(message, channel_type, self.settings["bot_status"]))
        return self.http.read(answer, _receipt)

    def _channel_type(self, channel: str) -> str:
        """What `from` wants; read once per client. Whatever goes wrong here, nothing has been sent."""
        if channel not in self._channel_types:
            try:
                answer = self.get(f"/channels/{checked_id(channel)}")
                row = self.http.read(answer, lambda data: single(data, "channel"))
            except NotFound:
                row = None
            except OutcomeUnknown as error:
                raise NotSent(_CHANNEL_UNREAD, params={"channel": channel}, status=error.status) from error
            if row is None:
                raise Rejected(_NO_CHANNEL, params={"channel": channel})
            if row.get("discardedAt"):
                raise Rejected(_CLOSED_CHANNEL, params={"channel": channel})
            if not row.get("type"):
                raise NotSent(_CHANNEL_UNREAD, params={"channel": channel})
            self._channel_types[channel] = values.text(row["type"])
        return self._channel_types[channel]

    def report(self, reference: str) -> SendReport:
        answer = self.get(f"/messages/status/{checked_id(reference)}")
        row = self.http.read(answer, lambda data: single(data, "message"))
        if row is None:
            raise NotFound(_NO_SUCH_SEND, params={"reference": reference}, status=answer.status)
        raw_state = values.text(row.get("status"))
        state, delivery = facts.STATES.get(raw_state, (SendState.UNRECOGNISED, DeliveryState.UNRECOGNISED))
        payload = row.get("messageStatusPayload")
        told = raw_state in ("failed", "mismatch") and payload
        return SendReport(
            reference=reference,
            state=state,
            raw_state=raw_state,
            recipients=1,
            # The channel's own words in the channel's own form: shown, never read.
            reason=self.http.words(json.dumps(payload, ensure_ascii=False, default=str)) if told else "",
            people=(RecipientReport("", delivery, raw_state),),
        )

    def recipient_reports(self, reference: str) -> Iterator[RecipientReport]:
        yield from self.report(reference).people or ()

    def sent_to(self, contact_id: str, *, text: str, since: dt.datetime) -> Iterator[SendReport]:
        """The conversation does not show the metadata, so that nothing of it is proof."""
        earliest = since.replace(microsecond=0)
        seen: set[str] = set()
        for page in range(1, facts.CONVERSATION_PAGES + 1):
            answer = self.get(f"/contacts/{checked_id(contact_id)}/messages", page=page)
            found = self.http.read(answer, lambda data: rows(data, "messages"))
            new = [row for row in found if values.text(row.get("uuid")) not in seen]
            if not new:
                return
            seen |= {values.text(row.get("uuid")) for row in new}
            for row in new:
                made_at = forms.moment(row.get("createdAt"))
                is_it = row.get("status") == "sent" and text in ("", row.get("text"))
                if is_it and made_at and made_at >= earliest:
                    yield SendReport(
                        reference=values.text(row.get("uuid")),
                        state=SendState.SENT,
                        raw_state="sent",
                        text=values.text(row.get("text")),
                        recipients=1,
                        made_at=made_at,
                    )

    def last_received(self, contact_id: str) -> dt.datetime | None:
        """Reads the conversation, newest first, 25 pages at most: older messages open no window for replies any more."""
        before: list[Any] = []
        for page in range(1, facts.CONVERSATION_PAGES + 1):
            answer = self.get(f"/contacts/{checked_id(contact_id)}/messages", page=page)
            found = self.http.read(answer, lambda data: rows(data, "messages"))
            if not found or found == before:
                return None
            received = [forms.moment(row.get("createdAt")) for row in found if row.get("status") == "received"]
            if times := [time for time in received if time]:
                return max(times)
            before = found
        return None


def _send_body(message: OutboundMessage, channel_type: str, bot_status: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "from": channel_type,
        "channel_uuid": message.sender,
        "to": forms.digits(message.numbers[0]),
        "type": "text",
        "content": {"text": message.text},
        "bot_status": bot_status,
    }
    if message.reference:
        body["metadata"] = {"call": message.reference}
    if message.template is not None:
        body |= _template_part(message.template)
    return body


def _template_part(template: TemplateUse) -> dict[str, Any]:
    """The value of a single variable is the text itself; several go in their order."""
    part: dict[str, Any] = {"template_uuid": template.remote_id, "optin_contact": True}
    filled = [template.values[str(number)] for number in range(1, len(template.values) + 1)]
    if len(filled) == 1:
        part["content"] = {"text": filled[0]}
    elif filled:
        part["template_values"] = filled
    return part


def _receipt(data: Any) -> SendReceipt:
    message = single(data, "message")
    if message is None:
        raise ValueError
    return SendReceipt((forms.remote_id(message["uuid"]),))
