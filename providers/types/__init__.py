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
    PriceEstimate,
    Sender,
    SettingField,
)
from providers.types.capabilities import (
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
)
from providers.types.sends import (
    ChosenContacts,
    DeliveryState,
    OutboundMessage,
    RecipientReport,
    SendReceipt,
    SendReport,
    SendState,
    WholePhonebooks,
)

__all__ = [
    "AccountConfig",
    "AccountInfo",
    "Balance",
    "BatchResult",
    "BookRef",
    "Capabilities",
    "ChosenContacts",
    "ContactRecord",
    "CredentialField",
    "DeliveryState",
    "Exchange",
    "ItemOutcome",
    "ItemResult",
    "Operation",
    "OptionKind",
    "OptionSpec",
    "OptionValue",
    "OutboundMessage",
    "PhonebookSpec",
    "PriceEstimate",
    "RecipientReport",
    "RemoteContact",
    "RemoteOption",
    "RemotePhonebook",
    "SendReceipt",
    "SendReport",
    "SendState",
    "Sender",
    "SettingField",
    "WholePhonebooks",
]
