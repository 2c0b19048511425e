"""What campaigns need from a provider: send, cancel, reports, prices, and who stands where in a phonebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.utils import timezone

from contactsync.models import Call, Phonebook, ProviderAccount
from contactsync.sync.connect import (
    PriceEstimate,
    Provider,
    ProviderError,
    RecipientReport,
    SendReport,
    provider_class,
    reason_of,
)
from contactsync.sync.ledger import Performed, perform_patiently
from contactsync.sync.line import Line
from contactsync.sync.policy import Verdict
from providers.types import (
    BookRef,
    ChosenContacts,
    DeliveryState,
    OutboundMessage,
    SendReceipt,
    SendState,
    WholePhonebooks,
)

__all__ = [
    "DeliveryState",
    "Performed",
    "SendReceipt",
    "SendState",
    "Verdict",
    "cancel",
    "estimate",
    "find_sends",
    "message_problem",
    "number_problem",
    "outbound_message",
    "phonebook_count",
    "recipient_reports",
    "remote_ids_in_order",
    "send_call",
    "send_report",
]

ROWS_PER_PULSE = 500  # contacts read between two pulses of the line


def outbound_message(
    target: Mapping[str, Any], *, sender: str, text: str, reference: str, send_at: dt.datetime | None = None
) -> OutboundMessage:
    """The message a call's `target` describes.

    `target` is `{"numbers": [E.164, …]}` or `{"targets": [{"type": "all", "phonebook_ids": [id, …], "start": n,
    "size": n} or {"type": "detail", "phonebook_id": id, "number_ids": [id, …]}, …]}`, ids being the provider's.
    """
    return OutboundMessage(
        sender=sender,
        text=text,
        reference=reference,
        targets=tuple(_part(part) for part in target.get("targets", ())),
        numbers=tuple(target.get("numbers", ())),
        send_at=send_at,
    )


def _part(part: Mapping[str, Any]) -> WholePhonebooks | ChosenContacts:
    if part["type"] == "all":
        books = tuple(BookRef(str(book)) for book in part["phonebook_ids"])
        return WholePhonebooks(books, start=part.get("start"), size=part.get("size"))
    return ChosenContacts(BookRef(str(part["phonebook_id"])), tuple(str(number) for number in part["number_ids"]))


def send_call(
    call: Call,
    *,
    account: ProviderAccount,
    sender: str,
    text: str,
    owner: str,
    send_at: dt.datetime | None = None,
    line: Line | None = None,
    on_claim: Callable[[], None] | None = None,
    on_outcome: Callable[[Performed[SendReceipt]], None] | None = None,
) -> Performed[SendReceipt]:
    """Send what the planned call describes, once. Only a request that provably did not arrive is repeated here.

    `call.state` afterwards: accepted (its `references` are the provider's), refused, unknown, or planned again
    (verdicts `retry`, `stop_run`, `pause_account`); verdict `taken` means that somebody else has the call.
    `on_claim` and `on_outcome` write the recipients in the same transactions as the call.
    """
    message = outbound_message(call.target, sender=sender, text=text, reference=str(call.uuid), send_at=send_at)
    return perform_patiently(
        call,
        lambda provider: provider.send(message),
        account=account,
        owner=owner,
        line=line,
        on_claim=on_claim,
        on_outcome=on_outcome,
    )


def cancel(call: Call, *, account: ProviderAccount, owner: str, line: Line | None = None) -> Performed[None]:
    """Cancel the scheduled send whose reference is `call.target["reference"]`; `call` is a planned `cancel_send`."""
    reference = str(call.target["reference"])
    return perform_patiently(
        call, lambda provider: provider.cancel_send(reference), account=account, owner=owner, line=line
    )


@contextmanager
def _line(account: ProviderAccount, line: Line | None) -> Iterator[Line]:
    if line is not None:
        yield line
        return
    with Line(account) as opened:
        yield opened


def send_report(account: ProviderAccount, reference: str, *, line: Line | None = None) -> SendReport:
    """State of one send. Raises `ProviderError`."""
    with _line(account, line) as open_line:
        return open_line.read(lambda provider: provider.report(reference))


def recipient_reports(account: ProviderAccount, reference: str, *, line: Line | None = None) -> list[RecipientReport]:
    """State of every recipient of one send. Raises `ProviderError`."""
    with _line(account, line) as open_line:
        return open_line.read(lambda provider: list(provider.recipient_reports(reference)))


def find_sends(
    account: ProviderAccount, *, sender: str, text: str, since: dt.datetime, line: Line | None = None
) -> list[SendReport]:
    """Sends of exactly this text since then: the evidence for an unknown outcome. Raises `ProviderError`."""
    with _line(account, line) as open_line:
        return open_line.read(lambda provider: list(provider.find_sends(sender=sender, text=text, since=since)))


def estimate(account: ProviderAccount, sender: str, text: str, *, line: Line | None = None) -> PriceEstimate:
    """Price of one message to one person. Raises `ProviderError`, `Unsupported` where there is no price call."""
    with _line(account, line) as open_line:
        return open_line.read(lambda provider: provider.estimate_price(sender=sender, text=text))


def remote_ids_in_order(
    account: ProviderAccount, phonebook: Phonebook, *, line: Line | None = None
) -> list[tuple[str, str]]:
    """Id and number of everybody in the provider's book, in the provider's own order. Raises `ProviderError`.

    A long read: the pulse of `line` is felt every few hundred contacts.
    """
    if not phonebook.remote_id:
        return []
    book = BookRef(phonebook.remote_id, phonebook.title)

    def read(provider: Provider) -> list[tuple[str, str]]:
        rows: list[tuple[str, str]] = []
        for contact in provider.list_contacts(book):
            if len(rows) % ROWS_PER_PULSE == 0:
                open_line.pulse()
            rows.append((contact.remote_id, contact.phone))
        return rows

    with _line(account, line) as open_line:
        return open_line.read(read)


def phonebook_count(account: ProviderAccount, phonebook: Phonebook, *, line: Line | None = None) -> int | None:
    """How many contacts the provider says are in its book; None when the book is not there or not counted."""
    if not phonebook.remote_id:
        return None
    remote_id = phonebook.remote_id
    with _line(account, line) as open_line:
        books = open_line.read(lambda provider: list(provider.list_phonebooks(remote_id=remote_id)))
    return next((book.count for book in books if book.remote_id == remote_id), None)


def number_problem(account: ProviderAccount, phone: str) -> dict[str, Any]:
    """Why this provider cannot send to this number, as a reason to store; empty when it can."""
    return _reason(provider_class(account.provider).problem_with_number(phone))


def message_problem(
    account: ProviderAccount,
    target: Mapping[str, Any],
    *,
    sender: str,
    text: str,
    send_at: dt.datetime | None = None,
) -> dict[str, Any]:
    """Why this provider would refuse this send, as a reason to store; empty when it looks right. Makes no call."""
    message = outbound_message(target, sender=sender, text=text, reference="", send_at=send_at)
    return _reason(provider_class(account.provider).problem_with_message(message, now=timezone.now()))


def _reason(problem: ProviderError | None) -> dict[str, Any]:
    return reason_of(problem) if problem else {}
