"""What LOX24's documents say of limits, states and abilities. Quirks are numbered as in the tests."""

from __future__ import annotations

import datetime as dt

from providers.text import gettext_noop
from providers.types import (
    CallbackKind,
    Capabilities,
    DeliveryState,
    Operation,
    OptionKind,
    SendState,
)

BASE_URL = "https://api.lox24.eu"
CURRENCY = "EUR"  # or CHF, as the account says

SLOTS = ("a", "b", "c", "d", "e")
LARGEST_BATCH = 1000  # no maximum is documented; never more than this
LONGEST_TITLE = 50
LONGEST_DESCRIPTION = 255
LONGEST_LABEL = 50
LONGEST_COLUMN = 1530
LONGEST_PHONE = 30
LONGEST_CALLBACK_DATA = 36
LONGEST_WRITTEN = 1785  # characters of a text as it is handed over
LONGEST_GSM = 1530  # places of the message that goes out
LONGEST_UNICODE = 670
MOST_PARTS = 10  # 1530 / 153 and 670 / 67
MOST_NUMBERS = 1000  # ours: no maximum is documented
MOST_TARGETS = 100  # ours as well
# No limits of a send time are documented. Closer than a minute is as good as now; further than a year is a slip.
SCHEDULE_EARLIEST = dt.timedelta(minutes=1)
SCHEDULE_LATEST = dt.timedelta(days=365)
BLOCK_SECONDS = 600.0  # a 429 without Retry-After: the address is blocked for ten minutes

VOICE = ("text2speech", "text2speech_ssml")
SERVICES = ("direct", *VOICE)
LANGUAGES = (
    "EN", "DE", "FR", "IT", "ES", "PL", "NL", "RO", "PT", "CS",
    "HU", "SV", "DA", "FI", "SK", "HR", "TR", "RU", "BG", "UK",
)  # fmt: skip

NO_RECIPIENTS = 201
BULK_STATES = {
    0: SendState.QUEUED,
    5: SendState.SENDING,
    10: SendState.SENT,
    15: SendState.CANCELLED,
    20: SendState.FAILED,  # system error
    NO_RECIPIENTS: SendState.FAILED,
}
SMS_STATES = {
    0: DeliveryState.QUEUED,
    100: DeliveryState.SENT,  # handed to the operator
    208: DeliveryState.BLOCKED,
    400: DeliveryState.FAILED,  # not delivered during maintenance
    410: DeliveryState.CANCELLED,  # in the web account
    2000: DeliveryState.FAILED,  # no connection for landlines
    3000: DeliveryState.FAILED,  # not enough money
    5000: DeliveryState.FAILED,  # no operator
    6000: DeliveryState.CANCELLED,  # through the API
}
NOT_ENOUGH_MONEY = 3000
DELIVERY_STATES = {
    1: DeliveryState.DELIVERED,
    2: DeliveryState.SENT,
    4: DeliveryState.SENT,
    8: DeliveryState.UNDELIVERED,  # expired
    16: DeliveryState.UNDELIVERED,  # rejected
}
#: state of a single message as the state of its send
SEND_STATES = {
    DeliveryState.QUEUED: SendState.QUEUED,
    DeliveryState.SENT: SendState.SENT,
    DeliveryState.DELIVERED: SendState.SENT,
    DeliveryState.UNDELIVERED: SendState.SENT,
    DeliveryState.BLOCKED: SendState.FAILED,
    DeliveryState.FAILED: SendState.FAILED,
    DeliveryState.CANCELLED: SendState.CANCELLED,
    DeliveryState.UNRECOGNISED: SendState.UNRECOGNISED,
}

OPERATIONS = frozenset(
    {
        Operation.CHECK,
        Operation.READ_BALANCE,
        Operation.ESTIMATE_PRICE,
        Operation.LIST_PHONEBOOKS,
        Operation.CREATE_PHONEBOOK,
        Operation.UPDATE_PHONEBOOK,
        Operation.DELETE_PHONEBOOK,
        Operation.LIST_CONTACTS,
        Operation.READ_CONTACT,
        Operation.CREATE_CONTACTS,
        Operation.UPDATE_CONTACT,
        Operation.DELETE_CONTACTS,
        Operation.LIST_SUPPRESSED,
        Operation.SEND_TO_PHONEBOOK,
        Operation.SEND_TO_NUMBERS,
        Operation.CANCEL_SEND,
        Operation.READ_REPORT,
        Operation.FIND_SENDS,
    }
)
# A second group, row or message would be made; everything else ends in the same state when repeated.
NOT_REPEATABLE = frozenset(
    {
        Operation.CREATE_PHONEBOOK,
        Operation.CREATE_CONTACTS,
        Operation.SEND_TO_PHONEBOOK,
        Operation.SEND_TO_NUMBERS,
    }
)

_FIXED_COLUMNS = gettext_noop("LOX24 has five fixed columns per group, a to e; only their labels can be set.")

CAPABILITIES = Capabilities(
    operations=OPERATIONS,
    safe_to_repeat=OPERATIONS - NOT_REPEATABLE,
    option_kinds=frozenset(OptionKind),  # columns are text; every kind has a canonical text
    option_identity="slot",
    slots=SLOTS,
    default_batch=100,
    max_batch=LARGEST_BATCH,
    max_delete_batch=1,
    has_name=False,
    has_description=True,
    max_title=LONGEST_TITLE,
    max_option_label=LONGEST_LABEL,
    max_option_chars=LONGEST_COLUMN,
    max_numbers_per_send=MOST_NUMBERS,
    max_targets_per_send=MOST_TARGETS,
    max_message_chars=LONGEST_GSM,
    max_message_parts=MOST_PARTS,
    schedule_earliest=SCHEDULE_EARLIEST,
    schedule_latest=SCHEDULE_LATEST,
    callbacks=CallbackKind.PORTAL,
    callback_help=gettext_noop(
        "Enter this address in the LOX24 web account under Settings, Notifications, for the event sms.delivery; LOX24 "
        "keeps at most five addresses. For replies enter it as the address that inbound SMS are handed to as well: that "
        "needs an inbound number ordered from LOX24."
    ),
    price_differs_by_country=True,
    requests_per_second=5.0,
    blocks_address=True,
    currency=CURRENCY,
    reasons={
        Operation.LIST_SENDERS: gettext_noop("LOX24 lists no senders: enter the sender's number or name yourself."),
        Operation.LIST_OPTIONS: _FIXED_COLUMNS,
        Operation.CREATE_OPTION: _FIXED_COLUMNS,
        Operation.RENAME_OPTION: _FIXED_COLUMNS,
        Operation.DELETE_OPTION: _FIXED_COLUMNS,
        Operation.SEND_KEYWORDS: gettext_noop(
            "LOX24 documents no placeholders for the columns: the texts are filled in here and sent one by one."
        ),
        Operation.SEND_TEXTS: gettext_noop("LOX24 takes one text per call."),
        Operation.SEND_TEMPLATE: gettext_noop("LOX24 has no templates."),
        Operation.LIST_TEMPLATES: gettext_noop("LOX24 has no templates."),
        Operation.LIST_INBOX: gettext_noop("LOX24 tells of replies by calling our address only."),
        Operation.SUBSCRIBE_CALLBACKS: gettext_noop(
            "At LOX24 a person enters the address in the web account, under Settings, Notifications."
        ),
        Operation.UNSUBSCRIBE_CALLBACKS: gettext_noop(
            "At LOX24 a person removes the address in the web account, under Settings, Notifications."
        ),
    },
    notes=(
        gettext_noop("LOX24 has no fields of its own for names, company or e-mail: put them into the columns a to e."),
        gettext_noop("Deleting a group at LOX24 deletes all its phones for good."),
        gettext_noop("A send goes to whole groups, or to up to 1,000 numbers with one and the same text."),
        gettext_noop(
            "After more than three requests with a wrong key within a minute LOX24 blocks this machine's address for ten minutes."
        ),
        gettext_noop(
            "It does not document what happens to a number that is in the group already: it may be there twice."
        ),
        gettext_noop(
            "Voice services replace a sender that is not a phone number in international form by a number of LOX24."
        ),
        gettext_noop("Who unsubscribes by a link in a message is marked at LOX24 and read back from there."),
    ),
)
