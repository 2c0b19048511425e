"""Kill the worker of an import again and again, all along its way, and compare with an import left alone.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_killed --kills 20 --rows 200000
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_killed --kills 20 --rows 200000
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    logging.disable(logging.INFO)
    from django.db import connection

    connection.creation.create_test_db(verbosity=0)
    try:
        kill(options.rows, options.kills, random.Random(options.seed))
    finally:
        connection.creation.destroy_test_db("", verbosity=0)


def kill(rows: int, kills: int, chance: random.Random) -> None:
    """Each kill falls into its own part of the rows, at a random row and a random moment of the work on a chunk."""
    from contactsync.imports import jobs, stream
    from tests.imports.files import checked, imported, make_book
    from tests.imports.killing import everything, live, live_until, mixed_file

    before, content = mixed_file(rows // 3, seed=3), mixed_file(rows, seed=7)
    ends = []
    for _ in range(2):
        book, _options = make_book()
        imported(book, before)
        ends.append(checked(book, content))
        jobs.begin_apply(ends[-1], user=None)
    quiet, rough = ends
    began = time.monotonic()
    live(quiet, chunk=stream.CHUNK_ROWS)
    of_a_chunk = (time.monotonic() - began) * stream.CHUNK_ROWS / rows
    done = 0
    for part in range(kills):
        at = int((part + chance.random()) * (rows - 2 * stream.CHUNK_ROWS) / kills)
        if live_until(rough, at, chunk=stream.CHUNK_ROWS, delay=chance.uniform(0, of_a_chunk)):
            done += 1
            print(f"kill {done}: {rough.position} of {rows} rows done", flush=True)  # noqa: T201
    if rough.state == "applying":
        live(rough, chunk=stream.CHUNK_ROWS)
    same = everything(rough) == everything(quiet)
    print(f"{done} kills; the same as left alone: {same}; balances: {rough.counts['balances']}")  # noqa: T201
    if not same or done < kills:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
