"""How fast an import is, beside the floor: Django's bulk_create of the same contacts into the same table.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_import 20000
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_import 20000

The database is a test database of its own, made and thrown away here. Each step runs in a process of its own,
so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ("start", "floor", "check", "apply", "again")
HEADER = "موبایل,نام,نام خانوادگی,ایمیل,شهر,امتیاز,تاریخ تولد"


def write_file(path: Path, rows: int) -> None:
    """As people have it: local numbers, Persian names, two options, every twentieth row wrong."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(HEADER + "\r\n")
        for n in range(rows):
            phone = f"0912{n:07d}" if n % 20 else f"0912{n:04d}"
            file.write(f"{phone},علی {n % 97},رضایی,ali{n}@example.com,رشت,{n % 500},13{n % 80 + 10}/07/16\r\n")


def start(path: Path, rows: int) -> Callable[[], Any]:
    """The empty process: what memory everything else begins with."""
    return lambda: None


def floor(path: Path, rows: int) -> Callable[[], Any]:
    from contactsync.models import Contact
    from tests.imports.files import make_book

    book, _options = make_book()
    contacts = [
        Contact(
            phonebook=book, phone=f"+98912{n:07d}", first_name=f"علی {n % 97}", last_name="رضایی",
            email=f"ali{n}@example.com", options={"1": "رشت", "2": str(n % 500), "3": "1992-10-08"}, payload_hash="x" * 64,
        )
        for n in range(rows)
    ]  # fmt: skip
    return lambda: Contact.objects.bulk_create(contacts, batch_size=2000)


def check(path: Path, rows: int) -> Callable[[], Any]:
    from tests.factories import make_account, make_option, make_phonebook
    from tests.imports.files import check as run
    from tests.imports.files import upload

    account = make_account(name="import")
    kinds = {"شهر": "text", "امتیاز": "integer", "تاریخ تولد": "date"}
    options = [make_option(account, title, kind) for title, kind in kinds.items()]
    book = make_phonebook(account, options=tuple(options))
    job = upload(book, path.read_bytes())
    return lambda: run(job)


def apply(path: Path, rows: int) -> Callable[[], Any]:
    from contactsync.models import ImportJob
    from tests.imports.files import apply as run

    job = ImportJob.objects.latest("pk")
    return lambda: (run(job), show(job))


def again(path: Path, rows: int) -> Callable[[], Any]:
    """The same file once more: every row is looked at, none changes."""
    from contactsync.models import ImportJob, Phonebook
    from tests.imports.files import apply as run
    from tests.imports.files import checked

    book = Phonebook.objects.get(pk=ImportJob.objects.latest("pk").phonebook_id)
    job = checked(book, path.read_bytes())
    return lambda: (run(job), show(job))


def show(job: Any) -> None:
    assert job.counts["balances"], job.counts
    assert not job.counts["differs_from_check"], job.counts


def peak_mb() -> float:
    """Of this process alone; what `resource` says begins with the peak of the process that started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def one_step(name: str, path: Path, rows: int) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.core.files.storage import FileSystemStorage
    from django.db import connection

    from contactsync.models import ImportJob

    ImportJob._meta.get_field("file").storage = FileSystemStorage(location=path.parent)  # the same for every step
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
    work = globals()[name](path, rows)
    began, cpu = time.perf_counter(), time.process_time()
    work()
    print(  # noqa: T201 - the answer to the process that asked
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "cpu": time.process_time() - cpu,
                "peak_mb": peak_mb(),
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=20_000)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    if options.step:
        one_step(options.step, options.file, options.rows)
        return
    import django

    django.setup()
    from django.db import connection

    connection.creation.create_test_db(verbosity=0)
    with tempfile.TemporaryDirectory(prefix="bench-import-") as folder:
        path = Path(folder) / "people.csv"
        write_file(path, options.rows)
        os.environ["BENCH_DATABASE"] = str(connection.settings_dict["NAME"])
        try:
            report(connection.vendor, options.rows, path)
        finally:
            connection.creation.destroy_test_db("", verbosity=0)


def report(vendor: str, rows: int, path: Path) -> None:
    print(f"{vendor}, {rows} rows, {path.stat().st_size / 1e6:.1f} MB", flush=True)  # noqa: T201
    found: dict[str, dict[str, float]] = {}
    for step in STEPS:
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
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found[step] = taken = json.loads(done.stdout)
        if step == "start":
            print(f"{step:6} {taken['peak_mb']:6.0f} MB")  # noqa: T201
            continue
        print(  # noqa: T201
            f"{step:6} {rows / taken['seconds']:8.0f} rows/s  {rows / max(taken['cpu'], 1e-9):8.0f} rows/s of own CPU time  "
            f"{taken['seconds'] / found['floor']['seconds']:5.2f} × floor  peak {taken['peak_mb']:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
