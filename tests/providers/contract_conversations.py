"""Promises about what people write to us, and about those who want nothing more."""

from __future__ import annotations

import datetime as dt

import pytest

from providers.base import Provider
from providers.exceptions import NotFound
from providers.sandbox import SandboxServer
from providers.types import BookRef, Operation

from .contract_base import Promises, needs


class ConversationPromises(Promises):
    def write_to_us(self, sandbox: SandboxServer, phone: str, text: str) -> None:
        """Have the person with this number write to the account's first sender."""
        raise NotImplementedError

    def opt_out(self, sandbox: SandboxServer, phone: str) -> None:
        """Have the provider take this number for one that wants nothing more; it may be in a phonebook."""
        raise NotImplementedError

    @needs(Operation.LIST_INBOX)
    def test_messages_from_people_come_oldest_first_and_once(self, provider: Provider, sandbox: SandboxServer) -> None:
        assert list(provider.list_inbox()) == []
        before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
        for phone, text in zip(self.phones[:3], ("one", "دو", "three"), strict=True):
            self.write_to_us(sandbox, phone, text)
        rows = list(provider.list_inbox())
        assert [(row.phone, row.text) for row in rows] == [
            (self.phones[0], "one"),
            (self.phones[1], "دو"),
            (self.phones[2], "three"),
        ]
        assert len({row.remote_id for row in rows}) == 3
        assert all(before <= row.received_at <= dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2) for row in rows)
        assert [row.text for row in provider.list_inbox(after=rows[0].remote_id)] == ["دو", "three"]
        assert list(provider.list_inbox(after=rows[2].remote_id)) == []

    @needs(Operation.READ_CONVERSATION, Operation.CREATE_CONTACTS)
    def test_when_a_person_last_wrote_is_told(self, provider: Provider, book: BookRef, sandbox: SandboxServer) -> None:
        ids = self.fill(provider, book, 2)
        assert provider.last_received(ids[self.phones[0]]) is None
        before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
        self.write_to_us(sandbox, self.phones[0], "Hello")
        wrote_at = provider.last_received(ids[self.phones[0]])
        assert wrote_at is not None
        assert before <= wrote_at <= dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
        assert provider.last_received(ids[self.phones[1]]) is None
        with pytest.raises(NotFound):
            provider.last_received(self.unknown_id)

    @needs(Operation.LIST_SUPPRESSED, Operation.CREATE_CONTACTS)
    def test_who_wants_nothing_more_is_listed(self, provider: Provider, book: BookRef, sandbox: SandboxServer) -> None:
        self.fill(provider, book, 2)
        assert self.phones[0] not in [number.phone for number in provider.list_suppressed()]
        self.opt_out(sandbox, self.phones[0])
        found = [number for number in provider.list_suppressed() if number.phone == self.phones[0]]
        assert [number.is_opt_out for number in found] == [True]
        assert self.phones[1] not in [number.phone for number in provider.list_suppressed()]

    @needs(Operation.READ_CONTACT)
    def test_a_contact_read_by_itself_tells_what_the_capabilities_say(
        self, provider: Provider, book: BookRef, sandbox: SandboxServer
    ) -> None:
        if "opt_out" not in self.capabilities.details_tell:
            pytest.skip(f"{self.slug} does not tell when a contact last wrote")
        remote_id = self.fill(provider, book, 1)[self.phones[0]]
        assert provider.get_contact(remote_id).is_opted_out is False
        self.opt_out(sandbox, self.phones[0])
        assert provider.get_contact(remote_id).is_opted_out is True
