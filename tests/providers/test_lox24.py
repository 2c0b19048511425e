"""LOX24: the contract."""

from __future__ import annotations

from collections.abc import Mapping

from providers.sandbox import SandboxServer
from providers.types import BookRef

from .contract import ProviderContract
from .lox24 import CREDENTIALS, SENDER


class TestContract(ProviderContract):
    slug = "lox24"
    credentials = CREDENTIALS
    wrong_credentials = {"client_id": "41007", "api_key": "another-key-that-is-wrong-987654"}
    sender = SENDER
    phones = ("+4915200000001", "+4915200000002", "+393510000003", "+34600000004")
    refused_phone = "not-a-number"
    unknown_id = "999999"
    create_path = "POST /groups/7001/phones/batch"
    send_path = "POST /bulks$"
    settings = {"read_timeout": 1}

    def messages_to(self, sandbox: SandboxServer, phone: str) -> list[str]:
        return sandbox.state("lox24").messages_to(phone)

    def numbers_in(self, sandbox: SandboxServer, book: BookRef) -> list[str]:
        return [phone.phone for phone in sandbox.state("lox24").phones_of(int(book.remote_id))]

    def option_values(self, sandbox: SandboxServer, book: BookRef, phone: str) -> Mapping[str, str]:
        held = sandbox.state("lox24").phone_in(int(book.remote_id), phone).columns
        return {slot: value for slot, value in held.items() if value is not None}

    def opt_out(self, sandbox: SandboxServer, phone: str) -> None:
        sandbox.state("lox24").unsubscribe(phone)
