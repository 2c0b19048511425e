"""What Atom Telecom's documents say of states and abilities. They state no lengths, so that none are held against anybody."""

from __future__ import annotations

from providers.text import gettext_noop
from providers.types import (
    CallbackKind,
    Capabilities,
    CredentialField,
    DeliveryState,
    Operation,
    OptionKind,
    SendState,
    SettingField,
)

SLOTS = ("company", "custom_1", "custom_2", "custom_3", "custom_4")
INTERNATIONAL, NATIONAL = "international", "national"

CREDENTIAL_FIELDS = (CredentialField("token", gettext_noop("API token")),)
SETTING_FIELDS = (
    SettingField(
        "contact_number_form",
        gettext_noop("Form of numbers in contacts"),
        "choice",
        INTERNATIONAL,
        help_text=gettext_noop("international: 61400000001, national: 0400000001. Messages always go to the former."),
        choices=(INTERNATIONAL, NATIONAL),
    ),
    SettingField(
        "requests_per_second",
        gettext_noop("Calls per second"),
        "integer",
        5,
        help_text=gettext_noop("At most so many calls in a second. Atom Telecom takes 10 on average."),
        minimum=1,
        maximum=10,
    ),
    SettingField(
        "concurrency",
        gettext_noop("Calls at the same time"),
        "integer",
        4,
        help_text=gettext_noop(
            "At most so many calls are under way at once. The calls per second are kept all the same."
        ),
        minimum=1,
        maximum=32,
    ),
    SettingField(
        "connect_timeout",
        gettext_noop("Seconds to wait for a connection"),
        "integer",
        10,
        minimum=1,
        maximum=60,
    ),
    SettingField(
        "read_timeout",
        gettext_noop("Seconds to wait for an answer"),
        "integer",
        60,
        help_text=gettext_noop(
            "An address book arrives whole, so a big one takes a while. After this the outcome of a call that changes something counts as not known."
        ),
        minimum=1,
        maximum=120,
    ),
)

# By the word in small letters: the answer of a send writes “pending”, the list of states has capitals.
DELIVERY_STATES = {
    "pending": DeliveryState.QUEUED,
    "scheduled": DeliveryState.QUEUED,
    "enroute": DeliveryState.SENT,
    "unknown": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "accepted": DeliveryState.SENT,  # the last word on it: delivery is not proven
    "expired": DeliveryState.FAILED,
    "deleted": DeliveryState.FAILED,
    "undeliverable": DeliveryState.FAILED,
    "rejected": DeliveryState.FAILED,
    "skipped": DeliveryState.FAILED,
}
SEND_STATES = {
    "pending": SendState.QUEUED,
    "scheduled": SendState.QUEUED,
    "enroute": SendState.SENDING,
    "unknown": SendState.SENDING,
    "delivered": SendState.SENT,
    "accepted": SendState.SENT,
    "expired": SendState.FAILED,
    "deleted": SendState.FAILED,
    "undeliverable": SendState.FAILED,
    "rejected": SendState.FAILED,
    "skipped": SendState.FAILED,
}

_READS = frozenset(
    {
        Operation.CHECK,
        Operation.LIST_SENDERS,
        Operation.LIST_PHONEBOOKS,
        Operation.LIST_CONTACTS,
        Operation.READ_CONTACT,
        Operation.READ_REPORT,
    }
)
_SAME_END = frozenset(
    {
        Operation.UPDATE_PHONEBOOK,
        Operation.DELETE_PHONEBOOK,
        Operation.UPDATE_CONTACT,
        Operation.DELETE_CONTACTS,
    }
)
# What becomes of a second contact with the same number is not documented.
_ONCE = frozenset({Operation.CREATE_PHONEBOOK, Operation.CREATE_CONTACTS, Operation.SEND_TO_NUMBERS})

_FIXED_PLACES = gettext_noop(
    "Atom Telecom has five fixed places for more about a contact (company and custom_1 to custom_4); none is made, named or removed."
)
_NO_BOOK_SENDS = gettext_noop(
    "Atom Telecom's API sends to numbers only; phonebooks are sent to number by number from here."
)
_ONE_NUMBER = gettext_noop("Atom Telecom gives one id per call, so every call carries one text to one number.")
_PER_SEND = gettext_noop("Atom Telecom is told the address for callbacks with every message.")

CAPABILITIES = Capabilities(
    operations=_READS | _SAME_END | _ONCE,
    safe_to_repeat=_READS | _SAME_END,
    option_kinds=frozenset({OptionKind.TEXT}),
    option_identity="slot",
    slots=SLOTS,
    details_tell=frozenset({"options"}),
    has_separate_names=True,
    callbacks=CallbackKind.PER_SEND,
    callback_help=gettext_noop(
        "What becomes of a message is told by itself. To have answers of people told too, switch Automation on under Services, SMS, Manage in Atom Telecom's portal, with this address as the webhook."
    ),
    requests_per_second=5.0,
    reasons={
        Operation.READ_BALANCE: gettext_noop("Atom Telecom's API does not tell the credit; look in its portal."),
        Operation.ESTIMATE_PRICE: gettext_noop("Atom Telecom's API tells no prices."),
        Operation.LIST_OPTIONS: _FIXED_PLACES,
        Operation.CREATE_OPTION: _FIXED_PLACES,
        Operation.RENAME_OPTION: _FIXED_PLACES,
        Operation.DELETE_OPTION: _FIXED_PLACES,
        Operation.LIST_SUPPRESSED: gettext_noop(
            "Atom Telecom has no list of people who opted out; its portal takes them out of the address book instead."
        ),
        Operation.LIST_TEMPLATES: gettext_noop("Atom Telecom has no templates."),
        Operation.LIST_INBOX: gettext_noop(
            "Atom Telecom's SMS API has no list of received messages; its portal can pass them on as they come."
        ),
        Operation.READ_CONVERSATION: gettext_noop("Atom Telecom does not tell when a person last wrote."),
        Operation.SUBSCRIBE_CALLBACKS: _PER_SEND,
        Operation.UNSUBSCRIBE_CALLBACKS: _PER_SEND,
        Operation.SEND_TO_PHONEBOOK: _NO_BOOK_SENDS,
        Operation.SEND_KEYWORDS: gettext_noop("Atom Telecom fills nothing into a text; that is done here."),
        Operation.SEND_TEXTS: _ONE_NUMBER,
        Operation.SEND_TEMPLATE: gettext_noop("Atom Telecom has no templates."),
        Operation.CANCEL_SEND: gettext_noop("Atom Telecom sends at once, so there is nothing to cancel."),
        Operation.FIND_SENDS: gettext_noop(
            "Atom Telecom's API cannot be searched for messages; look for this one in its portal."
        ),
    },
    notes=(
        gettext_noop("Atom Telecom takes contacts one by one, so a big phonebook takes a while."),
        gettext_noop("Its address books show number and names; the other fields are read contact by contact."),
        gettext_noop("It has five places for text beside the names: company and custom_1 to custom_4."),
        gettext_noop("It takes messages one number at a time and sends them at once."),
        gettext_noop(
            "Its portal can take a person out of an address book by itself, for example after “Stop”; nobody is put back without a question."
        ),
        gettext_noop("Its callbacks are not signed, so each one only makes us ask for the state of the message."),
    ),
)
