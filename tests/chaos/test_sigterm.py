"""A worker that is told to end does so within seconds, whatever it waits for."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from contactsync.imports import jobs
from contactsync.models import Call, Campaign, ImportJob, ProviderAccount, Run
from contactsync.sync import pace
from contactsync.tasks import check_import, execute_run
from providers.sandbox import SandboxServer
from tests.campaigns.companies import COMPANIES, Company
from tests.campaigns.conftest import approve, campaign_to, prepare
from tests.chaos.nest import Process
from tests.chaos.scene import SECONDS, Scene
from tests.factories import make_user
from tests.imports.files import HEADER, make_book, upload

SOON = 8.0  # seconds on a busy machine; every wait here would last twice as long


def until(happened: Callable[[], bool], scene: Scene) -> None:
    give_up_at = time.monotonic() + SECONDS / 4
    while not happened():
        assert time.monotonic() < give_up_at, scene.said()
        scene.workers[0].ended.wait(0.02)


def seconds_to_end(worker: Process, scene: Scene) -> float:
    began = time.monotonic()
    status = worker.nest.order(pid=worker.pid, signal=signal.SIGTERM)
    scene.workers.clear()
    assert status == 0, scene.said()
    return time.monotonic() - began


@pytest.fixture
def company() -> Company:
    """Takes one recipient per call."""
    return next(company for company in COMPANIES if company.slug == "atomtelecom")


@pytest.fixture
def user(transactional_db: None) -> User:
    return make_user()


@pytest.fixture
def account(company: Company, sandbox: SandboxServer, scene: Scene) -> ProviderAccount:
    return company.account(sandbox)


def begin(company: Company, account: ProviderAccount, user: User, sandbox: SandboxServer, **settings: int) -> Run:
    """A send of three calls, begun by a worker."""
    book = company.book(account, sandbox, company.phones(3))
    campaign = prepare(campaign_to(account, book, message="{first_name}"), user)
    account.settings |= settings
    account.save()
    run = approve(campaign, user)
    execute_run.enqueue(run.pk)
    return run


@pytest.mark.parametrize("concurrency", [1, 3])
def test_between_two_attempts(
    company: Company, account: ProviderAccount, user: User, sandbox: SandboxServer, scene: Scene, concurrency: int
) -> None:
    sandbox.fault("status_429", company.send_path, times=50, seconds=25)
    run = begin(company, account, user, sandbox, concurrency=concurrency)
    scene.hire()
    until(lambda: run.calls.exclude(not_before=None).exists(), scene)
    assert seconds_to_end(scene.workers[0], scene) < SOON
    run.refresh_from_db()
    assert (run.state, run.lease_owner) == (Run.State.RUNNING, "")
    assert set(run.calls.values_list("state", flat=True)) == {Call.State.PLANNED}


@pytest.mark.parametrize("concurrency", [1, 3])
def test_while_a_request_waits_for_its_turn(
    company: Company, account: ProviderAccount, user: User, sandbox: SandboxServer, scene: Scene, concurrency: int
) -> None:
    pace.DatabasePacer(f"account:{account.pk}", per_second=1).blocked(18)  # a little less than is waited for
    run = begin(company, account, user, sandbox, concurrency=concurrency, requests_per_second=1)
    scene.hire()
    until(lambda: run.calls.filter(state=Call.State.ON_WIRE).exists(), scene)
    assert seconds_to_end(scene.workers[0], scene) < SOON
    run.refresh_from_db()
    assert (run.state, run.lease_owner) == (Run.State.RUNNING, "")
    assert set(run.calls.values_list("state", flat=True)) == {Call.State.PLANNED}
    assert Campaign.objects.get().state == Campaign.State.SENDING


def children_of(process: Process) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except FileNotFoundError:  # it has ended just now
            continue
        if fields[1] == str(process.pid):
            found.append(int(entry.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_while_the_process_that_reads_an_import_ahead_is_stuck(user: User, scene: Scene) -> None:
    rows = "".join(f"0912{number:07d},name {number},,\n" for number in range(60_000))
    job = upload(make_book()[0], HEADER + rows)
    jobs.begin_check(job, user=user)
    check_import.enqueue(job.pk)
    scene.hire()
    until(lambda: bool(children_of(scene.workers[0])), scene)
    (reader,) = children_of(scene.workers[0])
    os.kill(reader, signal.SIGSTOP)
    until(lambda: ImportJob.objects.filter(pk=job.pk).exclude(lease_owner="").exists(), scene)
    assert seconds_to_end(scene.workers[0], scene) < SOON
    job.refresh_from_db()
    assert (job.state, job.lease_owner) == (ImportJob.State.CHECKING, "")
    assert not Path(f"/proc/{reader}").exists()
