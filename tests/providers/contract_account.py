"""Promises about the class, its settings and the account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from providers import registry
from providers.base import Provider
from providers.exceptions import (
    AuthFailed,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Throttled,
    Unsupported,
)
from providers.sandbox import SandboxServer
from providers.types import (
    SENDS,
    BookRef,
    ContactRecord,
    Operation,
    OptionKind,
    OptionSpec,
    OutboundMessage,
    PhonebookSpec,
    TemplateUse,
    TextForNumbers,
    WholePhonebooks,
)

from .contract_base import LOST_ANSWERS, Promises, needs
from .servers import free_port

#: every operation as a call, for what a provider cannot do
CALLS: dict[Operation, Callable[[Provider, BookRef], Any]] = {
    Operation.CHECK: lambda p, b: p.check(),
    Operation.READ_BALANCE: lambda p, b: p.balance(),
    Operation.LIST_SENDERS: lambda p, b: p.senders(),
    Operation.ESTIMATE_PRICE: lambda p, b: p.estimate_price(sender="1", text="x", number="+1"),
    Operation.LIST_PHONEBOOKS: lambda p, b: list(p.list_phonebooks()),
    Operation.CREATE_PHONEBOOK: lambda p, b: p.create_phonebook(PhonebookSpec("x")),
    Operation.UPDATE_PHONEBOOK: lambda p, b: p.update_phonebook(b, PhonebookSpec("x")),
    Operation.DELETE_PHONEBOOK: lambda p, b: p.delete_phonebooks([b]),
    Operation.LIST_OPTIONS: lambda p, b: list(p.list_options()),
    Operation.CREATE_OPTION: lambda p, b: p.create_option(OptionSpec("x", OptionKind.TEXT)),
    Operation.RENAME_OPTION: lambda p, b: p.rename_option("1", "x"),
    Operation.DELETE_OPTION: lambda p, b: p.delete_options(["1"]),
    Operation.LIST_CONTACTS: lambda p, b: list(p.list_contacts(b)),
    Operation.READ_CONTACT: lambda p, b: p.get_contact("1"),
    Operation.CREATE_CONTACTS: lambda p, b: p.create_contacts(b, [ContactRecord("r", "+989120000001")]),
    Operation.UPDATE_CONTACT: lambda p, b: p.update_contact(b, "1", ContactRecord("r", "+989120000001")),
    Operation.DELETE_CONTACTS: lambda p, b: p.delete_contacts(b, ["1"]),
    Operation.LIST_SUPPRESSED: lambda p, b: list(p.list_suppressed()),
    Operation.LIST_TEMPLATES: lambda p, b: list(p.list_templates()),
    Operation.LIST_INBOX: lambda p, b: list(p.list_inbox()),
    Operation.READ_CONVERSATION: lambda p, b: p.last_received("1"),
    Operation.SUBSCRIBE_CALLBACKS: lambda p, b: p.subscribe_callbacks("https://app.example.org/callbacks/x/"),
    Operation.UNSUBSCRIBE_CALLBACKS: lambda p, b: p.unsubscribe_callbacks(),
    Operation.SEND_KEYWORDS: lambda p, b: p.send(
        OutboundMessage("1", "{x}", "r", targets=(WholePhonebooks((b,)),), is_keyworded=True)
    ),
    Operation.SEND_TEXTS: lambda p, b: p.send(
        OutboundMessage("1", "", "r", texts=(TextForNumbers(("+989120000001",), "x"),))
    ),
    Operation.SEND_TEMPLATE: lambda p, b: p.send(
        OutboundMessage("1", "x", "r", numbers=("+989120000001",), template=TemplateUse("t"))
    ),
    Operation.SEND_TO_PHONEBOOK: lambda p, b: p.send(OutboundMessage("1", "x", "r", targets=(WholePhonebooks((b,)),))),
    Operation.SEND_TO_NUMBERS: lambda p, b: p.send(OutboundMessage("1", "x", "r", numbers=("+989120000001",))),
    Operation.CANCEL_SEND: lambda p, b: p.cancel_send("1"),
    Operation.READ_REPORT: lambda p, b: p.report("1"),
    Operation.FIND_SENDS: lambda p, b: list(p.find_sends(sender="1", text="x", since=dt.datetime.now(dt.UTC))),
}


class AccountPromises(Promises):
    def test_the_capabilities_do_not_contradict_themselves(self) -> None:
        can = self.capabilities
        assert can.safe_to_repeat <= can.operations
        assert not can.safe_to_repeat & SENDS
        assert 1 <= can.default_batch <= can.max_batch
        assert all(can.why_not(operation) for operation in Operation)
        assert can.option_identity in {"id", "slot", "name"}

    def test_what_is_not_supported_is_refused_before_any_call(self, provider: Provider, sandbox: SandboxServer) -> None:
        for operation in frozenset(Operation) - self.capabilities.operations:
            with pytest.raises(Unsupported):
                CALLS[operation](provider, BookRef("1"))
        assert sandbox.requests == []

    def test_every_operation_is_implemented_or_declared_missing(self, sandbox: SandboxServer) -> None:
        sandbox.fault("status_500", times=0)
        with self.connect(sandbox.url(self.slug)) as client:
            for operation in self.capabilities.operations:
                with pytest.raises(ProviderError) as caught:
                    CALLS[operation](client, BookRef("1"))
                assert not isinstance(caught.value, Unsupported), operation

    def test_settings_are_read_strictly(self, sandbox: SandboxServer) -> None:
        with pytest.raises(Misconfigured, match="no_such_setting"):
            self.connect(sandbox.url(self.slug), settings={"no_such_setting": 1})
        for field in registry.backend(self.slug).setting_fields:
            wrong = "not so" if field.kind != "integer" else (field.maximum or 10**9) + 1
            if field.kind != "text":
                with pytest.raises(Misconfigured, match=field.name):
                    self.connect(sandbox.url(self.slug), settings={field.name: wrong})

    def test_missing_credentials_are_told_before_any_call(self, sandbox: SandboxServer) -> None:
        for field in registry.backend(self.slug).credential_fields:
            if field.required:
                given = {name: value for name, value in self.credentials.items() if name != field.name}
                with pytest.raises(Misconfigured):
                    self.connect(sandbox.url(self.slug), credentials=given)

    # The account

    def test_the_check_says_who_it_is(self, provider: Provider) -> None:
        account = provider.check()
        assert account.identity
        assert account.can_send

    def test_wrong_credentials_cost_one_request(self, sandbox: SandboxServer) -> None:
        client = self.connect(sandbox.url(self.slug), credentials=self.wrong_credentials)
        with client, pytest.raises(AuthFailed) as caught:
            client.check()
        assert len(sandbox.requests) == 1
        assert not any(value in repr(vars(caught.value)) for value in self.wrong_credentials.values())

    def test_nobody_listening_is_not_sent(self) -> None:
        with self.connect(f"http://127.0.0.1:{free_port()}") as client, pytest.raises(NotSent):
            client.check()

    def test_a_fault_of_the_provider_in_reading_is_unknown_and_asked_once(
        self, sandbox: SandboxServer, provider: Provider
    ) -> None:
        for kind in LOST_ANSWERS:
            before = len(sandbox.requests)
            sandbox.fault(kind)
            with pytest.raises(OutcomeUnknown):
                provider.check()
            assert len(sandbox.requests) == before + 1
        assert provider.check().identity

    def test_a_throttled_reading_says_how_long_to_wait(self, sandbox: SandboxServer, provider: Provider) -> None:
        sandbox.fault("status_429", seconds=7)
        with pytest.raises(Throttled) as caught:
            provider.check()
        assert caught.value.retry_after == 7

    @needs(Operation.READ_BALANCE)
    def test_the_balance_has_a_currency(self, provider: Provider) -> None:
        balance = provider.balance()
        assert balance.amount > 0
        assert len(balance.currency) == 3

    @needs(Operation.LIST_SENDERS)
    def test_the_senders_are_listed(self, provider: Provider) -> None:
        assert self.sender in [sender.value for sender in provider.senders()]

    @needs(Operation.ESTIMATE_PRICE)
    def test_a_price_is_estimated(self, provider: Provider) -> None:
        price = provider.estimate_price(sender=self.sender, text="سلام", number=self.phones[0])
        assert 0 < price.low <= price.high
        assert price.parts == 1
