"""The account: who it is, its credit, its sender numbers, its prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from providers import values
from providers.backends.ippanel import facts
from providers.backends.ippanel.calls import Calls
from providers.text import gettext_noop
from providers.types import AccountInfo, Balance, PriceEstimate, Sender

_SENDERS_PAGE = 10  # the documented default; no maximum is documented, and no pagination in the answer

_NO_PAPERS = gettext_noop("IPPanel lacks identity papers for this account. Hand them in at the panel.")
_NO_SENDING = gettext_noop("IPPanel has blocked sending for this account. Contacts can still be pushed.")


class AccountCalls(Calls):
    def check(self) -> AccountInfo:
        return self.http.read(self.post("/api/acl/auth/check_token"), _account)

    def balance(self) -> Balance:
        answer = self.get("/api/payment/credit/mine")
        return Balance(self.http.read(answer, lambda data: Decimal(data["credit"])), facts.CURRENCY)

    def senders(self) -> list[Sender]:
        return list(
            self.pages(
                lambda page: self.get("/api/number/numbers", page=page, per_page=_SENDERS_PAGE),
                lambda row: Sender(values.remote_id(row["number"]), values.text(row.get("alias"))),
                size=_SENDERS_PAGE,
            )
        )

    def estimate_price(self, *, sender: str, text: str, number: str) -> PriceEstimate:
        answer = self.post("/api/send/calculate-price", {"number": sender, "message": text})
        return self.http.read(answer, _price)


def _account(data: Any) -> AccountInfo:
    user, name = values.text(data.get("user_name")), values.text(data.get("name"))
    sending_blocked = bool(data.get("send_block"))
    warnings = [_NO_PAPERS] if data.get("document_block") else []
    return AccountInfo(
        identity=f"{name} ({user})" if name and user else name or user,
        warnings=(*warnings, _NO_SENDING) if sending_blocked else tuple(warnings),
        can_send=not sending_blocked,
    )


def _price(data: Any) -> PriceEstimate:
    prices = sorted((Decimal(data["mci_price"]), Decimal(data["other_price"])))
    return PriceEstimate(low=prices[0], high=prices[1], currency=facts.CURRENCY, parts=int(data["parts"]))
