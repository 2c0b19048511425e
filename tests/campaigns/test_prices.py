"""What a campaign costs, asked as the provider's document says: per size of text, and per country where that matters."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import campaign_to, prepare, send
from tests.factories import make_contact, make_phonebook

LOX24 = next(company for company in COMPANIES if company.slug == "lox24")
GERMANY, SWITZERLAND, IRAN = "+49152000000", "+4179000000", "+9891200000"

pytestmark = pytest.mark.django_db(transaction=True)


def priced(sandbox) -> list[tuple[str, str]]:
    return [(row.json["phone"], row.json["text"]) for row in sandbox.requests_to("POST /sms/dryrun")]


def test_lox24_is_asked_once_per_country_and_size(sandbox):
    account = LOX24.account(sandbox)
    book = make_phonebook(account)
    for number in range(10, 13):
        make_contact(book, f"{GERMANY}{number}", first_name="Sara", last_name="N")
    make_contact(book, f"{GERMANY}20", first_name="x" * 85, last_name="y" * 85)
    make_contact(book, f"{SWITZERLAND}10", first_name="Reto", last_name="N")
    make_contact(book, f"{IRAN}10", first_name="Ali", last_name="N")
    campaign = prepare(campaign_to(account, book, message="{first_name}{last_name}"))
    assert priced(sandbox) == [
        (f"{GERMANY}10", "SaraN"),
        (f"{GERMANY}20", "x" * 85 + "y" * 85),
        (f"{SWITZERLAND}10", "RetoN"),
        (f"{IRAN}10", "AliN"),
    ]
    cost = 3 * Decimal("0.075") + 2 * Decimal("0.075") + Decimal("0.11") + Decimal("0.19")
    assert Decimal(campaign.summary["price_low"]) == Decimal(campaign.summary["price_high"]) == cost
    assert campaign.summary["currency"] == "EUR"
    assert campaign.summary["parts"] == 7
    assert sandbox.state("lox24").sms == {}


def test_the_estimate_is_what_the_send_takes(sandbox, user):
    account = LOX24.account(sandbox)
    book = make_phonebook(account)
    for number in range(10, 12):
        make_contact(book, f"{GERMANY}{number}")
        make_contact(book, f"{SWITZERLAND}{number}")
    campaign = prepare(campaign_to(account, book), user)
    before = sandbox.state("lox24").balance
    send(campaign, user)
    assert before - sandbox.state("lox24").balance == pytest.approx(float(campaign.summary["price_high"]))


def test_ippanel_is_asked_once_per_size_wherever_the_people_are(sandbox, account):
    book = make_phonebook(account)
    for number in range(10, 13):
        make_contact(book, f"{IRAN}{number}")
    prepare(campaign_to(account, book))
    assert len(sandbox.requests_to("POST /api/send/calculate-price")) == 1
