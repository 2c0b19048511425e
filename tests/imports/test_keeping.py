"""Uploaded files are kept for a while, then erased; what an import did stays on record."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from contactsync import tasks
from contactsync.imports import keeping
from contactsync.models import Contact, ImportJob
from contactsync.models.transitions import StepRefused
from tests.imports.files import HEADER, check, checked, imported, make_book, upload

pytestmark = pytest.mark.django_db
FILE = HEADER + "09121234561,Ali,,\n0912,Sara,,\n"


def test_erasing_takes_the_file_and_the_cells_and_leaves_the_record(django_capture_on_commit_callbacks: Any) -> None:
    job = imported(make_book()[0], FILE)
    path = job.file.path
    with django_capture_on_commit_callbacks(execute=True):
        keeping.erase_file(job)
    keeping.erase_rows(job.pk)
    job.refresh_from_db()
    assert (job.file.name, job.keeps_rows, "sample" in job.dialect) == ("", False, False)
    assert job.erased_at
    assert not job.file.storage.exists(path)
    (issue,) = job.issues.all()
    assert (issue.line, issue.code, issue.cells, issue.value) == (3, "phone_too_short", [], "")
    assert job.counts["created"] == job.changes.count() == 1
    assert Contact.objects.get().first_name == "Ali"


def test_a_file_that_is_being_read_is_not_erased() -> None:
    job = upload(make_book()[0], FILE)
    ImportJob.objects.filter(pk=job.pk).update(state=ImportJob.State.CHECKING)
    with pytest.raises(StepRefused, match="Stop the import first"):
        keeping.erase_file(job)
    assert job.file.storage.exists(job.file.name)


def test_files_are_erased_when_their_time_is_over(settings: Any) -> None:
    settings.IMPORT_KEEP_DAYS = 30
    book, _ = make_book()
    old, unchecked = imported(book, FILE), upload(book, FILE)
    with time_machine.travel(timezone.now() + dt.timedelta(days=29), tick=False):
        assert keeping.erase_old_files() == 0
        new = upload(book, FILE)
    with time_machine.travel(timezone.now() + dt.timedelta(days=31), tick=False):
        assert keeping.erase_old_files() == 2
        assert keeping.erase_old_files() == 0
    for job in (old, unchecked, new):
        job.refresh_from_db()
    assert [bool(job.file) for job in (old, unchecked, new)] == [False, False, True]
    assert keeping.half_erased() == [old.pk, unchecked.pk]
    assert tasks.sweep() >= 2
    for job_id in (old.pk, unchecked.pk):
        keeping.erase_rows(job_id)
    assert keeping.half_erased() == []


def test_an_erased_file_says_so_when_somebody_wants_it_checked_again() -> None:
    job = checked(make_book()[0], FILE)
    keeping.erase_file(job)
    job.refresh_from_db()
    check(job)
    assert job.state == ImportJob.State.FAILED
    assert job.error_text == "The uploaded file is no longer kept. Upload it again."


def test_the_same_file_is_recognised_once_it_was_imported() -> None:
    book, _ = make_book()
    only_checked = checked(book, FILE)
    again = upload(book, FILE)
    assert not keeping.same_file(again).exists()
    first = imported(book, FILE)
    assert list(keeping.same_file(again)) == [first]
    assert list(keeping.same_file(only_checked)) == [first]
    assert not keeping.same_file(upload(book, FILE + "\n09121234569,New,,\n")).exists()
