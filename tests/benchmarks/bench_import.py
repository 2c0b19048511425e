"""How fast an import is, beside the floor, and beside django-import-export in its bulk mode.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_import 100000
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_import 100000

The floor is the table with all its indexes, filled as fast as its driver can: ready rows, executemany or COPY, nothing
read, judged, compared or kept for an undo. The database is a test database of its own that waits for the disk as in
production, made and thrown away here. Each step runs in a process of its own; peaks of memory include the processes
it starts. Numbers are in no order, every twentieth row is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = (
    *("start", "floor", "import_export", "check", "apply", "again", "change"),
    *("list_check", "list_apply", "list_again", "list_undo"),
)
HEADER = "موبایل,نام,نام خانوادگی,ایمیل,شهر,امتیاز,تاریخ تولد"
#: the slow one gets fewer rows
IMPORT_EXPORT_ROWS = 10_000
Step = tuple[Callable[[], Any], int]


def number(n: int) -> str:
    """Ten million different ones, in no order a database could profit from."""
    return f"912{n * 7_654_321 % 10_000_000:07d}"


def write_file(path: Path, rows: int, *, family: str = "رضایی") -> None:
    """As people have it: local numbers, Persian names, three options, every twentieth row wrong."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(HEADER + "\r\n")
        for n in range(rows):
            phone = f"0{number(n)}" if n % 20 else f"0912{n % 10_000:04d}"
            file.write(f"{phone},علی {n % 97},{family},ali{n}@example.com,رشت,{n % 500},13{n % 80 + 10}/07/16\r\n")


def start(path: Path, rows: int) -> Step:
    """The empty process: what memory everything else begins with."""
    return (lambda: None), 1


def floor(path: Path, rows: int) -> Step:
    from django.db import connection, transaction
    from django.utils import timezone

    from contactsync.models import Contact

    book = _make_book("floor")
    now = timezone.now()
    fixed = Contact(phonebook=book, options={"1": "رشت", "2": "7", "3": "1992-10-08"}, created_at=now, updated_at=now)
    fields = [field for field in Contact._meta.concrete_fields if not field.primary_key]
    same = {field.name: _as_text(field.get_db_prep_save(getattr(fixed, field.attname), connection)) for field in fields}
    data = [
        tuple(
            {
                **same, "uuid": os.urandom(16).hex(), "phone": "+98" + number(n), "first_name": f"علی {n % 97}",
                "last_name": "رضایی", "email": f"ali{n}@example.com", "payload_hash": os.urandom(32).hex(),
            }.values()
        )
        for n in range(min(rows, 100_000))
    ]  # fmt: skip
    columns = ", ".join(str(field.column) for field in fields)

    def run() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {Contact._meta.db_table} ({columns}) FROM STDIN") as copy:
                    for row in data:
                        copy.write_row(row)
            else:
                places = ", ".join(["%s"] * len(fields))
                cursor.executemany(f"INSERT INTO {Contact._meta.db_table} ({columns}) VALUES ({places})", data)  # noqa: S608

    return run, len(data)


def _as_text(value: Any) -> Any:
    """JSON as the driver would write it in the end."""
    return json.dumps(value.obj) if hasattr(value, "obj") else value


def _make_book(name: str) -> Any:
    from tests.factories import make_account, make_option, make_phonebook

    account = make_account(name=name, default_region="IR")
    kinds = {"شهر": "text", "امتیاز": "integer", "تاریخ تولد": "date"}
    return make_phonebook(account, options=tuple(make_option(account, title, kind) for title, kind in kinds.items()))


def import_export(path: Path, rows: int) -> Step:
    """As its documentation says for speed. It is given less to do: no options, no verdicts, no undo."""
    import tablib
    from import_export.fields import Field
    from import_export.resources import ModelResource
    from import_export.widgets import CharWidget

    from contactsync.models import Contact
    from contactsync.phone import parse_phone

    book = _make_book("import-export")

    class Phone(CharWidget):
        def clean(self, value: Any, row: Any = None, **more: Any) -> str:
            verdict = parse_phone(value, "IR")
            if not verdict.is_valid:
                raise ValueError(verdict.code)
            return verdict.e164

    class People(ModelResource):
        phone = Field(attribute="phone", column_name="موبایل", widget=Phone())
        first_name = Field(attribute="first_name", column_name="نام")
        last_name = Field(attribute="last_name", column_name="نام خانوادگی")
        email = Field(attribute="email", column_name="ایمیل")

        class Meta:
            model = Contact
            fields = ("phone", "first_name", "last_name", "email")
            import_id_fields = ("phone",)
            use_bulk = True
            batch_size = 1000
            skip_diff = True

        def get_queryset(self) -> Any:
            return Contact.objects.filter(phonebook=book)

        def init_instance(self, row: Any = None) -> Contact:
            return Contact(phonebook=book)

    lines = path.read_text(encoding="utf-8-sig").splitlines()[: IMPORT_EXPORT_ROWS + 1]

    def run() -> None:
        result = People().import_data(tablib.Dataset().load("\n".join(lines), format="csv"), raise_errors=False)
        assert result.totals["new"] > len(lines) * 0.9, result.totals

    return run, len(lines) - 1


def check(path: Path, rows: int) -> Step:
    from tests.imports.files import check as run

    job = _upload(_make_book("import"), path)
    return (lambda: run(job)), rows


def apply(path: Path, rows: int) -> Step:
    from contactsync.models import ImportJob

    return _apply(ImportJob.objects.latest("pk")), rows


def again(path: Path, rows: int) -> Step:
    """The same file once more: every row is looked at, none changes."""
    run = _apply(_checked(path))
    return (lambda: _is(run(), created=0, updated=0)), rows


def change(path: Path, rows: int) -> Step:
    """A file that says something else of every contact."""
    write_file(path, rows, family="کریمی")
    run = _apply(_checked(path))
    return (lambda: _is(run(), created=0, unchanged=0)), rows


def list_check(path: Path, rows: int) -> Step:
    """The same numbers for the suppression list, as many of them with contacts here as the steps before have made."""
    from tests.imports.files import check as run

    job = _upload(None, _list_file(path, rows))
    return (lambda: run(job)), rows


def list_apply(path: Path, rows: int) -> Step:
    return apply(path, rows)


def list_again(path: Path, rows: int) -> Step:
    from tests.imports.files import check as run

    job = _upload(None, _list_file(path, rows))
    run(job)
    apply_again = _apply(job)
    return (lambda: _is(apply_again(), created=0, updated=0)), rows


def list_undo(path: Path, rows: int) -> Step:
    """Looked through and undone: every number of the first file is in the second one too."""
    from contactsync.models import ImportJob
    from tests.imports.undoing import undone

    job = ImportJob.objects.filter(kind="suppression").earliest("pk")
    return (lambda: undone(job, created_named="remove") and None), rows


def _list_file(path: Path, rows: int) -> Path:
    """Number, reason and date, every twentieth row wrong."""
    there = path.with_name("list.csv")
    with there.open("w", encoding="utf-8-sig", newline="") as file:
        file.write("موبایل,علت,تاریخ\r\n")
        for n in range(rows):
            phone = f"0{number(n)}" if n % 20 else f"0912{n % 10_000:04d}"
            file.write(f"{phone},لغو {n % 97},1403/{n % 12 + 1:02d}/07\r\n")
    return there


def _upload(book: Any, path: Path) -> Any:
    from django.core.files import File

    from contactsync.imports import jobs

    with path.open("rb") as file:
        upload = File(file, name="people.csv")
        return jobs.create_job(phonebook=book, upload=upload, region="" if book else "IR")


def _checked(path: Path) -> Any:
    from contactsync.models import ImportJob
    from tests.imports.files import check as run

    job = _upload(ImportJob.objects.latest("pk").phonebook, path)
    run(job)
    return job


def _apply(job: Any) -> Callable[[], dict[str, int]]:
    from tests.imports.files import apply as run

    def work() -> dict[str, int]:
        run(job)
        assert job.counts["balances"], (job.counts, job.error)
        assert not job.counts["differs_from_check"], job.counts
        return dict(job.counts)

    return work


def _is(counts: dict[str, int], **expected: int) -> None:
    assert counts.items() >= expected.items(), counts


class Memory(threading.Thread):
    """The largest sum of what a process and its children hold, pages they share counted once (PSS), ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0.0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.1):
            self.peak = max(self.peak, sum(map(_megabytes, _family(self.pid))))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:  # it has just ended
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def one_step(name: str, path: Path, rows: int) -> None:
    import django

    django.setup()
    import logging

    logging.disable(logging.INFO)
    from django.conf import settings
    from django.core.files.storage import FileSystemStorage
    from django.db import connection

    from contactsync.models import ImportJob
    from contactsync.settings import SQLITE_START

    ImportJob._meta.get_field("file").storage = FileSystemStorage(location=path.parent)  # the same for every step
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["init_command"] = SQLITE_START
    else:
        connection.settings_dict["OPTIONS"] = {}
    work, done = globals()[name](path, rows)
    began, cpu = time.perf_counter(), os.times()
    work()
    spent = sum(now - before for now, before in zip(os.times()[:4], cpu[:4], strict=True))
    print(  # noqa: T201 - the answer to the process that asked
        json.dumps({"seconds": time.perf_counter() - began, "cpu": spent, "rows": done})
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=20_000)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
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
            report(connection.vendor, options.rows, path, options.steps)
        finally:
            connection.creation.destroy_test_db("", verbosity=0)


def report(vendor: str, rows: int, path: Path, steps: tuple[str, ...]) -> None:
    print(f"{vendor}, {rows} rows, {path.stat().st_size / 1e6:.1f} MB", flush=True)  # noqa: T201
    rates: dict[str, float] = {}
    for step in steps:
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
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            memory = Memory(process.pid)
            memory.start()
            answer, _ = process.communicate()
            memory.over.set()
        if process.returncode:
            raise SystemExit(f"The step {step} failed.")
        taken = json.loads(answer)
        rates[step] = taken["rows"] / taken["seconds"]
        if step == "start":
            print(f"{step:14} {memory.peak:40.0f} MB")  # noqa: T201
            continue
        beside = "".join(
            f"  {rates[step] / rates[other]:6.2f} × {other}" for other in ("floor", "import_export") if other in rates
        )
        print(  # noqa: T201
            f"{step:14} {rates[step]:7.0f} rows/s  {taken['rows'] / max(taken['cpu'], 1e-9):7.0f} per CPU-s "
            f"{memory.peak:5.0f} MB{beside}",
            flush=True,
        )


if __name__ == "__main__":
    main()
