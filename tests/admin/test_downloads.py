"""Lists as files: what is in them, who may take them, and that spreadsheets calculate nothing."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from contactsync.imports import jobs
from contactsync.models import Contact, Phonebook, Suppression
from tests.admin.flow_rows import client_of, make_job, make_unknown_send
from tests.factories import make_account, make_campaign, make_contact, make_option, make_phonebook

pytestmark = pytest.mark.django_db
CONTACTS = "/admin/contactsync/contact/"


def table(response: Any) -> list[list[str]]:
    return lines(response.getvalue())


def lines(content: bytes) -> list[list[str]]:
    text = content.decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def sheet(response: Any) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(response.getvalue()))
    return [[cell.value for cell in row] for row in book.active.rows]


@pytest.fixture
def book() -> Phonebook:
    account = make_account()
    options = (make_option(account, "شهر"), make_option(account, "تولد", kind="date"))
    return make_phonebook(account, options=options)


def test_contacts_as_csv_hold_options_by_title_and_the_state(book: Phonebook) -> None:
    city, born = (str(place.option_id) for place in book.option_places.all())
    make_contact(book, "+989121234567", first_name="علی", tags=["a", "b"], options={city: "تهران", born: "1992-10-08"})
    headers, row = table(client_of("Marketing").get(f"{CONTACTS}download/csv/"))
    found = dict(zip(headers, row, strict=True))
    assert found["phone number"] == "+989121234567"
    assert (found["شهر"], found["تولد"], found["tags"]) == ("تهران", "1992-10-08", "a, b")
    assert found["state at the provider"] == "not pushed yet"


def test_formulas_are_defused_in_both_forms_and_numbers_are_not(book: Phonebook) -> None:
    make_contact(book, "+989121234567", first_name="=1+1", last_name="@SUM(A1)", company="-2+3", email="a@example.org")
    client = client_of("Marketing")
    for rows in (table(client.get(f"{CONTACTS}download/csv/")), sheet(client.get(f"{CONTACTS}download/xlsx/"))):
        assert rows[1][0] == "+989121234567"
        assert rows[1][2:6] == ["'=1+1", "'@SUM(A1)", "'-2+3", "a@example.org"]


def test_the_file_holds_what_the_list_shows(book: Phonebook) -> None:
    make_contact(book, first_name="Sara")
    make_contact(book, first_name="Anna")
    make_contact(make_phonebook(book.account), first_name="Sara")
    rows = table(client_of("Marketing").get(f"{CONTACTS}download/csv/?phonebook__id__exact={book.pk}&q=sara"))
    assert [row[2] for row in rows[1:]] == ["Sara"]


def test_chosen_contacts_can_be_downloaded(book: Phonebook) -> None:
    chosen, _other = make_contact(book), make_contact(book)
    data = {"action": "download_xlsx", "_selected_action": [chosen.pk], "index": "0"}
    rows = sheet(client_of("Marketing").post(CONTACTS, data))
    assert [row[0] for row in rows[1:]] == [chosen.phone]


def test_the_download_of_many_takes_few_queries(book: Phonebook, django_assert_max_num_queries: Any) -> None:
    for _ in range(50):
        make_contact(book)
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(14):
        assert len(table(client.get(f"{CONTACTS}download/csv/"))) == 51


@pytest.mark.parametrize("language", ["en", "fa"])
def test_the_file_makes_the_round_trip_through_the_import(book: Phonebook, language: str) -> None:
    city, born = (str(place.option_id) for place in book.option_places.all())
    make_contact(
        book, "+989121234567", first_name="علی", last_name="کاظمی", options={city: "تهران", born: "1992-10-08"}
    )
    file = client_of("Marketing").get(f"{CONTACTS}download/csv/", headers={"accept-language": language}).getvalue()
    headers = lines(file)[0]
    Contact.objects.all().delete()
    job = jobs.create_job(phonebook=book, upload=SimpleUploadedFile("back.csv", file))
    guessed = {headers[int(index)]: field for index, field in job.mapping.items() if field}
    fields = list(guessed.values())
    assert {"phone", "first_name", "last_name", "email", "company", "tags"} <= set(fields)
    assert {f"option:{city}", f"option:{born}"} <= set(fields)


def test_contacts_leave_only_with_the_export_permission(book: Phonebook) -> None:
    make_contact(book)
    reader = client_of(may=("view_contact",))
    assert reader.get(f"{CONTACTS}download/csv/").status_code == 403
    assert "download" not in reader.get(CONTACTS).content.decode()
    data = {"action": "download_csv", "_selected_action": [1], "index": "0"}
    assert reader.post(CONTACTS, data)["Content-Type"].startswith("text/html")
    exporter_without_sight = client_of(may=("export_contact",))
    assert exporter_without_sight.get(f"{CONTACTS}download/csv/").status_code == 403


def test_only_known_forms_exist_and_only_by_get() -> None:
    client = client_of(is_superuser=True)
    assert client.get(f"{CONTACTS}download/exe/").status_code == 404
    assert client.post(f"{CONTACTS}download/csv/").status_code == 405


DOWNLOADS = [
    "contactsync/contact/download/csv/",
    "contactsync/provideraccount/download/csv/",
    "contactsync/run/download/csv/",
    "contactsync/call/download/csv/",
    "contactsync/importjob/download/csv/",
    "contactsync/suppression/download/csv/",
    "contactsync/suppression/download/xlsx/",
    "contactsync/recipient/download/csv/",
    "contactsync/recipient/download/xlsx/",
    "auth/user/download/csv/",
    "auth/group/download/csv/",
    "contactsync/contact/download/xlsx/",
    "contactsync/provideraccount/download/xlsx/",
    "auth/user/download/xlsx/",
]


@pytest.mark.parametrize("path", DOWNLOADS)
def test_every_download_opens(book: Phonebook, path: str) -> None:
    make_contact(book)
    make_job(book)
    make_unknown_send()
    Suppression.objects.create(phone="+989121234567", reason="asked")
    response = client_of(is_superuser=True).get(f"/admin/{path}")
    rows = table(response) if path.endswith("csv/") else sheet(response)
    assert len(rows) >= 2
    assert "attachment" in response["Content-Disposition"]


def test_the_numbers_of_recipients_leave_only_with_the_right_to_export_campaigns() -> None:
    reader = client_of(may=("view_recipient",))
    assert reader.get("/admin/contactsync/recipient/download/csv/").status_code == 403
    assert "download" not in reader.get("/admin/contactsync/recipient/").content.decode()


@pytest.mark.parametrize("model", ["run", "call", "importjob", "recipient", "campaign", "contact", "suppression"])
def test_every_list_offers_its_file(model: str) -> None:
    page = client_of("Marketing").get(f"/admin/contactsync/{model}/").content.decode()
    assert f"{model}/download/csv/" in page or f"{model}/export/" in page


def exported(client: Any, model: str, form: str = "0") -> Any:
    return client.post(f"/admin/contactsync/{model}/export/", {"format": form, "resource": "0"})


@pytest.mark.parametrize("model", ["phonebook", "customoption", "campaign"])
@pytest.mark.parametrize("form", ["0", "1"])
def test_the_small_lists_are_exported_in_both_forms(book: Phonebook, model: str, form: str) -> None:
    make_campaign(book.account, title="=HYPERLINK()")
    client = client_of("Marketing")
    assert client.get(f"/admin/contactsync/{model}/export/").status_code == 200
    response = exported(client, model, form)
    rows = table(response) if form == "0" else sheet(response)
    assert len(rows) >= 2
    assert not any(str(cell).startswith("=") for row in rows for cell in row)


def test_an_export_needs_the_right_to_see() -> None:
    assert client_of().get("/admin/contactsync/suppression/download/csv/").status_code == 403
    assert exported(client_of(may=("view_campaign",)), "campaign").status_code == 403


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_browser_saves_a_download_and_neither_shows_nor_keeps_it(form: str) -> None:
    answer = client_of(is_superuser=True).get(f"{CONTACTS}download/{form}/")
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))


@pytest.mark.parametrize("page", ["suppression/download/csv/", "campaign/export/"])
def test_a_filter_that_the_list_does_not_have_is_a_bad_request(page: str) -> None:
    answer = client_of(is_superuser=True).get(f"/admin/contactsync/{page}", {"colour": "red"})
    assert answer.status_code == 400


def test_a_filter_by_an_id_that_no_row_can_have_finds_nothing() -> None:
    answer = client_of(is_superuser=True).get("/admin/contactsync/run/", {"phonebook": "9" * 30}, follow=True)
    assert answer.status_code == 200
