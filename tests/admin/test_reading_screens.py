"""How the file is read: shown with its first rows, changed, and shown again; nothing is lost on the way."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from contactsync.imports import jobs
from contactsync.models import Contact, ImportJob
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_phonebook
from tests.imports.files import apply, as_bytes, check
from tests.imports.test_archive import zipped
from tests.imports.test_hidden import filtered
from tests.imports.test_lost_cells import with_cells

pytestmark = pytest.mark.django_db

ADD = "/admin/contactsync/importjob/add/"
FILE = "Customers of spring\nMobile;Name;Name\n09121110001;Sara;S.\n09121110002;Müller;M.\n"


def upload(client: Client, content: bytes | str, name: str = "people.csv") -> Any:
    file = SimpleUploadedFile(name, as_bytes(content))
    return client.post(ADD, {"phonebook": make_phonebook().pk, "file": file}, follow=True)


def read_again(client: Client, page: Any, **changed: str) -> Any:
    """Press “Read again” with everything as it stands on the page, but for what was changed."""
    job = ImportJob.objects.get()
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields}
    data = {name: "on" if value is True else value for name, value in data.items() if value not in (False, None)}
    data |= changed
    return client.post(address(job, "columns"), {k: v for k, v in data.items() if v} | {"_reread": "1"}, follow=True)


def workbook() -> bytes:
    book = Workbook()
    book.active.title = "Kunden"
    for row in (["mobile"], ["09121110001"]):
        book.active.append(row)
    other = book.create_sheet("مشتریان")
    for row in (["phone", "name"], ["09121110002", "Ali"], ["09121110003", "Sara"]):
        other.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_what_was_found_out_is_shown_with_the_first_rows() -> None:
    page = upload(client_of("Marketing"), FILE)
    form, text = page.context["form"], text_of(page)
    found = {name: form[name].value() for name in ("encoding", "delimiter", "skip_lines", "has_header")}
    assert found == {"encoding": "utf-8", "delimiter": ";", "skip_lines": 1, "has_header": True}
    assert "sheet" not in form.fields
    assert "<bdi>people.csv</bdi>: 2 rows" in text
    assert "<q><bdi>Customers of spring</bdi></q>" in text
    assert [field.label for field in form.column_fields] == ["Mobile", "Name (B)", "Name (C)"]
    assert "Müller" in text


def test_each_choice_is_changed_and_shown_again_and_nothing_else_is_written() -> None:
    client = client_of("Marketing")
    page = upload(client, FILE)
    page = read_again(client, page, encoding="cp1252")
    assert "MÃ¼ller" in text_of(page)
    page = read_again(client, page, encoding="utf-8", skip_lines="2")
    assert [field.label for field in page.context["form"].column_fields] == ["A", "B", "C"]
    assert page.context["form"]["has_header"].value() is False
    page = read_again(client, page, skip_lines="1")
    assert page.context["form"]["has_header"].value() is True
    page = read_again(client, page, has_header="")
    assert page.context["sample"].rows[0] == ["Mobile", "Name", "Name"]
    page = read_again(client, page, delimiter="|")
    assert len(page.context["sample"].columns) == 1
    job = ImportJob.objects.get()
    assert job.state == ImportJob.State.UPLOADED
    assert not Contact.objects.exists()


def test_one_of_several_sheets_is_chosen() -> None:
    client = client_of("Marketing")
    page = upload(client, workbook(), "people.xlsx")
    assert "Kunden (2 lines)" in text_of(page)
    assert "encoding" not in page.context["form"].fields
    page = read_again(client, page, sheet="مشتریان")
    assert page.context["form"]["sheet"].value() == "مشتریان"
    assert page.context["sample"].rows == [["09121110002", "Ali"], ["09121110003", "Sara"]]
    assert ": 2 rows" in text_of(page)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"skip_lines": "9"}, "nothing below line 9"),
        ({"skip_lines": "-1"}, "greater than or equal to 0"),
        ({"encoding": "utf-16"}, "Choose another encoding"),
        ({"encoding": "rot13"}, "rot13"),
    ],
)
def test_a_form_that_does_not_fit_is_refused_and_the_file_stays_as_it_was(changed: dict[str, str], said: str) -> None:
    client = client_of("Marketing")
    page = upload(client, FILE)
    before = ImportJob.objects.values().get()
    assert said in text_of(read_again(client, page, **changed))
    assert ImportJob.objects.values().get() == before


def test_columns_that_became_others_with_the_last_click_are_shown_as_they_are_now() -> None:
    client = client_of("Marketing")
    upload(client, FILE)
    job = ImportJob.objects.get()
    data = {"column_0": "phone", "encoding": "utf-8", "delimiter": "|", "skip_lines": "1", "has_header": "on"}
    page = client.post(address(job, "columns"), data, follow=True)
    assert "Read this way, the file has other columns." in text_of(page)
    assert [line.title for line in page.context["lines"]] == ["Customers of spring"]


def test_a_column_that_was_chosen_wrongly_does_not_stop_the_reading() -> None:
    client = client_of("Marketing")
    page = upload(client, FILE)
    page = read_again(client, page, column_1="phone", skip_lines="2")
    assert page.context["form"]["skip_lines"].value() == 2


def test_a_file_that_goes_wrong_further_down_says_so_at_once() -> None:
    client = client_of("Marketing")
    page = upload(client, FILE + "09121110003;Ali;A.\n" * 300 + '09121110004;"Ali" x;A.\n')
    assert "Read like this, the file cannot be imported." in text_of(page)
    assert "begins on line 305" in text_of(page)


def test_a_zipped_table_is_taken_and_a_zip_file_with_several_is_refused() -> None:
    client = client_of("Marketing")
    refused = upload(client, zipped({"a.csv": FILE, "b.csv": FILE}), "people.zip")
    assert "holds 2 files (a.csv, b.csv)" in text_of(refused)
    assert not ImportJob.objects.exists()
    assert "people.zip/a.csv</bdi>: 2 rows" in text_of(upload(client, zipped({"a.csv": FILE}), "people.zip"))


def test_hidden_rows_columns_and_sheets_are_told_of_and_the_rows_left_out_on_request() -> None:
    client = client_of("Marketing")
    page = upload(client, filtered([3, 4, 7], columns="C", hidden_sheet="Old"), "people.xlsx")
    text = text_of(page)
    assert "3 rows of this sheet are hidden, by a filter or by hand. They are imported too" in text
    assert "A column of this sheet is hidden: secret." in text
    assert "A sheet of the workbook is hidden, and not read: Old." in text
    page = read_again(client, page, leave_out_hidden="on")
    assert "They are left out, and not counted among the rows of the file." in text_of(page)
    assert ": 6 rows" in text_of(page)
    assert [row[0][-1] for row in page.context["sample"].rows] == list("034678")
    job = ImportJob.objects.get()
    jobs.set_columns(job, mapping={"0": "phone"})
    for step in (check, apply):
        step(job)
        shown = text_of(client.get(address(job)))
        assert "3 rows that are hidden in the sheet were left out, as you chose, and are not counted here." in shown
    assert Contact.objects.count() == 6


def test_cells_that_are_read_as_empty_though_they_are_not_are_told_of() -> None:
    content = with_cells(b'<c r="A2"><f>1</f></c><c r="B2"><v>1</v></c>', b'<c r="B3" t="e"><v>#N/A</v></c>')
    text = text_of(upload(client_of("Marketing"), content, "people.xlsx"))
    assert "The result of the formula in 1 cell (" in text
    assert "1 cell of the sheet (" in text
    assert ">A2<" in text
    assert ">B3<" in text


def test_where_nothing_is_hidden_nothing_is_said_or_asked() -> None:
    page = upload(client_of("Marketing"), filtered([]), "people.xlsx")
    assert "leave_out_hidden" not in page.context["form"].fields
    assert "hidden, by a filter" not in text_of(page)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp437", "Jörg"),
        ("cp850", "João"),
        ("iso8859-2", "Šárka"),
        ("iso8859-6", "محمد"),
        ("cp720", "محمد"),
        ("iso8859-15", "Zoë €"),
    ],
)
def test_an_encoding_that_is_never_guessed_is_chosen_by_its_name_and_the_rows_shown_anew(
    encoding: str, name: str
) -> None:
    client = client_of("Marketing")
    content = f"Mobile;Name\n09121110001;{name}\n".encode(encoding)
    page = upload(client, content)
    assert name not in text_of(page)
    page = read_again(client, page, encoding=encoding)
    assert page.context["sample"].rows == [["09121110001", name]]
    assert page.context["form"]["encoding"].value() == encoding
