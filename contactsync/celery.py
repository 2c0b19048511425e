"""Background work on RabbitMQ, with `TASKS_BACKEND=celery`: the same tasks, sent as messages and carried out by Celery.

A message holds the path of a task and its arguments, as JSON. It is a wake-up call like any other here: it may come
twice (its worker was killed) or never (the broker lost it), and the rows and the sweep make up for both.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from amqp.exceptions import AMQPError
from celery import Celery
from celery.signals import setup_logging, worker_shutting_down
from django.core.exceptions import SuspiciousOperation
from django.utils import timezone
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

try:  # Django 6
    from django.tasks.backends.base import BaseTaskBackend
    from django.tasks.base import Task, TaskResult, TaskResultStatus
    from django.utils.json import normalize_json
except ImportError:
    from django_tasks.backends.base import BaseTaskBackend  # type: ignore[assignment]
    from django_tasks.base import Task, TaskResult, TaskResultStatus  # type: ignore[assignment]
    from django_tasks.utils import normalize_json

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactsync.settings")

from django.conf import settings

RUN_TASK = "contactsync.run_task"
#: no broker there, none that lets us in, or one that went away
BrokerErrors = (OperationalError, AMQPError, OSError)
PATIENCE = 3  # seconds; a broker that is out of memory or of disk takes the message and never says that it has it

app = Celery("contactsync", set_as_current=False)
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_timeout=3,  # seconds; somebody waits for the page
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # for ever: the broker comes back
    # RabbitMQ takes a message back that is not acknowledged in half an hour. The task goes on then: it has its row.
    broker_channel_error_retry=True,
    broker_transport_options={"confirm_publish": True},
    task_default_queue=settings.CELERY_QUEUE,
    task_publish_retry_policy={"max_retries": 2, "interval_start": 0, "interval_step": 0.2},
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    # A killed worker's message goes to another one, and none waits behind long work while another worker is free.
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    # One task at a time and no fork: the broker is heard during long work, and tasks have threads of their own.
    worker_pool="threads",
    worker_concurrency=1,
    worker_enable_remote_control=False,
    worker_redirect_stdouts=False,
)
if settings.CELERY_BROKER_URL.startswith("amqps:"):  # without these, nobody's certificate is looked at
    app.conf.broker_use_ssl = {
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": urlsplit(settings.CELERY_BROKER_URL).hostname,
    }


@setup_logging.connect
def _log_as_elsewhere(**_: Any) -> None:
    """Celery sets up logging of its own unless somebody listens here; Django has done it already."""


@worker_shutting_down.connect
def _stop_at_once_when_asked_again(**_: Any) -> None:
    """A thread cannot be stopped; ending the process is as safe as `kill -9` is here."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(1))


@app.task(name=RUN_TASK)
def run_task(path: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Carry out the task at this path. Nothing but a task is called, whatever the message says."""
    task = import_string(path)
    if not isinstance(task, Task):
        raise SuspiciousOperation(f"{path} is not a task.")
    task.call(*args, **kwargs)


class CeleryBackend(BaseTaskBackend):
    """Sends each task to the queue. Its result is in the rows it works on, not here."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Hand the task to the broker, which has stored it when this returns. Raises `ConnectionError` when it has not."""
        self.validate_task(task)
        args, kwargs = normalize_json(list(args)), normalize_json(dict(kwargs))
        try:
            sent = app.send_task(
                RUN_TASK,
                (task.module_path, args, kwargs),
                shadow=task.module_path,
                timeout=PATIENCE,
                confirm_timeout=PATIENCE,
            )
        except BrokerErrors as error:
            raise ConnectionError(f"The broker at {broker()} did not take {task.module_path}: {error}") from error
        return TaskResult(
            task=task,
            id=str(sent.id),
            status=TaskResultStatus.READY,
            enqueued_at=timezone.now(),
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )


def broker() -> str:
    """Where the broker is, for people: no user, no password."""
    parts = urlsplit(settings.CELERY_BROKER_URL)
    return f"{parts.hostname}:{parts.port or {'amqp': 5672, 'amqps': 5671}[parts.scheme]}"


def why_unreachable() -> str:
    """Why the broker cannot be used; empty when it can."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=3)
    except BrokerErrors as error:
        return str(error) or type(error).__name__
    return ""


def work(ask_to_end: Callable[[], None]) -> int:
    """Carry out tasks until stopped: at a first signal `ask_to_end` tells the task in hand, at a second it ends at once. The exit status."""
    worker_shutting_down.connect(lambda **_: ask_to_end(), weak=False)
    worker = app.Worker(
        hostname=f"{os.getpid()}@{socket.gethostname()}",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
