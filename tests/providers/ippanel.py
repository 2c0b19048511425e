"""Short ways to say what IPPanel is asked and what it answers."""

from __future__ import annotations

from typing import Any

from providers.backends.ippanel import IPPanel
from providers.types import AccountConfig, BookRef, ContactRecord, OutboundMessage
from tests.factories import SANDBOX_KEY

SENDER = "+983000505"
BOOK = BookRef("1201")


def connect(url: str, **settings: Any) -> IPPanel:
    return IPPanel(AccountConfig(slug="ippanel", credentials={"api_key": SANDBOX_KEY}, base_url=url, settings=settings))


def answer(data: object, **meta: object) -> dict[str, Any]:
    return {"data": data, "meta": {"status": True, "message": "انجام شد", "message_code": "200-1", **meta}}


def refusal(message: str = "نشد", code: str = "400-2", **more: object) -> dict[str, Any]:
    return {"data": None, "meta": {"status": False, "message": message, "message_code": code, "errors": {}}, **more}


def record(number: int = 1, **fields: Any) -> ContactRecord:
    return ContactRecord(**{"reference": f"r{number}", "phone": f"+98912000{number:04d}", **fields})


def message(**fields: Any) -> OutboundMessage:
    return OutboundMessage(**{"sender": SENDER, "text": "سلام", "reference": "r", **fields})
