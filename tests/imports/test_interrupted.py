"""Killed, stopped, resumed, twice at once: no row twice, none missing."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import pickle
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from contactsync.imports import ahead, jobs, stream
from contactsync.imports.lease import LEASE, claim, expired_jobs
from contactsync.imports.run import run_apply, run_check
from contactsync.management.commands import worker
from contactsync.models import Contact, ImportChange, ImportJob
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import shutdown
from tests.factories import make_contact
from tests.imports.conftest import At
from tests.imports.files import HEADER, apply, check, checked, codes, imported, make_book, outcomes, table, upload

pytestmark = pytest.mark.usefixtures("small_chunks")
State = ImportJob.State
WORK = ("lock_place", "contacts_by_phone", "write_contacts", "write_issues", "tally")


class Killed(BaseException):
    """What a killed process leaves: nothing is caught, nothing is tidied up."""


def kill() -> None:
    raise Killed


def _mixed(rows: int) -> str:
    """Created, updated, unchanged, repeated and rejected rows in every chunk."""
    chance = random.Random(7)
    lines = []
    for n in range(rows):
        phone = f"0912123{chance.randrange(0, rows):04d}" if n % 13 else "9.89E+11"
        lines.append(f"{phone},name {n},,{'bad' if n % 17 == 0 else ''}\n")
    return HEADER + "".join(lines)


def _lease_runs_out(job: ImportJob) -> None:
    assert not expired_jobs()
    ImportJob.objects.filter(pk=job.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert expired_jobs() == [(job.pk, job.state)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", WORK)
def test_an_import_killed_anywhere_again_and_again_ends_as_one_that_was_left_alone(place: str, at: At) -> None:
    content = _mixed(60)
    calm, rough = (make_book()[0] for _ in range(2))
    for book in (calm, rough):
        for n in range(0, 60, 3):
            make_contact(book, f"+98912123{n:04d}", first_name="before")
    expected = imported(calm, content)
    job = checked(rough, content)
    jobs.begin_apply(job, user=None)
    for _life in range(4):
        at(place, 2, kill)
        with pytest.raises(Killed):
            run_apply(job.pk)
        job.refresh_from_db()
        assert job.state == State.APPLYING
        _lease_runs_out(job)
    run_apply(job.pk)
    job.refresh_from_db()
    assert (job.state, outcomes(job.counts)) == (State.APPLIED, outcomes(expected.counts))
    assert job.counts["balances"]
    assert not job.counts["differs_from_check"]
    assert table(rough) == table(calm)
    assert codes(job) == codes(expected)
    rows = list(job.changes.values_list("row", flat=True))
    assert len(rows) == len(set(rows)) == job.counts["created"] + job.counts["updated"]


@pytest.mark.django_db(transaction=True)
def test_a_check_that_was_killed_begins_anew_and_lists_no_issue_twice(at: At) -> None:
    book, _ = make_book()
    calm = checked(book, _mixed(35))
    job = upload(book, _mixed(35))
    jobs.begin_check(job, user=None)
    at("write_issues", 3, kill)
    with pytest.raises(Killed):
        run_check(job.pk)
    job.refresh_from_db()
    assert (job.state, job.position) == (State.CHECKING, 20)
    _lease_runs_out(job)
    run_check(job.pk)
    job.refresh_from_db()
    assert (job.state, job.checked_counts) == (State.CHECKED, calm.checked_counts)
    assert codes(job) == codes(calm)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not ahead.POSSIBLE, reason="this system cannot read ahead in a second process")
@pytest.mark.parametrize("sent", [0, 4, 200])
@pytest.mark.parametrize("end", ["killed", "stuck"])
def test_where_the_process_that_reads_ahead_is_gone_the_worker_reads_on_itself(
    monkeypatch: pytest.MonkeyPatch, sent: int, end: str
) -> None:
    content = _mixed(60)
    calm, rough = (make_book()[0] for _ in range(2))
    expected = imported(calm, content)
    monkeypatch.setattr(stream, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr(ahead, "PATIENCE", 0.5)
    whole, items = ahead._send, itertools.count(1)

    def send(pipe: Any, message: Any) -> None:
        if next(items) == 3:
            data = pickle.dumps(message, protocol=5)
            pipe.write((ahead._SIZE.pack(len(data)) + data)[:sent])
            if end == "stuck":
                time.sleep(60)
            os.kill(os.getpid(), signal.SIGKILL)
        whole(pipe, message)

    monkeypatch.setattr(ahead, "_send", send)
    job = imported(rough, content)
    assert (job.state, job.counts) == (State.APPLIED, expected.counts)
    assert table(rough) == table(calm)
    assert codes(job) == codes(expected)


@pytest.mark.skipif(not ahead.POSSIBLE, reason="this system cannot read ahead in a second process")
def test_no_process_is_divided_while_another_thread_is_at_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    free: list[bool] = []

    def sweep() -> None:
        free.append(ahead.UNDIVIDED.acquire(blocking=False))
        sweeper.stopped.set()

    fork = os.fork

    def divided() -> int:
        free.append(ahead.UNDIVIDED.acquire(blocking=False))
        return fork()

    monkeypatch.setattr(worker, "sweep", sweep)
    monkeypatch.setattr(os, "fork", divided)
    sweeper = worker.Sweeper()
    sweeper.start()
    sweeper.join()
    with ahead.ahead(iter("ab")) as received:
        assert list(received) == ["a", "b"]
    assert free == [False, False]


def _resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell")
def test_the_second_process_does_not_begin_with_the_memory_that_the_first_has_done_with() -> None:
    left = [bytes(2000) for _ in range(40_000)]
    last = left.pop()  # so that what lies below it cannot simply be cut off
    left.clear()
    kept = _resident()
    with ahead.ahead(_resident() for _ in range(1)) as received:
        assert next(received) < kept - 60_000_000
    assert len(last) == 2000


@pytest.mark.django_db
def test_while_one_worker_holds_the_import_another_does_nothing() -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "09121234561,Ali,,\n")
    jobs.begin_apply(job, user=None)
    assert claim(job.pk, State.APPLYING)
    run_apply(job.pk)
    assert not Contact.objects.exists()


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_writes_nothing_more(at: At) -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "".join(f"0912123{n:04d},Ali,,\n" for n in range(25)))
    at("_apply_chunk", 2, lambda: ImportJob.objects.filter(pk=job.pk).update(lease_owner="somebody else") and None)
    apply(job)
    assert (job.state, job.position, job.lease_owner) == (State.APPLYING, 10, "somebody else")
    assert (Contact.objects.count(), ImportChange.objects.count()) == (10, 10)


@pytest.mark.django_db
def test_an_import_nobody_woke_up_for_is_found() -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "09121234561,Ali,,\n")
    jobs.begin_apply(job, user=None)
    assert expired_jobs() == []
    ImportJob.objects.filter(pk=job.pk).update(started_at=timezone.now() - LEASE - dt.timedelta(seconds=1))
    assert expired_jobs() == [(job.pk, State.APPLYING)]
    run_apply(job.pk)
    assert expired_jobs() == []


def _stops(job: ImportJob) -> Callable[[], None]:
    return lambda: jobs.stop(ImportJob.objects.get(pk=job.pk))


@pytest.mark.django_db
def test_a_stop_ends_after_the_rows_in_hand_and_the_rest_can_follow(at: At) -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "".join(f"0912123{n % 30:04d},Ali,,\n" for n in range(35)))
    at("write_issues", 2, _stops(job))
    apply(job)
    assert (job.state, job.position, job.lease_owner, Contact.objects.count()) == (State.STOPPED, 20, "", 20)
    with pytest.raises(TransitionRefused):
        jobs.set_columns(job, mapping={"0": "phone"})
    apply(job)
    assert (job.state, outcomes(job.counts)) == (State.APPLIED, {"created": 30, "duplicate": 5})
    assert (job.counts["balances"], job.counts["differs_from_check"]) == (True, False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("work", [run_check, run_apply])
def test_a_worker_that_is_told_to_end_leaves_the_rest_to_another_at_once(
    work: Callable[[int], None], at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, _ = make_book()
    job = upload(book, _mixed(60)) if work is run_check else checked(book, _mixed(60))
    (jobs.begin_check if work is run_check else jobs.begin_apply)(job, user=None)
    monkeypatch.setattr(shutdown, "_asked", threading.Event())
    at("write_issues", 2, shutdown.ask)
    work(job.pk)
    job.refresh_from_db()
    assert (job.lease_owner, job.position) == ("", 20)
    assert expired_jobs() == [(job.pk, job.state)]
    monkeypatch.setattr(shutdown, "_asked", threading.Event())
    work(job.pk)
    job.refresh_from_db()
    assert job.state == (State.CHECKED if work is run_check else State.APPLIED)
    assert (job.checked_counts["rows"], job.position) == (60, 60)


@pytest.mark.django_db
def test_who_stops_and_goes_on_at_once_does_not_disturb_the_worker(at: At) -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "".join(f"0912123{n:04d},Ali,,\n" for n in range(35)))

    began = []

    def stop_and_go_on() -> None:
        _stops(job)()
        began.append(ImportJob.objects.get(pk=job.pk).started_at)
        jobs.begin_apply(ImportJob.objects.get(pk=job.pk), user=None)
        run_apply(job.pk)  # the second wake-up call finds the lease taken

    at("write_issues", 2, stop_and_go_on)
    apply(job)
    assert (job.state, outcomes(job.counts)) == (State.APPLIED, {"created": 35})
    assert [job.started_at] == began, "its speed is reckoned from where it began"


@pytest.mark.django_db
def test_a_check_can_be_stopped_and_asked_for_again_with_other_columns(at: At) -> None:
    book, _ = make_book()
    job = upload(book, HEADER + "".join(f"0912123{n:04d},Ali,,x\n" for n in range(35)))
    at("write_issues", 2, _stops(job))
    check(job)
    assert (job.state, job.checked_counts) == (State.STOPPED, {})
    jobs.set_columns(job, mapping={"0": "phone"})
    check(job)
    assert (outcomes(job.checked_counts), codes(job)) == ({"created": 35}, [])


@pytest.mark.django_db
def test_a_worker_does_not_finish_a_check_whose_columns_were_changed_meanwhile(at: At) -> None:
    book, _ = make_book()
    job = upload(book, HEADER + "".join(f"0912123{n:04d},Ali,,x\n" for n in range(15)))

    def change_columns() -> None:
        other = ImportJob.objects.get(pk=job.pk)
        jobs.stop(other)
        jobs.set_columns(other, mapping={"0": "phone"})
        jobs.begin_check(other, user=None)

    at("suppressed_among", 2, change_columns)
    check(job)
    assert (job.state, job.checked_counts) == (State.CHECKING, {})
    run_check(job.pk)
    job.refresh_from_db()
    assert (outcomes(job.checked_counts), codes(job)) == ({"created": 15}, [])


@pytest.mark.django_db(transaction=True)
def test_imports_into_one_phonebook_at_the_same_time_do_not_disturb_each_other() -> None:
    book, _ = make_book()
    numbers = [f"0912123{n:04d}" for n in range(120)]
    both = []
    for seed in range(3):
        random.Random(seed).shuffle(numbers)
        both.append(checked(book, HEADER + "".join(f"{number},name {seed},,\n" for number in numbers)))
    errors: list[BaseException] = []

    def work(job: ImportJob) -> None:
        try:
            run_apply(job.pk)
        except BaseException as error:  # shown by the test
            errors.append(error)
        finally:
            connections.close_all()

    for job in both:
        jobs.begin_apply(job, user=None)
        ImportJob.objects.filter(pk=job.pk).update(compared_until=0)  # each takes the phonebook as the others leave it
    threads = [threading.Thread(target=work, args=(job,)) for job in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for job in both:
        job.refresh_from_db()
        assert (job.state, job.counts["balances"], job.counts["rows"]) == (State.APPLIED, True, 120)
    assert sum(job.counts["created"] for job in both) == book.contacts.count() == 120
    assert sum(job.counts["updated"] for job in both) == 240
    assert all(job.counts["differs_from_check"] for job in both)
