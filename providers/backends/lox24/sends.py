"""Sending, and cancelling what has not gone out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from providers.backends.lox24 import facts, forms
from providers.backends.lox24.calls import Calls
from providers.backends.lox24.limits import problem_with_message
from providers.backends.lox24.messages import BULK, read_reference, receipt, send_body
from providers.exceptions import Rejected
from providers.text import gettext_noop
from providers.types import OutboundMessage, SendReceipt, SendState

_TOO_LATE = gettext_noop("LOX24 cancelled nothing: the send has gone out, or was cancelled before.")


class SendCalls(Calls):
    def send(self, message: OutboundMessage) -> SendReceipt:
        """The receipt holds one reference, `sms:<uuid>` for a single number and `bulk:<uuid>` for all else."""
        if not self.capabilities.can(message.operation):
            self._unsupported(message.operation)
        if problem := problem_with_message(message, now=dt.datetime.now(dt.UTC)):
            raise problem
        kind, body = send_body(message, self.settings)
        answer = self.post("/bulks" if kind == BULK else "/sms", body)
        return self.http.read(answer, lambda data: receipt(kind, data))

    def cancel_send(self, reference: str) -> None:
        kind, uuid = read_reference(reference)
        if kind == BULK:
            answer = self.put(f"/bulks/{uuid}/cancel")
            if self.http.read(answer, _bulk_state) is SendState.SENT:
                raise Rejected(_TOO_LATE, status=answer.status)
        elif not self._cancel_sms([uuid]):
            raise Rejected(_TOO_LATE)

    def _cancel_sms(self, uuids: Sequence[str]) -> int:
        """How many were cancelled. Raises `ValueError` without uuids: the call would then cancel every waiting SMS of the account."""
        if not uuids or not all(uuid.strip() for uuid in uuids):
            raise ValueError("batch_cancel is never called without the uuids it is for")
        query = urlencode([("uuid[]", uuid) for uuid in uuids])
        answer = self.http.request("POST", f"/sms/ops/batch_cancel?{query}")
        return self.http.read(answer, _cancelled)


def _bulk_state(data: Any) -> SendState:
    return facts.BULK_STATES.get(int(data["status_code"]), SendState.UNRECOGNISED)


def _cancelled(data: Any) -> int:
    count = forms.whole(data["canceled_sms_count"])
    if count is None:
        raise ValueError
    return count
