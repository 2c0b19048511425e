"""The account: its senders, which are also the proof of its token."""

from __future__ import annotations

from typing import Any

from providers.backends.atomtelecom.calls import Calls
from providers.text import gettext_noop
from providers.types import AccountInfo, Sender

_NO_SENDER = gettext_noop(
    "Atom Telecom lists no sender for this account, so nothing can be sent. Contacts can still be pushed."
)


class AccountCalls(Calls):
    def check(self) -> AccountInfo:
        senders = self.senders()
        # No call tells whose token it is; the address is the customer's own.
        return AccountInfo(identity=self.http.host, warnings=() if senders else (_NO_SENDER,), can_send=bool(senders))

    def senders(self) -> list[Sender]:
        return self.http.read(self.http.request("GET", "/api/sender"), _senders)


def _senders(result: Any) -> list[Sender]:
    values = result["Sender"]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError
    return [Sender(value) for value in values if value]
