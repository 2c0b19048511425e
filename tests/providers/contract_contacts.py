"""Promises about phonebooks, options and contacts."""

from __future__ import annotations

import pytest

from providers.base import Provider
from providers.exceptions import (
    NotFound,
    OutcomeUnknown,
)
from providers.sandbox import SandboxServer
from providers.types import (
    BookRef,
    ContactRecord,
    ItemOutcome,
    Operation,
    OptionKind,
    OptionSpec,
    OptionValue,
    PhonebookSpec,
)

from .contract_base import LOST_ANSWERS, Promises, needs


class ContactPromises(Promises):
    @needs(Operation.CREATE_PHONEBOOK, Operation.UPDATE_PHONEBOOK, Operation.DELETE_PHONEBOOK)
    def test_a_phonebook_is_created_found_changed_and_deleted(self, provider: Provider) -> None:
        made = provider.create_phonebook(PhonebookSpec("Newsletter"))
        provider.create_phonebook(PhonebookSpec("Newsletter 2"))
        assert [book.remote_id for book in provider.list_phonebooks(title="Newsletter")] == [made.remote_id]
        ref = BookRef(made.remote_id)
        provider.update_phonebook(ref, PhonebookSpec("News"))
        assert [book.title for book in provider.list_phonebooks(remote_id=made.remote_id)] == ["News"]
        provider.delete_phonebooks([ref])
        assert [book.title for book in provider.list_phonebooks()] == ["Newsletter 2"]

    @needs(Operation.CREATE_OPTION, Operation.DELETE_OPTION)
    def test_options_are_created_listed_renamed_and_deleted(self, provider: Provider) -> None:
        kinds = sorted(self.capabilities.option_kinds)
        made = [provider.create_option(OptionSpec(f"option {kind}", kind)) for kind in kinds]
        assert {(option.remote_id, option.title, option.kind) for option in provider.list_options()} == {
            (option.remote_id, f"option {option.kind}", option.kind) for option in made
        }
        provider.rename_option(made[0].remote_id, "renamed")
        provider.delete_options([option.remote_id for option in made[1:]])
        assert [(option.remote_id, option.title) for option in provider.list_options()] == [
            (made[0].remote_id, "renamed")
        ]

    @needs(Operation.CREATE_OPTION, Operation.CREATE_PHONEBOOK)
    def test_values_of_every_kind_arrive(self, provider: Provider, sandbox: SandboxServer) -> None:
        samples = {OptionKind.TEXT: "VIP", OptionKind.INTEGER: "15", OptionKind.DATE: "1992-10-08"}
        made = {
            provider.create_option(OptionSpec(f"option {kind}", kind)).remote_id: OptionValue(samples[kind], kind)
            for kind in sorted(self.capabilities.option_kinds & set(samples))
        }
        remote = provider.create_phonebook(PhonebookSpec("Newsletter", dict.fromkeys(made, "label")))
        assert set(remote.option_keys) == set(made)
        book = BookRef(remote.remote_id)
        provider.create_contacts(book, [self.record(0, options=made)])
        held = self.option_values(sandbox, book, self.phones[0])
        assert {key: value.replace("/", "-") for key, value in held.items()} == {
            key: value.value for key, value in made.items()
        }

    # Contacts

    @needs(Operation.CREATE_CONTACTS, Operation.LIST_CONTACTS)
    def test_a_contact_is_created_and_read_back(self, provider: Provider, book: BookRef) -> None:
        record = self.record(0, prefix="خانم", first_name="سارا", last_name="نمونه", email="sara@example.org")
        result = provider.create_contacts(book, [record])
        assert [(item.reference, item.outcome) for item in result.items] == [("r0", ItemOutcome.DONE)]
        found = provider.find_contact(book, record.phone)
        assert found is not None
        assert found.phone == record.phone
        assert found.remote_id
        if self.capabilities.returns_contact_ids:
            assert result.items[0].remote_id == found.remote_id
        if self.capabilities.has_separate_names:
            assert (found.first_name, found.last_name) == ("سارا", "نمونه")
        elif self.capabilities.has_name:
            assert found.name == "سارا نمونه"
        assert (found.prefix or "") == ("خانم" if self.capabilities.has_prefix else "")
        assert (found.email or "") == ("sara@example.org" if self.capabilities.has_email else "")
        assert provider.find_contact(book, self.phones[1]) is None

    @needs(Operation.CREATE_CONTACTS)
    def test_a_batch_is_created(self, provider: Provider, book: BookRef, sandbox: SandboxServer) -> None:
        size = min(4, self.capabilities.max_batch)
        result = provider.create_contacts(book, [self.record(number) for number in range(size)])
        assert [(item.reference, item.outcome) for item in result.items] == [
            (f"r{number}", ItemOutcome.DONE) for number in range(size)
        ]
        assert sorted(self.numbers_in(sandbox, book)) == sorted(self.phones[:size])

    @needs(Operation.CREATE_CONTACTS)
    def test_nobody_to_create_is_no_call(self, provider: Provider, sandbox: SandboxServer) -> None:
        assert provider.create_contacts(BookRef("1"), []).items == ()
        assert sandbox.requests == []

    @needs(Operation.CREATE_CONTACTS)
    def test_a_refused_contact_of_a_batch_is_told_or_left_to_be_found_out(
        self, provider: Provider, book: BookRef, sandbox: SandboxServer
    ) -> None:
        bad = ContactRecord(reference="bad", phone=self.refused_phone)
        alone = provider.create_contacts(book, [bad]).items[0]
        assert (alone.reference, alone.outcome) == ("bad", ItemOutcome.REFUSED)
        assert alone.message
        if self.capabilities.max_batch > 1:
            items = provider.create_contacts(book, [self.record(0), bad]).items
            outcomes = [item.outcome for item in items]
            if self.capabilities.per_item_results:
                assert outcomes == [ItemOutcome.DONE, ItemOutcome.REFUSED]
            else:
                assert outcomes == [ItemOutcome.UNRESOLVED, ItemOutcome.UNRESOLVED]
            assert self.numbers_in(sandbox, book) == [self.phones[0]]

    @needs(Operation.CREATE_CONTACTS)
    def test_a_number_that_is_there_already_is_not_doubled(
        self, provider: Provider, book: BookRef, sandbox: SandboxServer
    ) -> None:
        if Operation.CREATE_CONTACTS not in self.capabilities.safe_to_repeat:
            pytest.skip(f"{self.slug} may add a number twice; the phonebook must be read first")
        provider.create_contacts(book, [self.record(0)])
        again = provider.create_contacts(book, [self.record(0, first_name="new")]).items[0]
        assert again.outcome in {ItemOutcome.EXISTED, ItemOutcome.REFUSED}
        assert self.numbers_in(sandbox, book) == [self.phones[0]]

    @needs(Operation.CREATE_CONTACTS, Operation.UPDATE_CONTACT, Operation.READ_CONTACT)
    def test_fixed_places_are_filled_emptied_and_read_back(
        self, provider: Provider, book: BookRef, sandbox: SandboxServer
    ) -> None:
        if self.capabilities.option_identity != "slot":
            pytest.skip(f"{self.slug} has no fixed places")
        slots = self.capabilities.slots
        full = {slot: OptionValue(f"value of {slot}", OptionKind.TEXT) for slot in slots}
        provider.create_contacts(book, [self.record(0, options=full)])
        held = self.option_values(sandbox, book, self.phones[0])
        assert {slot: held[slot] for slot in slots} == {slot: f"value of {slot}" for slot in slots}
        found = provider.find_contact(book, self.phones[0])
        assert found is not None
        provider.update_contact(
            book, found.remote_id, self.record(0, options={**full, slots[0]: OptionValue("", OptionKind.TEXT)})
        )
        held = self.option_values(sandbox, book, self.phones[0])
        assert [held.get(slot, "") for slot in slots] == ["", *(f"value of {slot}" for slot in slots[1:])]
        if "options" in self.capabilities.details_tell:
            told = provider.get_contact(found.remote_id).options
            assert told is not None
            assert [told.get(slot, "") for slot in slots] == ["", *(f"value of {slot}" for slot in slots[1:])]

    @needs(Operation.UPDATE_CONTACT, Operation.LIST_CONTACTS)
    def test_a_contact_is_updated(self, provider: Provider, book: BookRef) -> None:
        remote_id = self.fill(provider, book, 1)[self.phones[0]]
        result = provider.update_contact(book, remote_id, self.record(0, first_name="Sara", last_name="New"))
        assert (result.reference, result.outcome) == ("r0", ItemOutcome.DONE)
        found = provider.find_contact(book, self.phones[0])
        assert found is not None
        assert found.remote_id == remote_id
        assert "New" in f"{found.name or found.last_name}" or not self.capabilities.has_name

    @needs(Operation.UPDATE_CONTACT)
    def test_updating_nobody_says_that_it_is_gone(self, provider: Provider, book: BookRef) -> None:
        with pytest.raises(NotFound):
            provider.update_contact(book, self.unknown_id, self.record(0))

    @needs(Operation.READ_CONTACT)
    def test_a_contact_is_read_by_its_id(self, provider: Provider, book: BookRef) -> None:
        remote_id = self.fill(provider, book, 1)[self.phones[0]]
        assert provider.get_contact(remote_id).phone == self.phones[0]
        with pytest.raises(NotFound):
            provider.get_contact(self.unknown_id)

    @needs(Operation.DELETE_CONTACTS, Operation.LIST_CONTACTS)
    def test_deleting_leaves_the_others_and_may_be_repeated(
        self, provider: Provider, book: BookRef, sandbox: SandboxServer
    ) -> None:
        ids = self.fill(provider, book, 2)
        for _ in range(2):
            provider.delete_contacts(book, [ids[self.phones[0]]])
            assert self.numbers_in(sandbox, book) == [self.phones[1]]
        provider.delete_contacts(book, [])

    @needs(Operation.CREATE_CONTACTS, Operation.LIST_CONTACTS)
    @pytest.mark.parametrize("kind", LOST_ANSWERS)
    def test_a_lost_answer_to_a_batch_is_unknown_and_the_phonebook_tells_the_truth(
        self, provider: Provider, book: BookRef, sandbox: SandboxServer, kind: str
    ) -> None:
        fault = sandbox.fault(kind, self.create_path)
        with pytest.raises(OutcomeUnknown):
            provider.create_contacts(book, [self.record(0)])
        assert fault.hits == 1
        there = [self.phones[0]] if fault.carries_out else []
        assert [contact.phone for contact in provider.list_contacts(book)] == there
        if Operation.CREATE_CONTACTS in self.capabilities.safe_to_repeat:
            provider.create_contacts(book, [self.record(0)])
            assert self.numbers_in(sandbox, book) == [self.phones[0]]
