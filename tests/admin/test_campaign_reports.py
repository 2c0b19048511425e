"""The report of a campaign, its downloads and its recipients."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from contactsync.models import Call, Campaign
from contactsync.models.reasons import reason
from tests.admin.flow_rows import add_recipient, address, client_of, make_prepared, text_of
from tests.factories import make_contact

pytestmark = pytest.mark.django_db

State = Campaign.State


def reported() -> Campaign:
    campaign = make_prepared(0, state=State.SENT, reported_at=timezone.now())
    call = Call.objects.get()
    Call.objects.update(state="accepted")
    for state, delivery in (
        ("accepted", "delivered"),
        ("accepted", "delivered"),
        ("accepted", "blocked"),
        ("accepted", ""),
        ("refused", ""),
    ):
        contact = make_contact(campaign.targets.get().phonebook, first_name="=Sara")
        add_recipient(campaign, contact, state=state, delivery=delivery, call=call)
    Campaign.objects.update(summary={**campaign.summary, "recipients": 5, "considered": 5})
    campaign.refresh_from_db()
    return campaign


def test_the_report_sums_up_what_reached_people() -> None:
    page = client_of("Marketing").get(address(reported()))
    assert [(share.name, share.count) for share in page.context["shares"]] == [
        ("delivered", 2),
        ("accepted", 1),
        ("blocked", 1),
        ("refused", 1),
    ]
    assert sum(share.width for share in page.context["shares"]) == 1000
    text = text_of(page)
    assert "accepted, no report yet" in text
    assert "40%" in text
    assert "style=" not in text.split('id="content"', 1)[-1]


def test_recipients_are_filtered_by_delivery_and_found_by_number() -> None:
    campaign = reported()
    client = client_of("Marketing")
    assert len(client.get(address(campaign), {"delivery": "delivered"}).context["table"].page) == 2
    phone = campaign.recipients.first().phone
    found = client.get(address(campaign), {"q": "0" + phone.removeprefix("+98")}).context["table"].page
    assert [row.phone for row in found] == [phone]


def test_differences_between_the_report_and_the_ledger_are_said() -> None:
    campaign = reported()
    Campaign.objects.update(
        summary={
            **campaign.summary,
            "report": {"unexpected": 2, "unreported": 1, "error": reason("The provider is away.")},
        }
    )
    text = text_of(client_of("Marketing").get(address(campaign)))
    assert "reports 2 numbers that this campaign did not hand over" in text
    assert "1 person is missing" in text
    assert "The provider is away." in text


def test_the_report_comes_as_csv_with_formulas_defused() -> None:
    campaign = reported()
    response = client_of("Marketing").get(address(campaign, "export"), {"format": "csv"})
    text = b"".join(response).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 6
    assert rows[1][0] == campaign.recipients.first().phone
    assert rows[1][1] == "'=Sara"
    assert rows[1][4] == "delivered"


def test_the_report_comes_as_a_spreadsheet() -> None:
    response = client_of("Marketing").get(address(reported(), "export"), {"format": "xlsx"})
    sheet = load_workbook(io.BytesIO(b"".join(response))).active
    assert sheet.max_row == 6


def test_the_report_is_only_for_those_who_may_take_it_away() -> None:
    campaign = reported()
    client = client_of(may=("view_campaign",))
    assert client.get(address(campaign, "export")).status_code == 403
    assert "export/" not in text_of(client.get(address(campaign)))
    assert client_of("Marketing").get(address(campaign, "export"), {"format": "exe"}).status_code == 404


def test_one_recipient_tells_everything_about_one_message() -> None:
    campaign = reported()
    recipient = campaign.recipients.first()
    text = text_of(client_of("Marketing").get(address(recipient)))
    assert recipient.text in text
    assert "delivered" in text
    assert address(campaign) in text


def test_a_number_is_found_over_all_campaigns() -> None:
    recipient = reported().recipients.first()
    page = client_of("Marketing").get(
        reverse("admin:contactsync_recipient_changelist"), {"q": "0" + recipient.phone.removeprefix("+98")}
    )
    assert list(page.context["cl"].result_list) == [recipient]


@pytest.mark.parametrize("people", [2, 40])
def test_the_page_takes_the_same_queries_for_any_number_of_people(people: int, django_assert_max_num_queries) -> None:
    campaign, client = make_prepared(people), client_of(is_superuser=True)
    with django_assert_max_num_queries(17 if connection.vendor == "postgresql" else 16):
        client.get(address(campaign))


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_of_campaigns_takes_the_same_queries_for_any_number(rows: int, django_assert_max_num_queries) -> None:
    for _ in range(rows):
        make_prepared(1)
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(11):
        client.get(reverse("admin:contactsync_campaign_changelist"))
