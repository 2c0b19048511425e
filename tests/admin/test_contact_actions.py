"""What can be done with chosen contacts and phonebooks."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contactsync.models import (
    Campaign,
    CampaignTarget,
    Contact,
    ImportChange,
    ImportJob,
    ImportUndo,
    ImportUndoChange,
    Phonebook,
    Run,
    RunItem,
    Suppression,
)
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_account, make_contact, make_phonebook

pytestmark = pytest.mark.django_db
CONTACTS = "/admin/contactsync/contact/"
BOOKS = "/admin/contactsync/phonebook/"
SUPPRESSED = "/admin/contactsync/suppression/"


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


# Very many


@pytest.fixture
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("contactsync.admin.contacts.actions", "contactsync.sync.lifecycle"):
        monkeypatch.setattr(f"{place}.CHUNK", 2)
    monkeypatch.setattr("contactsync.admin.suppression.AT_ONCE", 2)


def across(client: Client, action: str, *, at: str = CONTACTS, **more: str) -> Any:
    return client.post(at, {"action": action, "_selected_action": "0", "select_across": "1", "index": "0", **more})


def forbid_instances(monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    """To hold a million of them takes gigabytes."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError(f"A {model.__name__} was made.")

    monkeypatch.setattr(model, "__init__", refuse)


@pytest.mark.usefixtures("_few_at_once")
def test_a_campaign_to_everybody_does_not_hold_everybody(book: Phonebook, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [make_contact(book) for _ in range(5)]
    client = client_of("Marketing lead")
    forbid_instances(monkeypatch, CampaignTarget.contacts.through)
    across(client, "send_to")
    assert set(Campaign.objects.get().targets.get().contacts.values_list("pk", flat=True)) == {one.pk for one in people}


@pytest.mark.usefixtures("_few_at_once")
def test_the_deletion_of_everybody_does_not_hold_everybody(book: Phonebook, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [make_contact(book, remote_id=f"r{number}") for number in range(5)]
    client = client_of("Marketing lead")
    with monkeypatch.context() as patched:
        forbid_instances(patched, RunItem)
        across(client, "delete_everywhere")
    items = Run.objects.get().items.order_by("pk")
    expected = [(one.pk, one.phone, one.remote_id, "delete", "planned") for one in people]
    assert list(items.values_list("contact", "phone", "remote_id", "operation", "state")) == expected


@pytest.mark.usefixtures("_few_at_once")
def test_the_numbers_of_everybody_are_suppressed_in_parts(book: Phonebook, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        make_contact(book)
    whole, parts = QuerySet.bulk_create, []

    def noted(rows: Any, objects: Any, **options: Any) -> Any:
        parts.append(len(objects := list(objects)))
        return whole(rows, objects, **options)

    monkeypatch.setattr(QuerySet, "bulk_create", noted)
    across(client_of("Marketing lead"), "suppress_numbers", confirmed="yes")
    assert Suppression.objects.count() == 5
    assert max(parts) == 2


@pytest.mark.usefixtures("_few_at_once")
def test_numbers_are_taken_off_the_list_after_a_question_and_each_is_on_record() -> None:
    for number in range(5):
        Suppression.objects.create(phone=f"+98912000000{number}", source="import" if number else "person")
    client = client_of(is_superuser=True)
    page = text_of(across(client, "take_off", at=f"{SUPPRESSED}?source__exact=import"))
    assert "Take 4 numbers off the suppression list?" in page
    assert Suppression.objects.count() == 5
    across(client, "take_off", at=f"{SUPPRESSED}?source__exact=import", confirmed="yes")
    assert Suppression.objects.get().source == "person"
    logged = LogEntry.objects.order_by("pk").values_list("object_repr", "action_flag", "change_message")
    assert [flag for _name, flag, _message in logged] == [DELETION] * 4
    assert "Deletion" in text_of(client.get("/admin/explain/", {"number": "+989120000003"}))
    assert "take_off" not in offered(client_of("Marketing"), SUPPRESSED)


def test_nobody_chosen_for_a_long_target_is_loaded_by_its_pages(book: Phonebook) -> None:
    for _ in range(201):
        make_contact(book)
    client = client_of("Marketing lead")
    across(client, "send_to")
    draft = address(Campaign.objects.get())
    for page in (draft, draft.replace("change", "delete")):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        through = [query["sql"] for query in captured.captured_queries if "campaigntarget_contacts" in query["sql"]]
        assert all("COUNT(" in sql or "LIMIT 1" in sql for sql in through), through


def test_a_phonebook_goes_without_its_records_being_loaded(book: Phonebook, monkeypatch: pytest.MonkeyPatch) -> None:
    who = make_contact(book)
    job = ImportJob.objects.create(phonebook=book, file_name="a.csv", state="applied")
    change = job.changes.create(contact=who, row=1, line=2, kind="created")
    undo = ImportUndo.objects.create(job=job, state="undone")
    undo.changes.create(change=change, contact=who, case="created")
    who.delete()
    client = client_of(is_superuser=True)
    for model in (ImportChange, ImportUndoChange):
        forbid_instances(monkeypatch, model)
    client.post(address(book, "delete"), {"post": "yes"})
    assert not Phonebook.objects.filter(pk=book.pk).exists()
    assert not ImportChange.objects.exists()
