"""The vocabulary at the border between the application and the backends.

Everything here is frozen: a backend cannot change what the caller handed over, and the
caller can keep a value beside the call that carried it. Phone numbers are E.164 with a
plus everywhere on this side of the border; each backend converts on the way out and back.
Remote ids are text, whatever the provider's JSON type is.
"""

from __future__ import annotations

from providers.types.account import (
    AccountConfig,
    AccountInfo,
    Balance,
    CredentialField,
    Exchange,
    Pacer,
    PriceEstimate,
    Sender,
    SettingField,
)
from providers.types.callbacks import CallbackEvent, CallbackEventKind, CallbackRequest
from providers.types.capabilities import (
    SENDS,
    CallbackKind,
    Capabilities,
    Operation,
    OptionKind,
)
from providers.types.contacts import (
    BatchResult,
    BookRef,
    ContactRecord,
    ItemOutcome,
    ItemResult,
    OptionSpec,
    OptionValue,
    PhonebookSpec,
    RemoteContact,
    RemoteOption,
    RemotePhonebook,
    SuppressedNumber,
)
from providers.types.sends import (
    ChosenContacts,
    DeliveryState,
    InboundMessage,
    OutboundMessage,
    RecipientReport,
    RemoteTemplate,
    SendReceipt,
    SendReport,
    SendState,
    TemplateUse,
    TextForNumbers,
    WholePhonebooks,
)

__all__ = [
    "SENDS",
    "AccountConfig",
    "AccountInfo",
    "Balance",
    "BatchResult",
    "BookRef",
    "CallbackEvent",
    "CallbackEventKind",
    "CallbackKind",
    "CallbackRequest",
    "Capabilities",
    "ChosenContacts",
    "ContactRecord",
    "CredentialField",
    "DeliveryState",
    "Exchange",
    "InboundMessage",
    "ItemOutcome",
    "ItemResult",
    "Operation",
    "OptionKind",
    "OptionSpec",
    "OptionValue",
    "OutboundMessage",
    "Pacer",
    "PhonebookSpec",
    "PriceEstimate",
    "RecipientReport",
    "RemoteContact",
    "RemoteOption",
    "RemotePhonebook",
    "RemoteTemplate",
    "SendReceipt",
    "SendReport",
    "SendState",
    "Sender",
    "SettingField",
    "SuppressedNumber",
    "TemplateUse",
    "TextForNumbers",
    "WholePhonebooks",
]
