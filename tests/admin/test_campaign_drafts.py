"""The draft of a campaign: whom it goes to, what it says, and what the form asks the server for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contactsync.models import Campaign
from contactsync.segments import count_parts
from tests.admin.campaign_forms import ADD, form
from tests.admin.flow_rows import address, client_of, make_prepared, text_of
from tests.factories import make_account, make_campaign, make_contact, make_option, make_phonebook

pytestmark = pytest.mark.django_db

State = Campaign.State


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


def test_a_line_break_is_the_one_character_that_the_counter_has_counted() -> None:
    """Browsers post it as two."""
    account = make_account()
    client = client_of("Marketing")
    text = "x" * 150 + "\n" * 5 + "x" * 5
    client.post(ADD, form(account, message=text.replace("\n", "\r\n")))
    assert Campaign.objects.get().message == text
    assert count_parts(text).count == 1


def test_the_only_account_is_chosen_already() -> None:
    account = make_account()
    assert client_of("Marketing").get(ADD).context["adminform"].form["account"].value() == account.pk


def test_the_form_says_its_time_zone() -> None:
    assert "Time zone: UTC (UTC+00:00)" in text_of(client_of("Marketing").get(ADD))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"type": "detail", "start": 1}, "Rows can be chosen for a whole phonebook only."),
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


@pytest.mark.parametrize("phonebook", ["", "²", "9" * 30, "-1", "shop"])
def test_what_is_no_phonebook_has_no_contacts_to_choose(phonebook: str) -> None:
    url = reverse("admin:contactsync_campaign_contacts")
    assert client_of("Marketing").get(url, {"phonebook": phonebook}).json()["results"] == []


def test_a_page_far_behind_the_last_is_empty() -> None:
    url, asked = reverse("admin:contactsync_campaign_contacts"), {"phonebook": make_phonebook().pk, "page": "9" * 18}
    assert client_of("Marketing").get(url, asked).json()["results"] == []


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
