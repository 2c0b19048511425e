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
    MULTIPLE = "multiple"  # any number of the choices
    EMAIL = "email"


class CallbackKind(StrEnum):
    """How a provider comes to call us when something has happened to a message or a contact."""

    NONE = "none"
    PER_SEND = "per_send"  # our address goes along with every send
    PORTAL = "portal"  # a person enters our address in the provider's portal
    SUBSCRIBED = "subscribed"  # by a call of its API, which replaces whatever was there


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
    LIST_SUPPRESSED = "list_suppressed"
    LIST_TEMPLATES = "list_templates"
    LIST_INBOX = "list_inbox"
    READ_CONVERSATION = "read_conversation"
    SUBSCRIBE_CALLBACKS = "subscribe_callbacks"
    UNSUBSCRIBE_CALLBACKS = "unsubscribe_callbacks"
    SEND_TO_PHONEBOOK = "send_to_phonebook"
    SEND_KEYWORDS = "send_keywords"  # to phonebooks, the provider filling in the contacts' option values
    SEND_TO_NUMBERS = "send_to_numbers"
    SEND_TEXTS = "send_texts"  # several texts in one call, each to its own numbers
    SEND_TEMPLATE = "send_template"
    CANCEL_SEND = "cancel_send"
    READ_REPORT = "read_report"
    FIND_SENDS = "find_sends"


#: Operations that reach people and cost money: none is ever repeated after an unknown outcome.
SENDS = frozenset(
    {
        Operation.SEND_TO_PHONEBOOK,
        Operation.SEND_KEYWORDS,
        Operation.SEND_TO_NUMBERS,
        Operation.SEND_TEXTS,
        Operation.SEND_TEMPLATE,
    }
)


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
    searches_numbers: bool = False  # one number is found without listing the whole phonebook
    lists_recent: bool = False  # `created_since` makes a list of contacts shorter
    details_tell: frozenset[str] = frozenset()  # what reading one contact tells beyond the list: "options", "opt_out"
    has_name: bool = True  # a name is kept at all
    has_separate_names: bool = False  # first and last name are two fields
    can_clear_name: bool = True  # an empty name empties it; otherwise it is left as it is
    has_prefix: bool = False
    has_email: bool = False
    has_company: bool = False
    has_tags: bool = False
    phonebooks_are_tags: bool = False  # deleting somebody who has other tags there takes away only the phonebook's
    has_assigned_user: bool = False
    has_note: bool = False
    can_change_phone: bool = True
    deleting_contacts: str = ""  # what else can go with a deleted contact, beyond this phonebook: one translatable line
    has_description: bool = False  # a phonebook keeps one
    max_title: int | None = None
    max_option_label: int | None = None
    max_option_chars: int | None = None  # of one option value
    max_note_chars: int | None = None
    max_contacts_per_phonebook: int | None = None
    max_numbers_per_send: int = 1
    max_targets_per_send: int = 1  # phonebook parts in one send
    max_texts_per_send: int = 1  # different texts in one `SEND_TEXTS`
    sends_slices: bool = False  # a phonebook from row n, m rows
    sends_chosen: bool = False  # contacts of a phonebook by their ids
    counts_parts: bool = True  # messages are SMS, which go out and are paid for in parts
    max_message_chars: int | None = None
    max_message_parts: int | None = None
    schedule_earliest: dt.timedelta | None = None  # None: the provider cannot schedule
    schedule_latest: dt.timedelta | None = None
    cancel_until: dt.timedelta | None = None  # a scheduled send can be cancelled until so long before it goes
    duplicate_send_window: dt.timedelta | None = None  # an identical send within it is refused
    reply_window: dt.timedelta | None = None  # free text only so long after the person's last message, else a template
    template_needs_consent: bool = False
    callbacks: CallbackKind = CallbackKind.NONE
    callbacks_are_signed: bool = False  # with the credential `callback_secret`, where one is entered
    callback_help: str = ""  # where a person enters our address, one translatable line
    price_differs_by_country: bool = False  # the price of a message is that of its number's country
    requests_per_second: float = 5.0
    blocks_address: bool = False  # a 429 holds for every account of this provider on this machine's address
    currency: str = ""
    reasons: Mapping[Operation, str] = field(default_factory=dict)  # why something is not possible, one line each
    notes: tuple[str, ...] = ()  # what people should know of a provider's ways, one translatable line each

    def can(self, operation: Operation) -> bool:
        return operation in self.operations

    def why_not(self, operation: Operation) -> str:
        """One line for the place where a person would look for a missing button."""
        return self.reasons.get(operation, gettext_noop("This provider's API has no such call."))
