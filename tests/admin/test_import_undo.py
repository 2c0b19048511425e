"""The undo of an import, through the pages people see."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from contactsync.admin.imports.undo_pages import MEANING, MEANING_OF_NUMBERS, choices_of
from contactsync.imports import undo
from contactsync.imports.undo_cases import OFFERS
from contactsync.models import Contact, ImportJob, ImportUndo, ImportUndoChange
from tests.admin.flow_rows import address, client_of, make_job, text_of
from tests.factories import make_contact
from tests.imports.files import HEADER, imported, make_book
from tests.imports.test_corrections import saved, workbook
from tests.imports.undoing import looked, redone, undone, worked

pytestmark = pytest.mark.django_db
ALI, SARA = "+989121234561", "+989121234562"
FILE = HEADER + "09121234561,Ali,Rezaei,\n09121234562,Sara,Karimi,\n"
POSTS = ("undo_check", "undo_begin", "undo_stop", "undo_resume", "undo_redo")
State = ImportUndo.State


def edited_job() -> ImportJob:
    """One contact new and untouched, one changed and edited since."""
    book, _ = make_book()
    make_contact(book, ALI, first_name="before")
    job = imported(book, FILE)
    row = Contact.objects.get(phone=ALI)
    row.last_name = "edited"
    row.save()
    return job


def choices(page: Any) -> dict[str, list[str]]:
    return {case.name: [choice.value for choice in case.choices] for case in page.context["cases"]}


@pytest.mark.django_db(transaction=True)
def test_from_the_import_to_its_undo_and_back(run_tasks: Callable[[], None]) -> None:
    client = client_of("Marketing")
    job = edited_job()
    assert "Undo this import …" in text_of(client.get(address(job)))
    page = client.post(address(job, "undo_check"), follow=True)
    assert "Nothing is changed." in text_of(page)
    run_tasks()
    page = client.get(address(job, "undo"))
    assert choices(page) == {"created": ["remove"], "updated_edited": ["keep", "restore_rest", "restore"]}
    assert "the numbers add up" in text_of(page)
    assert "edited: last name" in text_of(page)
    page = client.post(address(job, "undo_begin"), {"case-updated_edited": "restore"}, follow=True)
    assert "is being undone" in text_of(page)
    assert client.get(address(job, "undo_progress")).json()["running"] is True
    assert "waiting for its turn" in text_of(client.get(reverse("admin:index")))
    run_tasks()
    assert list(Contact.objects.values_list("first_name", "last_name")) == [("before", "")]
    page = client.get(address(job, "undo"))
    assert "The import was undone." in text_of(page)
    assert 'data-balance="yes"' in text_of(page)
    assert "This import was undone." in text_of(client.get(address(job)))
    client.post(address(job, "undo_redo"))
    run_tasks()
    assert Contact.objects.get(phone=ALI).last_name == "edited"
    assert "The undo was undone" in text_of(client.get(address(job, "undo")))
    assert "Undo this import …" in text_of(client.get(address(job)))


def test_the_rows_are_searched_filtered_and_downloaded() -> None:
    job = edited_job()
    looked(job)
    client = client_of("Marketing")
    page = client.get(address(job, "undo"), {"q": "0912 123 4561"})
    assert [line.row.phone for line in page.context["lines"]] == [ALI]
    page = client.get(address(job, "undo"), {"q": "sara"})
    assert [line.row.phone for line in page.context["lines"]] == [SARA]
    page = client.get(address(job, "undo"), {"case": "updated_edited"})
    assert [line.row.phone for line in page.context["lines"]] == [ALI]
    answer: Any = client.get(address(job, "undo_rows"), {"case": "updated_edited"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    header, *rows = csv.reader(text.splitlines())
    assert header[1] == "Phone number"
    assert rows == [["2", ALI, "Ali edited", "changed, edited since", "edited: last name", "as you choose"]]


def test_the_file_takes_few_queries_whatever_there_is(django_assert_max_num_queries: Any) -> None:
    book, _ = make_book()
    job = imported(book, HEADER + "".join(f"0912123{n:04d},name {n},,\n" for n in range(50)))
    looked(job)
    client = client_of("Marketing")
    answer: Any = client.get(address(job, "undo_rows"))
    with django_assert_max_num_queries(3):
        assert len(b"".join(answer.streaming_content).splitlines()) == 51


def test_what_changed_after_the_preview_is_kept_and_the_page_says_how_to_undo_it_too() -> None:
    job = edited_job()
    found = looked(job)
    Contact.objects.filter(phone=SARA).update(sync_state="synced", remote_id="9", pushed_payload={"phone": SARA})
    undo.begin_undo(found, {}, user=None)
    worked(found)
    client = client_of("Marketing")
    assert "press “Undo the undo”, then “Undo this import …”" in text_of(client.get(address(job, "undo")))
    redone(found)
    page = text_of(client.get(address(job, "undo")))
    assert "press “Undo this import …” on the page" in page
    assert "Undo this import …" in text_of(client.get(address(job)))
    job.refresh_from_db()
    undone(job, created_pushed="remove")
    assert Contact.objects.get(phone=SARA).deleted_at is not None


def test_a_removed_contact_stays_in_the_list_with_its_number() -> None:
    job = edited_job()
    undone(job)
    page = client_of("Marketing").get(address(job, "undo"), {"action": "removed"})
    assert [(line.row.phone, line.row.contact, line.done) for line in page.context["lines"]] == [
        (SARA, None, "removed")
    ]
    assert "Sara Karimi" in text_of(page)


def test_later_imports_are_named() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    later = imported(book, HEADER + "09121234561,Reza,,\n", name="later.csv")
    looked(job)
    page = client_of("Marketing").get(address(job, "undo"))
    assert page.context["later"] == [(later, 1)]
    assert "Later imports have changed" in text_of(page)
    assert "import later.csv" in text_of(page)


def test_the_other_attempts_are_named_as_long_as_they_stand() -> None:
    book, _ = make_book()
    job = imported(book, FILE + "0912,Reza,,\n")
    file = workbook(job)
    file.worksheets[0]["A2"] = "09121234563"
    second = imported(book, saved(file), name="corrections.xlsx")
    client, said = client_of("Marketing"), "Other attempts of this import are not undone with it."
    looked(job)
    page = client.get(address(job, "undo"))
    assert page.context["attempts"] == [second]
    assert said in text_of(page)
    undone(job)
    assert said in text_of(client.get(address(job, "undo")))
    undone(second)
    assert said not in text_of(client.get(address(job, "undo")))
    assert not Contact.objects.exists()


def test_numbers_that_do_not_add_up_are_red() -> None:
    job = edited_job()
    found = looked(job)
    ImportUndo.objects.filter(pk=found.pk).update(counts={**found.counts, "balances": False})
    assert 'data-balance="no"' in text_of(client_of("Marketing").get(address(job, "undo")))


def test_an_undo_that_stopped_half_way_says_so_and_goes_on_or_back() -> None:
    job = edited_job()
    found = looked(job)
    client = client_of("Marketing")
    undo.begin_undo(found, {}, user=None)
    page = client.post(address(job, "undo_stop"), follow=True)
    assert "Stopped after 0 of 2 contacts." in text_of(page)
    assert "Undo the undo" in text_of(page)
    assert "Review and decide" in text_of(client.get(reverse("admin:index")))
    client.post(address(job, "undo_resume"))
    found.refresh_from_db()
    assert found.state == State.UNDOING


def test_a_failure_is_told_in_words() -> None:
    job = edited_job()
    found = looked(job)
    ImportUndo.objects.filter(pk=found.pk).update(state="failed", work="undoing", error={"message": "No more room."})
    assert "No more room." in text_of(client_of("Marketing").get(address(job, "undo")))


@pytest.mark.parametrize("step", POSTS)
def test_only_who_may_undo_can_press_the_buttons(step: str) -> None:
    job = edited_job()
    looked(job)
    client = client_of(may=("view_importjob", "add_importjob"))
    assert client.post(address(job, step)).status_code == 403
    assert client.get(address(job, step)).status_code == 405
    assert Client().post(address(job, step)).status_code == 302
    assert "Undo this import" not in text_of(client.get(address(job)))
    page = text_of(client.get(address(job, "undo")))
    assert "Undo the import</button>" not in page
    assert client.get(address(job, "undo_rows")).status_code == 403


@pytest.mark.parametrize("step", POSTS)
def test_a_step_that_is_not_possible_now_is_refused_in_words(step: str) -> None:
    job = make_job(state=ImportJob.State.APPLYING)
    client = client_of("Marketing")
    if step == "undo_check":
        page = client.post(address(job, step), follow=True)
        assert "Somebody else was faster" in text_of(page)
    else:
        assert client.post(address(job, step)).status_code == 404
        found = ImportUndo.objects.create(job=job, job_state="applied", state="redone", work="redoing")
        page = client.post(address(job, step), follow=True)
        assert "Somebody else was faster" in text_of(page) or "has gone on since" in text_of(page)
        found.refresh_from_db()
        assert found.state == State.REDONE


def test_a_choice_that_was_made_up_is_refused() -> None:
    job = edited_job()
    looked(job)
    page = client_of("Marketing").post(address(job, "undo_begin"), {"case-created": "keep"}, follow=True)
    assert "cannot be chosen there" in text_of(page)
    assert Contact.objects.count() == 2


def test_without_an_undo_its_page_is_that_of_the_import() -> None:
    job = edited_job()
    assert client_of("Marketing").get(address(job, "undo"))["Location"] == address(job)


def test_every_case_has_words() -> None:
    assert set(MEANING) | set(MEANING_OF_NUMBERS) == set(OFFERS) == set(ImportUndoChange.Case)
    for case in OFFERS:
        assert all(choice.label for choice in choices_of(case, {}))
