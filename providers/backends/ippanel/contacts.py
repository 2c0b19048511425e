"""Contacts, which IPPanel calls the numbers of a phonebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from providers import values
from providers.backends.ippanel import facts, forms
from providers.backends.ippanel.calls import Calls
from providers.exceptions import Misconfigured, NotFound, Rejected
from providers.text import gettext_noop
from providers.types import BatchResult, BookRef, ContactRecord, ItemOutcome, ItemResult, RemoteContact

_NUMBERS = "/api/phonebooks/numbers"
_CONTACTS = "/api/phonebooks/numbers/contact-list"

_REFUSED = gettext_noop(
    "IPPanel refused this contact and does not say why. Check its number, e-mail address and options."
)
_TOTALS_ONLY = gettext_noop(
    "IPPanel answered for the whole batch only: %(added)s added, %(existences)s there already, %(errors)s refused."
)
_NOT_THERE = gettext_noop("IPPanel has no contact with the id %(id)s.")
_STILL_THERE = gettext_noop(
    "IPPanel answered that the contacts were deleted, but the contact with the id %(id)s is still there."
)


class ContactCalls(Calls):
    def list_contacts(self, book: BookRef, *, created_since: dt.datetime | None = None) -> Iterator[RemoteContact]:
        wanted = {"phonebook_id": book.remote_id}
        if created_since is not None:
            wanted["from_created_at"] = str(int(created_since.timestamp()))
        return self._contacts(wanted)

    def find_contact(self, book: BookRef, phone: str) -> RemoteContact | None:
        found = self._contacts({"phonebook_id": book.remote_id, "number": phone})
        return next((contact for contact in found if contact.phone == phone), None)

    def _contacts(self, wanted: dict[str, str]) -> Iterator[RemoteContact]:
        return self.pages(
            lambda page: self.get(_CONTACTS, **wanted, page=page, per_page=facts.LARGEST_PAGE),
            _contact,
            size=facts.LARGEST_PAGE,
        )

    def get_contact(self, remote_id: str) -> RemoteContact:
        answer = self.get(f"{_CONTACTS}/{forms.id_number(remote_id)}")
        if not answer.data["data"]:
            raise NotFound(_NOT_THERE, params={"id": remote_id}, status=answer.status)
        return self.http.read(answer, _contact)

    def create_contacts(self, book: BookRef, records: Sequence[ContactRecord]) -> BatchResult:
        if len(records) > facts.LARGEST_BATCH:
            raise ValueError(f"{len(records)} contacts in one call; at most {facts.LARGEST_BATCH}")
        if not records:
            return BatchResult(())
        date_form = self.settings["add_date_form"]
        contacts = [forms.new_contact(record, book.remote_id, date_form=date_form) for record in records]
        answer = self.post(f"{_NUMBERS}/add-list-new", {"list": contacts})
        return _batch_result(records, self.http.read(answer, _counters))

    def update_contact(self, book: BookRef, remote_id: str, record: ContactRecord) -> ItemResult:
        body = forms.changed_contact(record, book.remote_id, date_form=self.settings["update_date_form"])
        self.put(f"{_NUMBERS}/update-new/{forms.id_number(remote_id)}", body)
        return ItemResult(record.reference, ItemOutcome.DONE, remote_id)

    def delete_contacts(self, book: BookRef, remote_ids: Sequence[str]) -> None:
        if not remote_ids:
            return
        # The document says "phone numbers in integer form", its example has ids: ids are sent and one is looked up after,
        # the last, because a list may have been carried out in part.
        self.post(f"{_NUMBERS}/delete-list", {"listNumbers": [forms.id_number(each) for each in remote_ids]})
        try:
            self.get_contact(remote_ids[-1])
        except (Rejected, Misconfigured):
            return  # how an unknown id is refused is not documented; any refusal to show it means that it is gone
        raise Rejected(_STILL_THERE, params={"id": remote_ids[-1]})


def _counters(data: Any) -> dict[str, int]:
    counters = {name: int(data[name]) for name in ("added", "errors", "existences")}
    if min(counters.values()) < 0:
        raise ValueError
    return counters


def _batch_result(records: Sequence[ContactRecord], counters: dict[str, int]) -> BatchResult:
    """One outcome per contact where the totals leave no doubt, else `UNRESOLVED` for all of them."""
    totals = [
        (ItemOutcome.DONE, counters["added"], ""),
        (ItemOutcome.EXISTED, counters["existences"], ""),
        (ItemOutcome.REFUSED, counters["errors"], _REFUSED),
    ]
    happened = [(outcome, message) for outcome, count, message in totals if count]
    if len(happened) == 1 and sum(counters.values()) == len(records):
        outcome, message = happened[0]
        items = tuple(ItemResult(record.reference, outcome, message=message) for record in records)
    else:
        items = tuple(
            ItemResult(record.reference, ItemOutcome.UNRESOLVED, message=_TOTALS_ONLY, params=counters)
            for record in records
        )
    return BatchResult(items, counters)


def _contact(data: Any) -> RemoteContact:
    flags = [bool(data[name]) for name in ("is_send_blacklist", "is_receive_blacklist") if data.get(name) is not None]
    return RemoteContact(
        remote_id=values.remote_id(data["id"]),
        phone=forms.e164(data["number"]),
        prefix=values.text(data.get("pre")),
        name=values.text(data.get("name")),
        email=values.text(data.get("email")),
        options=None,  # written, never told back
        is_opted_out=any(flags) if flags else None,
        raw=data,
    )
