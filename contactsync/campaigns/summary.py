"""What is shown of a prepared campaign: how many, how long, how dear, and what to think twice about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Count
from django.db.models.functions import Length
from django.utils.translation import gettext_noop

from contactsync.campaigns.problems import sender_of
from contactsync.campaigns.tally import Tally
from contactsync.models import Campaign, Recipient
from contactsync.models.reasons import reason
from contactsync.sync import accounts, sends
from contactsync.sync.connect import Operation, ProviderError, capabilities, reason_of
from contactsync.sync.line import Line

logger = logging.getLogger(__name__)


def figures(campaign: Campaign, tally: Tally, *, pulse: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """The frozen numbers of the campaign, with the equation checked against the rows.

    Reads prices and the balance from the provider where it tells them; where it does not, they are
    missing and `warnings` says why. Refused credentials are raised. `pulse` is called before each
    question, and may raise to end it.
    """
    rows = rows_by_exclusion(campaign)
    recipients = rows.pop("", 0)
    groups = tally.prices.values()
    money, warnings = _price(campaign, tally, pulse)
    return {
        "considered": tally.considered,
        "recipients": recipients,
        "duplicate": tally.duplicate,
        "excluded": rows,
        "balances": recipients == tally.recipients
        and rows == dict(tally.excluded)
        and tally.considered == recipients + tally.duplicate + sum(rows.values()),
        "parts": sum(group.parts * group.people for group in groups),
        "parts_min": min((group.parts for group in groups), default=0),
        "parts_max": max((group.parts for group in groups), default=0),
        "sender": sender_of(campaign),
        "warnings": [*_sender_warnings(campaign), *tally.warnings, *warnings],
        "examples": extremes(campaign),
        **money,
    }


def rows_by_exclusion(campaign: Campaign) -> dict[str, int]:
    """Reason of exclusion -> rows; the empty reason counts those to be sent to."""
    rows = Recipient.objects.filter(campaign=campaign).order_by()
    return dict(rows.values_list("exclusion").annotate(Count("pk")))


def extremes(campaign: Campaign) -> dict[str, int]:
    """The ids of the recipients with the longest and the shortest text; empty when nobody gets one. Reads every text."""
    people = campaign.recipients.exclude(state=Recipient.State.EXCLUDED).annotate(length=Length("text"))
    orders = {"longest": ("-parts", "-length", "id"), "shortest": ("parts", "length", "id")}
    found = {name: people.order_by(*order).values_list("pk", flat=True).first() for name, order in orders.items()}
    return {name: pk for name, pk in found.items() if pk is not None}


def _price(campaign: Campaign, tally: Tally, pulse: Callable[[], None]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Price range for everybody: one question per size of text, and per country where that matters, times its people."""
    account = campaign.account
    if not tally.prices or not capabilities(account).can(Operation.ESTIMATE_PRICE):
        return {}, []
    low = high = Decimal(0)
    currency = ""
    try:
        with Line(account, pulse=pulse) as line:
            for group in tally.prices.values():
                pulse()
                estimate = sends.estimate(account, sender_of(campaign), group.text, number=group.phone, line=line)
                low += estimate.low * group.people
                high += estimate.high * group.people
                currency = estimate.currency
        accounts.refresh_balance(account)
    except ProviderError as error:
        if account.is_stopped:
            raise
        logger.warning("No price for campaign %s: %s", campaign.pk, error.reason)
        return {}, [reason(gettext_noop("The price could not be asked from the provider.")), reason_of(error)]
    money: dict[str, Any] = {"price_low": str(low), "price_high": str(high), "currency": currency}
    if account.balance is None:
        return money, []
    money["balance"] = str(account.balance)
    return money, _balance_warnings(account.balance, money, high=high)


def _balance_warnings(balance: Decimal, money: Mapping[str, Any], *, high: Decimal) -> list[dict[str, Any]]:
    if balance >= high:
        return []
    return [
        reason(
            gettext_noop(
                "The balance of %(balance)s %(currency)s is lower than the estimate of up to %(price)s %(currency)s. "
                "Top up before you send."
            ),
            balance=money["balance"],
            price=money["price_high"],
            currency=money["currency"],
        )
    ]


def _sender_warnings(campaign: Campaign) -> list[dict[str, Any]]:
    known = [sender["value"] for sender in campaign.account.senders]
    sender = sender_of(campaign)
    if not known or sender in known:
        return []
    return [
        reason(
            gettext_noop("The sender %(sender)s is not among those the provider named when the account was tested."),
            sender=sender,
        )
    ]
