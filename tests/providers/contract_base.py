"""What the groups of the contract share: which provider, its client, its sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from providers import registry
from providers.base import Provider
from providers.sandbox import SandboxServer
from providers.types import (
    AccountConfig,
    BookRef,
    ContactRecord,
    Exchange,
    Operation,
    PhonebookSpec,
)

LOST_ANSWERS = ["hang", "reset_before", "reset_after", "status_500", "truncated", "html", "empty"]


def needs(*operations: Operation) -> Callable[[Any], Any]:
    """The test makes sense only where the provider can do all of this."""

    def mark(test: Any) -> Any:
        test.operations = operations
        return test

    return mark


class Promises:
    """What a backend's test module fills in, and what every group of promises uses."""

    slug: ClassVar[str]
    credentials: ClassVar[Mapping[str, str]]
    wrong_credentials: ClassVar[Mapping[str, str]]
    sender: ClassVar[str]
    phones: ClassVar[tuple[str, str, str, str]]  # four numbers that are delivered
    refused_phone: ClassVar[str]  # a number the provider refuses as a contact
    unknown_id: ClassVar[str]  # an id nothing has
    create_path: ClassVar[str]  # as a fault of the sandbox names it
    send_path: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}  # must make the read time-out short

    def messages_to(self, sandbox: SandboxServer, phone: str) -> list[str]:
        """Every text the provider accepted for this number."""
        raise NotImplementedError

    def numbers_in(self, sandbox: SandboxServer, book: BookRef) -> list[str]:
        """The numbers the provider holds in this phonebook, as E.164."""
        raise NotImplementedError

    def option_values(self, sandbox: SandboxServer, book: BookRef, phone: str) -> Mapping[str, str]:
        """The values the provider holds for this contact, by option key."""
        raise NotImplementedError

    # Fixtures

    @pytest.fixture
    def exchanges(self) -> list[Exchange]:
        return []

    @pytest.fixture
    def provider(self, sandbox: SandboxServer, exchanges: list[Exchange]) -> Iterator[Provider]:
        """A client of the sandbox. At the end: the key was never shown."""
        with self.connect(sandbox.url(self.slug), observer=exchanges.append) as client:
            yield client
        for field in registry.backend(self.slug).credential_fields:
            if field.is_secret and field.name in self.credentials:
                assert self.credentials[field.name] not in repr(exchanges)

    @pytest.fixture
    def book(self, provider: Provider) -> BookRef:
        remote = provider.create_phonebook(PhonebookSpec("خبرنامه"))
        return BookRef(remote.remote_id, remote.title)

    def connect(self, url: str, **options: Any) -> Provider:
        options = {"credentials": self.credentials, "settings": dict(self.settings), **options}
        return registry.build(AccountConfig(slug=self.slug, base_url=url, **options))

    @pytest.fixture(autouse=True)
    def only_what_it_can(self, request: pytest.FixtureRequest) -> None:
        """Skip the tests of what this provider's capabilities do not list."""
        wanted = getattr(request.function, "operations", ())
        missing = [operation for operation in wanted if not self.capabilities.can(operation)]
        if missing:
            pytest.skip(f"{self.slug} cannot {', '.join(missing)}")

    @property
    def capabilities(self) -> Any:
        return registry.backend(self.slug).capabilities

    def record(self, number: int, **fields: Any) -> ContactRecord:
        return ContactRecord(**{"reference": f"r{number}", "phone": self.phones[number], **fields})

    def fill(self, provider: Provider, book: BookRef, count: int) -> dict[str, str]:
        """Add so many contacts; phone -> remote id."""
        records = [self.record(number) for number in range(count)]
        for first in range(0, count, self.capabilities.max_batch):
            provider.create_contacts(book, records[first : first + self.capabilities.max_batch])
        return {contact.phone: contact.remote_id for contact in provider.list_contacts(book)}
