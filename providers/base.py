"""The contract every backend fulfils.

A backend is auth, paths, payloads and parsers; nothing else. It gets an `AccountConfig`,
speaks through one `Transport`, and answers with the types of `providers.types` or raises
from `providers.exceptions`. What its capabilities do not list raises `Unsupported`
before any call, from here, so a backend implements only what its provider can do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import ClassVar, NoReturn

from providers.exceptions import NotGenuine, ProviderError, Unsupported
from providers.text import gettext_noop
from providers.types import (
    AccountConfig,
    AccountInfo,
    Balance,
    BatchResult,
    BookRef,
    CallbackEvent,
    CallbackRequest,
    Capabilities,
    ContactRecord,
    CredentialField,
    InboundMessage,
    ItemResult,
    Operation,
    OptionSpec,
    OutboundMessage,
    PhonebookSpec,
    PriceEstimate,
    RecipientReport,
    RemoteContact,
    RemoteOption,
    RemotePhonebook,
    RemoteTemplate,
    Sender,
    SendReceipt,
    SendReport,
    SettingField,
    SuppressedNumber,
)


class Provider:
    """One account at one provider. Not thread-safe: build one per thread. Close it, or use it as a context manager."""

    slug: ClassVar[str]
    label: ClassVar[str]
    default_base_url: ClassVar[str] = ""  # empty: the account must name one
    credential_fields: ClassVar[tuple[CredentialField, ...]] = ()
    setting_fields: ClassVar[tuple[SettingField, ...]] = ()
    capabilities: ClassVar[Capabilities]

    def __init__(self, account: AccountConfig) -> None:
        self.account = account

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections."""

    def _unsupported(self, operation: Operation) -> NoReturn:
        raise Unsupported(self.capabilities.why_not(operation), code=operation.value)

    # What can be told without a call

    @classmethod
    def problem_with_contact(cls, record: ContactRecord) -> ProviderError | None:
        """Why this provider cannot take this contact at all (number form, lengths), as the error to show; None when it can."""
        return None

    @classmethod
    def problem_with_number(cls, phone: str) -> ProviderError | None:
        """Why this provider cannot send to this E.164 number; None when it can."""
        return None

    @classmethod
    def problem_with_message(cls, message: OutboundMessage, *, now: dt.datetime) -> ProviderError | None:
        """Why this send would be refused (sender form, length, time, too many targets); None when it looks right."""
        return None

    @classmethod
    def keyword(cls, option_key: str) -> str:
        """The placeholder that this provider replaces by a contact's value of the option."""
        raise Unsupported(cls.capabilities.why_not(Operation.SEND_KEYWORDS), code=Operation.SEND_KEYWORDS.value)

    @classmethod
    def template_place(cls, variable: str) -> str:
        """How the text of a template shows where this variable goes."""
        return f"{{{{{variable}}}}}"

    @classmethod
    def read_callback(cls, request: CallbackRequest, *, secret: str, now: dt.datetime) -> tuple[CallbackEvent, ...]:
        """What a request to our callback address tells. Raises `NotGenuine` for a wrong signature or a form that is not the document's.

        `secret` is the credential `callback_secret`, empty where none is entered. A request with nothing to tell gives no event.
        """
        raise NotGenuine(gettext_noop("This provider makes no callbacks."))

    # The account

    def check(self) -> AccountInfo:
        """Prove the credentials with the cheapest documented call. Raises `AuthFailed` when they are refused."""
        self._unsupported(Operation.CHECK)

    def balance(self) -> Balance:
        """Credit left."""
        self._unsupported(Operation.READ_BALANCE)

    def senders(self) -> list[Sender]:
        """What may stand as the sender of a message."""
        self._unsupported(Operation.LIST_SENDERS)

    def estimate_price(self, *, sender: str, text: str, number: str) -> PriceEstimate:
        """Price of one message to this number. Nothing is sent. Numbers of one country cost the same, and where
        `price_differs_by_country` is not set, all numbers."""
        self._unsupported(Operation.ESTIMATE_PRICE)

    # Phonebooks

    def list_phonebooks(self, *, title: str = "", remote_id: str = "") -> Iterator[RemotePhonebook]:
        """All phonebooks, or those with exactly this title or id."""
        self._unsupported(Operation.LIST_PHONEBOOKS)

    def create_phonebook(self, spec: PhonebookSpec) -> RemotePhonebook:
        """Create one and return it with its id. Not safe to repeat: look for the title first."""
        self._unsupported(Operation.CREATE_PHONEBOOK)

    def update_phonebook(self, book: BookRef, spec: PhonebookSpec) -> None:
        """Set title and options to exactly this."""
        self._unsupported(Operation.UPDATE_PHONEBOOK)

    def delete_phonebooks(self, books: Sequence[BookRef]) -> None:
        """Delete them, with the contacts inside."""
        self._unsupported(Operation.DELETE_PHONEBOOK)

    # Options

    def list_options(self, *, titles: Sequence[str] = ()) -> Iterator[RemoteOption]:
        """All custom options of the account; where a provider does not list them all, at least those with these titles."""
        self._unsupported(Operation.LIST_OPTIONS)

    def create_option(self, spec: OptionSpec) -> RemoteOption:
        """Create one and return it with its id. Not safe to repeat: look for it first."""
        self._unsupported(Operation.CREATE_OPTION)

    def rename_option(self, remote_id: str, title: str) -> None:
        """Change the title; the kind cannot change."""
        self._unsupported(Operation.RENAME_OPTION)

    def delete_options(self, remote_ids: Sequence[str]) -> None:
        """Delete them, with their values."""
        self._unsupported(Operation.DELETE_OPTION)

    # Contacts

    def list_contacts(self, book: BookRef, *, created_since: dt.datetime | None = None) -> Iterator[RemoteContact]:
        """Everybody in a phonebook, page by page; `created_since` is a hint that a backend without such a filter ignores."""
        self._unsupported(Operation.LIST_CONTACTS)

    def find_contact(self, book: BookRef, phone: str) -> RemoteContact | None:
        """The contact with this number in this phonebook, or None. Without a search at the provider, everybody is listed."""
        return next((contact for contact in self.list_contacts(book) if contact.phone == phone), None)

    def get_contact(self, remote_id: str) -> RemoteContact:
        """One contact by its id, with whatever the provider tells about it. Raises `NotFound`."""
        self._unsupported(Operation.READ_CONTACT)

    def create_contacts(self, book: BookRef, records: Sequence[ContactRecord]) -> BatchResult:
        """Add at most `capabilities.max_batch` contacts; one result per record, in their order."""
        self._unsupported(Operation.CREATE_CONTACTS)

    def update_contact(self, book: BookRef, remote_id: str, record: ContactRecord) -> ItemResult:
        """Set every field the provider knows to exactly this. Raises `NotFound` when it is gone."""
        self._unsupported(Operation.UPDATE_CONTACT)

    def delete_contacts(self, book: BookRef, remote_ids: Sequence[str]) -> None:
        """Delete at most `capabilities.max_delete_batch` contacts; one that is gone already counts as deleted."""
        self._unsupported(Operation.DELETE_CONTACTS)

    def list_suppressed(self) -> Iterator[SuppressedNumber]:
        """Numbers that the provider sends nothing to."""
        self._unsupported(Operation.LIST_SUPPRESSED)

    # Conversations and callbacks

    def list_inbox(self, *, after: str = "") -> Iterator[InboundMessage]:
        """What people wrote to us, oldest first, only what came after the message with the id `after`."""
        self._unsupported(Operation.LIST_INBOX)

    def last_received(self, contact_id: str) -> dt.datetime | None:
        """When this contact last wrote to us; None: never."""
        self._unsupported(Operation.READ_CONVERSATION)

    def subscribe_callbacks(self, url: str) -> None:
        """Have the provider call this address, in place of any other it was told before."""
        self._unsupported(Operation.SUBSCRIBE_CALLBACKS)

    def unsubscribe_callbacks(self) -> None:
        """Have the provider call nobody any more."""
        self._unsupported(Operation.UNSUBSCRIBE_CALLBACKS)

    # Sends

    def list_templates(self) -> Iterator[RemoteTemplate]:
        """The texts approved by the provider."""
        self._unsupported(Operation.LIST_TEMPLATES)

    def send(self, message: OutboundMessage) -> SendReceipt:
        """Hand over for sending what `message` says. Never safe to repeat: after `OutcomeUnknown` look with `find_sends`, else ask a person."""
        self._unsupported(message.operation)

    def cancel_send(self, reference: str) -> None:
        """Cancel a scheduled send. Raises `Rejected` when it is too late."""
        self._unsupported(Operation.CANCEL_SEND)

    def report(self, reference: str) -> SendReport:
        """State of one send."""
        self._unsupported(Operation.READ_REPORT)

    def recipient_reports(self, reference: str) -> Iterator[RecipientReport]:
        """State per recipient of one send."""
        self._unsupported(Operation.READ_REPORT)

    def find_sends(
        self, *, sender: str, text: str, since: dt.datetime, until: dt.datetime | None = None, reference: str = ""
    ) -> Iterator[SendReport]:
        """Sends from this sender with exactly this text handed over in that time: the evidence for an unknown outcome.

        An empty sender or text means any; `until` is a hint that a backend without such a filter ignores. Where the provider keeps our reference, only those with `reference`. For a text with the provider's own placeholders,
        those that it can have become.
        """
        self._unsupported(Operation.FIND_SENDS)

    def sent_to(self, contact_id: str, *, text: str, since: dt.datetime) -> Iterator[SendReport]:
        """Messages of exactly this text (empty: any) that went out to this contact since then, as its conversation shows them.

        Where the provider lists no sends, this is all the evidence there is for an unknown outcome.
        """
        self._unsupported(Operation.READ_CONVERSATION)
