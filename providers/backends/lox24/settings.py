"""What the account form asks for."""

from __future__ import annotations

from providers.backends.lox24 import facts
from providers.text import gettext_noop
from providers.types import CredentialField, SettingField

AUTOMATIC = "automatic"

CREDENTIAL_FIELDS = (
    CredentialField("client_id", gettext_noop("Client id"), is_secret=False),
    CredentialField("api_key", gettext_noop("API key")),
)
SETTING_FIELDS = (
    SettingField(
        "service_code",
        gettext_noop("Service"),
        "choice",
        "direct",
        help_text=gettext_noop("What a message is sent as: SMS (direct), or read aloud by telephone (text2speech)."),
        choices=facts.SERVICES,
    ),
    SettingField(
        "voice_lang",
        gettext_noop("Language of voice messages"),
        "choice",
        AUTOMATIC,
        help_text=gettext_noop("Used by the text2speech services only."),
        choices=(AUTOMATIC, *facts.LANGUAGES),
    ),
    SettingField(
        "batch_size",
        gettext_noop("Contacts per call"),
        "integer",
        100,
        help_text=gettext_noop("How many contacts one call adds. LOX24 does not say how many it takes."),
        minimum=1,
        maximum=facts.LARGEST_BATCH,
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
