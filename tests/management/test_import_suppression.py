"""`import_suppression`: a file onto the suppression list from the command line, and its undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contactsync.imports import run as imports_run
from contactsync.models import ImportJob, Suppression
from tests.factories import make_account

STOPS = "mobile,reason\n09121234561,asked\n09121234562,\n9.89E+11,\n09121234561,again\n"
Run = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stops(tmp_path: Path) -> Path:
    path = tmp_path / "stops.csv"
    path.write_text(STOPS)
    return path


def test_it_imports_prints_the_equation_and_can_be_undone_and_redone(run: Run, stops: Path) -> None:
    Suppression.objects.create(phone="+989121234562", reason="old")
    result = run("import_suppression", stops)
    job = ImportJob.objects.get()
    assert result == {
        "ok": True, "import": job.pk, "state": "applied", "rows": 4, "created": 1, "updated": 0, "unchanged": 1, "skipped": 0,
        "duplicate": 1, "rejected": 1, "balances": True, "exit": 0, "why": "",
    }  # fmt: skip
    undone = run("undo_import", str(job.pk))
    assert (undone["cases"], undone["actions"]) == ({"created": 1}, {"removed": 1})
    assert Suppression.objects.get().reason == "old"
    run("undo_import", str(job.pk), "--redo")
    assert Suppression.objects.count() == 2


def test_a_dry_run_tells_the_same_and_writes_nothing(run: Run, stops: Path) -> None:
    result = run("import_suppression", stops, "--dry-run")
    assert (result["ok"], result["created"], result["state"]) == (True, 2, "checked")
    assert not Suppression.objects.exists()
    assert ImportJob.objects.get().state == "discarded"


def test_the_country_is_that_of_the_first_account_unless_it_is_said(run: Run, tmp_path: Path) -> None:
    make_account(default_region="DE")
    path = tmp_path / "stops.txt"
    path.write_text("phone\n0151 23456789\n")
    assert run("import_suppression", path)["created"] == 1
    assert run("import_suppression", path, "--region", "ir")["rejected"] == 1
    with pytest.raises(CommandError, match="--region XX"):
        call_command("import_suppression", str(path), "--region", "XX")


def test_columns_and_values_for_all_rows_are_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "stops.csv"
    path.write_text("a,b\n09121234561,letter\n")
    run("import_suppression", path, "--map", "a=phone", "--map", "b=reason", "--fixed", "since=2024-05-06")
    row = Suppression.objects.get()
    assert (row.reason, row.since.year) == ("letter", 2024)
    with pytest.raises(CommandError, match=r"there is no field “tags”\. Fields: phone number, reason, since"):
        call_command("import_suppression", str(path), "--map", "b=tags")


def test_numbers_taken_off_after_the_check_stop_it_unless_told_otherwise(
    run: Run, stops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = imports_run._check

    def check_and_clear(*args: Any) -> None:
        check(*args)
        Suppression.objects.all().delete()

    monkeypatch.setattr(imports_run, "_check", check_and_clear)
    Suppression.objects.create(phone="+989121234562")
    result = run("import_suppression", stops)
    assert (result["ok"], result["state"]) == (False, "stopped")
    assert "Lines: 3" in result["why"]
    Suppression.objects.create(phone="+989121234562")
    assert run("import_suppression", stops, "--go-on")["state"] == "applied"
    assert Suppression.objects.count() == 2
