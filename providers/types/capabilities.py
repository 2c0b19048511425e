"""What a provider can do, and the names of what it does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from providers.text import gettext_noop


class OptionKind(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    DATE = "date"
    CHOICE = "choice"


class Operation(StrEnum):
    """Every remote operation by name: the key of capability tables, call ledgers and safe-to-repeat sets."""

    CHECK = "check"
    READ_BALANCE = "read_balance"
    LIST_SENDERS = "list_senders"
    ESTIMATE_PRICE = "estimate_price"
    LIST_PHONEBOOKS = "list_phonebooks"
    CREATE_PHONEBOOK = "create_phonebook"
    UPDATE_PHONEBOOK = "update_phonebook"
    DELETE_PHONEBOOK = "delete_phonebook"
    LIST_OPTIONS = "list_options"
    CREATE_OPTION = "create_option"
    RENAME_OPTION = "rename_option"
    DELETE_OPTION = "delete_option"
    LIST_CONTACTS = "list_contacts"
    READ_CONTACT = "read_contact"
    CREATE_CONTACTS = "create_contacts"
    UPDATE_CONTACT = "update_contact"
    DELETE_CONTACTS = "delete_contacts"
    SEND_TO_PHONEBOOK = "send_to_phonebook"
    SEND_TO_NUMBERS = "send_to_numbers"
    CANCEL_SEND = "cancel_send"
    READ_REPORT = "read_report"
    FIND_SENDS = "find_sends"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do and how much at once. Plans, forms, actions and the Providers page are made from it."""

    operations: frozenset[Operation]
    safe_to_repeat: frozenset[Operation]
    option_kinds: frozenset[OptionKind]
    option_identity: str  # "id": created at the provider; "slot": fixed places; "name": must exist there already
    slots: tuple[str, ...] = ()
    default_batch: int = 1
    max_batch: int = 1
    max_delete_batch: int = 1
    returns_contact_ids: bool = True
    per_item_results: bool = True
    reads_option_values: bool = True
    has_name: bool = True  # a name is kept at all
    has_separate_names: bool = False  # first and last name are two fields
    has_prefix: bool = False
    has_email: bool = False
    has_company: bool = False
    has_tags: bool = False
    has_assigned_user: bool = False
    max_title: int | None = None
    max_contacts_per_phonebook: int | None = None
    max_numbers_per_send: int = 1
    max_targets_per_send: int = 1  # phonebook parts in one send
    max_message_chars: int | None = None
    max_message_parts: int | None = None
    schedule_earliest: dt.timedelta | None = None  # None: the provider cannot schedule
    schedule_latest: dt.timedelta | None = None
    cancel_until: dt.timedelta | None = None
    duplicate_send_window: dt.timedelta | None = None  # an identical send within it is refused
    currency: str = ""
    reasons: Mapping[Operation, str] = field(default_factory=dict)  # why something is not possible, one line each
    notes: tuple[str, ...] = ()  # what people should know of a provider's ways, one translatable line each

    def can(self, operation: Operation) -> bool:
        return operation in self.operations

    def why_not(self, operation: Operation) -> str:
        """One line for the place where a person would look for a missing button."""
        return self.reasons.get(operation, gettext_noop("This provider's API has no such call."))
