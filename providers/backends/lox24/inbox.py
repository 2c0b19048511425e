"""What people wrote to the account's inbound numbers, and their replies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from providers.backends.lox24 import forms
from providers.backends.lox24.calls import Calls
from providers.types import InboundMessage


class InboxCalls(Calls):
    def list_inbox(self, *, after: str = "") -> Iterator[InboundMessage]:
        """Read from the newest back to `after`: there is no filter by time."""
        messages: list[InboundMessage] = []
        newest_first: dict[str, str | int] = {"_order[received_at]": "desc"}
        for message, _ in self.rows("/incomings", newest_first, message_of, has_pages=True):
            if message.remote_id == after:
                break
            messages.append(message)
        return reversed(messages)


def message_of(data: Any) -> InboundMessage:
    """A message as the inbox and the event sms.incoming show it. Raises `ValueError` without sender or time."""
    return inbound(data["from"], data.get("to"), data.get("text"), data["received_at"])


def inbound(sender: Any, to: Any, text: Any, received_at: Any) -> InboundMessage:
    """A message by who, when and what: LOX24 gives the same one different ids in its inbox and in its older call back."""
    phone, at = forms.e164(sender), forms.moment(received_at)
    if not phone or at is None:
        raise ValueError
    digest = hashlib.sha256(forms.text(text).encode("utf-8", "replace")).hexdigest()[:16]
    return InboundMessage(
        remote_id=f"{phone}/{int(at.timestamp())}/{digest}"[-100:],
        phone=phone,
        to=forms.e164(to),
        text=forms.text(text),
        received_at=at,
    )
