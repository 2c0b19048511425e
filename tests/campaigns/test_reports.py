"""What the provider tells about each recipient."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contactsync.campaigns import lifecycle, reports
from contactsync.models import Call, Campaign, Contact, Recipient
from contactsync.models.reasons import describe
from providers.sandbox.ippanel.delivery import Message, SendStatus
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import campaign_to, prepare, send
from tests.factories import make_contact, make_phonebook

DELIVERED, UNDELIVERED, BLOCKED = "+989120000001", "+989120000099", "+989120000098"


@pytest.fixture
def campaign(account, user):
    book = make_phonebook(account)
    for phone in (DELIVERED, UNDELIVERED, BLOCKED):
        make_contact(book, phone)
    campaign = campaign_to(account, book)
    send(campaign, user)
    return campaign


def deliveries() -> dict[str, tuple[str, str]]:
    return {row.phone: (row.delivery, row.delivery_raw) for row in Recipient.objects.all()}


def pull(campaign: Campaign) -> dict:
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    return campaign.summary["report"]


def test_a_report_matures(campaign, sandbox):
    report = pull(campaign)
    assert set(deliveries().values()) == {("queued", "")}
    assert not report["final"]
    sandbox.advance(3)
    assert pull(campaign)["states"] == {"sent": 3}
    sandbox.advance(20)
    report = pull(campaign)
    assert deliveries() == {
        DELIVERED: ("delivered", "2"),
        UNDELIVERED: ("undelivered", "3"),
        BLOCKED: ("blocked", "4"),
    }
    assert report["final"]
    assert report["states"] == {"delivered": 1, "undelivered": 1, "blocked": 1}
    assert (report["unexpected"], report["unreported"], report["repeated"]) == (0, 0, 0)
    assert report["cost"] == str(3 * 1900)
    assert campaign.reported_at


def test_reading_twice_changes_nothing(campaign, sandbox):
    sandbox.advance(30)
    first, seen = pull(campaign), deliveries()
    assert (pull(campaign), deliveries()) == (first, seen)
    assert campaign.summary["sent"]["balances"]


def test_numbers_on_one_side_only_are_counted(campaign, sandbox):
    (kept,) = sandbox.state("ippanel").sends.values()
    kept.messages = [
        *(message for message in kept.messages if message.recipient != DELIVERED),
        Message("+989129999991", "سلام", 1, "2"),
        Message(UNDELIVERED, "سلام", 1, "3"),
    ]
    sandbox.advance(30)
    report = pull(campaign)
    assert (report["unexpected"], report["unreported"], report["repeated"]) == (1, 1, 1)
    assert deliveries()[DELIVERED] == ("", "")


def test_an_unfamiliar_code_is_kept_raw(campaign, sandbox):
    (kept,) = sandbox.state("ippanel").sends.values()
    kept.messages[0].final = "17"
    sandbox.advance(30)
    report = pull(campaign)
    assert deliveries()[DELIVERED] == ("unrecognised", "17")
    assert not report["final"]


def test_a_send_the_monitoring_rejected_failed_for_everybody(account, user, sandbox):
    book = make_phonebook(account)
    make_contact(book, DELIVERED)
    campaign = campaign_to(account, book, message="سلام #reject")
    send(campaign, user)
    sandbox.advance(30)
    report = pull(campaign)
    assert deliveries() == {DELIVERED: ("failed", "3")}
    assert report["final"]
    assert report["sends"][0]["state"] == "failed"


def test_a_report_that_cannot_be_read_says_so_and_keeps_what_is_there(campaign, sandbox):
    sandbox.advance(30)
    pull(campaign)
    Recipient.objects.update(delivery=Recipient.Delivery.SENT)
    Call.objects.update(report_is_final=False)
    seen = deliveries()
    sandbox.fault("status_422", "GET /api/report/recipients", times=0)
    report = pull(campaign)
    assert describe(report["error"])
    assert not report["final"]
    assert deliveries() == seen


def test_a_refused_key_pauses_the_account_after_one_call(campaign, account, sandbox):
    sandbox.use_key("another-key-0123456789012345678901")
    before = len(sandbox.requests)
    assert describe(pull(campaign)["error"])
    account.refresh_from_db()
    assert account.state == account.State.REFUSED
    assert len(sandbox.requests) == before + 1


def test_all_references_of_a_call_are_read(campaign, sandbox):
    state = sandbox.state("ippanel")
    (kept,) = state.sends.values()
    moved = kept.messages.pop()
    other = state.add_send(
        "webservice", kept.sender, kept.text, [(moved.recipient, moved.text)], send_at=None, maturity=10
    )
    Call.objects.update(references=[str(kept.id), str(other.id)])
    Recipient.objects.update(reference="")
    sandbox.advance(30)
    report = pull(campaign)
    assert (report["unexpected"], report["unreported"]) == (0, 0)
    assert dict(Recipient.objects.values_list("phone", "reference")) == {
        DELIVERED: str(kept.id),
        UNDELIVERED: str(kept.id),
        BLOCKED: str(other.id),
    }


def reads_of(sandbox, campaign) -> list[str]:
    """What one pull asks, without the query."""
    asked = len(sandbox.requests)
    pull(campaign)
    return [request.path.rsplit("/", 1)[-1] for request in sandbox.requests[asked:]]


def test_a_send_is_asked_for_its_state_until_it_is_over_and_for_its_people_from_then_on(campaign, sandbox):
    assert reads_of(sandbox, campaign) == ["by_bulk"]
    assert reads_of(sandbox, campaign) == ["by_bulk"]
    sandbox.advance(3)
    assert reads_of(sandbox, campaign) == ["by_bulk"]
    sandbox.advance(4.5)
    assert reads_of(sandbox, campaign) == ["by_bulk", "recipients"]
    assert reads_of(sandbox, campaign) == ["recipients"]
    sandbox.advance(30)
    assert reads_of(sandbox, campaign) == ["recipients"]
    assert set(deliveries().values()) == {("delivered", "2"), ("undelivered", "3"), ("blocked", "4")}
    assert reads_of(sandbox, campaign) == []


@pytest.fixture
def packed(account, user):
    """Three texts in one call."""
    book = make_phonebook(account)
    for phone in (DELIVERED, UNDELIVERED, BLOCKED):
        make_contact(book, phone, first_name=phone[-4:])
    campaign = campaign_to(account, book, message="{first_name}")
    send(campaign, user)
    (call,) = Call.objects.all()
    assert len(call.references) == 3
    return campaign


def test_of_packed_texts_it_is_learnt_once_whose_is_whose(packed, sandbox):
    assert reads_of(sandbox, packed) == ["by_bulk", "recipients"] * 3
    assert Recipient.objects.exclude(reference="").values("reference").distinct().count() == 3
    assert reads_of(sandbox, packed) == ["by_bulk"] * 3
    sandbox.advance(7.5)
    assert reads_of(sandbox, packed) == ["by_bulk", "recipients"] * 3
    sandbox.advance(30)
    assert set(reads_of(sandbox, packed)) == {"recipients"}  # of whom is not at an end yet
    assert deliveries() == {
        DELIVERED: ("delivered", "2"),
        UNDELIVERED: ("undelivered", "3"),
        BLOCKED: ("blocked", "4"),
    }
    report = packed.summary["report"]
    assert (report["final"], report["unexpected"], report["unreported"], report["repeated"]) == (True, 0, 0, 0)
    assert report["cost"] == str(3 * 1900)
    assert reads_of(sandbox, packed) == []


def test_one_failed_text_fails_nobody_else(packed, sandbox):
    first, *others = sandbox.state("ippanel").sends.values()
    first.failed = SendStatus.NO_CREDIT
    for other in others:
        other.maturity = 1000.0  # theirs are still waiting
    sandbox.advance(30)
    pull(packed)
    assert deliveries() == {DELIVERED: ("failed", "8"), UNDELIVERED: ("queued", ""), BLOCKED: ("queued", "")}
    assert reads_of(sandbox, packed) == ["by_bulk"] * 2  # nothing can come of the failed one any more
    sandbox.advance(2000)
    assert pull(packed)["final"]
    assert deliveries()[BLOCKED] == ("blocked", "4")


def test_a_failed_text_that_lists_nobody_is_of_those_in_no_other(packed, sandbox):
    first, *_others = sandbox.state("ippanel").sends.values()
    first.failed = SendStatus.SYSTEM_ERROR
    first.messages = []
    sandbox.advance(30)
    assert pull(packed)["final"]
    assert deliveries() == {
        DELIVERED: ("failed", "9"),
        UNDELIVERED: ("undelivered", "3"),
        BLOCKED: ("blocked", "4"),
    }
    assert packed.summary["report"]["unreported"] == 0


def test_a_campaign_of_which_nothing_was_accepted_has_nothing_to_report(account, user, sandbox):
    book = make_phonebook(account)
    make_contact(book, DELIVERED)
    campaign = prepare(campaign_to(account, book), user)
    sandbox.fault("status_500", "POST /api/send$")
    send(campaign, user)
    asked = len(sandbox.requests)
    report = pull(campaign)
    assert (report["sends"], report["final"]) == ([], False)
    (looked_for,) = sandbox.requests[asked:]
    assert looked_for.path.endswith("/api/report/new_list")  # the lost send is looked for, and no report is asked


def test_there_is_no_query_per_recipient(account, user, sandbox):
    def queries(people: int) -> int:
        sandbox.advance(60)
        book = make_phonebook(account)
        Contact.objects.bulk_create(
            Contact(phonebook=book, phone=f"+98913{book.pk % 1000:03d}{index:04d}", payload_hash="x")
            for index in range(people)
        )
        campaign = campaign_to(account, book, message=f"to {people}")
        send(campaign, user)
        sandbox.advance(60)
        with CaptureQueriesContext(connection) as caught:
            reports.pull(campaign.pk)
        assert campaign.recipients.filter(delivery="").count() == 0
        return len(caught)

    few, many = queries(20), queries(900)
    assert many - few <= 4


def test_reports_are_json(campaign, sandbox):
    sandbox.advance(30)
    assert json.loads(json.dumps(pull(campaign)))["sends"][0]["reference"] == Call.objects.get().references[0]


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.slug)
def test_a_send_that_was_accepted_and_that_the_provider_does_not_know_later_is_somebodys_to_look_at(
    user, sandbox, db, company
):
    account = company.account(sandbox)
    campaign = campaign_to(account, company.book(account, sandbox, company.phones(2)), message="Sale")
    send(campaign, user)
    state = sandbox.state(company.slug)
    for name in {"sends", "messages", "sms", "bulks"} & vars(state).keys():
        getattr(state, name).clear()
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SENT  # it may be shown a little later
    Call.objects.update(finished_at=timezone.now() - dt.timedelta(hours=2))
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.ATTENTION
    assert "people missing from the report: 2" in campaign.error_text
    lifecycle.leave_unsent(campaign, user=user)
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SENT
