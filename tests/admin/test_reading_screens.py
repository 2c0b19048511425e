"""How the file is read: shown with its first rows, changed, and shown again; nothing is lost on the way."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from contactsync.models import Contact, ImportJob
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_phonebook
from tests.imports.files import as_bytes
from tests.imports.test_archive import zipped

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
