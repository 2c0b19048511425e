"""Fixtures for all tests. The sandbox is the real server on a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import AutoField
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from contactsync.sync import logbook
from tests.sandbox_fixtures import client_of_sandbox, sandbox, sandbox_server  # noqa: F401 - fixtures for every test

hypothesis_settings.register_profile("contactsync", deadline=None)  # a busy machine is no failure
hypothesis_settings.load_profile("contactsync")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="Only the tests that use the database.")
    parser.addoption("--chaos-all", action="store_true", help="Every fault at every request, not a part of them.")
    parser.addoption("--chaos-seed", type=int, help="The moments at which workers are killed, as once before.")
    parser.addoption("--chaos-kills", type=int, default=20, help="How many workers are killed, over all providers.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--database-only`, leave out what cannot differ between databases."""
    if not config.getoption("--database-only"):
        return
    uses = [
        bool({"db", "transactional_db"} & set(getattr(item, "fixturenames", ())))
        or item.get_closest_marker("django_db") is not None
        for item in items
    ]
    config.hook.pytest_deselected(items=[item for item, used in zip(items, uses, strict=True) if not used])
    items[:] = [item for item, used in zip(items, uses, strict=True) if used]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Ids as a database has them that has been in use: of seven digits, which a page must not group, and none of two tables alike."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for place, model in enumerate(apps.get_models(), start=1):
            if not isinstance(model._meta.pk, AutoField):
                continue
            table, last = model._meta.db_table, 1_000_000 + 10_000 * place
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [table, model._meta.pk.column, last]
                )
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A page asked for in one language leaves it active; the next test begins in the language of the settings."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def own_logbook() -> Iterator[None]:
    """A database that is rolled back after a test is older than what the test let out; the next one begins a logbook of its own."""
    directory = Path(settings.DATA_DIR) / "logbooks" / uuid4().hex
    with pytest.MonkeyPatch.context() as patch:  # its own, so that no test takes it back
        patch.setattr(settings, "LOGBOOK_DIR", directory)
        patch.setenv("LOGBOOK_DIR", str(directory))
        patch.setattr(logbook, "to_disk", lambda descriptor: None)  # no test pulls the plug of the machine
        yield


@pytest.fixture
def run_tasks(transactional_db: None) -> Callable[[], None]:
    """Carry out every waiting background task, as a worker would, and come back."""

    def run() -> None:
        call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    return run
