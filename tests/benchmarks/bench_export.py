"""How fast contacts go into a file, and in how much memory, beside the floor: the same rows read as plain tuples.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_export 100000
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_export 100000
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

STEPS = ("floor", "csv", "xlsx")


def fill(rows: int) -> None:
    from contactsync.models import Contact
    from tests.imports.files import make_book

    book, options = make_book(city="text", score="integer", born="date")
    keys = [str(option.pk) for option in options.values()]
    for start in range(0, rows, 10_000):
        Contact.objects.bulk_create(
            Contact(
                phonebook=book, phone=f"+98912{n:07d}", first_name=f"علی {n % 97}", last_name="رضایی", email=f"ali{n}@example.com",
                options=dict(zip(keys, ("رشت", str(n % 500), "1992-10-08"), strict=True)), payload_hash="x" * 64,
            )
            for n in range(start, min(start + 10_000, rows))
        )  # fmt: skip


def floor() -> Iterator[Any]:
    from contactsync.models import Contact

    return iter(Contact.objects.order_by("-pk").values_list().iterator(chunk_size=2000))


def downloaded(form: str) -> Callable[[], Any]:
    from django.contrib import admin

    from contactsync.models import Contact

    screen: Any = admin.site.get_model_admin(Contact)
    return lambda: iter(
        screen.file(form, Contact.objects.select_related("phonebook").order_by("-pk")).streaming_content
    )


def peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def one_step(name: str, rows: int) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
    before, began = peak_mb(), time.perf_counter()
    pieces = floor() if name == "floor" else downloaded(name)()
    next(pieces)
    first = time.perf_counter() - began
    for _piece in pieces:
        pass
    seconds = time.perf_counter() - began
    print(  # noqa: T201
        f"{name:6} {rows / seconds:9.0f} rows/s   first byte after {first:6.2f} s   peak {peak_mb():4.0f} MB ({before:.0f} before)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=20_000)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    if options.step:
        one_step(options.step, options.rows)
        return
    import django

    django.setup()
    from django.db import connection

    connection.creation.create_test_db(verbosity=0)
    try:
        fill(options.rows)
        os.environ["BENCH_DATABASE"] = str(connection.settings_dict["NAME"])
        print(f"{connection.vendor}, {options.rows} contacts", flush=True)  # noqa: T201
        for step in STEPS:
            subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.bench_export", str(options.rows), "--step", step], check=True
            )
    finally:
        connection.creation.destroy_test_db("", verbosity=0)


if __name__ == "__main__":
    main()
