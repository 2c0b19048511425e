"""What Callbell's documents say of limits, states and abilities."""

from __future__ import annotations

import datetime as dt

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

BASE_URL = "https://api.callbell.eu/v1"

LONGEST_NOTE = 1000
MOST_REQUESTS = 300  # per second
REPLY_WINDOW = dt.timedelta(hours=24)
SIGNATURE_AGE = 300  # seconds on either side
SIGNATURE_HEADER = "x-callbell-signature"
DISCOVERY_PAGES = 25  # of 20 contacts, read to find tags and custom fields, which have no list of their own
CONVERSATION_PAGES = 25
EVENTS = ("message_created", "message_status_updated", "contact_updated", "contact_deleted")

SOURCES = ("whatsapp", "facebook", "instagram", "telegram")
BOT_END, BOT_START = "bot_end", "bot_start"

CREDENTIAL_FIELDS = (
    CredentialField("api_key", gettext_noop("API token")),
    CredentialField("callback_secret", gettext_noop("Signature secret of the webhook"), required=False),
)
SETTING_FIELDS = (
    SettingField(
        "source",
        gettext_noop("Kind of contacts"),
        "choice",
        SOURCES[0],
        help_text=gettext_noop("Where new contacts are reached. Phone numbers belong to WhatsApp."),
        choices=SOURCES,
    ),
    SettingField(
        "channel_uuid",
        gettext_noop("Channel of the contacts"),
        "text",
        "",
        help_text=gettext_noop("The id of the channel new contacts belong to. Empty: the main channel."),
    ),
    SettingField(
        "team_uuid",
        gettext_noop("Team of the contacts"),
        "text",
        "",
        help_text=gettext_noop("The id of the team that contacts are given to. Empty: Callbell decides."),
    ),
    SettingField(
        "bot_status",
        gettext_noop("Bot"),
        "choice",
        BOT_END,
        help_text=gettext_noop("With bot_start Callbell's bot may answer every contact that is pushed or written to."),
        choices=(BOT_END, BOT_START),
    ),
    SettingField(
        "requests_per_second",
        gettext_noop("Calls per second"),
        "integer",
        10,
        help_text=gettext_noop("At most so many calls in a second. Callbell takes 300."),
        minimum=1,
        maximum=MOST_REQUESTS,
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
        30,
        help_text=gettext_noop("After this the outcome of a call that changes something counts as not known."),
        minimum=1,
        maximum=60,
    ),
)

OPTION_KINDS = {
    "text": OptionKind.TEXT,
    "email": OptionKind.EMAIL,
    "number": OptionKind.INTEGER,
    "date": OptionKind.DATE,
    "dropdown": OptionKind.CHOICE,
    "checkbox": OptionKind.MULTIPLE,
}

# A status of Callbell: what it means for the send, and for the one person it went to.
STATES = {
    "enqueued": (SendState.QUEUED, DeliveryState.QUEUED),
    "sent": (SendState.SENT, DeliveryState.SENT),
    "mismatch": (SendState.SENT, DeliveryState.SENT),  # no failure: the number was corrected on the way
    "delivered": (SendState.SENT, DeliveryState.DELIVERED),
    "read": (SendState.SENT, DeliveryState.READ),
    "failed": (SendState.FAILED, DeliveryState.FAILED),
}

_SENDS = frozenset({Operation.SEND_TO_NUMBERS, Operation.SEND_TEMPLATE})
_OPERATIONS = _SENDS | {
    Operation.CHECK,
    Operation.LIST_SENDERS,
    Operation.LIST_PHONEBOOKS,
    Operation.LIST_OPTIONS,
    Operation.LIST_CONTACTS,
    Operation.READ_CONTACT,
    Operation.CREATE_CONTACTS,
    Operation.UPDATE_CONTACT,
    Operation.DELETE_CONTACTS,
    Operation.LIST_TEMPLATES,
    Operation.READ_CONVERSATION,
    Operation.SUBSCRIBE_CALLBACKS,
    Operation.UNSUBSCRIBE_CALLBACKS,
    Operation.READ_REPORT,
}

_TAG_BY_HAND = gettext_noop(
    "Callbell has no phonebooks; a tag takes their place, and tags are made, renamed and removed in its dashboard only."
)
_FIELD_BY_HAND = gettext_noop("Custom fields are made, renamed and removed in Callbell's dashboard only.")
_ONE_BY_ONE = gettext_noop("Callbell sends one text to one person at a time.")

_DELETING = gettext_noop(
    "A deleted contact that has other tags at Callbell only loses this tag; one without others is destroyed there for good."
)

CAPABILITIES = Capabilities(
    operations=_OPERATIONS,
    # Creating is safe to repeat because each creation looks for the number first.
    safe_to_repeat=_OPERATIONS - _SENDS,
    option_kinds=frozenset(OPTION_KINDS.values()),
    option_identity="name",
    searches_numbers=True,
    has_tags=True,
    phonebooks_are_tags=True,
    has_assigned_user=True,
    has_note=True,
    can_clear_name=False,
    can_change_phone=False,
    deleting_contacts=_DELETING,
    max_note_chars=LONGEST_NOTE,
    counts_parts=False,
    reply_window=REPLY_WINDOW,
    template_needs_consent=True,
    callbacks=CallbackKind.SUBSCRIBED,
    callbacks_are_signed=True,
    callback_help=gettext_noop(
        "Callbell calls one address per account: subscribing takes the place of whatever other software it calls now. "
        "Make a signature secret in its dashboard and enter it here, so that its calls can be told from forged ones."
    ),
    requests_per_second=10.0,
    reasons={
        Operation.READ_BALANCE: gettext_noop("Callbell's API does not tell credit or cost."),
        Operation.ESTIMATE_PRICE: gettext_noop("Callbell's API does not tell prices."),
        Operation.CREATE_PHONEBOOK: _TAG_BY_HAND,
        Operation.UPDATE_PHONEBOOK: _TAG_BY_HAND,
        Operation.DELETE_PHONEBOOK: _TAG_BY_HAND,
        Operation.CREATE_OPTION: _FIELD_BY_HAND,
        Operation.RENAME_OPTION: _FIELD_BY_HAND,
        Operation.DELETE_OPTION: _FIELD_BY_HAND,
        Operation.LIST_SUPPRESSED: gettext_noop(
            "Callbell has no list of blocked contacts; it tells of each contact whether it is blocked."
        ),
        Operation.LIST_INBOX: gettext_noop(
            "Callbell has no list of incoming messages; it tells of them by calling us, or contact by contact."
        ),
        Operation.SEND_TO_PHONEBOOK: _ONE_BY_ONE,
        Operation.SEND_KEYWORDS: _ONE_BY_ONE,
        Operation.SEND_TEXTS: _ONE_BY_ONE,
        Operation.CANCEL_SEND: gettext_noop("Callbell sends at once, so there is nothing to cancel."),
        Operation.FIND_SENDS: gettext_noop(
            "Callbell does not list sends, and the messages of a conversation do not show our reference."
        ),
    },
    notes=(
        gettext_noop("A phonebook is a tag of this exact name, which must be made in Callbell's dashboard first."),
        gettext_noop("Custom fields, tags and users must exist at Callbell already; their names must match exactly."),
        _DELETING,
        gettext_noop("A contact's number cannot be changed; a new number is a new contact."),
        gettext_noop("A tag taken off a contact here stays at Callbell, since other phonebooks are tags too."),
        gettext_noop(
            "A note or assigned user that is emptied here is emptied at Callbell; an empty name leaves the name there."
        ),
        gettext_noop("Phonebooks and custom fields can be proposed only where the latest 500 contacts have them."),
        gettext_noop("On WhatsApp a free text arrives only within 24 hours of the person's last message."),
        gettext_noop(
            "Templates are for accounts with the official WhatsApp Business API, and texts without a picture."
        ),
        gettext_noop("What became of a message is told of WhatsApp only, not of Instagram, Facebook or Telegram."),
    ),
)
