"""How long people wait for a page, and for something they save, while an import runs beside them.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_import_web 100000
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_import_web 100000

Pages go through the whole of Django without a socket; the save is a login. First without the import, then beside it.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    logging.disable(logging.WARNING)
    from django.db import connection

    connection.creation.create_test_db(verbosity=0)
    with tempfile.TemporaryDirectory(prefix="bench-import-") as folder:
        os.environ["BENCH_DATABASE"] = str(connection.settings_dict["NAME"])
        try:
            measure(Path(folder) / "people.csv", options.rows)
        finally:
            connection.creation.destroy_test_db("", verbosity=0)


def measure(path: Path, rows: int) -> None:
    from django.db import connection
    from django.test import Client

    from contactsync.settings import SQLITE_START
    from tests.benchmarks.bench_import import write_file
    from tests.factories import make_user

    if connection.vendor == "sqlite":
        connection.close()
        connection.settings_dict["OPTIONS"]["init_command"] = SQLITE_START
    write_file(path, rows)
    user = make_user(is_superuser=True)
    client = Client()
    client.force_login(user)
    work: dict[str, Callable[[], Any]] = {
        "page": lambda: client.get("/admin/"),
        "save": lambda: Client().force_login(user),
    }
    if client.get("/admin/").status_code != 200:
        raise SystemExit("The page is not there.")
    calm = _times(work, lambda count: count < 100)
    print(f"{connection.vendor}, {rows} rows")  # noqa: T201
    _show("alone", calm)
    for step in ("check", "apply"):
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.bench_import",
            str(rows),
            "--step",
            step,
            "--file",
            str(path),
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            _show(step, _times(work, lambda _count: process.poll() is None))
        if process.returncode:
            raise SystemExit(f"The step {step} failed.")


def _times(work: dict[str, Callable[[], Any]], go_on: Callable[[int], bool]) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in work}
    while go_on(len(taken["page"])):
        for name, call in work.items():
            began = time.perf_counter()
            call()
            taken[name].append((time.perf_counter() - began) * 1000)
        time.sleep(0.02)  # people do not ask without a pause
    return taken


def _show(when: str, taken: dict[str, list[float]]) -> None:
    for name, values in taken.items():
        p95 = statistics.quantiles(values, n=20)[-1]
        print(  # noqa: T201
            f"{when:6} {name}  median {statistics.median(values):6.1f} ms  p95 {p95:6.1f} ms  "
            f"longest {max(values):6.1f} ms  of {len(values)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
