"""The account: who it is, and its channels, which stand as senders."""

from __future__ import annotations

from typing import Any

from providers import values
from providers.backends.callbell import forms
from providers.backends.callbell.calls import Calls
from providers.types import AccountInfo, Sender


class AccountCalls(Calls):
    def check(self) -> AccountInfo:
        """The answer shows an `api_key` as well, which is neither read nor kept."""
        return self.http.read(self.get("/auth/me"), _account)

    def senders(self) -> list[Sender]:
        """Channels in use; the sender's value is the channel's id."""
        return [sender for sender in self.pages("/channels", "channels", _sender, active="true") if sender]


def _account(data: Any) -> AccountInfo:
    name, address = values.text(data.get("user_name")), values.text(data.get("user_email"))
    if not name and not address:
        raise ValueError
    return AccountInfo(identity=f"{name} ({address})" if name and address else name or address)


def _sender(row: Any) -> Sender | None:
    if row.get("discardedAt"):  # true or a date
        return None
    title, kind = values.text(row.get("title")), values.text(row.get("type"))
    return Sender(forms.remote_id(row["uuid"]), f"{title} ({kind})" if title else kind)
