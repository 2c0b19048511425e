"""What became of a send."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from providers import values
from providers.backends.lox24 import facts, forms
from providers.backends.lox24.calls import Calls
from providers.backends.lox24.messages import BULK, SMS, read_reference, reference_to
from providers.text import gettext_noop
from providers.types import DeliveryState, RecipientReport, SendReport, SendState

_NO_MONEY = gettext_noop("LOX24 did not send it: the account has not enough credit.")


class ReportCalls(Calls):
    def report(self, reference: str) -> SendReport:
        """Of a bulk without its people; of a single SMS with them."""
        kind, uuid = read_reference(reference)
        if kind == BULK:
            return self.http.read(self.get(f"/bulks/{uuid}"), _bulk)
        return self.http.read(self.get(f"/sms/{uuid}"), _sms)

    def recipient_reports(self, reference: str) -> Iterator[RecipientReport]:
        kind, uuid = read_reference(reference)
        if kind == BULK:
            yield from (row for row, _ in self.rows("/sms", {"bulk": uuid}, _person, has_pages=True))
        else:
            yield self.http.read(self.get(f"/sms/{uuid}"), _person)

    def find_sends(
        self, *, sender: str, text: str, since: dt.datetime, until: dt.datetime | None = None, reference: str = ""
    ) -> Iterator[SendReport]:
        """Single SMS by our `callback_data`, bulks by our `source`; without a reference by sender, text and time alone."""
        earliest = since.replace(microsecond=0)
        by_sender = {"sender_id": sender} if sender else {}
        if reference:
            singles = {"callback_data": reference}
        else:
            singles = {"created_at[gte]": str(int(earliest.timestamp()))} | by_sender
        # Ranges are documented for /sms only. Nor is a bulk asked for by its text, which the account may have removed, or
        # with a mark by its sender, which LOX24 replaces in calls (text2speech).
        bulks = {**({} if reference else by_sender), "_order[created_at]": "desc"}
        for path, filters, of_kind, is_last in (
            ("/sms", singles, _sms, _never),
            ("/bulks", bulks, _bulk, partial(_reaches_past, earliest)),
        ):
            # How the filters compare is not documented, so that the answer is held against what was asked for.
            rows = self.rows(path, filters, partial(_with_report, of_kind), has_pages=True, is_last=is_last)
            for (data, report), _ in rows:
                if _is_ours(data, sender, text, earliest, reference):
                    yield replace(report, our_reference=reference) if _is_marked(data, reference) else report


def _never(page: Sequence[Any]) -> bool:
    return False


def _reaches_past(earliest: dt.datetime, page: Sequence[Any]) -> bool:
    """Whether this page ends with what is older than that. Told only where its rows do come newest first, as they were asked for."""
    told = [time for data in page if (time := values.unix_moment(data.get("created_at"))) is not None]
    return len(told) == len(page) > 0 and told == sorted(told, reverse=True) and told[-1] < earliest


def _with_report(of_kind: Callable[[Any], SendReport], data: Any) -> tuple[Any, SendReport]:
    return data, of_kind(data)


def _is_ours(data: Any, sender: str, text: str, earliest: dt.datetime, reference: str) -> bool:
    """Whether a row may be the send looked for. A message of a bulk is not a send of its own.

    Our mark tells, whatever became of the text, which the account may have removed, and of the sender, which LOX24 may have
    replaced. Another's mark rules it out.
    """
    made_at = values.unix_moment(data.get("created_at"))
    if data.get("bulk_id") or data.get("is_dryrun") or (made_at is not None and made_at < earliest):
        return False
    if _is_marked(data, reference):
        return True
    if sender and forms.e164(data.get("sender_id")) != forms.e164(sender):
        return False
    has_a_mark = data.get("source") is not None or data.get("callback_data")
    is_same_text = not text or values.text(data.get("text")) == text
    return made_at is not None and is_same_text and not (reference and has_a_mark)


def _is_marked(data: Any, reference: str) -> bool:
    """Whether the answer shows our reference, as it is or as the number made from it."""
    return bool(reference) and (
        data.get("callback_data") == reference or forms.whole(data.get("source")) == forms.marker(reference)
    )


def _bulk(data: Any) -> SendReport:
    """The count is that of the messages made so far: none yet in a bulk that is not processed, which is not the same as nobody."""
    code = int(data["status_code"])
    state = facts.BULK_STATES.get(code, SendState.UNRECOGNISED)
    count = forms.whole(data.get("msg_total_count"))
    return SendReport(
        reference=reference_to(BULK, data["uuid"]),
        state=state,
        raw_state=str(code),
        sender=values.text(data.get("sender_id")),
        text=values.text(data.get("text")),
        recipients=count if count or code == facts.NO_RECIPIENTS else None,
        cost=forms.money(data.get("price")),
        made_at=values.unix_moment(data.get("created_at")),
        sent_at=values.unix_moment(data.get("processed_at"))
        if state is SendState.SENT
        else None,  # else its last change
    )


def _sms(data: Any) -> SendReport:
    person = _person(data)
    code = int(data["status_code"])
    return SendReport(
        reference=reference_to(SMS, data["uuid"]),
        state=facts.SEND_STATES[person.state],
        raw_state=person.raw_state,
        sender=values.text(data.get("sender_id")),
        text=values.text(data.get("text")),
        recipients=1,
        cost=forms.money(data.get("price")),
        made_at=values.unix_moment(data.get("created_at")),
        sent_at=values.unix_moment(data.get("gateway_sent_at")),
        reason=_NO_MONEY if code == facts.NOT_ENOUGH_MONEY else "",
        people=(person,),
        our_reference="" if data.get("bulk_id") else values.text(data.get("callback_data")),  # in a bulk the contact's
    )


def _person(data: Any) -> RecipientReport:
    status, delivery = int(data["status_code"]), forms.whole(data.get("dlr_code")) or 0
    return RecipientReport(
        phone=forms.e164(data["phone"]),
        state=_delivery_state(status, delivery),
        raw_state=f"{status}/{delivery}",
        parts=forms.whole(data.get("parts_count")),
    )


def _delivery_state(status: int, delivery: int) -> DeliveryState:
    """A delivery report wins over the status, save where the status says that nothing went out. Unknown codes stay unknown."""
    by_status = facts.SMS_STATES.get(status, DeliveryState.UNRECOGNISED)
    if not delivery or by_status.is_final:
        return by_status
    return facts.DELIVERY_STATES.get(delivery, DeliveryState.UNRECOGNISED)
