"""Kill the worker of an import, of its undo and of the redo again and again, all along its way, and compare with one left alone.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_killed --kills 20 --rows 200000
    python -m tests.benchmarks.bench_killed --kills 20 --rows 200000 --list        (a file for the suppression list)
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_killed --kills 20 --rows 200000
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

Work = Callable[[Any, int], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="a file for the suppression list")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    logging.disable(logging.INFO)
    from django.db import connection

    connection.creation.create_test_db(verbosity=0)
    try:
        kill(options.rows, options.kills, random.Random(options.seed), onto_list=options.list)
    finally:
        connection.creation.destroy_test_db("", verbosity=0)


def kill(rows: int, kills: int, chance: random.Random, *, onto_list: bool) -> None:
    """Each kill falls into its own part of the rows, at a random row and a random moment of the work on a chunk."""
    from contactsync.imports import stream, undo_run
    from tests.imports.killing import live, live_until

    chunk = stream.CHUNK_ROWS = undo_run.CHUNK_ROWS = 3000
    times: list[float] = []

    def quietly(work: Any, total: int) -> None:
        began = time.monotonic()
        live(work, chunk=chunk)
        times.append((time.monotonic() - began) * chunk / total)

    def killed(work: Any, total: int) -> None:
        state, of_a_chunk, done = work.state, times.pop(0), 0
        for part in range(kills):
            at = int((part + chance.random()) * (total - 2 * chunk) / kills)
            done += live_until(work, at, chunk=chunk, delay=chance.uniform(0, of_a_chunk))
        if work.state == state:
            live(work, chunk=chunk)
        print(f"{state}: {done} kills over {total} rows; balances: {work.counts['balances']}", flush=True)  # noqa: T201
        if done < kills:
            raise SystemExit("The worker came to its end before all kills were done. Take more rows.")

    quiet, rough = (list(stages(rows, work, onto_list=onto_list)) for work in (quietly, killed))
    print("the same as left alone:", same := quiet == rough)  # noqa: T201
    if not same:
        raise SystemExit(1)


def stages(rows: int, work: Work, *, onto_list: bool) -> Iterator[dict[str, Any]]:
    """Import, undo and redo, each done by `work`: what there is after each."""
    from contactsync.imports import jobs, undo
    from contactsync.models import Suppression
    from tests.imports.files import checked, imported, make_book
    from tests.imports.killing import everything, list_file, mixed_file
    from tests.imports.undoing import looked

    Suppression.objects.all().delete()
    book, made = (None, list_file) if onto_list else (make_book()[0], mixed_file)
    imported(book, made(rows // 3, seed=3))
    job = checked(book, made(rows, seed=7))
    jobs.begin_apply(job, user=None)
    work(job, rows)
    yield everything(job)
    found = looked(job)
    for begin in (lambda: undo.begin_undo(found, {}, user=None), lambda: undo.begin_redo(found, user=None)):
        begin()
        work(found, found.total)
        job.refresh_from_db()
        yield everything(job)


if __name__ == "__main__":
    main()
