"""What the pages of imports tell about earlier files, corrections and what is kept."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from contactsync.admin import common
from contactsync.imports.keeping import erase_file, erase_rows
from contactsync.models import ImportJob, Phonebook
from tests.admin.flow_rows import address, client_of, text_of
from tests.imports.files import apply, check, imported, make_book, upload

pytestmark = pytest.mark.django_db
FILE = "phone,first name\n09121234561,Ali\n0912,Sara\nx,Reza\n"
ADD = "/admin/contactsync/importjob/add/"


@pytest.fixture
def book() -> Phonebook:
    return make_book()[0]


def page_of(job: ImportJob, client: Client | None = None, **query: str) -> str:
    return text_of((client or client_of("Marketing")).get(address(job, "change"), query))


def workbook(client: Client, job: ImportJob) -> openpyxl.Workbook:
    answer = client.get(address(job, "workbook"))
    assert answer["Content-Disposition"].endswith(f'people-corrections-{job.pk}.xlsx"')
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


def upload_again(client: Client, job: ImportJob, changes: dict[str, str]) -> ImportJob:
    book = workbook(client, job)
    for place, value in changes.items():
        book.worksheets[0][place] = value
    file = io.BytesIO()
    book.save(file)
    data: dict[str, Any] = {"phonebook": job.phonebook_id, "file": SimpleUploadedFile("again.xlsx", file.getvalue())}
    page = client.post(ADD, data, follow=True)
    assert "This is attempt 2 of the import of “people.csv”" in text_of(page)
    return ImportJob.objects.latest("pk")


def test_rejected_rows_go_out_as_a_workbook_and_come_back_as_the_next_attempt(book: Phonebook) -> None:
    client = client_of("Marketing")
    job = imported(book, FILE)
    assert "Correct the rejected rows in Excel" in page_of(job, client)
    assert "upload it like any other file" in page_of(job, client)
    again = upload_again(client, job, {"A2": "09121234562"})
    check(again)
    assert "can be imported" in page_of(again, client)
    apply(again)
    answer = client.get(address(again, "change"))
    assert "Attempt 2: what was corrected in “people.csv”" in text_of(answer)
    assert {part.name: part.count for part in answer.context["corrected"].parts} == {
        "imported": 1, "duplicate": 0, "rejected": 1, "missing": 0,
    }  # fmt: skip
    assert answer.context["corrected"].balances
    assert [row.outcome for row in answer.context["corrections"].page.object_list] == ["created", "rejected"]
    assert "Attempts of this import" in page_of(job, client)


def test_corrected_rows_come_before_those_left_as_they_were(book: Phonebook) -> None:
    client = client_of("Marketing")
    job = imported(book, FILE)
    again = upload_again(client, job, {"A3": "09121234563"})
    check(again)
    rows = client.get(address(again, "change")).context["corrections"].page.object_list
    assert [(row.line, bool(row.changes)) for row in rows] == [(3, True), (2, False)]


@pytest.mark.parametrize("erased", [True, False])
def test_what_stood_in_rows_that_are_no_longer_kept_is_not_made_up(book: Phonebook, erased: bool) -> None:
    client = client_of("Marketing")
    job = imported(book, FILE)
    file = io.BytesIO()
    workbook(client, job).save(file)
    if erased:
        erase_file(job)
        erase_rows(job.pk)
    again = upload(book, file.getvalue(), name="again.xlsx")
    check(again)
    page = page_of(again, client)
    assert ("no longer kept" in page, "not changed" in page) == (erased, not erased)
    assert "(empty)" not in page


def test_what_the_workbook_adds_is_no_column_to_choose_for(book: Phonebook) -> None:
    client = client_of("Marketing")
    job = imported(book, FILE)
    again = upload_again(client, job, {"A2": "09121234562"})
    page = client.get(address(again, "columns"))
    assert [line.title for line in page.context["lines"]] == job.columns
    data = {f"column_{index}": again.mapping[str(index)] for index in range(len(job.columns))}
    assert client.post(address(again, "columns"), {**data, "has_header": "on"}).status_code == 302
    again.refresh_from_db()
    assert again.mapping == job.mapping


def test_the_workbook_of_a_persian_page_begins_at_the_right(book: Phonebook) -> None:
    job, client = imported(book, FILE), client_of("Marketing")
    for language, said in (("fa", b'<sheetView rightToLeft="1"'), ("en", b'<sheetView rightToLeft="0"')):
        answer = client.get(address(job, "workbook"), headers={"accept-language": language})
        with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as file:
            assert said in file.read("xl/worksheets/sheet1.xml")


def test_who_may_not_download_rows_gets_no_workbook(book: Phonebook) -> None:
    job = imported(book, FILE)
    client = client_of(may=("view_importjob",))
    assert client.get(address(job, "workbook")).status_code == 403
    assert "Correct the rejected rows" not in page_of(job, client)


def test_issues_can_be_narrowed_by_what_is_the_matter(book: Phonebook) -> None:
    job = imported(book, FILE)
    codes = set(job.issues.values_list("code", flat=True))
    assert len(codes) == 2
    answer = client_of("Marketing").get(address(job, "change"), {"code": "phone_too_short"})
    assert [issue.code for issue in answer.context["table"].page.object_list] == ["phone_too_short"]


def test_a_table_that_is_not_counted_to_its_end_says_so(book: Phonebook, monkeypatch: pytest.MonkeyPatch) -> None:
    job = imported(book, FILE)
    assert "2 rows" in page_of(job)
    monkeypatch.setattr(common, "COUNTED", 1)
    assert "more than 1 rows" in page_of(job)


def test_the_same_file_is_recognised_on_every_page(book: Phonebook) -> None:
    client = client_of("Marketing")
    imported(book, FILE)
    data: dict[str, Any] = {"phonebook": book.pk, "file": SimpleUploadedFile("other-name.csv", FILE.encode())}
    assert "This very file was imported before" in text_of(client.post(ADD, data, follow=True))
    again = ImportJob.objects.latest("pk")
    check(again)
    assert "This very file was imported before" in page_of(again, client)


def test_what_was_imported_later_is_not_said_to_be_before(book: Phonebook) -> None:
    first = imported(book, FILE)
    imported(book, FILE)
    page = page_of(first)
    assert "also uploaded separately" in page
    assert "imported before" not in page


def test_the_list_finds_a_file_by_its_fingerprint(book: Phonebook) -> None:
    job = imported(book, FILE)
    imported(book, FILE + "09121234569,New\n")
    answer = client_of("Marketing").get(reverse("admin:contactsync_importjob_changelist"), {"q": job.sha256})
    assert [row.pk for row in answer.context["cl"].result_list] == [job.pk]


def test_a_file_can_be_erased_at_once_by_those_who_import(book: Phonebook) -> None:
    job = imported(book, FILE)
    assert client_of(may=("view_importjob",)).post(address(job, "erase")).status_code == 403
    client = client_of("Marketing")
    assert client.get(address(job, "erase")).status_code == 405
    page = text_of(client.post(address(job, "erase"), follow=True))
    assert "The file was erased. What it changed stays on record." in page
    assert "Erase the file now" not in page_of(job, client)
    job.refresh_from_db()
    assert job.erased_at


def test_the_columns_that_were_used_are_shown(book: Phonebook) -> None:
    answer = client_of("Marketing").get(address(imported(book, FILE), "change"))
    assert answer.context["columns_used"] == [("phone", "phone number"), ("first name", "first name")]
    assert "phone number</bdi></li>" in text_of(answer)
