"""The same tasks on RabbitMQ: a real broker, and `manage.py worker` as a process of its own."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from celery import Celery
from django.conf import settings as configured
from django.core.checks import run_checks
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.utils import timezone

from contactsync import celery, tasks, work
from contactsync.imports import jobs
from contactsync.management.processes import free_port
from contactsync.models import Call, Campaign, Contact, ImportJob, Phonebook, Run
from contactsync.models.transitions import StepRefused
from contactsync.sync import leases, sweep
from providers.sandbox import SandboxServer
from tests.factories import make_account, make_campaign, make_contact, make_phonebook
from tests.sync.conftest import assert_in_step, expire_leases
from tests.sync.test_pace import database_url

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[1]
LONG_AGO = timezone.now() - dt.timedelta(hours=1)
SECONDS = 60  # for what takes two or three on a quiet machine


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"In {SECONDS} seconds it did not happen: {what}."
        threading.Event().wait(0.05)


class Queue:
    """What waits at the broker."""

    def __init__(self, channel: Any) -> None:
        self.channel, self.name = channel, configured.CELERY_QUEUE
        celery.app.amqp.queues[self.name](channel).declare()

    def waiting(self) -> int:
        """How many messages are with no worker."""
        return int(self.channel.queue_declare(self.name, passive=True).message_count)

    def lose_all(self) -> None:
        self.channel.queue_purge(self.name)


@pytest.fixture(scope="module")
def broker() -> Iterator[Queue]:
    why = celery.why_unreachable()
    if why:
        told = f"no RabbitMQ at {celery.broker()} (TEST_BROKER_URL names another): {why}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)
    with celery.app.connection_for_write() as connection:
        queue = Queue(connection.default_channel)
        yield queue
        queue.channel.queue_delete(queue.name)
    celery.app.close()


@pytest.fixture
def on_celery(settings: Any) -> None:
    settings.TASKS_BACKEND = "celery"
    settings.TASKS = {"default": {"BACKEND": "contactsync.celery.CeleryBackend", "QUEUES": []}}


@pytest.fixture
def queue(broker: Queue, on_celery: None) -> Queue:
    broker.lose_all()
    return broker


@pytest.fixture
def no_broker(on_celery: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody listens where the broker should be."""
    settings.CELERY_BROKER_URL = f"amqp://guest:very-secret@127.0.0.1:{free_port(0)}//"
    app = Celery(set_as_current=False, broker=settings.CELERY_BROKER_URL)
    app.conf.task_publish_retry_policy = celery.app.conf.task_publish_retry_policy
    monkeypatch.setattr(celery, "app", app)
    yield
    app.close()


@pytest.fixture
def silent_broker(queue: Queue, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Once this is set, nothing that the broker says arrives any more."""
    silent, parts = threading.Event(), urlsplit(settings.CELERY_BROKER_URL)
    there = (str(parts.hostname), parts.port or 5672)

    class Between(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(there) as broker:
                threading.Thread(target=pass_on, args=(self.request, broker, threading.Event()), daemon=True).start()
                pass_on(broker, self.request, silent)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Between) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{server.server_address[1]}".lstrip("@")
        app = Celery(set_as_current=False, broker=parts._replace(netloc=host).geturl())
        for name in ("broker_connection_timeout", "broker_transport_options", "task_publish_retry_policy"):
            app.conf[name] = celery.app.conf[name]
        app.conf.task_default_queue = queue.name
        monkeypatch.setattr(celery, "app", app)
        yield silent
        server.shutdown()


def pass_on(source: socket.socket, target: socket.socket, silent: threading.Event) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            if not silent.is_set():
                target.sendall(data)


@contextmanager
def worker(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker, from its start to a polite end, unless the test has killed it."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "contactsync.settings",
        "DATABASE_URL": database_url(),
        "TASKS_BACKEND": "celery",
        "CELERY_BROKER_URL": configured.CELERY_BROKER_URL,
        "CELERY_QUEUE": configured.CELERY_QUEUE,
    }
    log = folder / "worker.log"
    with log.open("ab") as output:
        command = [sys.executable, str(ROOT / "manage.py"), "worker"]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    except BaseException:
        process.kill()
        print(log.read_text(encoding="utf-8"))  # noqa: T201 - pytest shows it with the failure
        raise
    finally:
        killed = process.poll() is not None
        process.terminate()
        code = process.wait(SECONDS)
    assert killed or code == 0, log.read_text(encoding="utf-8")


@pytest.fixture
def phonebook(sandbox: SandboxServer, transactional_db: None) -> Phonebook:
    book = make_phonebook(make_account(base_url=sandbox.url("ippanel")))
    for _ in range(3):
        make_contact(book)
    return book


def reaches(row: Any, state: str) -> None:
    def is_there() -> bool:
        row.refresh_from_db()
        return bool(row.state == state)

    until(is_there, f"{row} is {state}")


def test_a_file_is_checked_imported_and_pushed(
    queue: Queue, sandbox: SandboxServer, phonebook: Phonebook, tmp_path: Path
) -> None:
    upload = ContentFile("نام,موبایل\nسارا,۰۹۱۲۰۰۰۰۰۰۹\n".encode(), name="people.csv")
    job = jobs.create_job(phonebook=phonebook, upload=upload)
    with worker(tmp_path):
        work.check_import(job, user=None)
        reaches(job, ImportJob.State.CHECKED)
        assert not Contact.objects.filter(phone="+989120000009").exists()
        work.apply_import(job, user=None)
        reaches(job, ImportJob.State.APPLIED)
        run = work.plan_push(phonebook, user=None)
        reaches(run, Run.State.PLANNED)
        work.approve_run(run, user=None)
        reaches(run, Run.State.FINISHED)
    assert run.counts["balances"]
    assert Contact.objects.filter(phone="+989120000009").exists()
    assert_in_step(sandbox, phonebook)
    assert queue.waiting() == 0


def test_what_a_killed_worker_was_at_comes_back_and_is_swept_when_even_that_is_lost(
    queue: Queue, sandbox: SandboxServer, phonebook: Phonebook, tmp_path: Path
) -> None:
    run = work.plan_push(phonebook, user=None)
    tasks.plan_run.call(run.pk)
    queue.lose_all()
    hanging = sandbox.fault("hang", "POST /api/phonebooks/numbers", seconds=SECONDS)
    with worker(tmp_path) as first:
        work.approve_run(run, user=None)
        until(lambda: hanging.hits, "the worker is in the middle of a call")
        tasks.check_import.enqueue(0)
        until(lambda: queue.waiting() == 1, "a second message stays for another worker")
        first.kill()
        first.wait()
    until(lambda: queue.waiting() == 2, "the killed worker's message is back")
    queue.lose_all()
    expire_leases()
    with worker(tmp_path):
        reaches(run, Run.State.FINISHED)
    assert run.counts["balances"]
    assert_in_step(sandbox, phonebook)


def test_a_worker_that_is_told_to_end_leaves_the_rest_of_its_run_to_the_next(
    queue: Queue, sandbox: SandboxServer, phonebook: Phonebook, tmp_path: Path
) -> None:
    phonebook.account.settings = {"batch_size": 1, "concurrency": 1}
    phonebook.account.save()
    for _ in range(40):
        make_contact(phonebook)
    run = work.plan_push(phonebook, user=None)
    tasks.plan_run.call(run.pk)
    queue.lose_all()
    sandbox.latency = 0.2
    with worker(tmp_path):
        work.approve_run(run, user=None)
        until(lambda: run.calls.filter(state=Call.State.ACCEPTED).count() > 1, "the worker is in the middle of the run")
    run.refresh_from_db()
    assert (run.state, run.lease_owner) == (Run.State.RUNNING, "")
    assert run.calls.filter(state=Call.State.PLANNED).exists()
    assert not run.calls.filter(state__in=[Call.State.ON_WIRE, Call.State.UNKNOWN]).exists()
    sandbox.latency = 0.0
    tasks.execute_run.call(run.pk)
    reaches(run, Run.State.FINISHED)
    assert_in_step(sandbox, phonebook)


def test_a_message_is_json_that_outlives_the_broker(queue: Queue) -> None:
    sent = tasks.check_import.enqueue(5)
    until(queue.waiting, "the message is there")
    message = queue.channel.basic_get(queue.name, no_ack=True)
    args, kwargs, _options = json.loads(message.body)
    assert (args, kwargs) == (["contactsync.tasks.check_import", [5], {}], {})
    assert message.properties["content_type"] == "application/json"
    assert message.properties["delivery_mode"] == 2
    assert message.properties["correlation_id"] == sent.id


def test_what_is_no_json_is_refused(on_celery: None) -> None:
    with pytest.raises(TypeError):
        tasks.check_import.enqueue(timezone)


@pytest.mark.parametrize("path", ["os.getcwd", "contactsync.tasks.sweep"])
def test_a_message_can_call_nothing_but_tasks(path: str) -> None:
    with pytest.raises(SuspiciousOperation, match="is not a task"):
        celery.run_task(path, [], {})


def test_without_the_broker_the_work_waits_for_the_sweep(
    no_broker: None, phonebook: Phonebook, caplog: pytest.LogCaptureFixture
) -> None:
    run = work.plan_push(phonebook, user=None)
    assert run.state == Run.State.PLANNING
    assert "did not take contactsync.tasks.plan_run" in caplog.text
    assert "very-secret" not in caplog.text


def test_a_broker_that_falls_silent_keeps_nobody_waiting(silent_broker: threading.Event) -> None:
    """As RabbitMQ does with whoever publishes when it is out of memory or of disk: it takes the message and says nothing."""
    met: list[BaseException] = []

    def enqueue() -> None:
        try:
            tasks.check_import.enqueue(0)
        except BaseException as error:
            met.append(error)

    enqueue()
    assert met == []
    silent_broker.set()
    thread = threading.Thread(target=enqueue, daemon=True)
    thread.start()
    thread.join(SECONDS / 2)
    assert not thread.is_alive(), "it waits for an answer that does not come"
    assert [type(error) for error in met] == [ConnectionError]


def test_while_all_workers_are_busy_the_sweep_wakes_nobody_twice(queue: Queue, phonebook: Phonebook) -> None:
    runs = [work.plan_push(phonebook, user=None), work.plan_pull(phonebook, user=None)]
    make_campaign(phonebook.account, state=Campaign.State.PREPARING)
    job = jobs.create_job(phonebook=phonebook, upload=ContentFile("موبایل\n۰۹۱۲۰۰۰۰۰۰۹\n".encode(), name="people.csv"))
    ImportJob.objects.update(state=ImportJob.State.CHECKING, started_at=LONG_AGO)
    queue.lose_all()
    for rows in (Run, Campaign, ImportJob):
        rows.objects.update(lease_until=LONG_AGO, lease_owner="a dead one")
    assert [tasks.sweep() for _ in range(4)] == [4, 0, 0, 0]
    until(lambda: queue.waiting() == 4, "one message for each")
    # Whoever comes at last takes it at once, although a worker was woken for it a moment ago.
    tasks.check_import.call(job.pk)
    reaches(job, ImportJob.State.CHECKED)
    tasks.plan_run.call(runs[0].pk)
    reaches(runs[0], Run.State.PLANNED)


def test_a_wake_up_call_that_was_lost_is_made_again_after_a_while(queue: Queue, phonebook: Phonebook) -> None:
    run = work.plan_push(phonebook, user=None)
    Run.objects.update(lease_until=LONG_AGO)
    assert [tasks.sweep(), tasks.sweep()] == [1, 0]
    queue.lose_all()
    with time_machine.travel(timezone.now() + leases.WAKE_AGAIN - dt.timedelta(seconds=30)):
        assert sweep.expired_runs() == []
    with time_machine.travel(timezone.now() + leases.WAKE_AGAIN + dt.timedelta(seconds=30)):
        assert sweep.expired_runs() == [run.pk]


def test_once_the_broker_is_back_nobody_waits_for_a_call_that_was_never_made(
    no_broker: None, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.plan_push(phonebook, user=None)
    Run.objects.update(lease_until=LONG_AGO)
    with pytest.raises(ConnectionError):
        tasks.sweep()
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=15)):
        assert sweep.expired_runs() == [Run.objects.get().pk]


def test_what_no_sweep_would_find_is_refused_without_the_broker(no_broker: None, phonebook: Phonebook) -> None:
    campaign = make_campaign(phonebook.account, state=Campaign.State.SCHEDULED, scheduled_for=timezone.now())
    with pytest.raises(StepRefused, match="cannot be reached, so nothing was done"):
        work.cancel_campaign(campaign)


def test_a_deployment_is_told_when_there_is_no_broker(no_broker: None) -> None:
    def found(**options: Any) -> list[str]:
        return [f"{m.msg} {m.hint}" for m in run_checks(**options) if m.id == "contactsync.E004"]

    (told,) = found(include_deployment_checks=True)
    assert told.startswith(f"RabbitMQ at {celery.broker()} cannot be reached: ")
    assert "very-secret" not in told
    assert not found()
