"""A worker process killed at random moments, and the import resumed each time."""

from __future__ import annotations

import random

import pytest

from contactsync.imports import jobs, stream
from tests.imports.files import checked, imported, make_book
from tests.imports.killing import everything, live, mixed_file

KILLS = 3
ROWS = 6000
CHUNK = 500


@pytest.mark.django_db(transaction=True)
def test_an_import_whose_worker_is_killed_at_random_moments_leaves_what_a_quiet_one_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "CHUNK_ROWS", CHUNK)  # the check in chunks as the workers have them
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
    chance, kills = random.Random(11), 0
    while kills < KILLS and live(rough, chunk=CHUNK, seconds=needed * chance.uniform(0.1, 0.5)) is None:
        kills += 1
        assert rough.state == "applying"
    if rough.state == "applying":
        assert live(rough, chunk=CHUNK)
    assert kills
    assert rough.counts["balances"]
    assert everything(rough) == everything(quiet)
