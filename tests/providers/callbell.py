"""Short ways to say what Callbell is asked and what it answers."""

from __future__ import annotations

from typing import Any

from providers.backends.callbell import Callbell
from providers.sandbox.callbell.records import MAIN_CHANNEL
from providers.types import AccountConfig, BookRef, ContactRecord, OutboundMessage
from tests.factories import SANDBOX_KEY

SENDER = MAIN_CHANNEL
BOOK = BookRef("Newsletter", "Newsletter")
UUID = "00aa11bb22cc33dd44ee55ff66778899"


def connect(url: str, *, observer: Any = None, secret: str = "", **settings: Any) -> Callbell:
    credentials = {"api_key": SANDBOX_KEY, **({"callback_secret": secret} if secret else {})}
    return Callbell(
        AccountConfig(slug="callbell", credentials=credentials, base_url=url, settings=settings, observer=observer)
    )


def contact(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A contact as Callbell shows it."""
    return {
        "uuid": f"{number:032x}",
        "name": "Sara Example",
        "phoneNumber": f"39111000{number:04d}",
        "createdAt": "2025-01-02T03:04:05Z",
        "source": "whatsapp",
        "tags": ["Newsletter"],
        "assignedUser": None,
        "customFields": {},
        **fields,
    }


def record(number: int = 1, **fields: Any) -> ContactRecord:
    return ContactRecord(**{"reference": f"r{number}", "phone": f"+39111000{number:04d}", **fields})


def message(**fields: Any) -> OutboundMessage:
    return OutboundMessage(
        **{"sender": SENDER, "text": "Ciao", "reference": "call-1", "numbers": ("+391110000001",), **fields}
    )
