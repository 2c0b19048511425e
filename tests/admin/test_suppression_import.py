"""A file that goes onto the suppression list, through the pages people see."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from contactsync.models import ImportJob, ImportUndo, Recipient, Suppression
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_account, make_campaign, make_contact, make_phonebook

pytestmark = pytest.mark.django_db
WORKING = pytest.mark.django_db(transaction=True)
UPLOAD = "/admin/contactsync/importjob/suppression/"
LIST = "/admin/contactsync/suppression/"
FILE = "Mobile;Name;Grund\n09121110001;Sara;asked\n+98 912 111 0002;Ali;\n0912;Nobody;\n09121110001;Again;\n"
MAY = ("view_suppression", "add_suppression")


def upload(client: Client, content: str | bytes = FILE, name: str = "stop.csv", **more: str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(UPLOAD, {"region": "IR", "file": SimpleUploadedFile(name, data), **more}, follow=True)


def columns(*fields: str, **more: str) -> dict[str, str]:
    chosen = {f"column_{index}": field for index, field in enumerate(fields)}
    return {**chosen, "has_header": "on", "region": "IR", **more}


def worked(client: Client, run_tasks: Any, content: str | bytes = FILE, **more: str) -> ImportJob:
    """Uploaded, checked as guessed, imported."""
    upload(client, content, **more)
    job = ImportJob.objects.latest("pk")
    client.post(address(job, "columns"), columns(*job.mapping.values()))
    run_tasks()
    client.post(address(job, "apply"))
    run_tasks()
    job.refresh_from_db()
    return job


def test_the_list_offers_the_import_to_those_who_may_add_numbers() -> None:
    assert UPLOAD in text_of(client_of("Marketing").get(LIST))
    assert UPLOAD in text_of(client_of(may=MAY).get(LIST))
    assert UPLOAD not in text_of(client_of(may=("view_suppression", "add_importjob")).get(LIST))
    assert UPLOAD in text_of(client_of("Marketing").get("/admin/contactsync/importjob/"))


def test_the_page_asks_for_the_file_and_the_country_and_for_no_phonebook() -> None:
    make_account(default_region="DE")
    page = client_of(may=MAY).get(UPLOAD)
    assert page.context["form"].initial == {"region": "DE"}
    assert "phonebook" not in page.context["form"].fields
    assert "Sample files" not in text_of(page)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"region": "XX"}, "no country with this code"),
        ({"name": "x.pdf"}, "not a kind of file"),
        ({"content": ""}, "errorlist"),
    ],
)
def test_what_cannot_be_taken_is_refused_beside_its_field(change: dict[str, str], said: str) -> None:
    assert said in text_of(upload(client_of(may=MAY), **change))
    assert not ImportJob.objects.exists()


def test_the_columns_page_offers_what_a_suppressed_number_has_and_nothing_else() -> None:
    client = client_of("Marketing")
    page = upload(client)
    form, text = page.context["form"], text_of(page)
    assert [field.value() for field in form.column_fields] == ["phone", "", "reason"]
    fields = [value for value, _label in form.fields["column_0"].choices[1][1]]
    assert fields == ["phone", "reason", "since"]
    assert '<optgroup label="Suppressed number">' in text
    assert "only adds" in text
    for never in ('name="mode"', 'name="tags_mode"', 'name="clear_token"', 'name="save_as"', "new option"):
        assert never not in text


def test_a_choice_that_cannot_be_used_is_refused_on_the_page() -> None:
    client = client_of(may=MAY)
    upload(client)
    job = ImportJob.objects.get()
    assert "errorlist" in text_of(client.post(address(job, "columns"), columns("", "", "reason")))
    assert "errorlist" in text_of(client.post(address(job, "columns"), columns("phone", "", "tags")))
    wrong = columns("phone", "", "", fixed_0_field="since", fixed_0_value="soon")
    assert "errorlist" in text_of(client.post(address(job, "columns"), wrong))
    job.refresh_from_db()
    assert job.state == ImportJob.State.UPLOADED


@WORKING
def test_from_the_upload_to_the_result_with_whom_it_concerns(run_tasks: Any) -> None:
    book = make_phonebook(title="Customers")
    make_contact(book, "+989121110001")
    campaign = make_campaign(book.account, title="Nowruz", state="prepared")
    Recipient.objects.create(campaign=campaign, phone="+989121110001", state="planned")
    Suppression.objects.create(phone="+989121110002", reason="old")
    client = client_of("Marketing")
    upload(client)
    job = ImportJob.objects.get()
    client.post(address(job, "columns"), columns("phone", "", "reason"))
    run_tasks()
    page = text_of(client.get(address(job)))
    assert "What the import into the suppression list would do" in page
    for said in ("1 contact has a number that is new", "Customers", "1 person is waiting", "Nowruz", "there already"):
        assert said in page
    assert 'data-count="updated"' not in page
    assert Suppression.objects.count() == 1
    client.post(address(job, "apply"))
    run_tasks()
    page = text_of(client.get(address(job)))
    assert 'data-balance="yes"' in page
    assert "To the suppression list" in page
    assert "push to the provider" not in page
    assert set(Suppression.objects.values_list("phone", "reason", "source")) == {
        ("+989121110001", "asked", "import"),
        ("+989121110002", "old", "person"),
    }
    listed = text_of(client.get("/admin/contactsync/importjob/"))
    assert "suppression list" in listed
    assert client.get(address(job, "progress")).json()["state"] == "applied"


@WORKING
def test_an_excel_file_with_blank_rows_works_as_well(run_tasks: Any) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (["phone", "reason"], ["09121234567"], [], ["09121234568", "x"]):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    job = worked(client_of("Marketing"), run_tasks, file.getvalue(), name="stop.xlsx")
    assert job.state == ImportJob.State.APPLIED
    assert Suppression.objects.count() == 2


@WORKING
def test_what_was_exported_comes_back_without_a_change(run_tasks: Any) -> None:
    for number, source in enumerate(Suppression.Source.values):
        Suppression.objects.create(phone=f"+98912123456{number}", reason="=1+1", source=source)
    before = list(Suppression.objects.values())
    client = client_of("Marketing")
    file = client.get(f"{LIST}download/csv/").getvalue()
    job = worked(client, run_tasks, file)
    assert job.counts["unchanged"] == job.total_rows == 4
    assert list(Suppression.objects.values()) == before


@WORKING
def test_what_the_lead_undoes_comes_off_the_list_and_the_others_may_only_look(run_tasks: Any) -> None:
    marketing, lead = client_of("Marketing"), client_of("Marketing lead")
    job = worked(marketing, run_tasks)
    assert "Undo this import" not in text_of(marketing.get(address(job)))
    assert marketing.post(address(job, "undo_check")).status_code == 403
    assert "Undo this import" in text_of(lead.get(address(job)))
    lead.post(address(job, "undo_check"))
    run_tasks()
    page = text_of(lead.get(address(job, "undo")))
    assert "2 numbers" in page
    assert "They come off the list" in page
    lead.post(address(job, "undo_begin"))
    run_tasks()
    assert not Suppression.objects.exists()
    page = text_of(lead.get(address(job, "undo")))
    assert "To the suppression list" in page
    rows = b"".join(lead.get(address(job, "undo_rows")).streaming_content).decode()
    assert "+989121110001" in rows
    lead.post(address(job, "undo_redo"))
    run_tasks()
    assert Suppression.objects.count() == 2
    assert ImportUndo.objects.get().state == "redone"


@WORKING
def test_the_rejected_rows_can_be_downloaded_corrected_and_uploaded_again(run_tasks: Any) -> None:
    client = client_of(may=MAY)
    job = worked(client, run_tasks)
    assert "0912" in b"".join(client.get(address(job, "rejected")).streaming_content).decode()
    book = openpyxl.load_workbook(io.BytesIO(b"".join(client.get(address(job, "workbook")).streaming_content)))
    for row in book.worksheets[0].iter_rows():
        for cell in row:
            cell.value = "09121110009" if cell.value == "0912" else cell.value
    file = io.BytesIO()
    book.save(file)
    again = worked(client, run_tasks, file.getvalue(), name="corrections.xlsx")
    assert (again.corrects, again.counts["created"]) == (job, 1)
    page = text_of(client.get(address(again)))
    assert "Attempt 2" in page
    assert "imported now" in page


@WORKING
def test_numbers_taken_off_in_between_stop_it_and_the_page_says_so(run_tasks: Any) -> None:
    Suppression.objects.create(phone="+989121110002")
    client = client_of("Marketing")
    upload(client)
    job = ImportJob.objects.get()
    client.post(address(job, "columns"), columns("phone", "", "reason"))
    run_tasks()
    Suppression.objects.all().delete()
    client.post(address(job, "apply"))
    run_tasks()
    page = text_of(client.get(address(job)))
    assert "taken off it, and would be put back" in page
    assert "Continue with the list as it is now" in page
    client.post(address(job, "go_on"))
    run_tasks()
    assert Suppression.objects.count() == 2
    assert "with the list as it was then" in text_of(client.get(address(job)))


def _job(**fields: Any) -> ImportJob:
    upload(client_of("Marketing"))
    ImportJob.objects.update(**fields)
    return ImportJob.objects.get()


@pytest.mark.parametrize("step", ["apply", "go_on", "check", "stop", "discard", "erase"])
def test_whoever_may_import_contacts_but_not_add_numbers_may_do_nothing_with_it(step: str) -> None:
    job = _job()
    rights = ("view_suppression", "view_importjob", "add_importjob", "undo_importjob", "export_importjob")
    client = client_of(may=rights)
    assert client.get(address(job)).status_code == 200
    assert client.get(UPLOAD).status_code == 403
    assert client.get(address(job, "columns")).status_code == 403
    assert client.post(address(job, step)).status_code == 403
    assert client.post(address(job, "undo_check")).status_code == 403
    job.refresh_from_db()
    assert job.state == ImportJob.State.UPLOADED


def test_whoever_may_not_see_the_list_does_not_see_its_imports_and_the_other_way_round() -> None:
    job = _job()
    contacts, numbers = client_of(may=("view_importjob",)), client_of(may=("view_suppression",))
    url = reverse("admin:contactsync_importjob_changelist")
    assert "stop.csv" not in text_of(contacts.get(url))
    assert contacts.get(address(job)).status_code == 404
    assert "stop.csv" in text_of(numbers.get(url))
    assert numbers.get(address(job)).status_code == 200
    ImportJob.objects.update(kind="contacts", phonebook=make_phonebook(), region="")
    assert "stop.csv" in text_of(contacts.get(url))
    assert "stop.csv" not in text_of(numbers.get(url))


def test_the_start_page_shows_a_file_that_waits_to_those_who_see_the_list() -> None:
    _job(state="checked")
    start = reverse("admin:index")
    assert "into “suppression list”" in text_of(client_of(may=("view_suppression",)).get(start))
    assert "stop.csv" not in text_of(client_of(may=("view_importjob",)).get(start))


@WORKING
def test_the_page_about_a_number_says_which_line_of_which_file_put_it_on_the_list(run_tasks: Any) -> None:
    client = client_of("Marketing lead")
    first = worked(client, run_tasks)
    worked(client, run_tasks, "phone\n09121110001\n", name="later.csv")
    url = reverse("admin:explain")
    page = text_of(client.get(url, {"number": "09121110001"}))
    assert "New in “suppression list” from line 2 of stop.csv" in page
    assert "asked" in page
    assert "Named by line 2 of later.csv for “suppression list”, and there already" in page
    client.post(address(first, "undo_check"))
    run_tasks()
    client.post(address(first, "undo_begin"), {"case-created_named": "remove"})
    run_tasks()
    page = text_of(client.get(url, {"number": "09121110001"}))
    assert "Undo of the import stop.csv into “suppression list”" in page
    assert "New in “suppression list” from line 2 of stop.csv" in page
