"""The pages of a campaign: write, prepare, send, report."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from contactsync.campaigns import dispatch
from contactsync.campaigns.waiting import missed
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.reasons import reason
from tests.admin.flow_rows import add_recipient, address, client_of, make_prepared, make_run, make_unknown_send, text_of
from tests.factories import make_account, make_campaign, make_contact, make_option, make_phonebook, make_user

pytestmark = pytest.mark.django_db

ADD = "/admin/contactsync/campaign/add/"
State = Campaign.State


def form(account: Any, *targets: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What the browser posts for a campaign with these targets."""
    data = {
        "title": "Yalda",
        "account": account.pk,
        "sender": "",
        "message": "سلام {first_name|دوست}",
        "scheduled_for_0": "",
        "scheduled_for_1": "",
        "targets-TOTAL_FORMS": len(targets),
        "targets-INITIAL_FORMS": 0,
        "targets-MIN_NUM_FORMS": 0,
        "targets-MAX_NUM_FORMS": 1000,
        "_continue": "1",
        **fields,
    }
    for index, target in enumerate(targets):
        data |= {f"targets-{index}-{name}": value for name, value in {"type": "all", **target}.items()}
    return data


# Writing


def test_a_draft_keeps_who_wrote_it_and_whom_it_goes_to() -> None:
    book = make_phonebook()
    client = client_of("Marketing", username="sara")
    response = client.post(ADD, form(book.account, {"phonebook": book.pk}), follow=True)
    campaign = Campaign.objects.get()
    assert campaign.created_by.username == "sara"
    assert campaign.targets.get().phonebook == book
    assert campaign.state == State.DRAFT
    assert response.status_code == 200


def test_the_only_account_is_chosen_already() -> None:
    account = make_account()
    assert client_of("Marketing").get(ADD).context["adminform"].form["account"].value() == account.pk


def test_the_form_says_its_time_zone() -> None:
    assert "Time zone: UTC (UTC+00:00)" in text_of(client_of("Marketing").get(ADD))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"type": "detail", "start": 1}, "Rows are counted for a whole phonebook only."),
        ({"type": "detail"}, "Choose at least one contact"),
        ({"type": "all", "start": 0}, "Rows are counted from 1."),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_beside_the_field(target: dict[str, Any], said: str) -> None:
    book = make_phonebook()
    page = client_of("Marketing").post(ADD, form(book.account, {"phonebook": book.pk, **target}))
    assert said in text_of(page)
    assert not Campaign.objects.exists()


def test_contacts_of_another_phonebook_cannot_be_chosen() -> None:
    book = make_phonebook()
    stranger = make_contact(make_phonebook(book.account))
    target = {"phonebook": book.pk, "type": "detail", "contacts": [stranger.pk]}
    assert "in another phonebook" in text_of(client_of("Marketing").post(ADD, form(book.account, target)))


def test_chosen_contacts_are_kept_and_forgotten_when_everybody_is_chosen() -> None:
    book = make_phonebook()
    contact = make_contact(book)
    client = client_of("Marketing")
    client.post(ADD, form(book.account, {"phonebook": book.pk, "type": "detail", "contacts": [contact.pk]}))
    campaign = Campaign.objects.get()
    target = campaign.targets.get()
    assert list(target.contacts.all()) == [contact]
    change = form(
        book.account, {"id": target.pk, "campaign": campaign.pk, "phonebook": book.pk, "contacts": [contact.pk]}
    )
    client.post(address(campaign), {**change, "targets-INITIAL_FORMS": 1})
    target.refresh_from_db()
    assert target.type == "all"
    assert not target.contacts.exists()


def test_a_long_list_of_chosen_contacts_is_a_number_and_survives_saving() -> None:
    book = make_phonebook()
    campaign = make_campaign(book.account)
    target = campaign.targets.create(phonebook=book, type="detail")
    target.contacts.set([make_contact(book) for _ in range(201)])
    client = client_of("Marketing")
    page = text_of(client.get(address(campaign)))
    assert "201 contacts are chosen." in page
    change = form(book.account, {"id": target.pk, "campaign": campaign.pk, "phonebook": book.pk, "type": "detail"})
    client.post(address(campaign), {**change, "targets-INITIAL_FORMS": 1, "title": "Nowruz"})
    campaign.refresh_from_db()
    assert campaign.title == "Nowruz"
    assert target.contacts.count() == 201


def test_what_stands_in_the_way_is_shown_on_the_draft() -> None:
    campaign = make_campaign(make_account())
    assert "The campaign goes to nobody." in text_of(client_of("Marketing").get(address(campaign)))


def test_a_campaign_that_is_no_draft_any_more_cannot_be_saved_over() -> None:
    campaign = make_prepared()
    response = client_of("Marketing").post(address(campaign), form(campaign.account), follow=True)
    campaign.refresh_from_db()
    assert campaign.title != "Yalda"
    assert campaign.state == State.PREPARED
    assert "no longer a draft" in text_of(response)


def test_saving_a_draft_never_writes_its_state() -> None:
    campaign = make_campaign(make_account())
    client = client_of("Marketing")
    client.post(address(campaign), form(campaign.account, title="Nowruz"))
    campaign.refresh_from_db()
    assert (campaign.title, campaign.state) == ("Nowruz", State.DRAFT)


def test_only_drafts_can_be_deleted() -> None:
    draft, prepared = make_campaign(make_account()), make_prepared()
    client = client_of("Marketing lead")
    assert client.get(address(prepared, "delete")).status_code == 403
    assert client.get(address(draft, "delete")).status_code == 200
    assert client_of("Marketing").get(address(draft, "delete")).status_code == 403


# What the form asks for


def count(text: str) -> Any:
    return client_of("Marketing").post(reverse("admin:contactsync_campaign_parts"), {"text": text}).json()


def test_parts_are_counted_by_the_server() -> None:
    assert count("a" * 161)["parts"] == 2
    assert "2 SMS parts" in count("a" * 161)["line"]
    assert count("س" * 70)["parts"] == 1
    assert count("س" * 71)["parts"] == 2


def test_what_is_no_sms_is_counted_in_characters_and_messages() -> None:
    account = make_account(provider="callbell", senders=[{"value": "1f0c", "label": "Shop (WhatsApp)"}])
    ask = {"text": "a" * 161, "account": account.pk}
    line = client_of("Marketing").post(reverse("admin:contactsync_campaign_parts"), ask).json()["line"]
    assert line == "161 characters"
    campaign = make_prepared(2, account=account)
    Campaign.objects.update(summary={**campaign.summary, "sender": "1f0c"})
    lead = client_of("Marketing lead")
    text = text_of(lead.get(address(campaign)))
    assert "SMS part" not in text
    assert '<dt class="cs-stat__label">messages</dt>' in text
    size = len(campaign.recipients.first().text)
    assert f"{size} characters" in text
    assert "<bdi>Shop (WhatsApp)</bdi>" in text
    assert "1f0c" not in text
    assert "SMS part" not in text_of(lead.get(address(campaign.recipients.first())))


def test_a_number_that_sends_stays_in_sight_beside_its_name() -> None:
    account = make_account(senders=[{"value": "+983000505", "label": "Shop"}])
    campaign = make_prepared(1, account=account)
    Campaign.objects.update(summary={**campaign.summary, "sender": "+983000505"})
    text = text_of(client_of("Marketing lead").get(address(campaign)))
    assert "+983000505" in text
    assert '<bdi class="cs-quiet">Shop</bdi>' in text


def test_one_odd_character_that_makes_a_text_dear_is_named() -> None:
    assert "“ş”" in count("Hello " * 20 + "ş")["hint"]


def test_placeholders_are_said_to_be_counted_as_written() -> None:
    assert "counted as written" in count("Hello {first_name}")["hint"]


def test_the_account_tells_its_senders_and_placeholders() -> None:
    account = make_account(senders=[{"value": "+983000505", "label": ""}, {"value": "+985000", "label": ""}])
    make_option(account, "شهر")
    answer = client_of("Marketing").get(reverse("admin:contactsync_campaign_account", args=[account.pk])).json()
    assert answer["senders"] == ["+983000505", "+985000"]
    assert "شهر" in answer["placeholders"]
    assert "first_name" in answer["placeholders"]


def test_contacts_are_looked_up_in_their_phonebook_only() -> None:
    book = make_phonebook()
    wanted = make_contact(book, "+989121110001", first_name="Sara")
    make_contact(make_phonebook(), "+989121110002", first_name="Sara")
    make_contact(book, "+989121110003", first_name="Sara", deleted_at=timezone.now())
    client, url = client_of("Marketing"), reverse("admin:contactsync_campaign_contacts")
    for term in ("sara", "0912 111 0001", ""):
        found = client.get(url, {"phonebook": book.pk, "term": term}).json()
        assert [one["id"] for one in found["results"]] == [str(wanted.pk)]
        assert found["pagination"] == {"more": False}
    assert client.get(url, {"term": "sara"}).json()["results"] == []


def test_a_chosen_time_is_said_in_both_calendars_and_zones(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tehran"
    url = reverse("admin:contactsync_campaign_moment")
    client = client_of("Marketing")
    text = client.get(url, {"date": "2026-11-26", "time": "10:00"}).json()["text"]
    assert text == "2026-11-26 10:00 Asia/Tehran · 1405/09/05 10:00 · 2026-11-26 06:30 UTC"
    assert client.get(url, {"date": "tomorrow", "time": "25:00"}).json()["text"] == ""


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("post", reverse("admin:contactsync_campaign_parts")),
        ("get", reverse("admin:contactsync_campaign_contacts")),
        ("get", reverse("admin:contactsync_campaign_moment")),
    ],
)
def test_only_writers_may_ask(method: str, url: str) -> None:
    assert getattr(client_of(may=("view_campaign",)), method)(url).status_code == 403
    assert getattr(Client(), method)(url).status_code == 302


# Preparing


def test_what_stands_in_the_way_is_said_when_preparing() -> None:
    campaign = make_campaign(make_account())
    response = client_of("Marketing").post(address(campaign, "prepare"), follow=True)
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT
    assert "The campaign goes to nobody." in text_of(response)


def test_the_prepared_page_says_all_before_the_one_button() -> None:
    campaign = make_prepared(2, left_out=1)
    Campaign.objects.update(
        summary={
            **campaign.summary,
            "price_low": "250.0",
            "price_high": "300",
            "currency": "IRR",
            "balance": "1000",
            "parts_max": 2,
            "warnings": [reason("Top up before you send.")],
        }
    )
    text = text_of(client_of("Marketing lead").get(address(campaign)))
    for said in ("Nothing is sent yet.", "By phone number: 2", "1 call to the provider", "on the suppression list"):
        assert said in text
    for said in ("Send to 2 people", "Top up before you send.", campaign.message, 'data-balance="yes"', "at once"):
        assert said in text
    assert "IRR" in text
    assert "<b>3</b> contacts" in text


def test_examples_are_the_first_the_longest_and_the_shortest() -> None:
    campaign = make_prepared(0)
    book = campaign.targets.get().phonebook
    for text, parts in (("one", 1), ("three words long" * 20, 3), ("x", 1)):
        add_recipient(campaign, make_contact(book), text=text, parts=parts)
    add_recipient(campaign, make_contact(book), text="", state="excluded", exclusion="incomplete")
    page = client_of("Marketing lead").get(address(campaign))
    shown = [(str(one.label), one.recipient.text) for one in page.context["examples"]]
    assert shown == [("First", "one"), ("Longest", "three words long" * 20), ("Shortest", "x")]


def test_a_scheduled_send_says_when_and_in_which_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tehran"
    campaign = make_prepared(scheduled_for="2026-12-21T15:30:00Z")
    assert "2026-12-21 19:00 Asia/Tehran · 1405/09/30 19:00 · 2026-12-21 15:30 UTC" in text_of(
        client_of("Marketing lead").get(address(campaign))
    )


def test_somebody_who_may_not_send_reads_who_may() -> None:
    make_user(group="Marketing lead", username="lead", first_name="Leila", last_name="Karimi")
    page = text_of(client_of("Marketing").get(address(make_prepared())))
    assert "It can be sent by: Leila Karimi." in page
    assert "/send/" not in page


def test_numbers_that_do_not_add_up_cannot_be_sent() -> None:
    campaign = make_prepared(2)
    Campaign.objects.update(summary={**campaign.summary, "considered": 5, "balances": False})
    page = text_of(client_of("Marketing lead").get(address(campaign)))
    assert 'data-balance="no"' in page
    assert "/send/" not in page


def test_who_is_left_out_can_be_listed() -> None:
    campaign = make_prepared(2, left_out=1)
    table = client_of("Marketing").get(address(campaign), {"exclusion": "suppressed"}).context["table"]
    assert [row.state for row in table.page] == [Recipient.State.EXCLUDED]


def test_back_to_draft_forgets_the_audience_and_sends_nothing() -> None:
    campaign = make_prepared()
    client_of("Marketing").post(address(campaign, "draft"))
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT
    assert not campaign.recipients.exists()


# Sending


def test_two_clicks_make_one_run() -> None:
    campaign, client = make_prepared(), client_of("Marketing lead")
    first = client.post(address(campaign, "send"), {"audience_hash": campaign.audience_hash}, follow=True)
    second = client.post(address(campaign, "send"), {"audience_hash": campaign.audience_hash}, follow=True)
    campaign.refresh_from_db()
    assert campaign.state == State.SENDING
    assert [run.state for run in campaign.runs.all()] == [Run.State.QUEUED]
    assert "on its way to 2 people" in text_of(first)
    assert "Somebody else was faster" in text_of(second)


@pytest.mark.parametrize("shown", ["", "0" * 64])
def test_another_audience_than_the_one_shown_is_not_sent_to(shown: str) -> None:
    campaign = make_prepared()
    response = client_of("Marketing lead").post(address(campaign, "send"), {"audience_hash": shown}, follow=True)
    campaign.refresh_from_db()
    assert campaign.state == State.PREPARED
    assert campaign.runs.get().state == Run.State.PLANNED
    assert "not the audience that was shown" in text_of(response)


def test_marketing_cannot_send_and_the_lead_can() -> None:
    campaign = make_prepared()
    data = {"audience_hash": campaign.audience_hash}
    assert client_of("Marketing").post(address(campaign, "send"), data).status_code == 403
    campaign.refresh_from_db()
    assert campaign.state == State.PREPARED
    client_of("Marketing lead").post(address(campaign, "send"), data)
    campaign.refresh_from_db()
    assert campaign.state == State.SENDING


def test_whoever_writes_campaigns_may_stop_one_and_reads_exact_numbers() -> None:
    campaign = make_prepared(3)
    client_of("Marketing lead").post(address(campaign, "send"), {"audience_hash": campaign.audience_hash})
    client = client_of("Marketing")
    assert "Stop sending now" in text_of(client.get(address(campaign)))
    client.post(address(campaign, "stop"))
    campaign.refresh_from_db()
    assert campaign.state == State.STOPPED
    text = text_of(client.get(address(campaign)))
    assert "<b>3</b> not sent" in text
    assert 'data-balance="yes"' in text


def test_a_paused_campaign_says_why_and_the_lead_can_continue() -> None:
    campaign = make_prepared(state=State.PAUSED, error=reason("The provider refused the key."))
    campaign.runs.update(state=Run.State.PAUSED)
    text = text_of(client_of("Marketing lead").get(address(campaign)))
    assert "The provider refused the key." in text
    assert "Continue with the 2 people left" in text
    assert "Continue with the" not in text_of(client_of("Marketing").get(address(campaign)))


def test_people_who_may_not_see_accounts_get_no_link_to_one() -> None:
    campaign = make_prepared(state=State.PAUSED, error=reason("The provider refused the key."))
    campaign.runs.update(state=Run.State.PAUSED)
    rights = ("view_campaign", "view_run", "send_campaign", "push_phonebook")
    reader, admin = client_of(may=rights), client_of(may=(*rights, "view_provideraccount"))
    run = make_run(state=Run.State.PAUSED)
    for row in (campaign, run):
        assert "To the account" not in text_of(reader.get(address(row)))
        assert "To the account" in text_of(admin.get(address(row)))


def test_calls_nobody_knows_about_are_listed_first() -> None:
    call = make_unknown_send()
    text = text_of(client_of("Marketing lead").get(address(call.run.campaign)))
    assert "it is not known whether the provider sent them" in text
    assert address(call) in text


def test_a_scheduled_campaign_can_be_cancelled_by_those_who_send() -> None:
    campaign = make_prepared(state=State.SCHEDULED, scheduled_for=timezone.now() + dt.timedelta(hours=2))
    assert "/cancel/" in text_of(client_of("Marketing lead").get(address(campaign)))
    assert "/cancel/" not in text_of(client_of("Marketing").get(address(campaign)))


def test_where_the_provider_cannot_schedule_the_campaign_waits_here_and_is_cancelled_at_once() -> None:
    atom = make_account(provider="atomtelecom", base_url="https://atom.example.org")
    campaign = make_prepared(account=atom, scheduled_for=timezone.now() + dt.timedelta(hours=2))
    lead = client_of("Marketing lead")
    assert "It waits here until the time above" in text_of(lead.get(address(campaign)))
    lead.post(address(campaign, "send"), {"audience_hash": campaign.audience_hash})
    campaign.refresh_from_db()
    assert campaign.state == State.WAITING
    page = text_of(lead.get(address(campaign)))
    assert "The campaign waits here and goes out at" in page
    assert "Cancel at the provider" not in page
    answer = lead.post(address(campaign, "cancel"), follow=True)
    campaign.refresh_from_db()
    assert campaign.state == State.CANCELLED
    assert "Cancelled before its time. Nobody got the message." in text_of(answer)


ATOM = {"provider": "atomtelecom", "base_url": "https://atom.example.org"}


def waiting_since(passed: dt.timedelta) -> Campaign:
    """A campaign that waits here, its time as long ago."""
    campaign = make_prepared(account=make_account(**ATOM), scheduled_for=timezone.now() - passed, state=State.WAITING)
    begins_at = campaign.scheduled_for.isoformat()
    campaign.runs.update(state=Run.State.QUEUED, lease_until=campaign.scheduled_for, plan={"begins_at": begins_at})
    return campaign


def test_a_campaign_whose_time_came_while_nothing_ran_can_be_continued() -> None:
    campaign = waiting_since(dt.timedelta(hours=5))
    lead = client_of("Marketing lead")
    page = text_of(lead.get(address(campaign)))
    assert "has come. It begins as soon as a worker of this site is free" in page
    assert "Continue with the 2 people left" in page
    assert "/cancel/" in page
    assert "data-progress-url" in page
    lead.post(address(campaign, "resume"), follow=True)
    campaign.refresh_from_db()
    assert campaign.state == State.SENDING
    assert missed(campaign.runs.get()) == {}


def test_before_its_time_a_waiting_campaign_is_only_cancelled() -> None:
    campaign = waiting_since(-dt.timedelta(hours=2))
    lead = client_of("Marketing lead")
    page = text_of(lead.get(address(campaign)))
    assert "/resume/" not in page
    assert "data-progress-url" not in page
    lead.post(address(campaign, "resume"))
    campaign.refresh_from_db()
    assert campaign.state == State.WAITING


def test_a_campaign_that_was_paused_because_it_is_late_can_be_continued_or_stopped() -> None:
    campaign = waiting_since(dt.timedelta(hours=5))
    dispatch.execute(campaign.runs.get().pk)
    campaign.refresh_from_db()
    assert campaign.state == State.PAUSED
    lead = client_of("Marketing lead")
    page = text_of(lead.get(address(campaign)))
    for said in ("Press “Continue” to send it now", "Continue with the 2 people left", "Stop for good"):
        assert said in page
    assert 'data-balance="yes"' in page
    lead.post(address(campaign, "resume"))
    campaign.refresh_from_db()
    assert campaign.state == State.SENDING


def test_the_rest_goes_at_once_when_its_time_is_too_near_for_the_provider(sandbox: Any) -> None:
    campaign = make_prepared(state=State.STOPPED, scheduled_for=timezone.now() + dt.timedelta(minutes=2))
    campaign.runs.update(state=Run.State.STOPPED)
    campaign.recipients.update(state=Recipient.State.NOT_SENT)
    lead = client_of("Marketing lead")
    assert "too near for the provider: send to the 2 people left now" in text_of(lead.get(address(campaign)))
    lead.post(address(campaign, "resume"), {"at_once": "yes"})
    campaign.refresh_from_db()
    assert (campaign.state, campaign.scheduled_for) == (State.SENDING, None)


def test_a_cancellation_that_comes_too_late_is_not_offered() -> None:
    campaign = make_prepared(state=State.SCHEDULED, scheduled_for=timezone.now() + dt.timedelta(minutes=3))
    page = text_of(client_of("Marketing lead").get(address(campaign)))
    assert "/cancel/" not in page
    assert "The provider cancels until 5 minutes before the time, and that has passed." in page


def test_the_page_waits_for_the_answer_to_a_cancellation() -> None:
    campaign = make_prepared(state=State.SCHEDULED, scheduled_for=timezone.now() + dt.timedelta(hours=2))
    Campaign.objects.update(error=reason("Too late."))
    lead = client_of("Marketing lead")
    answer = lead.post(address(campaign, "cancel"))
    assert "?cancel_since=" in answer["Location"]
    asking = text_of(lead.get(answer["Location"]))
    assert "The provider is being asked to cancel." in asking
    assert "Too late." not in asking
    ask = f"{address(campaign, 'progress')}?{answer['Location'].split('?')[1]}"
    assert lead.get(ask).json()["running"] is True
    Campaign.objects.update(error=reason("It is too late."))
    assert lead.get(ask).json()["running"] is False
    assert "being asked" not in text_of(lead.get(answer["Location"]))
    Campaign.objects.update(state=State.CANCELLED, error={})
    assert lead.get(ask).json()["state"] == "answered"
    assert lead.get(f"{address(campaign)}?cancel_since=nonsense").status_code == 200


def test_rows_of_a_phonebook_are_asked_for_only_where_the_provider_has_an_order() -> None:
    account = make_account(**ATOM)
    book = make_phonebook(account)
    draft = make_campaign(account)
    target = draft.targets.create(phonebook=book)
    writer = client_of("Marketing")
    assert 'name="targets-0-start"' not in text_of(writer.get(address(draft)))
    facts = writer.get(reverse("admin:contactsync_campaign_account", args=[account.pk])).json()
    assert "no fixed order" in facts["slice_note"]
    target.start = 1
    target.save()
    assert 'name="targets-0-start"' in text_of(writer.get(address(draft)))


def test_a_price_that_the_provider_does_not_tell_is_said_where_it_would_stand() -> None:
    campaign = make_prepared(account=make_account(**ATOM))
    assert "API tells no prices" in text_of(client_of("Marketing lead").get(address(campaign)))


# The report


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
    with django_assert_max_num_queries(16):
        client.get(address(campaign))


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_of_campaigns_takes_the_same_queries_for_any_number(rows: int, django_assert_max_num_queries) -> None:
    for _ in range(rows):
        make_prepared(1)
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(11):
        client.get(reverse("admin:contactsync_campaign_changelist"))
