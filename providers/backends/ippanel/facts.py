"""What IPPanel's documents say of limits, states and abilities."""

from __future__ import annotations

import datetime as dt

from providers.text import gettext_noop
from providers.types import (
    SENDS,
    Capabilities,
    CredentialField,
    DeliveryState,
    Operation,
    OptionKind,
    SendState,
    SettingField,
)

BASE_URL = "https://edge.ippanel.com/v1"
CURRENCY = "IRR"

LARGEST_BATCH = 1000
LARGEST_PAGE = 1000
LONGEST_TITLE = 200
LONGEST_MESSAGE = 1400
MOST_PARTS = 20
MOST_NUMBERS = 1000
MOST_TARGETS = 100
MOST_TEXTS = 100  # no limit is documented; together they go to no more than `MOST_NUMBERS`
MOST_CONTACTS = 100_000
SCHEDULE_EARLIEST = dt.timedelta(minutes=5)
SCHEDULE_LATEST = dt.timedelta(days=89)  # "3 months"; the shortest three are 89 days

SLASHED, DASHED = "YYYY/MM/DD", "YYYY-MM-DD"

CREDENTIAL_FIELDS = (CredentialField("api_key", gettext_noop("API key")),)
SETTING_FIELDS = (
    SettingField(
        "batch_size",
        gettext_noop("Contacts per call"),
        "integer",
        100,
        help_text=gettext_noop("How many contacts one call adds. IPPanel does not say how many it takes."),
        minimum=1,
        maximum=LARGEST_BATCH,
    ),
    SettingField(
        "requests_per_second",
        gettext_noop("Calls per second"),
        "integer",
        5,
        help_text=gettext_noop("At most so many calls in a second."),
        minimum=1,
        maximum=50,
    ),
    SettingField(
        "concurrency",
        gettext_noop("Calls at the same time"),
        "integer",
        1,
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
        30,
        help_text=gettext_noop("After this the outcome of a call that changes something counts as not known."),
        minimum=1,
        maximum=60,
    ),
    SettingField(
        "add_date_form",
        gettext_noop("Form of dates when adding contacts"),
        "choice",
        SLASHED,
        choices=(SLASHED, DASHED),
    ),
    SettingField(
        "update_date_form",
        gettext_noop("Form of dates when changing contacts"),
        "choice",
        DASHED,
        choices=(SLASHED, DASHED),
    ),
)

OPTION_TYPES = {OptionKind.TEXT: "string", OptionKind.INTEGER: "int", OptionKind.DATE: "date"}
OPTION_KINDS = {name: kind for kind, name in OPTION_TYPES.items()}

SEND_STATES = {
    "0": SendState.QUEUED,  # being created
    "1": SendState.QUEUED,  # waiting for the provider's review
    "2": SendState.SENDING,
    "3": SendState.FAILED,  # refused by the review
    "4": SendState.FAILED,  # recipients invalid
    "5": SendState.QUEUED,
    "6": SendState.SENT,
    "7": SendState.CANCELLED,
    "8": SendState.FAILED,  # not enough credit
    "9": SendState.FAILED,  # system error
}
DELIVERY_STATES = {
    "": DeliveryState.QUEUED,  # told only once the send is final
    "0": DeliveryState.SENT,
    "1": DeliveryState.SENT,
    "2": DeliveryState.DELIVERED,
    "3": DeliveryState.UNDELIVERED,
    "4": DeliveryState.BLOCKED,
}

# A second phonebook, option or message would be made; everything else ends in the same state when repeated.
NOT_REPEATABLE = frozenset(
    {
        Operation.CREATE_PHONEBOOK,
        Operation.CREATE_OPTION,
        *SENDS,
    }
)

_NO_CALL_BACKS = gettext_noop("IPPanel makes no callbacks: delivery and incoming messages are fetched.")
NOT_THERE = {
    Operation.LIST_SUPPRESSED: gettext_noop(
        "IPPanel lists no blocked numbers; it tells of one contact, or in a delivery report."
    ),
    Operation.READ_CONVERSATION: gettext_noop(
        "IPPanel keeps single messages and no conversations; people can be written to at any time."
    ),
    Operation.SUBSCRIBE_CALLBACKS: _NO_CALL_BACKS,
    Operation.UNSUBSCRIBE_CALLBACKS: _NO_CALL_BACKS,
}

CAPABILITIES = Capabilities(
    operations=frozenset(Operation) - NOT_THERE.keys(),
    safe_to_repeat=frozenset(Operation) - NOT_THERE.keys() - NOT_REPEATABLE,
    option_kinds=frozenset(OPTION_TYPES),
    option_identity="id",
    default_batch=100,
    max_batch=LARGEST_BATCH,
    max_delete_batch=1000,
    returns_contact_ids=False,
    per_item_results=False,
    reads_option_values=False,
    searches_numbers=True,
    lists_recent=True,
    details_tell=frozenset({"opt_out"}),
    has_separate_names=False,
    has_prefix=True,
    has_email=True,
    max_title=LONGEST_TITLE,
    max_contacts_per_phonebook=MOST_CONTACTS,
    max_numbers_per_send=MOST_NUMBERS,
    max_targets_per_send=MOST_TARGETS,
    max_texts_per_send=MOST_TEXTS,
    sends_slices=True,
    sends_chosen=True,
    max_message_chars=LONGEST_MESSAGE,
    max_message_parts=MOST_PARTS,
    schedule_earliest=SCHEDULE_EARLIEST,
    schedule_latest=SCHEDULE_LATEST,
    cancel_until=dt.timedelta(minutes=5),
    duplicate_send_window=dt.timedelta(seconds=40),
    currency=CURRENCY,
    reasons=NOT_THERE,
    notes=(
        gettext_noop("IPPanel takes Iranian numbers only: +98 and ten digits."),
        gettext_noop(
            "It has one name field, so first and last name are sent together; company, tags and assigned user have no place."
        ),
        gettext_noop("It does not tell which contact of a batch it refused; the phonebook is read back to find out."),
        gettext_noop(
            "It does not tell the values of custom options back, so they are compared with what was last sent."
        ),
        gettext_noop(
            "It fills in custom options by itself, in messages to whole phonebooks; it has no placeholder for names."
        ),
        gettext_noop(
            "It reviews messages before sending them, so a send can wait for minutes; templates are reviewed beforehand."
        ),
        gettext_noop("It reports delivery only when asked; there is no callback."),
    ),
)
