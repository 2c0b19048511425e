"""A file of contacts that goes out and comes back unchanged: the import says so, row by row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from contactsync.imports import jobs, report
from contactsync.imports.run import run_apply, run_check
from contactsync.models import Contact, ImportJob, Phonebook
from tests.admin.flow_rows import client_of
from tests.factories import make_account, make_contact, make_option, make_phonebook

pytestmark = pytest.mark.django_db
VALUES = {
    "text": "رم، ایتالیا",
    "integer": "-15",
    "date": "1992-10-08",
    "choice": "M",
    "multiple": "Vino; Pane",
    "email": "other@example.org",
}
CHOICES = {"choice": ["S", "M"], "multiple": ["Vino", "Pane"]}


@pytest.fixture
def book() -> Phonebook:
    """Contacts with every field filled, with none, and with what a spreadsheet would calculate."""
    account = make_account(provider="callbell", default_region="IR")
    options = [make_option(account, f"a {kind} of ours", kind=kind, choices=CHOICES.get(kind, [])) for kind in VALUES]
    book = make_phonebook(account, options=tuple(options))
    make_contact(
        book, "+989121234567", prefix="Dr.", first_name="علی\u200cرضا", last_name="کاظمی", company="Acme, Inc.",
        email="ali@example.org", tags=["vip", "شهر بزرگ"], assigned_user="sara@example.org", note="called; wants \"more\"",
        consented_at=dt.datetime(2026, 3, 1, 9, 30, 15, 123456, tzinfo=dt.UTC), consent_source="form, at the fair",
        options={str(option.pk): VALUES[option.kind] for option in options},
    )  # fmt: skip
    make_contact(book, "+989121234568", remote_id="9121234570", sync_error={"message": "Because."})
    make_contact(book, "+989121234569", first_name="=1+1", last_name="'quoted", company="'=1+1", note='="x"')
    make_contact(
        book, "+982112345678", first_name="Landline", consented_at=dt.datetime(2025, 12, 31, 23, 59, tzinfo=dt.UTC)
    )
    return book


def imported(book: Phonebook, file: bytes, name: str) -> ImportJob:
    job = jobs.create_job(phonebook=book, upload=SimpleUploadedFile(name, file))
    jobs.begin_check(job, user=None)
    run_check(job.pk)
    job.refresh_from_db()
    assert job.state == ImportJob.State.CHECKED, job.error_text
    jobs.begin_apply(job, user=None)
    run_apply(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_nothing_is_changed_by_what_comes_back(book: Phonebook, language: str, form: str) -> None:
    before = list(Contact.objects.order_by("pk").values())
    answer = client_of("Marketing").get(
        f"/admin/contactsync/contact/download/{form}/", headers={"accept-language": language}
    )
    job = imported(book, answer.getvalue(), f"back.{form}")
    parts = {name: count for name, count in report.equation(job).parts.items() if count}
    assert parts == {"unchanged": 4}, list(job.issues.values("line", "column", "code", "value"))
    assert list(Contact.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_was_lost_comes_back_whole(book: Phonebook, form: str) -> None:
    told = (
        "phone", "prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note", "consent_source",
        "options",
    )  # fmt: skip
    before = list(Contact.objects.order_by("phone").values(*told))
    times = [
        at and at.replace(microsecond=0)
        for at in Contact.objects.order_by("phone").values_list("consented_at", flat=True)
    ]
    file = client_of("Marketing").get(f"/admin/contactsync/contact/download/{form}/").getvalue()
    Contact.objects.all().delete()
    imported(book, file, f"back.{form}")
    assert list(Contact.objects.order_by("phone").values(*told)) == before
    assert list(Contact.objects.order_by("phone").values_list("consented_at", flat=True)) == times


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_hour_that_comes_twice_in_autumn_is_not_another_one(form: str, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    book = make_phonebook(make_account(default_region="DE"))
    twice = [dt.datetime(2025, 10, 26, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)]
    for number, moment in enumerate(twice):
        make_contact(book, f"+491712345{number:03d}", consented_at=moment)
    job = imported(
        book, client_of("Marketing").get(f"/admin/contactsync/contact/download/{form}/").getvalue(), f"back.{form}"
    )
    assert report.equation(job).parts["unchanged"] == 2
    assert list(book.contacts.order_by("pk").values_list("consented_at", flat=True)) == twice
