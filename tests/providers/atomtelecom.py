"""Short ways to say what Atom Telecom is asked and what it answers."""

from __future__ import annotations

from typing import Any

from providers.backends.atomtelecom import AtomTelecom
from providers.types import AccountConfig, BookRef, ContactRecord, OptionKind, OptionValue, OutboundMessage
from tests.factories import SANDBOX_KEY

SENDER = "ACME"
BOOK = BookRef("11")
SLOTS = ("company", "custom_1", "custom_2", "custom_3", "custom_4")


def connect(url: str, **settings: Any) -> AtomTelecom:
    account = AccountConfig(slug="atomtelecom", credentials={"token": SANDBOX_KEY}, base_url=url, settings=settings)
    return AtomTelecom(account)


def answer(result: object) -> dict[str, Any]:
    return {"status": "success", "result": result}


def refusal(message: str = "Not possible", **more: object) -> dict[str, Any]:
    return {"status": "error", "message": message, **more}


def options(**values: str) -> dict[str, OptionValue]:
    return {slot: OptionValue(value, OptionKind.TEXT) for slot, value in values.items()}


def record(number: int = 6, **fields: Any) -> ContactRecord:
    return ContactRecord(**{"reference": f"r{number}", "phone": f"+614915700{number:02d}", **fields})


def message(**fields: Any) -> OutboundMessage:
    return OutboundMessage(
        **{"sender": SENDER, "text": "Hello", "reference": "r", "numbers": ("+61491570006",), **fields}
    )
