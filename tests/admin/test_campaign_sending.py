"""A campaign from its preparation to its end: what the pages say, and who may press which button."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from contactsync.campaigns import dispatch
from contactsync.campaigns.waiting import missed
from contactsync.models import Campaign, Recipient, Run
from contactsync.models.reasons import reason
from tests.admin.flow_rows import add_recipient, address, client_of, make_prepared, make_run, make_unknown_send, text_of
from tests.factories import make_account, make_campaign, make_contact, make_phonebook, make_user

pytestmark = pytest.mark.django_db

State = Campaign.State


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
    assert "The provider can cancel until 5 minutes before the send time, and that moment has passed." in page


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
