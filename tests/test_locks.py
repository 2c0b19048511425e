"""The locked sets of packages are what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
APP = PROJECT["project"]["dependencies"]
CELERY = PROJECT["project"]["optional-dependencies"]["celery"]


def locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    pinned = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pinned}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", APP),
        ("requirements-celery.lock", [*APP, *CELERY]),
        ("tests/requirements.lock", [*APP, *CELERY, *GROUPS["test"], *GROUPS["lint"]]),
    ],
)
def test_a_lock_has_every_package_in_a_version_that_is_asked_for(lock: str, wanted: list[str]) -> None:
    pinned = locked(lock)
    for requirement in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{lock} lacks {requirement.name}; run ./run lock"
        assert requirement.specifier.contains(version), f"{lock} has {requirement.name} {version}; run ./run lock"


@pytest.mark.parametrize("smaller", ["requirements.lock", "requirements-celery.lock"])
def test_the_locks_agree(smaller: str) -> None:
    app, everything = locked(smaller), locked("tests/requirements.lock")
    assert {name: everything.get(name) for name in app} == app


def test_celery_is_in_no_installation_that_has_not_asked_for_it() -> None:
    assert not {"celery", "kombu", "amqp"} & set(locked("requirements.lock"))
