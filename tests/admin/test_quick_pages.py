"""Pages over very many rows: what they do not count, sort or read through; a million rows show it, a plan says why."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contactsync.admin import common, search, tables
from contactsync.admin.imports import pages
from contactsync.admin.progress import counts
from contactsync.campaigns.counts import add_to_summary, equation
from contactsync.campaigns.summary import extremes
from contactsync.models import (
    Campaign,
    Contact,
    ImportIssue,
    ImportJob,
    InboundMessage,
    Recipient,
    Run,
    RunItem,
    Suppression,
)
from tests.admin.flow_rows import add_recipient, address, client_of, make_prepared, make_run, make_unknown_send, text_of
from tests.factories import make_contact, make_phonebook

pytestmark = pytest.mark.django_db

CONTACTS = "/admin/contactsync/contact/"
REPLIES = "/admin/contactsync/inboundmessage/"
SUPPRESSED = Suppression._meta.db_table
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has a test of its own")
on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has a test of its own")


def asked(page: str, **query: str) -> list[str]:
    """What the page asks the database for."""
    client = client_of("Marketing lead")
    client.get("/admin/")
    with CaptureQueriesContext(connection) as captured:
        assert client.get(page, query).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


def sent_campaign(state: str = Campaign.State.SENT, **summary: Any) -> Campaign:
    """Sent to two, of whom one has it; as its end and its report leave it."""
    campaign = make_prepared(2)
    one, other = campaign.recipients.order_by("pk")
    campaign.recipients.update(state=Recipient.State.ACCEPTED)
    Recipient.objects.filter(pk=one.pk).update(delivery=Recipient.Delivery.DELIVERED)
    Recipient.objects.filter(pk=other.pk).update(delivery=Recipient.Delivery.UNDELIVERED)
    Campaign.objects.filter(pk=campaign.pk).update(
        state=state, started_at=campaign.created_at, reported_at=campaign.created_at
    )
    campaign.refresh_from_db()
    report = {"states": {"delivered": 1, "undelivered": 1}}
    add_to_summary(campaign, **{"sent": equation(campaign).as_counts, "report": report, **summary})
    return campaign


@pytest.fixture
def _everything_is_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "COUNTED", 0)
    monkeypatch.setattr("contactsync.admin.campaigns.shares.COUNTED", 0)


def counted_people(queries: list[str]) -> list[str]:
    return [sql for sql in queries if "COUNT(" in sql and "LIMIT" not in sql and Recipient._meta.db_table in sql]


# Orders


def test_an_order_that_is_not_offered_is_not_sorted_by(monkeypatch: pytest.MonkeyPatch) -> None:
    book = make_phonebook()
    make_contact(book)
    by_name = {"phonebook__id__exact": str(book.pk), "o": "1"}
    assert any("last_name" in sql.partition("ORDER BY")[2] for sql in asked(CONTACTS, **by_name))
    monkeypatch.setattr(search, "LARGE", 0)
    assert not any("last_name" in sql.partition("ORDER BY")[2] for sql in asked(CONTACTS, **by_name))


def plan_of(sql: str) -> str:
    """How the database would do it if the tables were large."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        else:
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
            )
            cursor.execute(f"EXPLAIN {sql}")
        return str(cursor.fetchall())


def page_of(model: Any, queries: list[str]) -> str:
    """The query for the rows of a page."""
    table = model._meta.db_table
    return [sql for sql in queries if f'FROM "{table}"' in sql and "ORDER BY" in sql][-1]


def test_a_page_of_a_run_of_a_campaign_and_of_replies_is_read_in_the_order_of_an_index() -> None:
    run, campaign = make_run(items=1), sent_campaign()
    InboundMessage.objects.create(
        account=run.account, remote_id="1", phone="+989121234567", received_at=campaign.created_at
    )
    for page, model, index in (
        (address(run), RunItem, "item_run"),
        (address(campaign), Recipient, "recipient_campaign"),
        (REPLIES, InboundMessage, "reply_received"),
    ):
        plan = plan_of(page_of(model, asked(page)))
        assert index in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        assert "Sort" not in plan, plan


def test_suppressed_numbers_come_in_the_order_of_their_keys() -> None:
    Suppression.objects.create(phone="+989121234567")
    (sql,) = [sql for sql in asked("/admin/contactsync/suppression/") if "ORDER BY" in sql and SUPPRESSED in sql]
    assert "since" not in sql.partition("ORDER BY")[2]


@pytest.mark.parametrize(
    "page", ["runitem/?o=2", "recipient/?o=2", "call/?o=-7", "inboundmessage/?o=2", "suppression/?o=2"]
)
def test_very_many_rows_are_sorted_only_as_an_index_has_them(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "SORTED", -1)
    path, _, order = page.partition("?o=")
    default, other = asked(f"/admin/contactsync/{path}"), asked(f"/admin/contactsync/{path}", o=order)
    assert [sql.partition("ORDER BY")[2] for sql in other] == [sql.partition("ORDER BY")[2] for sql in default]


@pytest.mark.parametrize("page", ["/admin/unknown/", "/admin/contactsync/call/?state__exact=unknown"])
def test_calls_of_unknown_outcome_are_looked_for_once_among_all(page: str) -> None:
    make_unknown_send()
    by_state = [sql for sql in asked(page) if "\"state\" = 'unknown'" in sql]
    (once,) = [sql for sql in by_state if "json_each" not in sql and "unnest" not in sql]
    assert "ORDER BY" not in once


def test_calls_are_not_read_for_the_choices_of_their_filter() -> None:
    make_run(items=1)
    assert not [sql for sql in asked("/admin/contactsync/call/") if "DISTINCT" in sql]


def test_where_nothing_was_counted_nothing_is_read() -> None:
    run = make_run(items=1)
    for page in (address(run), "/admin/contactsync/runitem/"):
        of_items = [sql for sql in asked(page, state="failed", state__exact="failed") if "'failed'" in sql]
        assert all("COUNT(" in sql for sql in of_items), page
        assert of_items, page


def test_the_second_page_of_a_run_goes_on_where_the_first_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PER_PAGE", 2)
    run = make_run(items=3)
    client, keys = client_of("Marketing"), list(run.items.order_by("pk").values_list("pk", flat=True))
    for query in ({}, {"q": "912"}):
        shown = [
            [item.pk for item in client.get(address(run), {"p": page, **query}).context["table"].page] for page in "12"
        ]
        assert shown == [keys[:2], keys[2:]]


# Names and numbers


@on_sqlite
@pytest.mark.parametrize("words", ["Nobody", "هیچکس"])
def test_a_name_is_looked_for_in_the_index_of_the_names(words: str) -> None:
    (names,) = [sql for sql in asked(CONTACTS, q=words) if "first_name" in sql.partition("WHERE")[2]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {names}")
        assert "COVERING INDEX contact_names" in str(cursor.fetchall())


@on_postgres
@pytest.mark.parametrize(("words", "index"), [("Nobody", "contact_names"), ("912000", "contact_phone_unique")])
def test_a_name_or_a_piece_of_a_number_is_looked_for_in_an_index_alone(words: str, index: str) -> None:
    (first, *_rest) = [sql for sql in asked(CONTACTS, q=words) if " LIKE " in sql]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {first}")
        plan = str(cursor.fetchall())
    assert f"Index Only Scan using {index}" in plan, plan


def test_names_are_looked_for_one_by_one_not_joined() -> None:
    """To join them takes as long again as to look into them."""
    assert not [sql for sql in asked(CONTACTS, q="Nobody") if "||" in sql]


@pytest.mark.parametrize("few", [0, 10_000])
@pytest.mark.parametrize(
    ("words", "found"),
    [("sara KARIMI", True), ("karimi sara", True), ("arim", True), ("علی‌رضا", True), ("علیرضا", True), ("acme", True),
     ("sara x", False), ("sarakarimi", False)],
)  # fmt: skip
def test_every_word_stands_in_a_name_few_or_many(
    words: str, found: bool, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    who = make_contact(make_phonebook(), first_name="Sara علی‌رضا", last_name="Karimi", company="Acme")
    make_contact(who.phonebook, first_name="Nobody", last_name="Else")
    assert list(search.contacts(Contact.objects.all(), words, [])) == [who] * found
    run = make_run(who.phonebook)
    item = run.items.create(contact=who, phone=who.phone, operation="create")
    assert list(search.named(run.items.all(), words, of="contact")) == [item] * found


def test_a_search_in_a_run_goes_through_it_once_and_says_when_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "FEW", 0)
    monkeypatch.setattr(tables, "FOUND", 2)
    run = make_run(items=4)
    Contact.objects.update(first_name="Sara")
    through = [sql for sql in asked(address(run), q="Sara") if "LIKE" in sql and RunItem._meta.db_table in sql]
    (once,) = [sql for sql in through if '"contactsync_runitem"."id" IN (' not in sql]
    assert "JOIN" not in once  # else PostgreSQL would begin with everybody of that name
    assert "more than 2 rows" in text_of(client_of("Marketing").get(address(run), {"q": "Sara"}))


def test_the_people_of_a_call_are_not_looked_for_among_all() -> None:
    run = make_run(items=1)
    call = run.calls.get()
    run.calls.update(state="refused", request_line="POST /", response_excerpt="no")
    names = [sql for sql in asked(address(call)) if '"first_name"' in sql and "company" in sql and "IN (" in sql]
    assert names
    assert not [sql for sql in names if "JOIN" in sql]


def test_why_very_many_rows_are_rejected_is_known_from_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "COUNTED", 1)
    job = ImportJob.objects.create(
        phonebook=make_phonebook(), file_name="a.csv", state="checked", checked_counts={"codes": {"phone_invalid": 2}}
    )
    for row, severity in enumerate(("rejected", "rejected", "warning")):
        code = "email_invalid" if severity == "warning" else "phone_invalid"
        job.issues.create(row=row, line=row, severity=severity, code=code)
    (distinct,) = [sql for sql in asked(address(job)) if "DISTINCT" in sql and ImportIssue._meta.db_table in sql]
    assert "'rejected'" not in distinct
    codes = [code for code, _words in pages.codes_of(job)]
    assert codes == ["email_invalid", "phone_invalid"]


# Campaigns


@pytest.mark.usefixtures("_everything_is_many")
def test_the_people_of_a_sent_campaign_are_not_counted_again() -> None:
    campaign = sent_campaign()
    run = Run.objects.create(kind="send", state="finished", campaign=campaign, account=campaign.account)
    for page in (address(campaign), address(campaign, "progress"), address(run)):
        assert not counted_people(asked(page)), page
    text = text_of(client_of("Marketing lead").get(address(campaign)))
    assert "delivered" in text
    assert "50" in text


@pytest.mark.usefixtures("_everything_is_many")
def test_people_are_counted_while_something_of_the_campaign_is_open() -> None:
    campaign = sent_campaign(sent={**equation(sent_campaign()).as_counts, "on_wire": 1, "accepted": 1})
    assert counts.recipient_counts(campaign) == {"accepted": 2}


@pytest.mark.usefixtures("_everything_is_many")
@pytest.mark.parametrize("state", [Campaign.State.SENDING, Campaign.State.PAUSED])
def test_people_are_counted_while_somebody_sends_or_may_go_on(state: str) -> None:
    campaign = sent_campaign(state)
    campaign.recipients.filter(delivery="delivered").update(state=Recipient.State.UNKNOWN)
    assert counts.recipient_counts(campaign) == {"accepted": 1, "unknown": 1}


@pytest.mark.usefixtures("_everything_is_many")
def test_deliveries_are_counted_where_the_report_is_not_of_those_handed_over() -> None:
    campaign = sent_campaign(report={"states": {"delivered": 1}})
    assert counted_people(asked(address(campaign)))


def test_the_examples_are_looked_for_when_the_campaign_is_prepared() -> None:
    campaign = make_prepared(0)
    book = campaign.targets.get().phonebook
    for text in ("one", "three words long", "x"):
        add_recipient(campaign, make_contact(book), text=text)
    campaign.summary["examples"] = extremes(campaign)
    campaign.save(update_fields=["summary"])
    assert not [sql for sql in asked(address(campaign)) if "LENGTH(" in sql]
    page = client_of("Marketing lead").get(address(campaign))
    assert [one.recipient.text for one in page.context["examples"]] == ["one", "three words long", "x"]


def test_who_is_left_out_is_looked_for_only_where_somebody_is() -> None:
    campaign = make_prepared(2)
    campaign.summary["excluded"] = {}
    campaign.save(update_fields=["summary"])
    assert not [sql for sql in asked(address(campaign)) if "= 'no_consent'" in sql]
