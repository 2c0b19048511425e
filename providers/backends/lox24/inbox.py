"""What people wrote to the account's inbound numbers, and their replies."""

from __future__ import annotations

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
        for message, _ in self.rows("/incomings", newest_first, _incoming, has_pages=True):
            if message.remote_id == after:
                break
            messages.append(message)
        return reversed(messages)


def _incoming(data: Any) -> InboundMessage:
    return message_of(data, remote_id=data["uuid"])


def message_of(data: Any, *, remote_id: Any) -> InboundMessage:
    """A message from a list or a notification, which have their ids in different members. Raises `ValueError`."""
    phone, received_at = forms.e164(data["from"]), forms.moment(data["received_at"])
    if not phone or received_at is None:
        raise ValueError
    return InboundMessage(
        remote_id=forms.remote_id(remote_id),
        phone=phone,
        to=forms.e164(data.get("to")),
        text=forms.text(data.get("text")),
        received_at=received_at,
    )
