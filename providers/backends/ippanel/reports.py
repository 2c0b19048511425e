"""What became of a send, and what people wrote to us.

The id a send gives as a number is text here, and has another name in each call.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from providers import values
from providers.answers import Answer
from providers.backends.ippanel import facts, forms
from providers.backends.ippanel.calls import Calls
from providers.exceptions import NotFound, Rejected
from providers.text import gettext_noop
from providers.types import DeliveryState, InboundMessage, RecipientReport, SendReport, SendState

_SENDS_PAGE = 100
_RECIPIENT_PAGES = (1000, 100, 10)  # no maximum is documented: smaller ones are tried when a size is refused
_INBOX_PAGE, _SMALLEST_PAGE = 100, 10  # no maximum is documented; the default is 10
_UNPROCESSABLE = 422

_KEYWORD = re.compile(r"\{ex_[0-9]+\}")  # the placeholder of a custom option

_NO_SUCH_SEND = gettext_noop("IPPanel has no report of the send %(reference)s.")


class ReportCalls(Calls):
    def report(self, reference: str) -> SendReport:
        answer = self.get("/api/report/by_bulk", messages_outbox_id=reference)
        if not answer.data["data"]:
            raise NotFound(_NO_SUCH_SEND, params={"reference": reference}, status=answer.status)
        return self.http.read(answer, _report)

    def recipient_reports(self, reference: str) -> Iterator[RecipientReport]:
        size = _RECIPIENT_PAGES[0]

        def fetch(page: int) -> Answer:
            nonlocal size
            while True:
                try:
                    return self.get("/api/report/recipients", bulk_id=reference, page=page, per_page=size)
                except Rejected as error:
                    smaller = [other for other in _RECIPIENT_PAGES if other < size]
                    if error.status != _UNPROCESSABLE or page > 1 or not smaller:
                        raise
                    size = smaller[0]

        return self.pages(fetch, _recipient, size=_RECIPIENT_PAGES[-1])

    def find_sends(
        self, *, sender: str, text: str, since: dt.datetime, until: dt.datetime | None = None, reference: str = ""
    ) -> Iterator[SendReport]:
        earliest = since.replace(microsecond=0)
        filters = {"create_from_date": str(int(earliest.timestamp()))}
        if until is not None:
            filters["create_to_date"] = str(math.ceil(until.timestamp()))
        is_keyworded = _KEYWORD.search(text) is not None
        # Whatever text is asked for when a send is not found: that rests on the time alone, the one filter whose form is told.
        if sender and text:
            filters["number"] = sender
        if text and not is_keyworded:
            filters["message"] = text

        def fetch(page: int) -> Answer:
            return self.post("/api/report/new_list", {"page": page, "limit": _SENDS_PAGE, "filters": filters})

        # How the filters compare is not documented, so that the answer is held against what was asked for.
        for report in self.pages(fetch, _report, size=_SENDS_PAGE):
            is_same_text = _could_come_from(text, report.text) if is_keyworded else not text or report.text == text
            is_ours = is_same_text and (not sender or forms.same_number(report.sender, sender))
            if is_ours and report.made_at is not None and report.made_at >= earliest:
                yield report

    def list_inbox(self, *, after: str = "") -> Iterator[InboundMessage]:
        filters = {"filters": {"from_id": forms.id_number(after)}} if after else {}

        def fetch(page: int) -> Answer:
            return self.post("/api/report/messages-inbox", {"page": page, "per_page": _INBOX_PAGE, **filters})

        # Newest first, so that one that comes in meanwhile moves others to the next page, where they come again.
        found = {row.remote_id: row for row in self.pages(fetch, _inbound, size=_SMALLEST_PAGE)}
        yield from sorted(found.values(), key=lambda row: int(row.remote_id))


def _could_come_from(template: str, text: str) -> bool:
    """Whether this is a text with placeholders, or what IPPanel can have made of it for a contact."""
    pattern = ".*".join(re.escape(part) for part in _KEYWORD.split(template))
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def _inbound(data: Any) -> InboundMessage:
    received_at = values.unix_moment(data["time"])
    if received_at is None:
        raise ValueError
    return InboundMessage(
        remote_id=str(int(data["messages_inbox_id"])),
        phone=forms.e164(data["from"]),
        to=values.text(data.get("number")),
        text=values.text(data.get("message")),
        received_at=received_at,
    )


def _report(data: Any) -> SendReport:
    raw_state = values.text(data["state_id"])
    state = facts.SEND_STATES.get(raw_state, SendState.UNRECOGNISED)
    cost = data.get("cost")
    return SendReport(
        reference=values.remote_id(data["messages_outbox_id"]),
        state=state,
        raw_state=raw_state,
        label=values.text(data.get("status")),
        sender=values.text(data.get("number")),
        text=values.text(data.get("message")),
        recipients=forms.whole(data.get("rcpts_count")),
        cost=None if cost is None else Decimal(cost),
        made_at=values.unix_moment(data.get("time")) or values.unix_moment(data.get("time_send")),
        sent_at=values.unix_moment(data.get("time_send")),
        reason=values.text(data.get("reject_comment")),
        tells_states=state.is_final or state is SendState.UNRECOGNISED,
    )


def _recipient(data: Any) -> RecipientReport:
    raw_state = values.text(data.get("message_status"))
    return RecipientReport(
        phone=forms.e164(data["recipient"]),
        state=facts.DELIVERY_STATES.get(raw_state, DeliveryState.UNRECOGNISED),
        raw_state=raw_state,
        parts=forms.whole(data.get("msg_parts")),
    )
