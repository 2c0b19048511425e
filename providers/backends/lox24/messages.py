"""The bodies of sends, and the two kinds of references a send comes back with.

A single SMS and a bulk have uuids of their own and are asked about at different addresses. So what we keep of a send
is `sms:<uuid>` or `bulk:<uuid>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from providers.backends.lox24 import facts, forms
from providers.backends.lox24.settings import AUTOMATIC
from providers.exceptions import NotFound
from providers.text import gettext_noop
from providers.types import OutboundMessage, SendReceipt

SMS, BULK = "sms", "bulk"

_NO_SUCH_SEND = gettext_noop("LOX24 can have no send with the reference “%(reference)s”.")
_UUID = re.compile(r"[0-9A-Za-z-]{8,64}")


def reference_to(kind: str, uuid: Any) -> str:
    """What is kept of a send. Raises `ValueError` when the answer has no uuid."""
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
        raise ValueError
    return f"{kind}:{uuid}"


def read_reference(reference: str) -> tuple[str, str]:
    """Kind and uuid. Raises `NotFound` for what was never a reference of ours."""
    kind, _, uuid = reference.partition(":")
    if kind not in {SMS, BULK} or not _UUID.fullmatch(uuid):
        raise NotFound(_NO_SUCH_SEND, params={"reference": reference})
    return kind, uuid


def sms_body(sender: str, text: str, phone: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """One text to one number, without what is only known of a real send."""
    return {"text": text, "sender_id": sender, "phone": phone, **_service(settings)}


def send_body(message: OutboundMessage, settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind of send and its body. `source` marks it as ours, to find it again after a lost answer."""
    if len(message.numbers) == 1:
        kind, body = SMS, sms_body(message.sender, message.text, message.numbers[0], settings)
        if len(message.reference) <= facts.LONGEST_CALLBACK_DATA:
            body["callback_data"] = message.reference
    else:
        kind, body = BULK, {"sender_id": message.sender, "text": message.text, **_service(settings)}
        if message.numbers:
            body["phones"] = list(message.numbers)
        else:
            books = (book for target in message.targets for book in getattr(target, "books", ()))
            body["msg_groups"] = list(dict.fromkeys(int(book.remote_id) for book in books))
    if message.send_at is not None:
        body["delivery_at"] = forms.unix(message.send_at)
    body["source"] = forms.marker(message.reference)
    return kind, body


def _service(settings: Mapping[str, Any]) -> dict[str, str]:
    service = {"service_code": settings["service_code"]}
    if settings["service_code"] in facts.VOICE and settings["voice_lang"] != AUTOMATIC:
        service["voice_lang"] = settings["voice_lang"]
    return service


def receipt(kind: str, data: Any) -> SendReceipt:
    """The reference of what was accepted, with its kind: reports of bulks and of single messages have paths of their own."""
    return SendReceipt((reference_to(kind, data["uuid"]),))
