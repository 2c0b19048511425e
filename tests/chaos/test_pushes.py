"""Workers are killed at random moments of pushes to each provider: nobody is there twice, and nobody is missing."""

from __future__ import annotations

import pytest

from contactsync.sync.connect import calls_at_once
from contactsync.tasks import execute_run
from providers.sandbox import SandboxServer
from tests.chaos.pushes import approved_push, assert_in_step, busy_account, is_over
from tests.chaos.scene import Scene
from tests.sync.sides import SIDES, Side

KILLS_PER_RUN = 5
APART = 100  # between the first numbers of two phonebooks


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    made: Side = SIDES[request.param](sandbox)
    return made


def test_killed_again_and_again_a_push_ends_with_both_sides_the_same(side: Side, scene: Scene, kills: int) -> None:
    account = busy_account(side)
    pushes = 0
    while scene.kills < kills:
        pushes += 1
        run = approved_push(side, account, pushes * APART)
        execute_run.enqueue(run.pk)
        before, lost = scene.kills, len(scene.in_flight)
        scene.carry_on(lambda it=run: is_over(it), kills=min(KILLS_PER_RUN, kills - before))  # type: ignore[misc]
        assert_in_step(side, run)
        assert len(scene.in_flight) - lost <= (scene.kills - before) * 2 * calls_at_once(account)
    print(f"{side.slug}: {pushes} pushes, {len(scene.in_flight)} calls on the wire when killed")  # noqa: T201
