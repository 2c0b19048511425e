"""One page about a number: everything that knows it, newest first, and only what the person may see."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from contactsync.explain import number as numbers
from contactsync.explain.history import history
from contactsync.explain.lines import Kind
from contactsync.models import (
    Call,
    Campaign,
    Contact,
    FormerContact,
    ImportChange,
    ImportIssue,
    InboundMessage,
    Phonebook,
    Recipient,
    Run,
    RunItem,
    Suppression,
)
from contactsync.sync.settle import removed
from tests.admin.flow_rows import add_recipient, client_of, make_job, make_run, text_of
from tests.admin.test_look import read as read_strictly
from tests.factories import make_account, make_campaign, make_contact, make_phonebook
from tests.imports import undoing
from tests.imports.files import imported

pytestmark = pytest.mark.django_db
PHONE = "+989121234567"


def page(client: Any, typed: str, **more: str) -> str:
    return text_of(client.get(reverse("admin:explain"), {"number": typed, **more}))


def whats(typed: str, *kinds: str) -> list[str]:
    return [line.what for line in history(numbers.read(typed), kinds or Kind.values).lines]


@pytest.fixture
def book() -> Phonebook:
    return make_phonebook(title="Customers")


def everything(book: Phonebook) -> Contact:
    """A number with something of every kind."""
    imported(book, f"phone,first name\n{PHONE},Sara\n")
    contact = Contact.objects.get()
    Suppression.objects.create(phone=PHONE, reason="asked on the phone")
    run = Run.objects.create(kind=Run.Kind.PUSH, account=book.account, phonebook=book, state=Run.State.FINISHED)
    pushed = Call.objects.create(
        run=run, sequence=1, operation="create_contacts", state="accepted", status=201, finished_at=timezone.now()
    )
    RunItem.objects.create(run=run, contact=contact, phone=PHONE, operation="create", state="done", call=pushed)
    sent = make_campaign(book.account, title="Nowruz", state=Campaign.State.SENT)
    target = sent.targets.create(phonebook=book)
    add_recipient(sent, contact, target=target, state="accepted", delivery="delivered", delivery_at=timezone.now())
    add_recipient(make_campaign(book.account, title="Yalda"), contact, state="excluded", exclusion="suppressed")
    InboundMessage.objects.create(
        account=book.account, remote_id="1", phone=PHONE, text="STOP", received_at=timezone.now(), is_opt_out=True
    )
    return contact


@pytest.mark.parametrize(
    "typed", ["0491570006", "0491 570 006", "۰۴۹۱۵۷۰۰۰۶", "61491570006", "0061 491 570 006", "+61 491 570 006"]
)
def test_a_number_from_another_country_than_the_accounts_is_found_in_any_form_once_it_is_here(typed: str) -> None:
    book = make_phonebook(make_account(default_region="IR"))
    assert numbers.read("61491570006").numbers == ()
    make_contact(book, PHONE)
    make_contact(book, "+61491570006")
    assert numbers.read(typed).numbers == ("+61491570006",)
    assert whats(typed) == [f"Added to the phonebook “{book}”"]


def test_what_is_a_number_here_and_a_known_one_elsewhere_is_both() -> None:
    make_contact(make_phonebook(make_account(default_region="IR")), "+499121234567")
    assert numbers.read("09121234567").numbers == (PHONE, "+499121234567")
    assert numbers.read("09121234568").numbers == ("+989121234568",)


def test_of_several_meanings_only_those_that_are_here_are_offered() -> None:
    for name, region in (("Tehran", "IR"), ("Berlin", "DE"), ("Rome", "IT")):
        account = make_account(name=name, default_region=region)
    client = client_of("Marketing")
    assert "Choose one:" in page(client, "09121234567"), "nobody has any of them"
    make_contact(make_phonebook(account), PHONE)
    shown = page(client, "09121234567")
    assert "Choose one:" not in shown
    assert PHONE in shown
    assert "+499121234567" not in shown


@pytest.mark.parametrize("kind", [FormerContact, Suppression])
def test_a_number_from_elsewhere_is_known_also_where_it_is_no_contact(kind: Any) -> None:
    book = make_phonebook(make_account(default_region="IR"))
    more = {"former_id": 1, "phonebook": book} if kind is FormerContact else {}
    kind.objects.create(phone="+61491570006", **more)
    assert numbers.read("0491570006").numbers == ("+61491570006",)


@pytest.mark.parametrize("typed", ["09121234567", "+98 912 123 4567", "۰۹۱۲-۱۲۳-۴۵۶۷", "0098 912 1234567"])
def test_every_kind_is_on_the_page_whatever_form_the_number_is_typed_in(book: Phonebook, typed: str) -> None:
    everything(book)
    shown = page(client_of("Marketing"), typed)
    for words in (
        "Added to the phonebook “Customers”",
        "New in “Customers” from line 2 of",
        "push",
        "201",
        "In the campaign “Nowruz” through Customers (everybody in the phonebook)",
        "Left out of the campaign “Yalda”: on the suppression list",
        "The provider reports of the message of “Nowruz”",
        "STOP",
        "asked on the phone",
    ):
        assert words in shown


def test_lines_are_newest_first_and_narrowed_by_kind(book: Phonebook) -> None:
    everything(book)
    lines = history(numbers.read(PHONE), Kind.values).lines
    times = [line.at for line in lines if line.at]
    assert times == sorted(times, reverse=True)
    assert {line.kind for line in lines} == set(Kind)
    shown = page(client_of("Marketing"), PHONE, kind="reply")
    assert "STOP" in shown
    assert "Nowruz" not in shown


def test_a_number_that_is_in_no_phonebook_any_more_keeps_its_whole_history(book: Phonebook) -> None:
    contact = everything(book)
    client = client_of(is_superuser=True)
    address = reverse("admin:contactsync_contact_change", args=[contact.pk])
    client.post(address, {"phone": PHONE, "first_name": "Sarah", "last_name": "", "tags": "", "email": ""})
    Contact.objects.update(deleted_at=timezone.now())
    item = RunItem.objects.get()
    removed([item])
    assert not Contact.objects.exists()
    assert FormerContact.objects.get().former_id == contact.pk
    found = whats(PHONE)
    assert "Removed from the phonebook “Customers”" in found
    assert any(line.startswith("New in “Customers”") for line in found)
    assert "contact: Change" in found
    assert any("“Nowruz”" in line for line in found)


@pytest.mark.parametrize(
    ("cell", "typed"),
    [
        ("0912", "0912"),
        ("0912", "۰۹۱۲"),
        ("+98912", "+98 912"),
        ("0912x99", "091299"),
        ("09121234567", "+989121234567"),
    ],
)
def test_a_rejected_row_is_found_by_what_stood_in_it(book: Phonebook, cell: str, typed: str) -> None:
    imported(book, f"phone,email\n{cell},not an address\n+989120000001,a@example.org\n")
    (issue, *_more) = ImportIssue.objects.all()
    lines = history(numbers.read(typed), [Kind.IMPORT]).lines
    assert issue.severity in {line.state for line in lines}


def test_erasing_the_rows_of_a_file_erases_the_number_too(book: Phonebook) -> None:
    from contactsync.imports.keeping import erase_rows

    imported(book, "phone\n0912\n")
    erase_rows(ImportIssue.objects.get().job_id)
    assert ImportIssue.objects.get().number == ""
    assert whats("0912", Kind.IMPORT) == []


def test_only_what_the_person_may_see_is_shown_and_the_rest_is_named(book: Phonebook) -> None:
    everything(book)
    shown = page(client_of(may=("view_contact",)), PHONE)
    assert "Added to the phonebook" in shown
    for words in ("Nowruz", "STOP", "asked on the phone", "New in “Customers”", "create_contacts"):
        assert words not in shown
    assert "Not shown, because you do not have permission" in shown
    assert client_of().get(reverse("admin:explain")).status_code == 403


def test_rows_without_a_screen_of_their_own_for_this_person_are_not_linked(book: Phonebook) -> None:
    everything(book)
    shown = page(client_of(may=("view_contact", "view_run")), PHONE)
    assert "/admin/contactsync/run/" in shown
    assert "/admin/contactsync/call/" not in shown


def test_a_number_that_means_two_is_asked_about(book: Phonebook) -> None:
    make_account(default_region="IR")
    make_account(default_region="DE")
    shown = page(client_of("Marketing"), "09121234567")
    assert "can be more than one number" in shown
    for meaning in ("989121234567", "499121234567"):
        assert f"/admin/explain/?number=%2B{meaning}" in shown
    assert "can be more than one number" not in page(client_of("Marketing"), PHONE)


def test_a_piece_of_a_number_leads_to_the_search(book: Phonebook) -> None:
    shown = page(client_of("Marketing"), "0912")
    assert "This is not a whole phone number." in shown
    assert "/admin/contactsync/contact/?q=0912" in shown
    assert "Nothing is known about this number." in shown


def test_the_page_is_found_from_the_menu_the_contact_and_the_search(book: Phonebook) -> None:
    contact = make_contact(book, PHONE)
    client = client_of("Marketing")
    assert "What happened to a number" in text_of(client.get("/admin/"))
    address = "/admin/explain/?number=%2B989121234567"
    assert address in text_of(client.get(reverse("admin:contactsync_contact_change", args=[contact.pk])))
    listed = text_of(client.get("/admin/contactsync/contact/", {"q": "0912 999 9999"}))
    assert "/admin/explain/?number=0912+999+9999" in listed
    assert "What happened to a number" not in text_of(client_of(may=("view_campaign",)).get("/admin/"))


def test_it_only_reads(book: Phonebook) -> None:
    assert client_of("Marketing").post(reverse("admin:explain"), {"number": PHONE}).status_code == 405


@pytest.mark.parametrize("language", ["en", "fa"])
def test_the_page_keeps_to_the_strict_policy(book: Phonebook, language: str) -> None:
    everything(book)
    client = client_of("Marketing")
    client.cookies["django_language"] = language
    found = read_strictly(client.get(reverse("admin:explain"), {"number": PHONE}))
    assert found.problems == []
    assert found.nameless == []


def test_long_histories_are_paged_and_say_when_they_are_cut(book: Phonebook) -> None:
    job = make_job(book)
    contact = make_contact(book, PHONE)
    ImportChange.objects.bulk_create(
        ImportChange(job=job, contact=contact, row=row, line=row + 1, kind="updated") for row in range(600)
    )
    shown = page(client_of("Marketing"), PHONE)
    assert "only the newest 500" in shown
    assert "p=2#rows" in shown


def test_the_queries_do_not_grow_with_the_history(book: Phonebook, django_assert_max_num_queries: Any) -> None:
    contact = everything(book)
    for at in range(20):
        run = make_run(book, state=Run.State.FINISHED)
        RunItem.objects.create(run=run, contact=contact, phone=PHONE, operation="update")
        add_recipient(make_campaign(book.account, title=f"c{at}"), contact, state="excluded", exclusion="suppressed")
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(24):
        client.get(reverse("admin:explain"), {"number": PHONE})


def test_every_source_is_found_by_an_index(book: Phonebook) -> None:
    """No plan reads a whole table, whatever it has grown to."""
    everything(book)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    number = numbers.read(PHONE)
    assert number.contact_ids
    scanned = []
    for rows in (
        ImportChange.objects.filter(contact__in=number.contact_ids),
        ImportIssue.objects.filter(number__in=number.issue_keys).exclude(number=""),
        RunItem.objects.filter(phone__in=number.spellings),
        Recipient.objects.filter(phone__in=number.numbers),
        InboundMessage.objects.filter(phone__in=number.spellings),
        FormerContact.objects.filter(phone__in=number.numbers),
    ):
        plan = rows.order_by("-pk")[:500].explain()
        if "SCAN contactsync" in plan or "Seq Scan" in plan:
            scanned.append((rows.model.__name__, plan))
    assert scanned == []


def test_the_command_tells_the_same(book: Phonebook, capsys: pytest.CaptureFixture[str]) -> None:
    everything(book)
    call_command("explain", "0912 123 4567")
    told = capsys.readouterr().out
    assert PHONE in told
    assert "Left out of the campaign “Yalda”: on the suppression list" in told
    call_command("explain", "09121234567", "--kind", "reply", "--json")
    assert '"STOP"' in capsys.readouterr().out


def test_a_moment_that_is_not_known_comes_last(book: Phonebook) -> None:
    contact = make_contact(book, PHONE)
    add_recipient(make_campaign(book.account), contact, state="accepted", delivery="queued")
    lines = history(numbers.read(PHONE), Kind.values).lines
    assert [line.at for line in lines][-1] is None
    assert all(isinstance(line.at, dt.datetime) for line in lines[:-1])


def test_an_undo_that_was_itself_undone_does_not_say_removed(book: Phonebook) -> None:
    undone = undoing.undone(imported(book, f"phone,first name\n{PHONE},Sara\n"))
    assert "removed" in {line.label for line in history(numbers.read(PHONE), Kind.values).lines}
    undoing.redone(undone)
    (line,) = [line for line in history(numbers.read(PHONE), Kind.values).lines if line.what.startswith("Undo")]
    assert line.what.endswith("“Customers”, itself undone")
    assert line.label == "as after the import"
