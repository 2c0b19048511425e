"""The four steps of an import, through the pages people see."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from contactsync.models import Contact, ImportJob, Phonebook
from contactsync.models.reasons import reason
from contactsync.templatetags.contactsync import suggested
from tests.admin.flow_rows import address, client_of, make_issue, make_job, text_of
from tests.factories import make_contact, make_option, make_phonebook

pytestmark = pytest.mark.django_db

ADD = "/admin/contactsync/importjob/add/"
FILE = "Mobile,First name,City\n09121110001,Sara,Shiraz\n0912 111 0002,Ali,\n0912,Nobody,\n09121110001,Again,\n"
WORKING = pytest.mark.django_db(transaction=True)


def upload(client: Client, phonebook: Phonebook, text: str = FILE, name: str = "people.csv") -> Any:
    return client.post(ADD, {"phonebook": phonebook.pk, "file": SimpleUploadedFile(name, text.encode())}, follow=True)


def uploaded(client: Client, phonebook: Phonebook | None = None) -> ImportJob:
    upload(client, phonebook or make_phonebook())
    return ImportJob.objects.get()


def columns(*fields: str, **more: str) -> dict[str, str]:
    return {**{f"column_{index}": field for index, field in enumerate(fields)}, "has_header": "on", **more}


# Step 1


def test_the_phonebook_one_comes_from_is_chosen_already() -> None:
    make_phonebook()
    book = make_phonebook(title="Customers")
    page = client_of("Marketing").get(ADD, {"phonebook": book.pk})
    assert page.context["form"]["phonebook"].value() == str(book.pk)
    assert "at most 200 MB" in text_of(page)


def test_the_list_of_contacts_offers_the_import_to_those_who_may() -> None:
    url = reverse("admin:contactsync_contact_changelist")
    assert ADD in text_of(client_of("Marketing").get(url))
    assert ADD not in text_of(client_of(may=("view_contact",)).get(url))


def test_the_script_that_sends_the_file_is_told_where_to_go_on_and_a_person_is_taken_there() -> None:
    client, book = client_of("Marketing"), make_phonebook()
    answers = [
        client.post(ADD, {"phonebook": book.pk, "file": SimpleUploadedFile("people.csv", FILE.encode())}, **headers)
        for headers in ({"headers": {"Accept": "application/json, text/html;q=0.5"}}, {})
    ]
    second, first = ImportJob.objects.all()
    assert (answers[0].json(), answers[1]["Location"]) == ({"url": address(first)}, address(second))


def test_without_a_phonebook_the_page_says_what_to_do_first() -> None:
    assert "make one first" in text_of(client_of("Marketing").get(ADD))


def test_somebody_without_the_right_cannot_upload() -> None:
    book = make_phonebook()
    client = client_of(may=("view_importjob",))
    assert client.get(ADD).status_code == 403
    assert upload(client, book).status_code == 403
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize(("name", "said"), [("people.pdf", "not a kind of file"), ("people.csv", "larger than 1 MB")])
def test_a_file_that_cannot_be_taken_is_refused_beside_the_field(name: str, said: str, settings: Any) -> None:
    settings.IMPORT_MAX_MB = 1
    text = FILE if name.endswith("pdf") else "x" * 1_100_000
    assert said in text_of(upload(client_of("Marketing"), make_phonebook(), text, name))
    assert not ImportJob.objects.exists()


def test_an_unreadable_file_is_refused_with_the_reason() -> None:
    page = upload(client_of("Marketing"), make_phonebook(), "", "people.csv")
    assert "errorlist" in text_of(page)
    assert not ImportJob.objects.exists()


def test_sample_files_are_offered_and_nothing_else_can_be_fetched() -> None:
    client = client_of("Marketing")
    make_phonebook()
    page = client.get(ADD)
    for name in page.context["samples"]:
        response = client.get(reverse("admin:contactsync_importjob_sample", args=[name]))
        assert response.status_code == 200
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert client.get("/admin/contactsync/importjob/sample/settings.py").status_code == 404
    assert Client().get("/admin/contactsync/importjob/sample/x.csv").status_code == 302


# Step 2


def test_the_columns_are_guessed_and_the_first_rows_shown() -> None:
    book = make_phonebook()
    option = make_option(book.account, "City")
    book.option_places.create(option=option)
    page = upload(client_of("Marketing"), book)
    form = page.context["form"]
    assert [field.value() for field in form.column_fields] == ["phone", "first_name", f"option:{option.pk}"]
    assert form["delimiter"].value() == ","
    text = text_of(page)
    assert "Shiraz" in text
    assert '<optgroup label="Custom options">' in text


def test_without_a_phone_column_the_page_says_so_and_nothing_is_checked() -> None:
    client = client_of("Marketing")
    job = uploaded(client)
    page = client.post(address(job, "columns"), columns("first_name", "last_name", ""))
    job.refresh_from_db()
    assert job.state == ImportJob.State.UPLOADED
    assert "errorlist" in text_of(page)


def test_a_field_chosen_twice_is_refused() -> None:
    client = client_of("Marketing")
    job = uploaded(client)
    page = client.post(address(job, "columns"), columns("phone", "first_name", "first_name"))
    job.refresh_from_db()
    assert job.state == ImportJob.State.UPLOADED
    assert "errorlist" in text_of(page)


def test_the_file_is_read_again_in_another_form() -> None:
    client = client_of("Marketing")
    upload(client, make_phonebook(), FILE.replace(",", ";"))
    job = ImportJob.objects.get()
    page = client.get(address(job))
    count = len(page.context["sample"].columns)
    form = {f"column_{index}": "" for index in range(count)}
    form |= {"has_header": "on", "encoding": "utf-8", "delimiter": ",", "_reread": "1"}
    page = client.post(address(job, "columns"), form, follow=True)
    assert len(page.context["sample"].columns) == 1
    job.refresh_from_db()
    assert job.state == ImportJob.State.UPLOADED


def test_what_stands_in_the_file_cannot_become_markup() -> None:
    page = upload(client_of("Marketing"), make_phonebook(), 'Mobile,Name\n09121110001,"<script>x</script>"\n')
    assert "<script>x" not in text_of(page)
    assert "&lt;script&gt;x" in text_of(page)


def test_columns_of_a_running_import_cannot_be_changed() -> None:
    job = make_job(state=ImportJob.State.APPLYING)
    response = client_of("Marketing").post(address(job, "columns"), columns("phone"))
    assert response.url == address(job)
    job.refresh_from_db()
    assert job.state == ImportJob.State.APPLYING


# Steps 3 and 4, with the worker


@WORKING
def test_the_whole_way_from_a_file_to_contacts(run_tasks: Any) -> None:
    client, book = client_of("Marketing"), make_phonebook()
    make_contact(book, "+989121110002", first_name="Ali")
    job = uploaded(client, book)

    page = client.post(address(job, "columns"), columns("phone", "first_name", ""), follow=True)
    assert "being checked" in text_of(page)
    run_tasks()

    text = text_of(client.get(address(job)))
    assert "Nothing is written yet." in text
    assert "<b>4</b> rows" in text
    for part in ("<b>1</b> new", "<b>1</b> unchanged", "<b>1</b> repeated", "<b>1</b> rejected"):
        assert part in text
    assert Contact.objects.count() == 1

    client.post(address(job, "apply"))
    run_tasks()

    text = text_of(client.get(address(job)))
    assert 'data-balance="yes"' in text
    assert "Next: push to the provider" in text
    assert set(Contact.objects.values_list("phone", flat=True)) == {"+989121110001", "+989121110002"}


@WORKING
def test_the_check_can_be_left_to_change_the_columns(run_tasks: Any) -> None:
    client = client_of("Marketing")
    job = uploaded(client)
    client.post(address(job, "columns"), columns("phone", "", ""))
    run_tasks()
    client.post(address(job, "columns"), columns("phone", "last_name", ""))
    run_tasks()
    job.refresh_from_db()
    assert job.state == ImportJob.State.CHECKED
    assert job.mapping["1"] == "last_name"


@WORKING
def test_importing_twice_by_a_double_click_imports_once(run_tasks: Any) -> None:
    client = client_of("Marketing")
    job = uploaded(client)
    client.post(address(job, "columns"), columns("phone", "first_name", ""))
    run_tasks()
    client.post(address(job, "apply"))
    response = client.post(address(job, "apply"), follow=True)
    assert "Somebody else was faster" in text_of(response)
    run_tasks()
    job.refresh_from_db()
    assert job.counts["created"] == 2
    assert job.changes.count() == 2


@WORKING
def test_a_check_is_stopped_before_the_worker_comes(run_tasks: Any) -> None:
    client = client_of("Marketing")
    job = uploaded(client)
    client.post(address(job, "columns"), columns("phone", "first_name", ""))
    client.post(address(job, "stop"))
    run_tasks()
    job.refresh_from_db()
    assert job.state == ImportJob.State.STOPPED
    assert "Stopped. Nothing was imported." in text_of(client.get(address(job)))


@WORKING
def test_the_rejected_rows_come_as_a_file_for_those_who_may(run_tasks: Any) -> None:
    client = client_of("Marketing")
    job = uploaded(client)
    client.post(address(job, "columns"), columns("phone", "first_name", ""))
    run_tasks()
    client.post(address(job, "apply"))
    run_tasks()
    response = client.get(address(job, "rejected"))
    text = b"".join(response).decode("utf-8")
    assert response["Content-Disposition"] == f'attachment; filename="people-rejected-{job.pk}.csv"'
    assert text.startswith("\ufeff")
    assert "Nobody" in text
    assert client_of(may=("view_importjob",)).get(address(job, "rejected")).status_code == 403


# The result


def test_numbers_that_do_not_add_up_are_never_green() -> None:
    job = make_job()
    ImportJob.objects.update(counts={**job.counts, "created": 1, "balances": False})
    text = text_of(client_of("Marketing").get(address(job)))
    assert 'data-balance="no"' in text
    assert 'data-balance="yes"' not in text


def test_issues_are_searched_filtered_and_paged() -> None:
    job, client = make_job(), client_of("Marketing")
    for line in range(2, 60):
        make_issue(job, line)
    make_issue(job, 90, severity="warning", code="formula", column="Name", value="=1+1")

    def lines(**query: str) -> list[int]:
        return [issue.line for issue in client.get(address(job), query).context["table"].page]

    assert len(lines()) == 50
    assert lines(severity="warning") == [90]
    assert lines(q="=1+1") == [90]
    assert lines(q="57") == [57]
    assert lines(q="nothing like it") == []
    assert len(lines(p="2")) == 9
    assert len(lines(severity="no such choice")) == 50


def test_an_issue_says_what_is_wrong_in_words() -> None:
    job = make_job()
    make_issue(job, 2, severity="duplicate", code="duplicate_in_file", params={"line": 7})
    assert "The number stands on line 7 already." in text_of(client_of("Marketing").get(address(job)))


@pytest.mark.parametrize("name", ["Sara", "سارا"])
def test_a_rejected_row_says_whom_it_is_about_and_is_found_by_that(name: str) -> None:
    job, client = make_job(), client_of("Marketing")
    make_issue(job, 2, cells=["0912", name, "", "Shiraz"])
    make_issue(job, 3, cells=["0912", "Ali", "", "Tehran"])
    page = client.get(address(job), {"q": name})
    assert [issue.line for issue in page.context["table"].page] == [2]
    assert f"\u2068{name}\u2069 · \u2068Shiraz\u2069" in text_of(page)
    looking = client_of(may=("view_importjob",))
    assert "Shiraz" not in text_of(looking.get(address(job)))
    assert not list(looking.get(address(job), {"q": name}).context["table"].page)


def test_a_failed_import_says_why() -> None:
    job = make_job(state=ImportJob.State.FAILED, counts={}, error=reason("The uploaded file is no longer kept."))
    assert "The uploaded file is no longer kept." in text_of(client_of("Marketing").get(address(job)))


def test_a_stopped_import_says_how_far_it_came_and_can_go_on() -> None:
    job = make_job(state=ImportJob.State.STOPPED, position=2, file=ContentFile(FILE.encode(), "people.csv"))
    client = client_of("Marketing")
    text = text_of(client.get(address(job)))
    assert "Stopped after 2 of 5 rows." in text
    assert "Continue importing" in text
    job.file.storage.delete(job.file.name)
    text = text_of(client.get(address(job)))
    assert "Continue importing" not in text
    assert "Upload the file again" in text


def test_a_stopped_import_is_not_called_stopped_while_its_worker_has_rows_in_hand() -> None:
    soon = timezone.now() + dt.timedelta(minutes=1)
    job = make_job(state=ImportJob.State.STOPPED, position=2, lease_owner="worker", lease_until=soon)
    client = client_of("Marketing")
    text = text_of(client.get(address(job)))
    assert "Stopping: the rows in hand are finished, no others are begun." in text
    assert "Stopped after" not in text
    assert address(job, "stop") not in text
    answer = client.get(address(job, "progress")).json()
    assert (answer["state"], answer["running"]) == ("stopping", True)
    ImportJob.objects.update(lease_owner="", lease_until=None)
    assert client.get(address(job, "progress")).json()["state"] == "stopped", "then the page loads itself anew"
    assert "Stopped after 2 of 5 rows." in text_of(client.get(address(job)))


def test_files_to_download_keep_the_letters_of_the_upload() -> None:
    job = make_job(file_name="مشتریان مهر 1403.csv")
    issue = make_issue(job, 2, severity="rejected", code="phone_empty", cells=["", "Sara"])
    assert issue.cells
    named = client_of("Marketing").get(address(job, "rejected"))["Content-Disposition"]
    assert f"{quote('مشتریان-مهر-1403')}-rejected-{job.pk}.csv" in named


def test_a_persian_file_name_keeps_its_ending_whole() -> None:
    job = make_job(file_name="مشتریان مهر 1403.csv")
    assert "مشتریان مهر 1403\u200e.csv" in text_of(client_of("Marketing").get(address(job)))
    for name in ("people 2.csv", "مشتریان.csv"):
        assert str(make_job(file_name=name)) == name


def test_suggested_dates_are_in_both_calendars_on_persian_pages() -> None:
    with translation.override("fa"):
        assert suggested("1968-10-23 / 1968-03-28").count("(13") == 2
    assert suggested("+989121110001") == '<bdi dir="ltr" class="cs-nowrap">+989121110001</bdi>'


def test_a_file_that_vanished_leaves_nothing_to_do_but_to_upload_it_again() -> None:
    gone = reason("The uploaded file is no longer kept. Upload it again.")
    job = make_job(state=ImportJob.State.FAILED, counts={}, error=gone, file=ContentFile(b"x", "people.csv"))
    client = client_of("Marketing")
    assert "kept until" in text_of(client.get(address(job)))
    job.file.storage.delete(job.file.name)
    text = text_of(client.get(address(job)))
    assert f'href="{ADD}?phonebook={job.phonebook_id}">Upload the file again</a>' in text
    assert "no longer there" in text
    for untrue in ("Change the columns", "kept until", "Erase the file now"):
        assert untrue not in text


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_of_imports_takes_the_same_queries_for_any_number(rows: int, django_assert_max_num_queries) -> None:
    for _ in range(rows):
        make_job()
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(11):
        client.get(reverse("admin:contactsync_importjob_changelist"))


# Thrown away


@pytest.mark.parametrize("page", ["change", "columns"])
def test_an_undecided_upload_offers_to_be_discarded(page: str) -> None:
    client = client_of("Marketing")
    job = uploaded(client)
    assert address(job, "discard") in text_of(client.get(address(job, page)))
    answer = text_of(client.post(address(job, "discard"), follow=True))
    assert "the file was deleted" in answer
    job.refresh_from_db()
    assert job.state == ImportJob.State.DISCARDED
    assert address(job, "discard") not in text_of(client.get(address(job)))


def test_an_import_that_was_done_offers_no_discarding() -> None:
    job = make_job()
    client = client_of("Marketing")
    assert address(job, "discard") not in text_of(client.get(address(job)))
    assert "cannot be discarded" in text_of(client.post(address(job, "discard"), follow=True))
