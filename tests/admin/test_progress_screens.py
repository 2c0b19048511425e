"""Bars that move: what the script gets, how dear it is to ask, and what the page says without the script."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contactsync.admin import progress
from contactsync.admin.progress import Progress
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
    assert answer["counts"] == {"planned": "2", "done": "1", "failed": "1", "unknown": "0", "not_attempted": "0"}


@pytest.mark.parametrize("make", [running_run, running_campaign])
def test_every_number_of_the_page_moves_also_one_that_comes_to_nothing(make) -> None:
    row, client = make(), client_of("Marketing")
    page = client.get(address(row))
    answer = client.get(address(row, "progress")).json()
    assert {part.name for part in page.context["sum"].parts} <= set(answer["counts"])
    assert {each.name: str(each.count) for each in page.context["lists"]} == answer["lists"]
    for part in page.context["sum"].parts:
        assert f'data-part="{part.name}"><b>{part.count}</b>' in text_of(page)


@pytest.mark.parametrize("state", [Campaign.State.SENDING, Campaign.State.STOPPING])
def test_what_is_on_its_way_has_its_place_in_the_sum_from_the_start(state: str) -> None:
    campaign = running_campaign()
    Campaign.objects.update(state=state)
    parts = client_of("Marketing").get(address(campaign)).context["sum"].parts
    assert "on_wire" in {part.name for part in parts}


@time_machine.travel("2026-11-21 12:00", tick=False)
def test_the_speed_of_a_campaign_that_goes_on_is_that_of_its_second_send() -> None:
    hour, moment = dt.timedelta(hours=1), dt.timedelta(seconds=10)
    campaign = make_prepared(4, state=Campaign.State.SENDING, started_at=timezone.now() - hour)
    ids = campaign.recipients.values_list("pk", flat=True)
    campaign.recipients.filter(pk__in=ids[:3]).update(state=Recipient.State.ACCEPTED)
    send = {"kind": Run.Kind.SEND, "campaign": campaign, "account": campaign.account}
    Run.objects.create(**send, state=Run.State.STOPPED, started_at=timezone.now() - hour, counts={"accepted": 1})
    held = {"lease_owner": "worker", "lease_until": timezone.now() + hour}
    Run.objects.create(**send, **held, state=Run.State.RUNNING, started_at=timezone.now() - moment)
    line = client_of("Marketing").get(address(campaign, "progress")).json()["line"]
    assert line == "3 of 4 · 12 per minute · about 5 seconds left"


@time_machine.travel("2026-11-21 12:00", tick=False)
def test_an_import_says_rows_speed_and_time_left() -> None:
    answer = client_of("Marketing").get(address(running_job(), "progress")).json()
    assert (answer["done"], answer["total"]) == (2_000, 5_000)
    assert answer["line"] == "2,000 of 5,000 · 200 per second · about 15 seconds left"


@time_machine.travel("2026-11-21 12:00", tick=False)
def test_the_speed_of_a_resumed_import_is_that_of_the_worker_who_resumed_it() -> None:
    job = running_job()
    ImportJob.objects.filter(pk=job.pk).update(counts={"resumed_from": 1_500})
    line = client_of("Marketing").get(address(job, "progress")).json()["line"]
    assert line == "2,000 of 5,000 · 50 per second · about 60 seconds left"


@time_machine.travel("2026-11-21 12:00", tick=False)
def test_the_pause_of_a_run_is_no_part_of_its_speed() -> None:
    run, moment = running_run(), timezone.now() - dt.timedelta(seconds=4)
    counts = {"resumed_at": moment.isoformat(), "resumed_from": 1}
    began = timezone.now() - dt.timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(started_at=began, counts=counts, lease_owner="worker")
    line = client_of("Marketing").get(address(run, "progress")).json()["line"]
    assert line == "2 of 4 · 15 per minute · about 8 seconds left"


@time_machine.travel("2026-11-21 12:00", tick=False)
@pytest.mark.parametrize("kind", [Run.Kind.PULL, Run.Kind.BRING_IN])
def test_what_only_reads_begins_anew_after_a_pause_and_so_does_its_speed(kind: str) -> None:
    run, moment = running_run(), timezone.now() - dt.timedelta(seconds=4)
    counts = {"resumed_at": moment.isoformat(), "read": 40, "there": 80, "here": 0}
    began = timezone.now() - dt.timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(kind=kind, started_at=began, counts=counts, lease_owner="worker")
    line = client_of("Marketing").get(address(run, "progress")).json()["line"]
    assert line == "40 of 80 · 10 per second · about 4 seconds left"


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
    assert (" left" in answer["line"]) is (said not in {NOBODY_YET, GONE})


@pytest.mark.parametrize("make", [running_run, running_campaign])
def test_what_is_being_stopped_promises_no_end_of_the_rest(make) -> None:
    row = make()
    type(row).objects.update(started_at=timezone.now() - dt.timedelta(minutes=1))
    client = client_of("Marketing")
    type(row).objects.update(state="stopping")
    assert client.get(address(row, "progress")).json()["line"] in {"2 of 4", "1 of 3"}


def test_the_flags_among_the_counts_of_an_import_are_not_counts() -> None:
    assert "balances" not in progress.of_import(make_job()).counts


def test_a_campaign_says_how_many_people_are_handed_over() -> None:
    answer = client_of("Marketing").get(address(running_campaign(), "progress")).json()
    assert (answer["done"], answer["total"], answer["running"]) == (1, 3, True)


def test_people_left_out_are_not_part_of_the_bar() -> None:
    shown = progress.of_campaign(make_prepared(2, left_out=3, state=Campaign.State.SENDING))
    assert shown.total == 2


def test_while_it_is_planned_the_end_is_not_known() -> None:
    shown = progress.of_run(make_run(state=Run.State.PLANNING, counts={"compared": 2}))
    assert shown.total is None
    assert shown.done == 2


def test_a_send_that_nobody_has_taken_up_waits_for_its_turn() -> None:
    campaign, client = running_campaign(), client_of("Marketing")
    campaign.runs.update(state=Run.State.QUEUED)
    answer = client.get(address(campaign, "progress")).json()
    assert (answer["label"], answer["line"]) == (NOBODY_YET, "1 of 3")
    ago, soon = timezone.now() - dt.timedelta(minutes=1), timezone.now() + dt.timedelta(minutes=1)
    campaign.runs.update(state=Run.State.RUNNING, lease_owner="worker", lease_until=ago)
    assert client.get(address(campaign, "progress")).json()["label"] == GONE
    campaign.runs.update(lease_until=soon)
    assert client.get(address(campaign, "progress")).json()["label"] == "sending"


MANY = 20_000


def preparing_campaign() -> Campaign:
    return make_campaign(make_account(), state=Campaign.State.PREPARING, summary={"looked_at": MANY})


def queued_campaign() -> Campaign:
    campaign = make_prepared(3, state=Campaign.State.SENDING)
    campaign.runs.update(state=Run.State.QUEUED, counts={"recipients": MANY, "planned": MANY})
    return campaign


def planning_run() -> Run:
    return make_run(items=2, state=Run.State.PLANNING, counts={"compared": MANY})


def queued_run() -> Run:
    run = make_run(items=2, state=Run.State.QUEUED)
    Run.objects.update(plan=run.plan | {"create": MANY})
    return run


@pytest.mark.parametrize("make", [preparing_campaign, queued_campaign, planning_run, queued_run])
def test_what_is_not_begun_yet_is_told_without_counting_its_rows(make) -> None:
    row, client = make(), client_of(is_superuser=True)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address(row, "progress")).json()
    assert MANY in {answer["done"], answer["total"]}
    rows = (Recipient._meta.db_table, RunItem._meta.db_table)
    assert not [query["sql"] for query in queries if any(table in query["sql"] for table in rows)]


def test_an_ended_run_asks_for_no_further_questions() -> None:
    answer = client_of("Marketing").get(address(make_run(items=1, state=Run.State.FINISHED), "progress")).json()
    assert answer["running"] is False


@pytest.mark.parametrize("make", [running_run, running_job, running_campaign])
def test_asking_is_cheap(make) -> None:
    row, client = make(), client_of(is_superuser=True)
    with CaptureQueriesContext(connection) as queries:
        client.get(address(row, "progress"))
    ours = [query for query in queries if "contactsync_" in query["sql"]]
    assert len(ours) <= 2 + len(Recipient.State)  # of people, one for each state: so an index is read alone


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


@time_machine.travel("2026-11-21 12:00", tick=False)
@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [
        (30_960, 100, "310 per second"),
        (999, 100, "10 per second"),
        (250, 100, "2.5 per second"),
        (100, 100, "1 per second"),
        (20, 100, "12 per minute"),
        (1, 100, ""),
    ],
)
def test_the_speed_is_said_in_the_unit_that_fits(done: int, seconds: int, said: str) -> None:
    started_at = timezone.now() - dt.timedelta(seconds=seconds)
    line = Progress("applying", "", running=True, done=done, total=100_000, started_at=started_at).line()
    assert line.split(" · ")[1:-1] == ([said] if said else [])


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
