"""A worker process killed at random moments, and the import, or its undo, resumed each time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from contactsync.imports import jobs, stream, undo, undo_run
from contactsync.models import ImportJob, Suppression
from tests.imports.files import checked, imported, make_book
from tests.imports.killing import everything, list_file, live, mixed_file
from tests.imports.undoing import looked

KILLS = 3
ROWS = 6000
CHUNK = 500


@pytest.fixture(autouse=True)
def chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the workers have them."""
    monkeypatch.setattr(stream, "CHUNK_ROWS", CHUNK)
    monkeypatch.setattr(stream, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr(undo_run, "CHUNK_ROWS", CHUNK)


def killed_again_and_again(work: Any, state: str, *, needed: float, chance: random.Random, most: int = KILLS) -> None:
    """Let workers go on until one lives to the end; `needed` is the computing time of a worker that was left alone."""
    kills = 0
    while kills < most and live(work, chunk=CHUNK, seconds=needed * chance.uniform(0.05, 0.3)) is None:
        kills += 1
        assert work.state == state
    if work.state == state:
        assert live(work, chunk=CHUNK)
    assert kills


@pytest.mark.django_db(transaction=True)
def test_an_import_whose_worker_is_killed_at_random_moments_leaves_what_a_quiet_one_leaves() -> None:
    before, content = mixed_file(ROWS // 3, seed=3), mixed_file(ROWS, seed=7)
    ends = []
    for _ in range(2):
        book, _options = make_book()
        imported(book, before)
        ends.append(checked(book, content))
    quiet, rough = ends
    for job in ends:
        jobs.begin_apply(job, user=None)
    needed = live(quiet, chunk=CHUNK)
    assert needed
    killed_again_and_again(rough, "applying", needed=needed, chance=random.Random(11))
    assert rough.counts["balances"]
    assert everything(rough) == everything(quiet)


@pytest.mark.django_db(transaction=True)
def test_a_file_for_the_suppression_list_and_its_undo_end_the_same_however_often_their_workers_are_killed() -> None:
    def begun() -> ImportJob:
        Suppression.objects.all().delete()
        imported(None, list_file(ROWS // 6, seed=3))
        job = checked(None, list_file(ROWS // 2, seed=7))
        jobs.begin_apply(job, user=None)
        return job

    quiet = begun()
    for_import = live(quiet, chunk=CHUNK)
    imported_quietly = everything(quiet)
    for_undo = live(undo.begin_undo(looked(quiet), {}, user=None), chunk=CHUNK)
    assert for_import
    assert for_undo
    quiet.refresh_from_db()
    undone_quietly = everything(quiet)
    rough, chance = begun(), random.Random(11)
    killed_again_and_again(rough, "applying", needed=for_import, chance=chance, most=2)
    assert rough.counts["balances"]
    assert everything(rough) == imported_quietly
    found = undo.begin_undo(looked(rough), {}, user=None)
    killed_again_and_again(found, "undoing", needed=for_undo, chance=chance, most=1)
    rough.refresh_from_db()
    assert found.counts["balances"]
    assert everything(rough) == undone_quietly
