"""Sending to one number at a time, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from providers import values
from providers.backends.atomtelecom import facts, forms
from providers.backends.atomtelecom.calls import Calls
from providers.backends.atomtelecom.limits import problem_with_message
from providers.exceptions import NotFound, Rejected
from providers.text import gettext_noop
from providers.types import (
    DeliveryState,
    OutboundMessage,
    RecipientReport,
    SendReceipt,
    SendReport,
    SendState,
)

_NO_SUCH_SEND = gettext_noop("Atom Telecom does not know the message %(reference)s: “%(words)s”.")


class SendCalls(Calls):
    def send(self, message: OutboundMessage) -> SendReceipt:
        if not self.capabilities.can(message.operation):
            self._unsupported(message.operation)
        if problem := problem_with_message(message, now=dt.datetime.now(dt.UTC)):
            raise problem
        body = {"to": forms.recipient(message.numbers[0]), "from": message.sender, "text": message.text}
        if message.callback_url:
            body["callback"] = message.callback_url
        return self.http.read(self.post("sms/send", body), _receipt)

    def report(self, reference: str) -> SendReport:
        try:
            answer = self.post("sms/status", {"message_id": reference})
        except Rejected as error:
            # The id is all that was sent, so nothing else can be wrong with it.
            params = {"reference": reference, "words": error.params.get("words") or f"HTTP {error.status}"}
            raise NotFound(_NO_SUCH_SEND, params=params, status=error.status) from None
        return self.http.read(answer, _report)

    def recipient_reports(self, reference: str) -> Iterator[RecipientReport]:
        yield from self.report(reference).people or ()


def _receipt(result: Any) -> SendReceipt:
    return SendReceipt((values.remote_id(result["message_id"]),))


def _report(result: Any) -> SendReport:
    raw_state = result["status"]
    if not isinstance(raw_state, str):
        raise TypeError
    word = raw_state.strip().casefold()
    person = RecipientReport("", facts.DELIVERY_STATES.get(word, DeliveryState.UNRECOGNISED), raw_state)
    return SendReport(
        reference=values.remote_id(result["message_id"]),
        state=facts.SEND_STATES.get(word, SendState.UNRECOGNISED),
        raw_state=raw_state,
        recipients=1,
        people=(person,),
    )
