"""Bringing phonebooks in, removing them at the provider, and deleting them here: through the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from contactsync.models import CustomOption, Phonebook, ProviderAccount, Run
from contactsync.sync import planner
from providers.sandbox import SandboxServer
from tests.admin.flow_rows import address, client_of, make_job, text_of
from tests.admin.test_look import read
from tests.factories import make_account, make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, push
from tests.sync.sides import SIDES, CallbellSide, IPPanelSide, Side

pytestmark = pytest.mark.django_db
TITLE = "مشتریان قدیمی"
PAGE = "/admin/contactsync/phonebook/bring-in/"


@pytest.fixture(params=["ippanel", "lox24"])
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    made = SIDES[request.param](sandbox)
    made.make_book(TITLE)
    for number in range(3):
        made.add(TITLE, made.phone(number), f"Sara Karimi{number}", "Shiraz")
    return made


def choose(client: Client, account: ProviderAccount) -> Any:
    """Open the page and press the button of the book."""
    page = client.get(PAGE, {"account": account.pk})
    (offered,) = [book for book in page.context["books"] if book.title == TITLE]
    data = {"remote_id": offered.remote_id, "title": offered.title}
    return client.post(f"{PAGE}?account={account.pk}", data, follow=True)


def test_a_phonebook_comes_in_through_the_page(side: Side) -> None:
    account, client = side.account(), client_of("Marketing")
    assert PAGE in text_of(client.get(reverse("admin:contactsync_phonebook_changelist")))
    page = choose(client, account)
    assert "Nothing is changed at the provider." in text_of(page)
    run = Run.objects.get(kind=Run.Kind.BRING_IN)
    assert TITLE in text_of(client.get(reverse("admin:contactsync_run_changelist")))
    assert TITLE in text_of(client.get(reverse("admin:index")))
    assert client.get(address(run, "progress")).json()["running"]
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    page = text_of(client.get(address(run)))
    assert "<b>3</b> contacts at the provider" in page
    assert "<b>3</b> brought in" in page
    assert 'data-balance="yes"' in page
    assert ("does not show every field" in page) == (side.slug == "ippanel")
    assert Phonebook.objects.get(title=TITLE).contacts.count() == 3
    assert "here already" in text_of(client.get(PAGE, {"account": account.pk}))
    assert not side.sandbox.changing_requests


def test_contacts_that_cannot_come_in_are_listed_with_the_reason(sandbox: SandboxServer) -> None:
    side, client = SIDES["lox24"](sandbox), client_of("Marketing")
    side.make_book(TITLE)
    side.add(TITLE, side.phone(1), "Sara Karimi")
    side.add(TITLE, "+49", "No Number")
    choose(client, side.account())
    run = carry_out(Run.objects.get())
    page = text_of(client.get(address(run)))
    assert "<b>1</b> not possible" in page
    assert 'data-balance="yes"' in page
    assert "correct their numbers at the provider" in page
    assert str(run.items.get().error_text) in page


@pytest.mark.parametrize("language", ["en", "fa"])
def test_the_pages_hold_nothing_the_policy_would_stop(side: Side, language: str) -> None:
    account, client = side.account(), client_of(is_superuser=True)
    assert f"{PAGE}?account={account.pk}" in text_of(client.get(address(account)))
    page = read(client.get(PAGE, {"account": account.pk}, headers={"accept-language": language}))
    assert (page.problems, page.nameless) == ([], [])


def test_only_accounts_whose_provider_shows_its_contacts_can_be_chosen(side: Side) -> None:
    first, second, client = side.account(), side.account(), client_of("Marketing")
    absent = make_account(provider="not-installed")
    page = client.get(PAGE)
    assert read(page).problems == []
    assert [label for _url, label in page.context["choices"]] == sorted([first.name, second.name])
    assert client.get(PAGE, {"account": absent.pk}).status_code == 404
    assert client.post(f"{PAGE}?account={absent.pk}", {"remote_id": "1"}).status_code == 404


def test_a_second_request_is_refused_in_words(side: Side) -> None:
    account, client = side.account(), client_of("Marketing")
    choose(client, account)
    assert "is being brought in already" in text_of(choose(client, account))
    assert Run.objects.count() == 1


@pytest.mark.violations_expected
def test_what_the_provider_answers_to_the_list_is_said(sandbox: SandboxServer) -> None:
    account = make_account(base_url=sandbox.url("ippanel"), key="a-key-that-is-not-known-there")
    page = client_of("Marketing").get(PAGE, {"account": account.pk})
    assert page.status_code == 200
    assert "The phonebooks could not be read." in text_of(page)


def test_only_people_who_may_add_and_push_bring_in(sandbox: SandboxServer) -> None:
    account = IPPanelSide(sandbox).account()
    for may in (("view_phonebook", "add_phonebook"), ("view_phonebook", "push_phonebook")):
        client = client_of(may=may)
        assert client.get(PAGE, {"account": account.pk}).status_code == 403
        assert client.post(f"{PAGE}?account={account.pk}", {"remote_id": "1"}).status_code == 403
        assert PAGE not in text_of(client.get(reverse("admin:contactsync_phonebook_changelist")))
    assert not Run.objects.exists()


def test_a_tag_that_is_not_listed_is_brought_in_by_name(sandbox: SandboxServer) -> None:
    account, client = CallbellSide(sandbox).account(), client_of("Marketing")
    assert 'name="name"' in text_of(client.get(PAGE, {"account": account.pk}))
    client.post(f"{PAGE}?account={account.pk}", {"name": " VIP  2024 "})
    run = Run.objects.get()
    assert (run.plan["remote_id"], run.about) == ("VIP 2024", "VIP 2024")
    page = client.post(f"{PAGE}?account={account.pk}", {"name": " "}, follow=True)
    assert "Choose a phonebook, or write its name." in text_of(page)
    assert Run.objects.count() == 1


def pushed(side: Side) -> Phonebook:
    account = side.account()
    book = make_phonebook(account, options=(make_option(account, "City2"),))
    make_contact(book, side.phone(9), first_name="Sara")
    push(book)
    book.refresh_from_db()
    return book


def plan_removal(client: Client, thing: Phonebook | CustomOption) -> Run:
    assert "Remove at the provider" in text_of(client.get(address(thing)))
    client.post(address(thing, "remove"))
    run = Run.objects.get(kind=Run.Kind.REMOVE)
    client.get(address(run))
    client.get(reverse("admin:index"))
    planner.plan(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.PLANNED, run.error_text
    return run


def test_a_phonebook_is_planned_approved_and_gone_there_and_then_deleted_here(side: Side) -> None:
    book, client = pushed(side), client_of("Marketing lead")
    run = plan_removal(client, book)
    page = text_of(client.get(address(run)))
    assert "with all contacts in it" in page
    assert "to create" not in page
    approval = {"plan_hash": run.plan_hash}
    assert "Tick the box" in text_of(client.post(address(run, "approve"), approval, follow=True))
    assert client.get(PAGE, {"account": book.account_id}).context["books"][1:]
    client.post(address(run, "approve"), {**approval, "delete_too": "yes"})
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    assert "is removed at the provider" in text_of(client.get(address(run)))
    assert [row.title for row in client.get(PAGE, {"account": book.account_id}).context["books"]] == [TITLE]
    page = text_of(client.post(address(book, "delete"), {"post": "yes"}, follow=True))
    assert "It still holds contacts (1). Delete them first" in page
    book.contacts.all().delete()
    make_job(book)
    assert "people.csv" in text_of(client.get(address(book, "delete")))
    client.post(address(book, "delete"), {"post": "yes"})
    assert not Phonebook.objects.exists()
    assert client.get(address(run)).status_code == 200


def test_an_option_is_removed_there_and_its_run_needs_no_phonebook(sandbox: SandboxServer) -> None:
    side, client = IPPanelSide(sandbox), client_of("Marketing lead")
    option = pushed(side).options.get()
    run = plan_removal(client, option)
    page = text_of(client.get(address(run)))
    assert "The custom option “City2” is to be removed" in page
    assert Phonebook.objects.get().title in page
    client.post(address(run, "approve"), {"plan_hash": run.plan_hash, "delete_too": "yes"})
    assert carry_out(run).state == Run.State.FINISHED, run.error_text
    assert not side.state.options
    option.refresh_from_db()
    assert option.remote_key == ""
    assert "City2" in text_of(client.get(reverse("admin:contactsync_run_changelist")))


def test_callbell_says_why_nothing_is_removed_there(sandbox: SandboxServer) -> None:
    account, client = CallbellSide(sandbox).account(), client_of("Marketing lead")
    for thing in (make_phonebook(account, remote_id="VIP"), make_option(account, remote_key="City")):
        page = text_of(client.get(address(thing)))
        assert '<p class="cs-quiet">Remove at the provider: ' in page
        assert address(thing, "remove") not in page
        client.post(address(thing, "remove"))
    assert not Run.objects.exists()


def test_removal_is_no_get_and_takes_the_right_to_delete() -> None:
    book = make_phonebook(remote_id="7")
    assert client_of(is_superuser=True).get(address(book, "remove")).status_code == 405
    marketing = client_of("Marketing")
    assert marketing.post(address(book, "remove")).status_code == 403
    assert "Remove at the provider" not in text_of(marketing.get(address(book)))
    assert not Run.objects.exists()
