"""The account: who it is, its credit, its prices, the numbers it may not send to."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from providers import values
from providers.backends.lox24 import facts, forms
from providers.backends.lox24.calls import Calls
from providers.backends.lox24.messages import sms_body
from providers.text import gettext_noop
from providers.types import AccountInfo, Balance, PriceEstimate, SuppressedNumber

_UNSUBSCRIBED = 2  # type 1: blocked by the customer

_NO_SERVICE = gettext_noop("LOX24 lists no service this account may use, so it cannot send. Ask LOX24's support.")
_OTHER_SERVICES = gettext_noop(
    "This account may not use the service chosen in its settings. Choose another one, or ask LOX24's support."
)


class AccountCalls(Calls):
    _currency = ""

    def check(self) -> AccountInfo:
        return self.http.read(self.get("/me"), self._account)

    def _account(self, data: Any) -> AccountInfo:
        self._currency = values.text(data.get("currency"))
        services = data.get("services")
        warnings: tuple[str, ...] = ()
        if isinstance(services, list) and self.settings["service_code"] not in services:
            warnings = (_OTHER_SERVICES if services else _NO_SERVICE,)
        return AccountInfo(identity=values.remote_id(data["id"]), warnings=warnings, can_send=not warnings)

    def balance(self) -> Balance:
        balance = self.http.read(self.get("/me"), _balance)
        self._currency = balance.currency
        return balance

    def estimate_price(self, *, sender: str, text: str, number: str) -> PriceEstimate:
        """The dry run takes what a send takes, the number included, as prices differ by country."""
        if not self._currency:
            self.balance()
        body = sms_body(sender, text, number, self.settings)
        return self.http.read(self.post("/sms/dryrun", body), self._price)

    def _price(self, data: Any) -> PriceEstimate:
        price = Decimal(data["price"])
        return PriceEstimate(low=price, high=price, currency=self._currency, parts=int(data["parts_count"]))

    def list_suppressed(self) -> Iterator[SuppressedNumber]:
        return (row for row, _ in self.rows("/blocked_numbers", {}, _blocked, has_pages=False))


def _balance(data: Any) -> Balance:
    return Balance(Decimal(data["balance_amount"]), values.text(data.get("currency")) or facts.CURRENCY)


def _blocked(data: Any) -> SuppressedNumber:
    kind = forms.whole(data.get("type"))
    return SuppressedNumber(forms.e164(data["number"]), is_opt_out=kind == _UNSUBSCRIBED, raw=values.text(kind))
