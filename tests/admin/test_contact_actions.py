"""What can be done with chosen contacts and phonebooks."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contactsync.models import Campaign, Contact, Phonebook, Run, Suppression
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_account, make_contact, make_phonebook

pytestmark = pytest.mark.django_db
CONTACTS = "/admin/contactsync/contact/"
BOOKS = "/admin/contactsync/phonebook/"


def act(client: Client, action: str, rows: list[Any], *, at: str = CONTACTS, **more: str) -> Any:
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0", **more}
    return client.post(at, chosen)


def offered(client: Client, at: str = CONTACTS) -> set[str]:
    form = client.get(at).context["action_form"]
    return {value for value, _label in form.fields["action"].choices if value}


@pytest.fixture
def book() -> Phonebook:
    return make_phonebook()


def test_the_actions_follow_the_permissions(book: Phonebook) -> None:
    make_contact(book)
    marketing = {
        "push_books",
        "pull_books",
        "send_to",
        "add_again",
        "suppress_numbers",
        "download_csv",
        "download_xlsx",
    }
    assert offered(client_of("Marketing")) == marketing
    assert offered(client_of("Marketing lead")) == marketing | {"delete_everywhere"}
    assert offered(client_of(may=("view_contact", "export_contact"))) == {"download_csv", "download_xlsx"}
    assert client_of(may=("view_contact",)).get(CONTACTS).context["action_form"] is None
    assert offered(client_of("Marketing"), BOOKS) == {"push_books", "pull_books"}


def test_making_a_new_contact_is_offered_only_where_a_provider_keeps_numbers(book: Phonebook) -> None:
    make_contact(book)
    assert "make_new" not in offered(client_of("Marketing"))
    make_account(provider="callbell")
    assert "make_new" in offered(client_of("Marketing", username="b"))


def test_an_action_without_its_permission_does_nothing(book: Phonebook) -> None:
    contact = make_contact(book)
    reader = client_of(may=("view_contact", "export_contact"))
    for action in ("push_books", "send_to", "suppress_numbers", "delete_everywhere", "delete_selected"):
        act(reader, action, [contact], confirmed="yes")
    assert not Run.objects.exists()
    assert not Campaign.objects.exists()
    assert not Suppression.objects.exists()
    assert Contact.objects.present().exists()


def test_push_from_the_list_plans_one_run_and_opens_it(book: Phonebook) -> None:
    response = act(client_of("Marketing"), "push_books", [make_contact(book), make_contact(book)])
    run = Run.objects.get()
    assert (run.kind, run.state, run.phonebook) == ("push", "planning", book)
    assert response.url == address(run)


def test_push_of_several_phonebooks_plans_each(book: Phonebook) -> None:
    response = act(client_of("Marketing"), "push_books", [book, make_phonebook()], at=BOOKS)
    assert Run.objects.filter(kind="push", state="planning").count() == 2
    assert response.url == "/admin/contactsync/run/"


def test_the_buttons_of_a_phonebook_plan_a_push_and_a_pull(book: Phonebook) -> None:
    client = client_of("Marketing")
    push = client.post(address(book, "push"))
    pull = client.post(address(book, "pull"))
    runs = {run.kind: run for run in Run.objects.all()}
    assert (push.url, pull.url) == (address(runs["push"]), address(runs["pull"]))
    assert client.get(address(book, "push")).status_code == 405
    assert client_of(may=("view_phonebook",)).post(address(book, "push")).status_code == 403


def test_a_refusal_is_told_and_leads_back(book: Phonebook) -> None:
    Run.objects.create(kind="push", account=book.account, phonebook=book, state="running")
    response = client_of("Marketing").post(address(book, "pull"), follow=True)
    assert "Another run works on this phonebook" in text_of(response)
    assert Run.objects.count() == 1


def test_deleting_only_plans(book: Phonebook) -> None:
    contact = make_contact(book, remote_id="5")
    response = act(client_of("Marketing lead"), "delete_everywhere", [contact])
    run = Run.objects.get()
    assert (run.kind, run.state) == ("delete", "planning")
    assert response.url == address(run)
    contact.refresh_from_db()
    assert contact.deleted_at is None


def test_deleting_over_several_phonebooks_plans_a_run_for_each(book: Phonebook) -> None:
    act(client_of("Marketing lead"), "delete_everywhere", [make_contact(book), make_contact(make_phonebook())])
    assert Run.objects.filter(kind="delete").count() == 2


def test_the_delete_button_of_a_contact_plans_too(book: Phonebook) -> None:
    contact = make_contact(book)
    assert client_of("Marketing").post(address(contact, "remove")).status_code == 403
    response = client_of("Marketing lead").post(address(contact, "remove"))
    assert response.url == address(Run.objects.get(kind="delete"))


def test_a_campaign_to_chosen_contacts_has_one_target_for_each_phonebook(book: Phonebook) -> None:
    other = make_phonebook(book.account)
    chosen = [make_contact(book), make_contact(book), make_contact(other)]
    gone = make_contact(book, deleted_at=timezone.now())
    make_contact(book)
    response = act(client_of("Marketing"), "send_to", [*chosen, gone])
    campaign = Campaign.objects.get()
    assert response.url == address(campaign)
    assert (campaign.state, campaign.message, campaign.account) == ("draft", "", book.account)
    targets = {target.phonebook_id: set(target.contacts.all()) for target in campaign.targets.all()}
    assert targets == {book.pk: set(chosen[:2]), other.pk: {chosen[2]}}
    assert set(campaign.targets.values_list("type", flat=True)) == {"detail"}


def test_contacts_of_two_accounts_make_no_campaign(book: Phonebook) -> None:
    stranger = make_contact(make_phonebook(make_account()))
    response = client_of("Marketing").post(
        CONTACTS,
        {"action": "send_to", "_selected_action": [make_contact(book).pk, stranger.pk], "index": "0"},
        follow=True,
    )
    assert "several accounts" in text_of(response)
    assert not Campaign.objects.exists()


def test_suppressing_asks_first_and_then_keeps_the_reason(book: Phonebook) -> None:
    contacts = [make_contact(book), make_contact(book)]
    Suppression.objects.create(phone=contacts[0].phone, reason="before")
    client = client_of("Marketing")
    page = text_of(act(client, "suppress_numbers", contacts))
    assert "Put 2 numbers on the suppression list?" in page
    assert Suppression.objects.count() == 1
    act(client, "suppress_numbers", contacts, confirmed="yes", reason="asked by phone")
    assert set(Suppression.objects.values_list("phone", "reason")) == {
        (contacts[0].phone, "before"),
        (contacts[1].phone, "asked by phone"),
    }


def test_add_again_touches_only_those_that_are_gone_or_refused(book: Phonebook) -> None:
    contacts = [make_contact(book, remote_id=str(number)) for number in range(3)]
    for contact, state in zip(contacts, ("missing", "failed", "synced"), strict=True):
        Contact.objects.filter(pk=contact.pk).update(sync_state=state)
    client = client_of("Marketing")
    assert "add 2 contacts again" in text_of(act(client, "add_again", contacts))
    act(client, "add_again", contacts, confirmed="yes")
    states = list(Contact.objects.order_by("pk").values_list("sync_state", "remote_id"))
    assert states == [("new", ""), ("changed", "1"), ("synced", "2")]


def test_a_selection_over_all_pages_keeps_the_filters(book: Phonebook) -> None:
    for _ in range(3):
        make_contact(book)
    outside = make_contact(make_phonebook(book.account))
    client = client_of("Marketing")
    at = f"{CONTACTS}?phonebook__id__exact={book.pk}"
    page = act(client, "suppress_numbers", [outside], at=at, select_across="1")
    assert 'name="select_across" value="1"' in text_of(page)
    act(client, "suppress_numbers", [outside], at=at, select_across="1", confirmed="yes")
    assert Suppression.objects.count() == 3
    assert not Suppression.objects.filter(phone=outside.phone).exists()
