"""What campaigns need from a provider: send, cancel, reports, prices, and who stands where in a phonebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from contactsync.models import Call, Phonebook, ProviderAccount
from contactsync.sync.callback_address import callback_url
from contactsync.sync.connect import PriceEstimate, Provider, RecipientReport, Rejected, SendReport, capabilities
from contactsync.sync.ledger import Performed, perform_patiently
from contactsync.sync.line import Line
from contactsync.sync.messages import (
    keyword,
    message_problem,
    number_problem,
    operation_of,
    outbound_message,
    template_text,
)
from contactsync.sync.policy import Verdict
from providers.types import (
    BookRef,
    CallbackKind,
    DeliveryState,
    OutboundMessage,
    RemoteContact,
    SendReceipt,
    SendState,
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
    "fold_recipients",
    "keyword",
    "last_received",
    "message_of",
    "message_problem",
    "number_problem",
    "operation_of",
    "outbound_message",
    "phonebook_count",
    "remote_ids_in_order",
    "send_call",
    "send_report",
    "sends_since",
    "sent_to",
    "template_text",
]

T = TypeVar("T")

ROWS_PER_PULSE = 500  # contacts read between two pulses of the line
REPORTS_PER_CHUNK = 2_000


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
    message = message_of(call, account=account, sender=sender, text=text, send_at=send_at)
    return perform_patiently(
        call,
        lambda provider: provider.send(message),
        account=account,
        owner=owner,
        line=line,
        on_claim=on_claim,
        on_outcome=on_outcome,
    )


def message_of(
    call: Call, *, account: ProviderAccount, sender: str, text: str, send_at: dt.datetime | None
) -> OutboundMessage:
    """What a provider is handed for this call. Its reference is the call's own."""
    reference = str(call.uuid)
    told_per_send = capabilities(account).callbacks is CallbackKind.PER_SEND
    address = callback_url(account, reference) if told_per_send else ""
    return outbound_message(
        call.target, sender=sender, text=text, reference=reference, send_at=send_at, callback_url=address
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


def fold_recipients(line: Line, reference: str, fold: Callable[[Iterator[list[RecipientReport]]], T]) -> T:
    """What `fold` makes of the state of every recipient of one send, handed to it in chunks. Raises `ProviderError`.

    `fold` is called anew, with everything from the first on, after a passing failure.
    """

    def chunks(provider: Provider) -> Iterator[list[RecipientReport]]:
        rows = provider.recipient_reports(reference)
        while chunk := list(islice(rows, REPORTS_PER_CHUNK)):
            line.pulse()
            yield chunk

    return line.read(lambda provider: fold(chunks(provider)))


def last_received(line: Line, remote_id: str) -> dt.datetime | None:
    """When this contact last wrote to us; None: never, or the provider does not say of this one. Raises `ProviderError`."""
    try:
        return line.read(lambda provider: provider.last_received(remote_id))
    except Rejected:  # the contact is gone, or cannot be asked about; the others can
        return None


def find_sends(
    account: ProviderAccount,
    *,
    sender: str,
    text: str,
    since: dt.datetime,
    until: dt.datetime | None = None,
    reference: str = "",
    line: Line | None = None,
    most: int | None = None,
) -> list[SendReport]:
    """Sends of exactly this text (empty: of any) in that time: the evidence for an unknown outcome. Raises `ProviderError`.

    Where the provider keeps the `reference` of ours, only the send with it. No more than `most` are read.
    """

    def look(provider: Provider) -> list[SendReport]:
        found = provider.find_sends(sender=sender, text=text, since=since, until=until, reference=reference)
        return list(islice(found, most))

    with _line(account, line) as open_line:
        return open_line.read(look)


def sent_to(line: Line, contact_id: str, *, text: str, since: dt.datetime) -> list[SendReport]:
    """What a contact's conversation shows to have gone out with exactly this text (empty: any) since then. Raises `ProviderError`."""
    return line.read(lambda provider: list(provider.sent_to(contact_id, text=text, since=since)))


def sends_since(
    account: ProviderAccount, since: dt.datetime, *, most: int, pulse: Callable[[], None] | None = None
) -> list[SendReport]:
    """The first so many sends that the provider took since then, whoever made them. Raises `ProviderError`, `Unsupported`, and what `pulse` raises."""
    with Line(account, pulse=pulse) as line:
        return line.read(lambda provider: list(islice(provider.find_sends(sender="", text="", since=since), most)))


def estimate(
    account: ProviderAccount, sender: str, text: str, *, number: str, line: Line | None = None
) -> PriceEstimate:
    """Price of one message to this number. Raises `ProviderError`, `Unsupported` where there is no price call."""
    with _line(account, line) as open_line:
        return open_line.read(lambda provider: provider.estimate_price(sender=sender, text=text, number=number))


def remote_ids_in_order(
    account: ProviderAccount,
    phonebook: Phonebook,
    *,
    line: Line | None = None,
    note: Callable[[RemoteContact], None] = lambda contact: None,
) -> list[tuple[str, str]]:
    """Id and number of everybody in the provider's book, in the provider's own order. Raises `ProviderError`.

    `note` is told of each contact, again from the first on after a passing failure. A long read: the pulse of `line` is felt every few hundred contacts.
    """
    if not phonebook.remote_id:
        return []
    book = BookRef(phonebook.remote_id, phonebook.title)

    def read(provider: Provider) -> list[tuple[str, str]]:
        rows: list[tuple[str, str]] = []
        for contact in provider.list_contacts(book):
            if len(rows) % ROWS_PER_PULSE == 0:
                open_line.pulse()
            note(contact)
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
