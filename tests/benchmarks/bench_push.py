"""How fast a push goes, against the ideal: what so many calls at once can carry at that latency.

By hand, from the top of the repository; the sandbox runs as a process of its own and is spoken to over HTTP:

    python -m tests.benchmarks.bench_push
    python -m tests.benchmarks.bench_push --provider lox24 --contacts 100000 --threads 8 --batch 100
    python -m tests.benchmarks.bench_push --provider atomtelecom --contacts 10000 --threads 32
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_push

One setting a run. The database is as safe as in production. The sandbox has a process of its own and shares the
machine's cores, so its CPU is shown beside ours; `creating alone` leaves out what is read before the first call.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import http.client
import json
import os
import resource
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

KEY = "sandbox-key-for-tests-0123456789"  # as in tests/factories.py
#: requests that adding somebody new takes, one after the other
REQUESTS_A_CALL = {"callbell": 3}
NUMBER = {"ippanel": "+98912{:07d}", "lox24": "+49151{:07d}", "atomtelecom": "+61412{:06d}", "callbell": "+39347{:07d}"}
SINGLE = {"atomtelecom", "callbell"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", default="lox24", choices=list(NUMBER))
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--latency", type=float, default=100.0, metavar="MS")
    parser.add_argument("--profile", default="", metavar="FILE", help="write where the time went")
    options = parser.parse_args()
    with database() as vendor, sandbox_process(options.latency) as (addresses, process):
        report(vendor, addresses, options, process)


@contextlib.contextmanager
def database() -> Iterator[str]:
    """An empty database that waits for the disk as in production."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    from contactsync.settings import SQLITE_START

    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["init_command"] = SQLITE_START
    else:
        connection.settings_dict["OPTIONS"] = {}
    connection.creation.create_test_db(verbosity=0)
    try:
        yield connection.vendor
    finally:
        connection.creation.destroy_test_db("", verbosity=0)


@contextlib.contextmanager
def sandbox(latency: float) -> Iterator[dict[str, str]]:
    """The addresses, by provider, of a sandbox in a process of its own that answers every request after so many milliseconds."""
    with sandbox_process(latency) as (addresses, _process):
        yield addresses


@contextlib.contextmanager
def sandbox_process(latency: float) -> Iterator[tuple[dict[str, str], int]]:
    """The same, with the number of the process."""
    command = [sys.executable, "-m", "providers.sandbox", "--port", "0", "--key", KEY, "--latency-ms", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            lines = [process.stdout.readline().split() for _ in NUMBER]
            yield {slug.rstrip(":"): url for slug, url in lines}, process.pid
        finally:
            process.terminate()


def account_at(sandbox: dict[str, str], provider: str, **settings: Any) -> Any:
    """A ready account there."""
    from contactsync.models.fields import Credentials
    from tests.factories import make_account
    from tests.sync.sides import SIDES

    side = SIDES[provider]
    sealed = Credentials.seal(side.credentials)
    return make_account(
        provider=provider, credentials=sealed, base_url=sandbox[provider], default_region=side.region, settings=settings
    )


def make_book(account: Any, contacts: int) -> Any:
    """A phonebook with so many new contacts."""
    from contactsync.models import Contact
    from tests.factories import make_option, make_phonebook

    option = make_option(account, "City")
    book = make_phonebook(account, options=(option,), title="benchmark")
    for start in range(0, contacts, 10_000):
        rows = []
        for number in range(start, min(start + 10_000, contacts)):
            row = Contact(phonebook=book, phone=NUMBER[account.provider].format(number), first_name=f"No. {number}")
            row.options = {str(option.pk): f"City {number % 500}"}
            row.refresh_state()
            rows.append(row)
        Contact.objects.bulk_create(rows, batch_size=2000)
    return book


def report(vendor: str, sandbox: dict[str, str], options: argparse.Namespace, process: int) -> None:
    """One setting's figures."""
    from contactsync.models import Call
    from contactsync.sync import executor, lifecycle, planner

    settings = {"concurrency": options.threads, "batch_size": options.batch}
    if options.provider in SINGLE:
        del settings["batch_size"]
    account = account_at(sandbox, options.provider, **settings)
    if options.provider == "callbell":
        post(sandbox["callbell"], "/_sandbox/portal/callbell", {"tags": ["benchmark"]})
    book = make_book(account, options.contacts)
    run = planner.create_push_run(book)
    planning = timed(lambda: planner.plan(run.pk), "", process)
    run.refresh_from_db()
    lifecycle.approve(run)
    pushing = timed(lambda: executor.execute(run.pk), options.profile, process)
    run.refresh_from_db()
    seconds, cpu = pushing.seconds, pushing.ours
    batch = 1 if options.provider in SINGLE else options.batch
    ideal = options.threads * batch / (options.latency / 1000 * REQUESTS_A_CALL.get(options.provider, 1))
    calls = Call.objects.filter(run=run).count()
    on_wire = wire_seconds(run)
    reached = options.contacts / seconds
    print(  # noqa: T201
        f"{vendor}, {options.provider}: {options.contacts} contacts, {options.threads} threads, batch {batch}, "
        f"{options.latency:g} ms\n"
        f"run {run.get_state_display()}, {run.counts.get('done')} done, balances: {run.counts.get('balances')}\n"
        f"pushed in {seconds:.1f} s: {reached:.0f} contacts/s; ideal {ideal:.0f}; ratio {reached / ideal:.0%}\n"
        f"creating alone: {options.contacts / on_wire:.0f} contacts/s, ratio {options.contacts / on_wire / ideal:.0%}\n"
        f"planned in {planning.seconds:.1f} s before; with that {options.contacts / (seconds + planning.seconds):.0f} contacts/s\n"
        f"CPU a contact: planning {planning.a_contact(options.contacts)}; pushing {pushing.a_contact(options.contacts)}; "
        f"{cpu / calls * 1000:.2f} ms of ours a call; load of the machine {os.getloadavg()[0]:.1f}\n"
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


def wire_seconds(run: Any) -> float:
    """From the first creating call's start to the last one's end."""
    from django.db.models import Max, Min

    ends = run.calls.filter(operation="create_contacts").aggregate(a=Min("started_at"), b=Max("finished_at"))
    return float((ends["b"] - ends["a"]).total_seconds())


class Timed(NamedTuple):
    """Seconds by the clock; of CPU in this process, in its thread that keeps the books, and in the sandbox."""

    seconds: float
    ours: float
    books: float
    sandbox: float

    def a_contact(self, contacts: int) -> str:
        ours, books, sandbox = (round(seconds / contacts * 1e6) for seconds in self[1:])
        return f"{ours} us ours ({books} of them keeping the books), {sandbox} us the sandbox's"


def timed(work: Callable[[], Any], profile: str, process: int | None = None) -> Timed:
    """What the work took; with `profile` where it went, in that file. `process` is the sandbox's."""

    def clocks() -> list[float]:
        # a process has a clock of its CPU, numbered so: clock_getcpuclockid(3)
        other = time.clock_gettime((~process << 3) | 2) if process is not None else 0.0
        return [time.perf_counter(), time.process_time(), time.thread_time(), other]

    profiler = cProfile.Profile() if profile else None
    began = clocks()
    if profiler is None:
        work()
    else:
        profiler.runcall(work)
        profiler.dump_stats(profile)
    return Timed(*(now - then for now, then in zip(clocks(), began, strict=True)))


def post(base: str, path: str, body: dict[str, Any]) -> None:
    """Tell the sandbox something by its control API."""
    origin = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(str(origin.hostname), origin.port)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status < 300, answer.read()
    connection.close()


if __name__ == "__main__":
    main()
