"""Nothing dangerous is a GET, nothing is open to people without the right, and refusals change nothing."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.core import serializers
from django.test import Client

from contactsync.models import Call, Campaign, ImportJob, ImportUndo, Recipient, Run, RunItem
from tests.admin.flow_rows import address, client_of, make_issue, make_job, make_prepared, make_run, make_unknown_send
from tests.factories import make_phonebook

pytestmark = pytest.mark.django_db


def make_checked() -> ImportJob:
    """An import that was checked, with an undo, so that each page has something to show."""
    job = make_job(state=ImportJob.State.CHECKED, counts={}, checked_counts={"rows": 0})
    ImportUndo.objects.create(job=job, job_state=ImportJob.State.APPLIED, state=ImportUndo.State.REDONE)
    return job


MAKERS = {
    ImportJob: make_checked,
    Run: lambda: make_run(items=2),
    Call: make_unknown_send,
    Campaign: make_prepared,
}
STEPS = [(model, step) for model in MAKERS for step in admin.site.get_model_admin(model).steps]
READINGS = [(model, reading) for model in MAKERS for reading in admin.site.get_model_admin(model).readings]
#: which right each step takes
RIGHTS = {
    (ImportJob, "apply"): "add_importjob",
    (ImportJob, "go_on"): "add_importjob",
    (ImportJob, "check"): "add_importjob",
    (ImportJob, "stop"): "add_importjob",
    (ImportJob, "discard"): "add_importjob",
    (ImportJob, "undo_check"): "undo_importjob",
    (ImportJob, "undo_begin"): "undo_importjob",
    (ImportJob, "undo_stop"): "undo_importjob",
    (ImportJob, "undo_resume"): "undo_importjob",
    (ImportJob, "undo_redo"): "undo_importjob",
    (ImportJob, "erase"): "add_importjob",
    (Run, "approve"): "push_phonebook",
    (Run, "acknowledge"): "push_phonebook",
    (Run, "decide"): "push_phonebook",
    (Run, "decide_all"): "push_phonebook",
    (Run, "plan_changes"): "push_phonebook",
    (Run, "discard"): "push_phonebook",
    (Run, "stop"): "push_phonebook",
    (Run, "resume"): "push_phonebook",
    (Call, "sent"): "send_campaign",
    (Call, "not_sent"): "send_campaign",
    (Campaign, "prepare"): "change_campaign",
    (Campaign, "draft"): "change_campaign",
    (Campaign, "send"): "send_campaign",
    (Campaign, "stop"): "change_campaign",
    (Campaign, "resume"): "send_campaign",
    (Campaign, "cancel"): "send_campaign",
    (Campaign, "leave"): "send_campaign",
    (Campaign, "refresh"): "change_campaign",
}


def everything() -> str:
    """The rows a button could change, as text."""
    rows = [
        row
        for model in (ImportJob, ImportUndo, Run, RunItem, Call, Campaign, Recipient)
        for row in model.objects.order_by("pk")
    ]
    return serializers.serialize("json", rows)


def test_every_step_has_its_right() -> None:
    assert set(STEPS) == set(RIGHTS)


@pytest.mark.parametrize(("model", "step"), STEPS)
def test_a_get_to_a_step_is_refused_and_changes_nothing(model: type, step: str) -> None:
    row = MAKERS[model]()
    before = everything()
    response = client_of(is_superuser=True).get(address(row, step))
    assert response.status_code == 405
    assert everything() == before


@pytest.mark.parametrize(("model", "reading"), [*READINGS, *((model, "change") for model in MAKERS)])
def test_reading_a_page_changes_nothing(model: type, reading: str) -> None:
    row = MAKERS[model]()
    if model is ImportJob:
        make_issue(row, 2)
    before = everything()
    response = client_of(is_superuser=True).get(address(row, reading))
    assert response.status_code == 200
    b"".join(response)
    assert everything() == before


@pytest.mark.parametrize(("model", "reading"), [*READINGS, *((model, "change") for model in MAKERS)])
def test_people_without_the_right_to_see_get_403(model: type, reading: str) -> None:
    row = MAKERS[model]()
    assert client_of().get(address(row, reading)).status_code == 403


@pytest.mark.parametrize(("model", "step"), STEPS)
def test_somebody_who_may_only_look_gets_403_and_nothing_changes(model: type, step: str) -> None:
    row = MAKERS[model]()
    before = everything()
    client = client_of(may=(f"view_{model._meta.model_name}",))
    assert client.post(address(row, step)).status_code == 403
    assert everything() == before


@pytest.mark.parametrize(("model", "step"), STEPS)
def test_the_right_of_the_step_opens_it(model: type, step: str) -> None:
    row = MAKERS[model]()
    client = client_of(may=(f"view_{model._meta.model_name}", RIGHTS[model, step]))
    assert client.post(address(row, step)).status_code == 302


@pytest.mark.parametrize(("model", "step"), STEPS)
def test_a_post_without_the_token_is_refused(model: type, step: str) -> None:
    row = MAKERS[model]()
    before = everything()
    inside = client_of(is_superuser=True)
    client = Client(enforce_csrf_checks=True)
    client.cookies = inside.cookies
    assert client.post(address(row, step)).status_code == 403
    assert everything() == before


@pytest.mark.parametrize(("model", "step"), [(model, step) for model, step in STEPS if model is Campaign])
def test_marketing_cannot_send_but_can_do_all_before(model: type, step: str) -> None:
    row = MAKERS[model]()
    refused = client_of("Marketing").post(address(row, step)).status_code == 403
    assert refused == (RIGHTS[model, step] == "send_campaign")


@pytest.mark.parametrize("model", [Run, Call, RunItem, Recipient])
def test_ledgers_cannot_be_added_changed_or_deleted(model: type) -> None:
    call = make_unknown_send()
    make_run(items=1)
    row = {Run: call.run, Call: call, RunItem: RunItem.objects.get(), Recipient: call.recipients.first()}[model]
    client = client_of(is_superuser=True)
    before = everything()
    assert client.get(address(row, "delete")).status_code == 403
    assert client.post(address(row, "delete"), {"post": "yes"}).status_code == 403
    assert client.post(address(row), {"state": "accepted"}).status_code in {403, 405}
    assert client.get(address(row).replace(f"{row.pk}/change/", "add/")).status_code == 403
    assert everything() == before


def test_a_missing_row_is_a_plain_404() -> None:
    response = client_of(is_superuser=True).get("/admin/contactsync/run/987654/change/")
    assert response.status_code in {302, 404}


def test_who_logs_in_after_a_step_comes_to_the_page_of_the_row() -> None:
    book = make_phonebook()
    answer = Client().post(address(book, "push"))
    assert answer["Location"] == f"/admin/login/?next=/admin/contactsync/phonebook/{book.pk}/change/"
