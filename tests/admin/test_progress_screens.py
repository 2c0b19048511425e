"""Bars that move: what the script gets, how dear it is to ask, and what the page says without the script."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contactsync.admin import progress
from contactsync.models import Campaign, ImportJob, Recipient, Run, RunItem
from contactsync.models.reasons import reason
from tests.admin.flow_rows import address, client_of, make_job, make_prepared, make_run, text_of
from tests.factories import make_account, make_campaign

pytestmark = pytest.mark.django_db


def running_run() -> Run:
    run = make_run(items=4, state=Run.State.RUNNING, started_at=timezone.now() - dt.timedelta(seconds=10))
    first, second, *_rest = run.items.all()
    RunItem.objects.filter(pk=first.pk).update(state=RunItem.State.DONE)
    RunItem.objects.filter(pk=second.pk).update(state=RunItem.State.FAILED)
    return run


def running_job() -> ImportJob:
    return make_job(
        state=ImportJob.State.APPLYING,
        position=2_000,
        total_rows=5_000,
        started_at=timezone.now() - dt.timedelta(seconds=10),
        lease_owner="worker",
        lease_until=timezone.now() + dt.timedelta(minutes=2),
    )


def running_campaign() -> Campaign:
    campaign = make_prepared(3, state=Campaign.State.SENDING, started_at=timezone.now())
    campaign.recipients.filter(pk=campaign.recipients.first().pk).update(state=Recipient.State.ACCEPTED)
    return campaign


def test_a_run_says_how_many_contacts_are_done() -> None:
    answer = client_of("Marketing").get(address(running_run(), "progress")).json()
    assert (answer["state"], answer["done"], answer["total"], answer["running"]) == ("running", 2, 4, True)
    assert answer["counts"] == {"planned": "2", "done": "1", "failed": "1"}


@time_machine.travel("2026-11-21 12:00", tick=False)
def test_an_import_says_rows_speed_and_time_left() -> None:
    answer = client_of("Marketing").get(address(running_job(), "progress")).json()
    assert (answer["done"], answer["total"]) == (2_000, 5_000)
    assert answer["line"] == "2,000 of 5,000 · 200 per second · about 15 seconds left"


NOBODY_YET, GONE = "waiting for its turn", "its worker has stopped; another goes on within two minutes"


@pytest.mark.parametrize("make", [running_run, running_job])
@pytest.mark.parametrize(
    ("owner", "minutes", "said"), [("", None, NOBODY_YET), ("worker", -1, GONE), ("worker", 1, "being imported")]
)
def test_work_says_whether_anybody_is_at_it(make, owner: str, minutes: int | None, said: str) -> None:
    row = make()
    until = None if minutes is None else timezone.now() + dt.timedelta(minutes=minutes)
    type(row).objects.update(lease_owner=owner, lease_until=until)
    answer = client_of("Marketing").get(address(row, "progress")).json()
    expected = said if isinstance(row, ImportJob) or said in {NOBODY_YET, GONE} else str(Run.State.RUNNING.label)
    assert answer["label"] == expected
    assert ("per second" in answer["line"]) is (said not in {NOBODY_YET, GONE})


def test_the_flags_among_the_counts_of_an_import_are_not_counts() -> None:
    assert "balances" not in progress.of_import(make_job()).counts


def test_a_campaign_says_how_many_people_are_handed_over() -> None:
    answer = client_of("Marketing").get(address(running_campaign(), "progress")).json()
    assert (answer["done"], answer["total"], answer["running"]) == (1, 3, True)


def test_people_left_out_are_not_part_of_the_bar() -> None:
    shown = progress.of_campaign(make_prepared(2, left_out=3, state=Campaign.State.SENDING))
    assert shown.total == 2


def test_while_it_is_planned_the_end_is_not_known() -> None:
    shown = progress.of_run(make_run(items=2, state=Run.State.PLANNING))
    assert shown.total is None
    assert shown.done == 2


def test_an_ended_run_asks_for_no_further_questions() -> None:
    answer = client_of("Marketing").get(address(make_run(items=1, state=Run.State.FINISHED), "progress")).json()
    assert answer["running"] is False


@pytest.mark.parametrize("make", [running_run, running_job, running_campaign])
def test_asking_is_cheap(make) -> None:
    row, client = make(), client_of(is_superuser=True)
    with CaptureQueriesContext(connection) as queries:
        client.get(address(row, "progress"))
    ours = [query for query in queries if "contactsync_" in query["sql"]]
    assert len(ours) <= 3


@pytest.mark.parametrize("make", [running_run, running_job, running_campaign])
def test_the_page_has_a_bar_a_voice_and_a_way_without_script(make) -> None:
    row = make()
    page = text_of(client_of("Marketing lead").get(address(row)))
    assert f'data-progress-url="{address(row, "progress")}"' in page
    assert f'data-state="{row.state}"' in page
    assert "<progress" in page
    assert 'aria-live="polite"' in page
    assert "<noscript>" in page


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "about 1 second left"),
        (45, "about 45 seconds left"),
        (300, "about 5 minutes left"),
        (9000, "about 2 hours left"),
    ],
)
def test_time_left_is_said_in_the_unit_that_fits(seconds: float, said: str) -> None:
    assert progress.time_left(seconds) == said


def test_the_speed_is_not_guessed_in_the_first_moment() -> None:
    job = make_job(
        state=ImportJob.State.CHECKING, position=10, total_rows=20, started_at=timezone.now(), lease_owner="worker"
    )
    assert progress.of_import(job).line() == "10 of 20"


def test_the_page_is_loaded_anew_when_the_waiting_it_tells_of_is_over() -> None:
    client = client_of("Marketing")
    campaign = make_campaign(
        make_account(), state=Campaign.State.PREPARING, error=reason("The provider asked for a pause.")
    )
    page = client.get(address(campaign)).content.decode()
    assert "The provider asked for a pause." in page
    assert 'data-rests="true"' in page
    assert client.get(address(campaign, "progress")).json()["rests"] is True
    Campaign.objects.filter(pk=campaign.pk).update(error={}, lease_owner="a worker")
    assert client.get(address(campaign, "progress")).json()["rests"] is False
