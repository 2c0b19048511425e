"""Celery workers on RabbitMQ are killed in a push and in a send, and another one finishes both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from django.conf import settings as configured

from contactsync.models import Campaign
from contactsync.tasks import execute_run
from providers.sandbox import SandboxServer
from tests.campaigns.companies import COMPANIES
from tests.chaos import pushes, sends
from tests.chaos.nest import Nest
from tests.chaos.scene import IN_A_CALL, Scene
from tests.factories import make_user
from tests.sync.sides import SIDES
from tests.sync.test_pace import database_url
from tests.test_celery import Queue, broker, on_celery, queue  # noqa: F401 - fixtures

PEOPLE = 12


@pytest.fixture
def celery_scene(
    transactional_db: None,
    sandbox: SandboxServer,
    queue: Queue,  # noqa: F811
    chance: Random,
    tmp_path: Path,
) -> Iterator[Scene]:
    environment = {"CELERY_BROKER_URL": configured.CELERY_BROKER_URL, "CELERY_QUEUE": queue.name}
    with Nest(DATABASE_URL=database_url(), TASKS_BACKEND="celery", **environment) as nest:
        scene = Scene(sandbox, nest, chance, tmp_path, command=("worker",))
        yield scene
        scene.leave()


def test_killed_in_a_push_and_in_a_send_another_worker_finishes_both(
    sandbox: SandboxServer, celery_scene: Scene, kills: int
) -> None:
    scene, company = celery_scene, next(company for company in COMPANIES if company.slug == "lox24")
    side = SIDES["lox24"](sandbox)
    account = pushes.busy_account(side)
    account.default_sender = company.sender
    account.save()
    book, user = company.book(account, sandbox, company.phones(PEOPLE)), make_user()
    for number in range(1, max(1, kills // 2) + 1):
        run = pushes.approved_push(side, account, 100 * number, people=PEOPLE)
        execute_run.enqueue(run.pk)
        scene.carry_on(lambda it=run: pushes.is_over(it), kills=1, most=4, hows=IN_A_CALL)  # type: ignore[misc]
        pushes.assert_in_step(side, run)
        send = sends.approved_send(book, user, f"send {number}")
        campaign = Campaign.objects.get(runs=send)
        execute_run.enqueue(send.pk)
        scene.carry_on(lambda it=campaign: sends.is_over(it), kills=1, most=4, hows=IN_A_CALL)  # type: ignore[misc]
        ledger = sends.Ledger(company, sandbox, campaign)
        ledger.assert_true()
        assert ledger.unknown() <= set(scene.in_flight)
        assert scene.kills == 2 * number
