"""The start page: what needs a decision first, for each person what they may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from contactsync.models import Call, Callback, Contact, Run
from contactsync.models.reasons import reason
from tests.admin.flow_rows import client_of, make_job, text_of
from tests.factories import make_account, make_campaign, make_contact, make_phonebook

pytestmark = pytest.mark.django_db
HOME = "/admin/"


def board(client: Any) -> dict[str, Any]:
    return client.get(HOME).context["dashboard"]


def texts(client: Any) -> str:
    return " | ".join(f"{decision.text} {decision.reason}" for decision in board(client)["decisions"])


def test_an_empty_installation_shows_the_first_steps() -> None:
    response = client_of(is_superuser=True).get(HOME)
    page = text_of(response)
    assert "The first steps" in page
    assert [step.done for step in response.context["dashboard"]["steps"]] == [False] * 5
    assert "An administrator adds an account" in text_of(client_of("Marketing").get(HOME))


def test_the_steps_go_when_contacts_are_in_step() -> None:
    contact = make_contact(make_phonebook())
    client = client_of("Marketing")
    assert [step.done for step in board(client)["steps"]] == [True, True, True, False, False]
    Contact.objects.filter(pk=contact.pk).update(sync_state="synced")
    assert board(client)["steps"] == []
    assert "Nothing is waiting for you" in text_of(client.get(HOME))


def test_everything_that_waits_for_a_person_is_listed_first() -> None:
    account = make_account(name="Main", state="refused", state_reason=reason("The key is wrong."))
    book = make_phonebook(account, title="VIP")
    run = Run.objects.create(kind="push", account=account, phonebook=book, state="paused", error=reason("No credit."))
    Run.objects.create(kind="push", account=account, phonebook=make_phonebook(account, title="New"), state="planned")
    Call.objects.create(run=run, sequence=1, operation="send_to_numbers", state="unknown")
    make_job(book, state="checked", file_name="may.csv")
    make_campaign(account, title="Nowruz", state="prepared")
    make_campaign(account, title="Yalda", state="attention")
    client = client_of("Marketing")
    shown = texts(client)
    for word in ("Main", "key is wrong", "VIP", "No credit", "New", "1 call", "may.csv", "Nowruz", "Yalda"):
        assert word in shown
    page = text_of(client.get(HOME))
    assert page.index("Needs your decision") < page.index(">contacts<" if ">contacts<" in page else "Phonebooks")


def test_a_prepared_campaign_is_listed_once() -> None:
    campaign = make_campaign(make_account(), title="Winter greetings", state="prepared")
    Run.objects.create(account=campaign.account, campaign=campaign, kind=Run.Kind.SEND, state=Run.State.PLANNED)
    found = board(client_of("Marketing"))["decisions"]
    assert [decision.text for decision in found] == ["Campaign “Winter greetings”"]


def test_what_is_over_does_not_wait() -> None:
    account = make_account()
    for state in ("finished", "discarded", "failed"):
        Run.objects.create(kind="push", account=account, state=state)
    make_job(state="applied")
    make_campaign(account, state="sent")
    make_campaign(account, state="draft")
    assert board(client_of("Marketing"))["decisions"] == []


def test_contacts_are_counted_by_phonebook_without_the_deleted() -> None:
    book = make_phonebook(title="VIP")
    for state in ("synced", "changed", "failed", "unknown"):
        Contact.objects.filter(pk=make_contact(book).pk).update(sync_state=state)
    make_contact(book, deleted_at=timezone.now())
    found = board(client_of("Marketing"))
    assert [(str(row), counts) for row, counts in found["books"]] == [
        ("VIP", {"total": 4, "synced": 1, "waiting": 1, "cannot": 0, "failed": 2})
    ]
    assert {name: found["totals"][name] for name in found["books"][0][1]} == found["books"][0][1]


def test_what_cannot_be_pushed_is_counted_apart_from_what_waits() -> None:
    book = make_phonebook(title="VIP")
    waits, cannot = make_contact(book), make_contact(book, sync_error=reason("IPPanel takes Iranian numbers only."))
    make_contact(book, deleted_at=timezone.now(), sync_error=reason("No."))
    client = client_of("Marketing")
    page = client.get(HOME)
    counts = page.context["dashboard"]["books"][0][1]
    assert (counts["total"], counts["waiting"], counts["cannot"]) == (2, 1, 1)
    assert "cannot be pushed" in text_of(page)
    contacts = "/admin/contactsync/contact/"
    for sync, row in (("waiting", waits), ("cannot", cannot)):
        assert list(client.get(contacts, {"sync": sync}).context["cl"].result_list) == [row]
    assert "sync=cannot" in text_of(client.get(f"/admin/contactsync/phonebook/{book.pk}/change/"))
    cannot.first_name = "Corrected"
    cannot.save()
    assert board(client)["totals"]["cannot"] == 0


def test_call_backs_that_were_given_up_are_told_to_administrators() -> None:
    account = make_account()
    for key, state in (("a", "failed"), ("b", "failed"), ("c", "done")):
        Callback.objects.create(account=account, key=key, kind="delivery", state=state)
    boss = client_of(is_superuser=True)
    assert "2 callbacks of providers could not be processed." in texts(boss)
    (decision,) = board(boss)["decisions"]
    assert len(boss.get(decision.url).context["cl"].result_list) == 2
    assert "callback" not in texts(client_of("Marketing"))


def test_work_in_progress_has_a_bar_that_asks_for_its_numbers() -> None:
    book = make_phonebook()
    make_job(book, state="applying", total_rows=5000, position=2100)
    Run.objects.create(kind="push", account=book.account, phonebook=book, state="running")
    page = text_of(client_of("Marketing").get(HOME))
    assert 'max="5000" value="2100"' in page
    assert page.count("data-progress-url=") == 2
    assert "progress.js" in page


def test_a_send_that_waits_for_its_time_does_not_move() -> None:
    account = make_account()
    campaign = make_campaign(account, state="waiting", scheduled_for=timezone.now())
    Run.objects.create(kind="send", account=account, campaign=campaign, state="queued")
    assert board(client_of("Marketing"))["moving"] == []


def test_balances_and_campaigns_by_state_are_shown() -> None:
    account = make_account(balance="1250000", currency="IRR")
    make_campaign(account, state="sent")
    make_campaign(account, state="sent")
    client = client_of("Marketing")
    page = text_of(client.get(HOME))
    assert "1,250,000 IRR" in page
    assert [(state.value, count) for state, _label, count, _url in board(client)["campaigns"]["states"]] == [
        ("sent", 2)
    ]


def test_people_see_only_what_they_may() -> None:
    account = make_account(name="Acme", state="refused")
    book = make_phonebook(account, title="VIP")
    make_contact(book)
    make_campaign(account, title="Nowruz", state="prepared")
    Run.objects.create(kind="push", account=account, phonebook=book, state="attention")
    nobody = text_of(client_of().get(HOME))
    for word in ("Acme", "VIP", "Nowruz"):
        assert word not in nobody
    reader = client_of(may=("view_campaign",))
    assert "Nowruz" in texts(reader)
    assert "Push" not in texts(reader)
    assert "provideraccount" not in text_of(client_of("Marketing").get(HOME))


def test_the_page_takes_few_queries_whatever_there_is(django_assert_max_num_queries: Any) -> None:
    account = make_account()
    for _ in range(12):
        make_contact(make_phonebook(account))
        make_campaign(account, state="prepared")
        make_job(make_phonebook(account), state="checked")
        Run.objects.create(kind="push", account=account, phonebook=make_phonebook(account), state="planned")
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(16):
        client.get(HOME)
