"""Sending, and cancelling what is scheduled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, cast

from providers import values
from providers.backends.ippanel import forms
from providers.backends.ippanel.calls import Calls
from providers.backends.ippanel.limits import problem_with_message
from providers.exceptions import OutcomeUnknown, Throttled
from providers.text import gettext_noop
from providers.types import (
    ChosenContacts,
    Operation,
    OutboundMessage,
    RemoteTemplate,
    SendReceipt,
    TemplateUse,
    WholePhonebooks,
)

_PATTERNS_PAGE = 100  # the documented maximum

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
            if error.status is None:  # held back here: nothing left, so nothing can have been sent
                raise
            raise OutcomeUnknown(_PERHAPS_SENT, status=error.status, code=error.code) from error
        return self.http.read(answer, _receipt)

    def cancel_send(self, reference: str) -> None:
        self.post("/api/send/cancel", {"message_outbox_id": forms.id_number(reference)})

    def list_templates(self) -> Iterator[RemoteTemplate]:
        return self.pages(
            lambda page: self.get("/api/patterns", page=page, per_page=_PATTERNS_PAGE),
            _pattern,
            size=_PATTERNS_PAGE,
        )

    @classmethod
    def keyword(cls, option_key: str) -> str:
        return f"{{ex_{option_key}}}"

    @classmethod
    def template_place(cls, variable: str) -> str:
        return f"%{variable}%"


def _send_body(message: OutboundMessage) -> dict[str, Any]:
    sending_type, form = _FORMS[message.operation]
    body = {"sending_type": sending_type, "from_number": message.sender, **form(message)}
    if message.send_at is not None:
        body["send_time"] = forms.send_time(message.send_at)
    return body


def _to_phonebooks(message: OutboundMessage) -> dict[str, Any]:
    return {"message": message.text, "params": [_target(target) for target in message.targets]}


def _keywords(message: OutboundMessage) -> dict[str, Any]:
    """The id of a phonebook is a number here, and text in every other send."""
    books = (book for target in message.targets if isinstance(target, WholePhonebooks) for book in target.books)
    return {"message": message.text, "params": [{"phonebook_id": forms.id_number(book.remote_id)} for book in books]}


def _to_numbers(message: OutboundMessage) -> dict[str, Any]:
    return {"message": message.text, "params": {"recipients": list(message.numbers)}}  # an object here, not an array


def _texts(message: OutboundMessage) -> dict[str, Any]:
    return {"params": [{"recipients": list(part.numbers), "message": part.text} for part in message.texts]}


def _template(message: OutboundMessage) -> dict[str, Any]:
    """The values are text, as in the document's example, also for variables of the type integer."""
    template = cast(TemplateUse, message.template)
    return {
        "code": template.remote_id,
        "recipients": list(message.numbers),
        "params": dict(template.values),  # an empty object where the pattern has no variables
    }


_FORMS: dict[Operation, tuple[str, Callable[[OutboundMessage], dict[str, Any]]]] = {
    Operation.SEND_TO_PHONEBOOK: ("phonebook", _to_phonebooks),
    Operation.SEND_KEYWORDS: ("keyword_phonebook", _keywords),
    Operation.SEND_TO_NUMBERS: ("webservice", _to_numbers),
    Operation.SEND_TEXTS: ("peer_to_peer", _texts),
    Operation.SEND_TEMPLATE: ("pattern", _template),
}


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
    return SendReceipt(tuple(values.remote_id(reference) for reference in references))


def _pattern(data: Any) -> RemoteTemplate:
    code, state = values.remote_id(data["pattern_code"]), values.text(data.get("pattern_status"))
    return RemoteTemplate(
        remote_id=code,
        title=values.text(data.get("title")) or code,
        text=values.text(data["pattern_message"]),
        variables=tuple(values.text(variable["name"]) for variable in data.get("variable") or ()),
        is_usable=state == "active",
        raw_state=state,
    )
