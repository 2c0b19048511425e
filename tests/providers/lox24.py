"""Short ways to say what LOX24 is asked and what it answers."""

from __future__ import annotations

from typing import Any

from providers.backends.lox24 import Lox24
from providers.sandbox.lox24.state import CLIENT_ID
from providers.types import AccountConfig, BookRef, ContactRecord, OptionKind, OptionValue, OutboundMessage
from tests.factories import SANDBOX_KEY

SENDER = "ACME"
BOOK = BookRef("7001")
CREDENTIALS = {"client_id": CLIENT_ID, "api_key": SANDBOX_KEY}
UUID = "5be7c0de-0000-4000-8000-000000000001"


def connect(url: str, **settings: Any) -> Lox24:
    return Lox24(AccountConfig(slug="lox24", credentials=CREDENTIALS, base_url=url, settings=settings))


def collection(*rows: object, prefix: str = "hydra:", **more: object) -> dict[str, Any]:
    return {f"{prefix}member": list(rows), **{f"{prefix}{name}": value for name, value in more.items()}}


def columns(**values: str) -> dict[str, OptionValue]:
    return {slot: OptionValue(value, OptionKind.TEXT) for slot, value in values.items()}


def record(number: int = 1, **fields: Any) -> ContactRecord:
    reference = f"7b0c6d1e-0000-4000-8000-{number:012d}"
    return ContactRecord(**{"reference": reference, "phone": f"+4915200000{number:03d}", **fields})


def message(**fields: Any) -> OutboundMessage:
    return OutboundMessage(**{"sender": SENDER, "text": "Hallo", "reference": "call-1", **fields})
