"""The command that undoes an import."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from contactsync.imports import undo
from contactsync.models import Contact
from tests.imports.files import HEADER, imported, make_book
from tests.imports.undoing import looked

pytestmark = pytest.mark.django_db
FILE = HEADER + "09121234561,Ali,Rezaei,\n09121234562,Sara,Karimi,\n"


def run(*args: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command("undo_import", *map(str, args), "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_an_import_is_undone_and_redone() -> None:
    job = imported(make_book()[0], FILE)
    assert run(job.pk, "--dry-run")["cases"] == {"created": 2}
    assert Contact.objects.count() == 2
    assert run(job.pk)["actions"] == {"removed": 2}
    assert not Contact.objects.exists()
    told = run(job.pk, "--redo")
    assert (told["redone"], told["balances"], told["ok"]) == ({"done": 2}, True, True)
    assert Contact.objects.count() == 2


def test_what_was_edited_is_removed_only_on_demand() -> None:
    job = imported(make_book()[0], FILE)
    for row in Contact.objects.all():
        row.save()
    assert run(job.pk, "--choose", "created_edited=remove")["actions"] == {"removed": 2}


def test_it_goes_on_where_it_was_stopped() -> None:
    job = imported(make_book()[0], FILE)
    found = looked(job)
    undo.begin_undo(found, {}, user=None)
    undo.stop(found)
    assert run(job.pk)["actions"] == {"removed": 2}
    undo.begin_redo(found, user=None)
    undo.stop(found)
    assert run(job.pk, "--redo")["redone"] == {"done": 2}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["99"], "no import with the number 99"),
        (["JOB", "--choose", "created=keep"], "write it as CASE=CHOICE"),
        (["JOB", "--redo"], "was not undone"),
    ],
)
def test_what_cannot_be_is_refused_in_words(args: list[str], words: str) -> None:
    job = imported(make_book()[0], FILE)
    with pytest.raises(CommandError, match=words):
        run(*(job.pk if each == "JOB" else each for each in args))
