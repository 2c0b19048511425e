"""Promises about sends and their reports."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from providers.base import Provider
from providers.exceptions import (
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
)
from providers.sandbox import SandboxServer
from providers.sandbox.faults import Fault
from providers.types import (
    BookRef,
    ChosenContacts,
    DeliveryState,
    Operation,
    OptionKind,
    OptionSpec,
    OptionValue,
    OutboundMessage,
    PhonebookSpec,
    SendState,
    TemplateUse,
    TextForNumbers,
    WholePhonebooks,
)

from .contract_base import LOST_ANSWERS, Promises, needs
from .servers import free_port


class SendPromises(Promises):
    def message(self, text: str = "سلام", **fields: Any) -> OutboundMessage:
        return OutboundMessage(sender=self.sender, text=text, reference="call-1", **fields)

    def send_to_numbers(self, provider: Provider, text: str = "سلام") -> tuple[str, ...]:
        numbers = self.phones[: min(2, self.capabilities.max_numbers_per_send)]
        return provider.send(self.message(text, numbers=numbers)).references

    @needs(Operation.SEND_TO_NUMBERS)
    def test_numbers_get_the_text_once(self, provider: Provider, sandbox: SandboxServer) -> None:
        assert self.send_to_numbers(provider)
        assert self.messages_to(sandbox, self.phones[0]) == ["سلام"]
        assert self.messages_to(sandbox, self.phones[3]) == []

    @needs(Operation.SEND_TO_PHONEBOOK)
    def test_a_whole_phonebook_a_slice_and_chosen_contacts_get_the_text(
        self, provider: Provider, book: BookRef, sandbox: SandboxServer
    ) -> None:
        ids = self.fill(provider, book, 4)
        third = list(provider.list_contacts(book))[2].phone
        parts = {
            "slice": (self.capabilities.sends_slices, WholePhonebooks((book,), start=3, size=1), [third]),
            "chosen": (self.capabilities.sends_chosen, ChosenContacts(book, (ids[self.phones[1]],)), [self.phones[1]]),
        }
        provider.send(self.message("all", targets=(WholePhonebooks((book,)),)))
        for text, (is_possible, target, _) in parts.items():
            if is_possible:
                provider.send(self.message(text, targets=(target,)))
            else:
                with pytest.raises(Rejected):
                    provider.send(self.message(text, targets=(target,)))
        got = {phone: self.messages_to(sandbox, phone) for phone in self.phones}
        assert all(texts.count("all") == 1 for texts in got.values())
        for text, (is_possible, _, people) in parts.items():
            assert [phone for phone, texts in got.items() if text in texts] == (people if is_possible else [])

    @needs(Operation.SEND_TEXTS)
    def test_several_texts_reach_their_own_numbers(self, provider: Provider, sandbox: SandboxServer) -> None:
        texts = (TextForNumbers(self.phones[:1], "سلام یک"), TextForNumbers(self.phones[1:2], "سلام دو"))
        assert provider.send(self.message("", texts=texts)).references
        assert [self.messages_to(sandbox, phone) for phone in self.phones[:3]] == [["سلام یک"], ["سلام دو"], []]

    @needs(Operation.SEND_KEYWORDS, Operation.CREATE_PHONEBOOK)
    def test_placeholders_are_filled_in_from_the_values_of_each_contact(
        self, provider: Provider, sandbox: SandboxServer
    ) -> None:
        key = self.text_option(provider)
        remote = provider.create_phonebook(PhonebookSpec("Newsletter", {key: "City"}))
        book = BookRef(remote.remote_id)
        cities = [OptionValue(city, OptionKind.TEXT) for city in ("Tehran", "Shiraz")]
        records = [self.record(number, options={key: city}) for number, city in enumerate(cities)]
        for record in records:
            provider.create_contacts(book, [record])
        text = f"In {provider.keyword(key)}."
        sent = provider.send(self.message(text, targets=(WholePhonebooks((book,)),), is_keyworded=True))
        assert all(sent.references)
        assert [self.messages_to(sandbox, phone) for phone in self.phones[:2]] == [["In Tehran."], ["In Shiraz."]]

    def text_option(self, provider: Provider) -> str:
        """The key of an option that takes text."""
        if self.capabilities.option_identity == "id":
            return provider.create_option(OptionSpec("City", OptionKind.TEXT)).remote_id
        key: str = self.capabilities.slots[0]
        return key

    def approve_template(self, sandbox: SandboxServer) -> str:
        """Have a template with one variable approved; its id."""
        raise NotImplementedError

    @needs(Operation.SEND_TEMPLATE, Operation.LIST_TEMPLATES)
    def test_a_template_is_listed_and_sent_with_its_values(self, provider: Provider, sandbox: SandboxServer) -> None:
        remote_id = self.approve_template(sandbox)
        found = {template.remote_id: template for template in provider.list_templates()}[remote_id]
        assert found.is_usable
        (variable,) = found.variables
        text = found.text.replace(provider.template_place(variable), "17")
        assert text != found.text
        use = TemplateUse(remote_id, {variable: "17"}, has_consent=True)
        assert provider.send(self.message(text, numbers=self.phones[:1], template=use)).references
        assert self.messages_to(sandbox, self.phones[0]) == [text]

    @needs(Operation.SEND_TEMPLATE)
    def test_a_template_without_consent_is_refused_before_any_call(
        self, provider: Provider, sandbox: SandboxServer
    ) -> None:
        if not self.capabilities.template_needs_consent:
            pytest.skip(f"{self.slug} does not ask for consent")
        use = TemplateUse(self.approve_template(sandbox), {"1": "17"}, has_consent=False)
        with pytest.raises(Rejected):
            provider.send(self.message("Code 17", numbers=self.phones[:1], template=use))
        assert sandbox.requests == []

    @needs(Operation.SEND_TO_NUMBERS)
    @pytest.mark.parametrize("kind", LOST_ANSWERS)
    def test_a_lost_answer_to_a_send_is_unknown_and_nothing_is_sent_again(
        self, provider: Provider, sandbox: SandboxServer, kind: str
    ) -> None:
        since = dt.datetime.now(dt.UTC)
        fault: Fault = sandbox.fault(kind, self.send_path, times=0)
        with pytest.raises(OutcomeUnknown):
            self.send_to_numbers(provider)
        assert len(sandbox.requests_to(self.send_path)) == 1
        assert self.messages_to(sandbox, self.phones[0]) == ["سلام"] * fault.carries_out
        if self.capabilities.can(Operation.FIND_SENDS):
            found = list(provider.find_sends(sender=self.sender, text="سلام", since=since))
            assert len(found) == int(fault.carries_out)

    @needs(Operation.SEND_TO_NUMBERS)
    def test_a_send_nobody_listened_to_was_not_sent(self) -> None:
        with self.connect(f"http://127.0.0.1:{free_port()}") as client, pytest.raises(NotSent):
            self.send_to_numbers(client)

    @needs(Operation.SEND_TO_NUMBERS)
    def test_a_refused_send_says_why_and_reaches_nobody(self, provider: Provider, sandbox: SandboxServer) -> None:
        sandbox.fault("status_422", self.send_path)
        with pytest.raises(Rejected) as caught:
            self.send_to_numbers(provider)
        assert caught.value.params["words"]
        assert self.messages_to(sandbox, self.phones[0]) == []

    @needs(Operation.FIND_SENDS, Operation.SEND_TO_NUMBERS)
    def test_only_the_send_that_is_looked_for_is_found(self, provider: Provider, sandbox: SandboxServer) -> None:
        since = dt.datetime.now(dt.UTC)
        reference = self.send_to_numbers(provider, "سلام")[0]
        self.send_to_numbers(provider, "سلام دوستان")
        found = provider.find_sends(sender=self.sender, text="سلام", since=since)
        assert [report.reference for report in found] == [reference]
        later = since + dt.timedelta(hours=1)
        assert list(provider.find_sends(sender=self.sender, text="سلام", since=later)) == []

    @needs(Operation.READ_REPORT, Operation.SEND_TO_NUMBERS)
    def test_the_report_ends_with_a_final_state_per_recipient(self, provider: Provider, sandbox: SandboxServer) -> None:
        reference = self.send_to_numbers(provider)[0]
        assert not provider.report(reference).state.is_final
        sandbox.advance(3600)
        report = provider.report(reference)
        assert (report.reference, report.state) == (reference, SendState.SENT)
        sent_to = self.phones[: min(2, self.capabilities.max_numbers_per_send)]
        rows = list(provider.recipient_reports(reference))
        assert report.people in (None, tuple(rows))
        recipients = {row.phone or sent_to[0]: row.state for row in rows}  # nameless: the only one
        assert recipients == dict.fromkeys(sent_to, DeliveryState.DELIVERED)
        with pytest.raises(NotFound):
            provider.report(self.unknown_id)

    @needs(Operation.CANCEL_SEND, Operation.READ_REPORT)
    def test_a_scheduled_send_is_cancelled_once(self, provider: Provider, sandbox: SandboxServer) -> None:
        send_at = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
        numbers = self.phones[: min(2, self.capabilities.max_numbers_per_send)]
        reference = provider.send(self.message(numbers=numbers, send_at=send_at)).references[0]
        provider.cancel_send(reference)
        assert provider.report(reference).state is SendState.CANCELLED
        with pytest.raises(Rejected):
            provider.cancel_send(reference)
        sandbox.advance(4 * 3600)
        assert provider.report(reference).state is SendState.CANCELLED

    def test_a_time_too_early_or_too_late_is_refused_before_any_call(
        self, provider: Provider, sandbox: SandboxServer
    ) -> None:
        if self.capabilities.schedule_earliest is None or self.capabilities.schedule_latest is None:
            pytest.skip(f"{self.slug} cannot schedule")
        now = dt.datetime.now(dt.UTC)
        early = now + self.capabilities.schedule_earliest - dt.timedelta(seconds=5)
        late = now + self.capabilities.schedule_latest + dt.timedelta(minutes=5)
        for send_at in (early, late):
            with pytest.raises(Rejected):
                provider.send(self.message(numbers=self.phones[:1], send_at=send_at))
        assert sandbox.requests == []
