"""Files for the suppression list: killed anywhere, stopped, met by others, seen by a send at once."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connections
from django.utils import timezone

from contactsync.campaigns import dispatch
from contactsync.imports import jobs
from contactsync.imports.lease import expired_jobs
from contactsync.imports.run import run_apply
from contactsync.inbound.replies import suppress
from contactsync.models import ImportJob, InboundMessage, Suppression
from providers.sandbox import SandboxServer
from tests.campaigns.conftest import approve, campaign_to, excluded, prepare, received
from tests.factories import make_account, make_contact, make_phonebook, make_user
from tests.imports.conftest import At
from tests.imports.files import checked, codes, imported, outcomes

pytestmark = pytest.mark.usefixtures("small_chunks")
State = ImportJob.State
WORK = ("lock_place", "write_issues", "tally")


class Killed(BaseException):
    """What a killed process leaves."""


def kill() -> None:
    raise Killed


def _mixed(rows: int) -> str:
    """New, known, repeated and rejected rows in every chunk."""
    chance = random.Random(7)
    numbers = [f"0912123{chance.randrange(rows):04d}" if n % 13 else "9.89E+11" for n in range(rows)]
    return "phone,reason\n" + "".join(f"{number},reason {n}\n" for n, number in enumerate(numbers))


def _list() -> list[tuple[str, str, str]]:
    return sorted(Suppression.objects.values_list("phone", "reason", "source"))


def _known() -> None:
    Suppression.objects.all().delete()
    Suppression.objects.bulk_create(Suppression(phone=f"+98912123{n:04d}", reason="old") for n in range(0, 60, 3))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", WORK)
def test_a_file_whose_worker_is_killed_anywhere_again_and_again_ends_as_one_left_alone(place: str, at: At) -> None:
    content = _mixed(60)
    _known()
    calm = imported(None, content)
    expected = _list()
    _known()
    job = checked(None, content)
    jobs.begin_apply(job, user=None)
    for _life in range(4):
        at(place, 2, kill)
        with pytest.raises(Killed):
            run_apply(job.pk)
        job.refresh_from_db()
        assert job.state == State.APPLYING
        ImportJob.objects.filter(pk=job.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
        assert expired_jobs() == [(job.pk, job.state)]
    run_apply(job.pk)
    job.refresh_from_db()
    assert (job.state, outcomes(job.counts)) == (State.APPLIED, outcomes(calm.counts))
    assert (job.counts["balances"], job.counts["differs_from_check"]) == (True, False)
    assert _list() == expected
    assert codes(job) == codes(calm)
    assert job.changes.filter(kind="created").count() == job.counts["created"]


@pytest.mark.django_db(transaction=True)
def test_a_file_that_was_stopped_goes_on_where_it_ended(at: At) -> None:
    job = checked(None, _mixed(60))
    jobs.begin_apply(job, user=None)
    at("write_issues", 3, lambda: jobs.stop(job))
    run_apply(job.pk)
    job.refresh_from_db()
    assert (job.state, job.position) == (State.STOPPED, 30)
    assert Suppression.objects.count() == job.counts["created"] == job.changes.count()
    jobs.begin_apply(job, user=None)
    run_apply(job.pk)
    job.refresh_from_db()
    assert (job.state, job.counts["balances"]) == (State.APPLIED, True)
    assert Suppression.objects.count() == job.counts["created"]


@pytest.mark.django_db(transaction=True)
def test_a_number_that_somebody_else_suppresses_in_the_same_moment_is_looked_up_afresh(at: At) -> None:
    job = checked(None, "phone,reason\n" + "".join(f"0912123{n:04d},file\n" for n in range(20)))
    jobs.begin_apply(job, user=None)
    at("_forget_check", 2, lambda: Suppression.objects.create(phone="+989121230015", reason="STOP", source="reply"))
    run_apply(job.pk)
    job.refresh_from_db()
    assert (job.state, outcomes(job.counts), job.counts["balances"]) == (
        State.APPLIED, {"created": 20}, True,
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_files_and_a_reply_at_the_same_time_leave_every_number_on_the_list_once() -> None:
    numbers = [f"0912123{n:04d}" for n in range(60)]
    jobs_here = []
    for seed, part in ((1, numbers[:45]), (2, numbers[15:])):
        random.Random(seed).shuffle(part)
        jobs_here.append(checked(None, "phone\n" + "\n".join(part) + "\n"))
    for job in jobs_here:
        jobs.begin_apply(job, user=None)
    together = threading.Barrier(3)
    failures: list[BaseException] = []

    def at_once(work: Callable[[], object]) -> None:
        try:
            together.wait(timeout=60)
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    reply = InboundMessage(phone="+989121230030", text="STOP")
    works = [partial(run_apply, job.pk) for job in jobs_here] + [partial(suppress, reply)]
    threads = [threading.Thread(target=at_once, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for job in jobs_here:
        job.refresh_from_db()
        assert (job.state, job.counts["balances"]) == (State.APPLIED, True), job.error_text
        assert job.changes.filter(kind="created").count() == job.counts["created"]
    by_reply = Suppression.objects.filter(source="reply").count()
    assert sum(job.counts["created"] for job in jobs_here) + by_reply == Suppression.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_a_send_sees_a_number_as_soon_as_its_chunk_is_committed(at: At, sandbox: SandboxServer) -> None:
    account = make_account(base_url=sandbox.url("ippanel"), settings={"read_timeout": 1})
    book, phones = make_phonebook(account), ["+989121230001", "+989121230015", "+989121239999"]
    for phone in phones:
        make_contact(book, phone, first_name="Sara")
    campaign = prepare(campaign_to(account, book, message="{first_name}"))
    run = approve(campaign, make_user())
    job = checked(None, "phone\n" + "".join(f"0912123{n:04d}\n" for n in range(20)))
    jobs.begin_apply(job, user=None)
    at("write_issues", 2, kill)
    with pytest.raises(Killed):
        run_apply(job.pk)
    assert Suppression.objects.count() == 10
    dispatch.execute(run.pk)
    assert excluded(campaign) == {"+989121230001": "suppressed"}
    assert set(received(sandbox)) == set(phones[1:])
