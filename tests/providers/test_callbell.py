"""Callbell: the contract."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from providers.backends.callbell import forms
from providers.sandbox import SandboxServer
from providers.sandbox.callbell.records import make_id
from providers.types import SENDS, BookRef
from tests.factories import SANDBOX_KEY

from .callbell import SENDER
from .contract import ProviderContract


class TestContract(ProviderContract):
    slug = "callbell"
    credentials = {"api_key": SANDBOX_KEY}
    wrong_credentials = {"api_key": "another-token-that-is-wrong-987654"}
    sender = SENDER
    phones = ("+393511110001", "+393471110002", "+34600111003", "+34600111004")
    refused_phone = "+39012"
    unknown_id = make_id("nothing", 1)
    create_path = "POST /contacts$"
    send_path = "POST /messages/send"
    settings = {"read_timeout": 1}

    @pytest.fixture
    def book(self, sandbox: SandboxServer) -> BookRef:
        name = sandbox.state("callbell").add_tag("خبرنامه")
        return BookRef(name, name)

    @pytest.fixture(autouse=True)
    def people_who_are_sent_to_wrote_lately(self, request: pytest.FixtureRequest, sandbox: SandboxServer) -> None:
        if SENDS & set(getattr(request.function, "operations", ())):
            for phone in self.phones:
                sandbox.state("callbell").receive(phone, "Ciao", makes_contact=False)

    def messages_to(self, sandbox: SandboxServer, phone: str) -> list[str]:
        return sandbox.state("callbell").messages_to(phone)

    def numbers_in(self, sandbox: SandboxServer, book: BookRef) -> list[str]:
        return [forms.e164(contact.phone) for contact in sandbox.state("callbell").contacts_with(book.remote_id)]

    def option_values(self, sandbox: SandboxServer, book: BookRef, phone: str) -> Mapping[str, str]:
        return sandbox.state("callbell").contact(phone).custom_fields

    def write_to_us(self, sandbox: SandboxServer, phone: str, text: str) -> None:
        sandbox.dialects["callbell"].receive({"from": phone, "message": text})

    def approve_template(self, sandbox: SandboxServer) -> str:
        return make_id("template", 1)
