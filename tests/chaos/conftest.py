"""A seed that is printed and can be given, a number of kills, and a nest of worker processes for them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.sandbox import SandboxServer
from tests.chaos.nest import Nest
from tests.chaos.scene import Scene
from tests.sync.test_pace import database_url

pytest.register_assert_rewrite("tests.chaos.pushes", "tests.chaos.sends")

LATENCY = 0.005  # seconds, so that several calls are on the wire at a time


@pytest.fixture(scope="session")
def nest(django_db_setup: None) -> Iterator[Nest]:
    with Nest(DATABASE_URL=database_url()) as nest:
        yield nest


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """The same with the same `--chaos-seed`, for each test by itself."""
    seed = request.config.getoption("--chaos-seed")
    if seed is None:
        seed = random.SystemRandom().randrange(1_000_000)
    print(f"--chaos-seed={seed}")  # noqa: T201 - pytest shows it with a failure
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How many workers each of the eight tests of providers kills: its share of `--chaos-kills`."""
    return max(1, round(request.config.getoption("--chaos-kills") / 8))


@pytest.fixture
def scene(
    transactional_db: None, sandbox: SandboxServer, nest: Nest, chance: random.Random, tmp_path: Path
) -> Iterator[Scene]:
    sandbox.latency = LATENCY
    scene = Scene(sandbox, nest, chance, tmp_path)
    yield scene
    scene.leave()
    print(f"{scene.kills} kills: {dict(scene.deaths)}")  # noqa: T201
