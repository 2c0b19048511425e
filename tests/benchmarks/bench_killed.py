"""Kill the worker of an import again and again at random moments, and compare with an import left alone.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_killed --kills 20 --rows 200000
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_killed --kills 20 --rows 200000
"""

from __future__ import annotations

import argparse
import logging
import os
import random


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
    from contactsync.imports import jobs, stream
    from tests.imports.files import checked, imported, make_book
    from tests.imports.killing import everything, live, mixed_file

    before, content = mixed_file(rows // 3, seed=3), mixed_file(rows, seed=7)
    ends = []
    for _ in range(2):
        book, _options = make_book()
        imported(book, before)
        ends.append(checked(book, content))
        jobs.begin_apply(ends[-1], user=None)
    quiet, rough = ends
    needed = live(quiet, chunk=stream.CHUNK_ROWS) or 0
    done = 0
    while done < kills:
        if live(rough, chunk=stream.CHUNK_ROWS, seconds=needed * chance.uniform(0.05, 0.25)) is not None:
            print(f"It was done before kill {done + 1}.")  # noqa: T201
            break
        done += 1
        print(f"kill {done}: {rough.position} of {rows} rows done", flush=True)  # noqa: T201
    if rough.state == "applying":
        live(rough, chunk=stream.CHUNK_ROWS)
    same = everything(rough) == everything(quiet)
    print(f"{done} kills; the same as left alone: {same}; balances: {rough.counts['balances']}")  # noqa: T201
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
