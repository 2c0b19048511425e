"""Imports in a worker process that is killed at a chosen moment of its computing time, and all that an import leaves.

    python -m tests.imports.killing <database> <files> <job> <rows per chunk> <seconds to live, or 0>

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


def live(job: Any, *, chunk: int, seconds: float = 0) -> float | None:
    """Let a worker go on with the import. Returns the computing time it took, or `None` when it was killed before the end."""
    done = subprocess.run(_worker(job, chunk, seconds), stdout=subprocess.PIPE, text=True, check=False)
    job.refresh_from_db()
    if done.returncode == -signal.SIGPROF:
        return None
    assert done.returncode == 0, done.returncode
    return float(json.loads(done.stdout))


def live_until(job: Any, rows: int, *, chunk: int, delay: float) -> bool:
    """Let a worker go on until so many rows are committed, and kill it that many seconds later. Returns whether it was alive still."""
    with subprocess.Popen(_worker(job, chunk), stdout=subprocess.DEVNULL) as worker:
        while worker.poll() is None:
            job.refresh_from_db(fields=["position"])
            if job.position >= rows:
                try:
                    worker.wait(delay)
                except subprocess.TimeoutExpired:
                    worker.kill()
                break
            time.sleep(0.01)
    job.refresh_from_db()
    assert worker.returncode in {0, -signal.SIGKILL}, worker.returncode
    return worker.returncode != 0


def _worker(job: Any, chunk: int, seconds: float = 0) -> list[str]:
    """The command of a worker for an import that nobody holds any more."""
    from django.db import connection
    from django.utils import timezone

    from contactsync.models import ImportJob

    ImportJob.objects.filter(pk=job.pk).exclude(lease_until=None).update(
        lease_until=timezone.now() - dt.timedelta(seconds=1)
    )
    database, files = str(connection.settings_dict["NAME"]), str(job.file.storage.location)
    return [sys.executable, "-m", "tests.imports.killing", database, files, str(job.pk), str(chunk), str(seconds)]


def everything(job: Any) -> dict[str, Any]:
    """What an import leaves, in a form in which two imports of one file can be compared."""
    contacts = job.phonebook.contacts.order_by("phone").values_list(
        "phone", "prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note", "options",
        "consent_source", "deleted_at", "sync_state", "payload_hash",
    )  # fmt: skip
    said = job.issues.order_by("row", "pk").values_list(
        "row", "line", "column", "severity", "code", "value", "params", "suggestion", "cells"
    )
    moments = {"updated_at", "consented_at"}
    changes = [
        (phone, row, line, kind, before and {**before, **dict.fromkeys(moments)} | {"set": sorted(before["set"])})
        for phone, row, line, kind, before in job.changes.order_by("row").values_list(
            "contact__phone", "row", "line", "kind", "before"
        )
    ]
    counts = {key: value for key, value in job.counts.items() if key != "resumed_from"}
    return {"state": job.state, "counts": counts, "contacts": list(contacts), "issues": list(said), "changes": changes}


def main() -> None:
    database, files, job, chunk, seconds = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.core.files.storage import FileSystemStorage
    from django.db import connection

    from contactsync.imports import stream
    from contactsync.imports.run import run_apply
    from contactsync.models import ImportJob

    connection.settings_dict["NAME"] = database
    ImportJob._meta.get_field("file").storage = FileSystemStorage(location=files)
    stream.CHUNK_ROWS, stream.WORTH_A_PROCESS = int(chunk), 0
    began = time.process_time()
    if float(seconds):
        signal.setitimer(signal.ITIMER_PROF, float(seconds))
    run_apply(int(job))
    signal.setitimer(signal.ITIMER_PROF, 0)
    print(time.process_time() - began)  # noqa: T201 - the answer to the process that asked


if __name__ == "__main__":
    main()
