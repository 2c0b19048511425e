"""A company at each provider of the sandbox: its account, numbers that are delivered, and a phonebook the provider holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contactsync.models import Phonebook, ProviderAccount
from contactsync.models.fields import Credentials
from contactsync.sync.connect import Operation, open_provider
from providers.sandbox import SandboxServer
from providers.sandbox.callbell.records import MAIN_CHANNEL
from providers.sandbox.lox24.state import CLIENT_ID
from providers.types import BookRef, ContactRecord, PhonebookSpec
from tests.campaigns.conftest import link
from tests.factories import SANDBOX_KEY, make_account, make_contact, make_phonebook, numbers


@dataclass(frozen=True)
class Company:
    """How one provider is used."""

    slug: str
    prefix: str  # of every number; two digits follow
    sender: str
    send_path: str  # of a send to one number, as a fault of the sandbox names it
    credentials: Mapping[str, str] = field(default_factory=lambda: {"api_key": SANDBOX_KEY})

    def phones(self, count: int) -> list[str]:
        """Numbers that are delivered; the last two digits of others decide how they end."""
        return [f"{self.prefix}{number:02d}" for number in range(10, 10 + count)]

    def account(self, sandbox: SandboxServer) -> ProviderAccount:
        return make_account(
            provider=self.slug,
            base_url=sandbox.url(self.slug),
            credentials=Credentials.seal(dict(self.credentials)),
            default_sender=self.sender,
            settings={"read_timeout": 1},
        )

    def book(self, account: ProviderAccount, sandbox: SandboxServer, phones: Sequence[str], **fields: Any) -> Phonebook:
        """A phonebook that the provider holds exactly as we do. At a provider with a window everybody wrote just now."""
        title = f"Book {next(numbers)}"
        with open_provider(account) as provider:
            if provider.capabilities.can(Operation.CREATE_PHONEBOOK):
                there = BookRef(provider.create_phonebook(PhonebookSpec(title)).remote_id, title)
            else:
                there = BookRef(sandbox.state(self.slug).add_tag(title), title)
            records = [ContactRecord(f"r{phone}", phone, first_name="Sara") for phone in phones]
            size = provider.capabilities.max_batch
            for first in range(0, len(records), size):
                provider.create_contacts(there, records[first : first + size])
            ids = {contact.phone: contact.remote_id for contact in provider.list_contacts(there)}
        book = make_phonebook(account, title=title, remote_id=there.remote_id)
        for phone in phones:
            link(make_contact(book, phone, **{"first_name": f"N{phone[-2:]}", **fields}), ids[phone])
            if self.slug == "callbell":
                sandbox.state("callbell").receive(phone, "Ciao", makes_contact=False)
        return book

    def messages_to(self, sandbox: SandboxServer, phone: str) -> list[str]:
        """Every text that the provider accepted for this number."""
        texts: Callable[[str], list[str]] = sandbox.state(self.slug).messages_to
        return texts(phone)


COMPANIES = [
    Company("ippanel", "+9891200000", "+983000505", "POST /api/send$"),
    Company("atomtelecom", "+614915700", "ACME", "POST /api/sms/send", {"token": SANDBOX_KEY}),
    Company("lox24", "+49152000000", "ACME", "POST /sms$", {"client_id": CLIENT_ID, "api_key": SANDBOX_KEY}),
    Company("callbell", "+3935111100", MAIN_CHANNEL, "POST /messages/send"),
]
