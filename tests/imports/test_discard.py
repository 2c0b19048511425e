"""Uploads that are thrown away, and phonebooks that go with the record of their imports."""

from __future__ import annotations

import pytest
from django.utils import timezone

from contactsync.imports import jobs
from contactsync.imports.discard import can_be_discarded, delete_phonebook, discard, why_not_deletable
from contactsync.models import Campaign, CampaignTarget, Contact, ImportIssue, ImportJob, Phonebook
from contactsync.models.transitions import StepRefused, TransitionRefused
from tests.factories import make_campaign, make_contact
from tests.imports.files import HEADER, checked, imported, make_book, upload

pytestmark = pytest.mark.django_db
State = ImportJob.State
FILE = HEADER + "09121234561,Ali,,\n0912,Nobody,,\n"


@pytest.fixture(autouse=True)
def at_once(django_capture_on_commit_callbacks: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are deleted once the rows are committed; here, at once."""
    monkeypatch.setattr("contactsync.imports.discard.transaction.on_commit", lambda do: do())


def test_an_upload_that_waits_for_its_columns_is_thrown_away_with_its_file() -> None:
    book, _ = make_book()
    job = upload(book, FILE)
    name, storage = job.file.name, job.file.storage
    assert storage.exists(name)
    discard(job)
    job.refresh_from_db()
    assert (job.state, job.file.name, "sample" in job.dialect) == (State.DISCARDED, "", False)
    assert not storage.exists(name)


def test_a_checked_upload_goes_with_what_was_read_from_it() -> None:
    book, _ = make_book()
    job = checked(book, FILE)
    assert job.issues.exists()
    discard(job)
    assert not ImportIssue.objects.exists()
    assert not Contact.objects.exists()


def test_what_was_imported_cannot_be_discarded() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    assert not can_be_discarded(job)
    with pytest.raises(StepRefused):
        discard(job)
    job.refresh_from_db()
    assert job.state == State.APPLIED
    assert job.file.storage.exists(job.file.name)


def test_an_upload_that_is_worked_on_is_left_alone() -> None:
    book, _ = make_book()
    job = upload(book, FILE)
    jobs.begin_check(job, user=None)
    with pytest.raises(TransitionRefused):
        discard(job)


def test_a_discarded_upload_does_not_come_back() -> None:
    book, _ = make_book()
    job = upload(book, FILE)
    discard(job)
    with pytest.raises(TransitionRefused):
        jobs.set_columns(job, mapping=job.mapping)
    with pytest.raises(TransitionRefused):
        jobs.begin_check(job, user=None)


def test_an_empty_phonebook_goes_with_its_imports_and_their_files() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    Contact.objects.all().delete()
    assert why_not_deletable(book) == {}
    delete_phonebook(book)
    assert not Phonebook.objects.filter(pk=book.pk).exists()
    assert not ImportJob.objects.exists()
    assert not job.file.storage.exists(job.file.name)


@pytest.mark.parametrize("reason", ["contacts", "leaving", "linked", "importing", "campaign"])
def test_a_phonebook_that_is_needed_stays_and_says_why(reason: str) -> None:
    book, _ = make_book()
    match reason:
        case "contacts":
            make_contact(book)
        case "leaving":
            make_contact(book, deleted_at=timezone.now())
        case "linked":
            Phonebook.objects.filter(pk=book.pk).update(remote_id="7")
            book.refresh_from_db()
        case "importing":
            jobs.begin_check(upload(book, FILE), user=None)
        case "campaign":
            campaign = make_campaign(book.account, state=Campaign.State.DRAFT)
            CampaignTarget.objects.create(campaign=campaign, phonebook=book)
    assert why_not_deletable(book)
    with pytest.raises(StepRefused):
        delete_phonebook(book)
    assert Phonebook.objects.filter(pk=book.pk).exists()
