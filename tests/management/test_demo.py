"""Where the demo starts, and where it would write among somebody's data."""

from __future__ import annotations

import pytest
from django.core.management.base import CommandError
from django.db import connection

from contactsync.management.commands.demo import insist_on_own_installation


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the demo only uses the SQLite file it creates")
def test_it_starts_with_the_database_file_it_makes_itself() -> None:
    insist_on_own_installation()


@pytest.mark.parametrize(("name", "value"), [("PROVIDER", "lox24"), ("TASKS_BACKEND", "celery")])
def test_it_starts_in_no_installation_that_somebody_has_set_up(settings, name: str, value: str) -> None:
    setattr(settings, name, value)
    with pytest.raises(CommandError, match="is in use"):
        insist_on_own_installation()


def test_it_starts_on_no_database_of_a_team(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "postgresql")
    with pytest.raises(CommandError, match="is in use"):
        insist_on_own_installation()
