"""Imports and undos in a worker process that is killed at a chosen moment of its computing time, and all that they leave.

    python -m tests.imports.killing <database> <files> <import | undo> <id> <rows per chunk> <seconds to live, or 0>

is such a worker. It dies of a signal whose default nobody changed: like `kill -9`, in the middle of anything.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import Any


def mixed_file(rows: int, *, seed: int) -> str:
    """Numbers in no order, some of them twice; wrong numbers, wrong e-mail addresses, landlines, formulas."""
    chance = random.Random(seed)
    lines = ["phone,first name,last name,email,tags,consent\n"]
    for n in range(rows):
        phone = f"0912{chance.randrange(rows * 2):07d}" if n % 13 else chance.choice(["9.89E+11", "02188776655", "12"])
        email = "bad" if n % 17 == 0 else f"p{n}@example.com"
        name = "=1+1" if n % 101 == 0 else f"name {chance.randrange(50)}"
        lines.append(f"{phone},{name},رضایی,{email},{'a;b' if n % 3 else ''},{'yes' if n % 5 == 0 else ''}\n")
    return "".join(lines)


def list_file(rows: int, *, seed: int) -> str:
    """The same for the suppression list, with reasons and dates, right and wrong ones."""
    chance = random.Random(seed)
    lines = ["phone,reason,since\n"]
    for n in range(rows):
        phone = f"0912{chance.randrange(rows * 2):07d}" if n % 13 else chance.choice(["9.89E+11", "02188776655", "12"])
        since = "soon" if n % 29 == 0 else f"2024-{n % 12 + 1:02d}-05"
        lines.append(f"{phone},{'=1+1' if n % 101 == 0 else 'asked'},{since}\n")
    return "".join(lines)


def live(work: Any, *, chunk: int, seconds: float = 0) -> float | None:
    """Let a worker go on with the import, or the undo. Returns the computing time it took, or `None` when it was killed before
    the end."""
    done = subprocess.run(_worker(work, chunk, seconds), stdout=subprocess.PIPE, text=True, check=False)
    work.refresh_from_db()
    if done.returncode == -signal.SIGPROF:
        return None
    assert done.returncode == 0, done.returncode
    return float(json.loads(done.stdout))


def live_until(work: Any, rows: int, *, chunk: int, delay: float) -> bool:
    """Let a worker go on until so many rows are committed, and kill it that many seconds later. Returns whether it was alive still."""
    progress = "done" if hasattr(work, "done") else "position"
    with subprocess.Popen(_worker(work, chunk), stdout=subprocess.DEVNULL) as worker:
        while worker.poll() is None:
            work.refresh_from_db(fields=[progress])
            if getattr(work, progress) >= rows:
                try:
                    worker.wait(delay)
                except subprocess.TimeoutExpired:
                    worker.kill()
                break
            time.sleep(0.01)
    work.refresh_from_db()
    assert worker.returncode in {0, -signal.SIGKILL}, worker.returncode
    return worker.returncode != 0


def _worker(work: Any, chunk: int, seconds: float = 0) -> list[str]:
    """The command of a worker for an import, or an undo, that nobody holds any more."""
    from django.db import connection
    from django.utils import timezone

    from contactsync.models import ImportJob

    type(work).objects.filter(pk=work.pk).exclude(lease_until=None).update(
        lease_until=timezone.now() - dt.timedelta(seconds=1)
    )
    database, files = str(connection.settings_dict["NAME"]), str(ImportJob._meta.get_field("file").storage.location)
    what = ["import" if isinstance(work, ImportJob) else "undo", str(work.pk)]
    return [sys.executable, "-m", "tests.imports.killing", database, files, *what, str(chunk), str(seconds)]


def everything(job: Any) -> dict[str, Any]:
    """What an import and its last undo leave, in a form in which those of two imports of one file can be compared."""
    said = job.issues.order_by("row", "pk").values_list(
        "row", "line", "column", "severity", "code", "value", "params", "suggestion", "cells"
    )
    moments = {"updated_at", "consented_at"}
    whose = "suppression__phone" if job.is_suppression else "contact__phone"
    changes = [
        (phone, row, line, kind, before and {**before, **dict.fromkeys(moments)} | {"set": sorted(before["set"])})
        for phone, row, line, kind, before in job.changes.order_by("row").values_list(
            whose, "row", "line", "kind", "before"
        )
    ]
    return {
        "state": job.state,
        "counts": _without_start(job.counts),
        "place": _all_of_list() if job.is_suppression else _all_of_book(job.phonebook),
        "issues": list(said),
        "changes": changes,
        "undo": _all_of_undo(job.undos.last()),
    }


def _all_of_book(book: Any) -> list[tuple[Any, ...]]:
    contacts = book.contacts.order_by("phone").values_list(
        "phone", "prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note", "options",
        "consent_source", "deleted_at", "sync_state", "payload_hash",
    )  # fmt: skip
    return list(contacts)


def _all_of_list() -> list[tuple[Any, ...]]:
    from contactsync.models import Suppression

    return list(Suppression.objects.order_by("phone").values_list("phone", "reason", "source", "since"))


def _all_of_undo(undo: Any) -> Any:
    if undo is None:
        return None
    changes = undo.changes.order_by("change__row").values_list("phone", "case", "action", "redone")
    return undo.state, _without_start(undo.counts), undo.done, undo.total, list(changes)


def _without_start(counts: dict[str, Any]) -> dict[str, Any]:
    """All counts but where the last worker began, which is for its speed."""
    return {key: value for key, value in counts.items() if key != "resumed_from"}


def main() -> None:
    database, files, what, pk, chunk, seconds = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.core.files.storage import FileSystemStorage
    from django.db import connection

    from contactsync.imports import stream, undo_run
    from contactsync.imports.run import run_apply
    from contactsync.models import ImportJob

    connection.settings_dict["NAME"] = database
    ImportJob._meta.get_field("file").storage = FileSystemStorage(location=files)
    stream.CHUNK_ROWS, stream.WORTH_A_PROCESS = int(chunk), 0
    undo_run.CHUNK_ROWS = int(chunk)
    began = time.process_time()
    if float(seconds):
        signal.setitimer(signal.ITIMER_PROF, float(seconds))
    {"import": run_apply, "undo": undo_run.run_undo_work}[what](int(pk))
    signal.setitimer(signal.ITIMER_PROF, 0)
    print(time.process_time() - began)  # noqa: T201 - the answer to the process that asked


if __name__ == "__main__":
    main()
