"""Sending, and cancelling what is scheduled."""

from __future__ import annotations

import datetime as dt
from typing import Any

from providers.backends.ippanel import forms
from providers.backends.ippanel.calls import Calls
from providers.backends.ippanel.limits import problem_with_message
from providers.exceptions import OutcomeUnknown, Throttled
from providers.text import gettext_noop
from providers.types import ChosenContacts, OutboundMessage, SendReceipt, WholePhonebooks

_PERHAPS_SENT = gettext_noop(
    "IPPanel answered HTTP 429: the same text from the same sender to the same number went out within the last "
    "40 seconds, perhaps by this very send. It is not known whether it was carried out; look at IPPanel's report."
)


class SendCalls(Calls):
    def send(self, message: OutboundMessage) -> SendReceipt:
        if not self.capabilities.can(message.operation):
            self._unsupported(message.operation)
        if problem := problem_with_message(message, now=dt.datetime.now(dt.UTC)):
            raise problem
        try:
            answer = self.post("/api/send", _send_body(message))
        except Throttled as error:
            raise OutcomeUnknown(_PERHAPS_SENT, status=error.status, code=error.code) from error
        return self.http.read(answer, _receipt)

    def cancel_send(self, reference: str) -> None:
        self.post("/api/send/cancel", {"message_outbox_id": forms.id_number(reference)})


def _send_body(message: OutboundMessage) -> dict[str, Any]:
    body: dict[str, Any] = {
        "sending_type": "phonebook" if message.targets else "webservice",
        "from_number": message.sender,
        "message": message.text,
        # An array for phonebooks, an object for numbers.
        "params": [_target(target) for target in message.targets] or {"recipients": list(message.numbers)},
    }
    if message.send_at is not None:
        body["send_time"] = forms.send_time(message.send_at)
    return body


def _target(target: WholePhonebooks | ChosenContacts) -> dict[str, Any]:
    """One entry of `params`. The ids in it are the contacts' own, as text: the document's note calls them phone numbers."""
    if isinstance(target, ChosenContacts):
        return {"phonebook_id": target.book.remote_id, "type": "detail", "number_ids": list(target.contact_ids)}
    entry: dict[str, Any] = {"phonebook_ids": [book.remote_id for book in target.books], "type": "all"}
    if target.start is not None:
        entry["start"] = str(target.start)
    if target.size is not None:
        entry["size"] = str(target.size)
    return entry


def _receipt(data: Any) -> SendReceipt:
    references = data["message_outbox_ids"]
    if not isinstance(references, list) or not references:
        raise ValueError
    return SendReceipt(tuple(forms.remote_id(reference) for reference in references))
