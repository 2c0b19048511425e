"""What it costs to keep the pace of requests in the database, beside a request to a server on this machine.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_pace 500
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_pace 500

The rate is one that never makes anybody wait, so all that is measured is the bookkeeping: with `synchronous` as in
production, in one thread and with several at once, each kind in turns with the others.
"""

from __future__ import annotations

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 5
THREADS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requests", type=int, nargs="?", default=500)
    requests = parser.parse_args().requests
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    from contactsync.settings import SQLITE_START

    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["init_command"] = SQLITE_START
    connection.creation.create_test_db(verbosity=0)
    try:
        report(connection.vendor, requests)
    finally:
        connection.creation.destroy_test_db("", verbosity=0)


def report(vendor: str, requests: int) -> None:
    """A line for each kind: the middle of the rounds, and its ratio to the request without a pace."""
    from providers.sandbox import SandboxServer
    from tests.factories import SANDBOX_KEY, make_account

    with SandboxServer(key=SANDBOX_KEY) as sandbox:
        account = make_account(base_url=sandbox.url("ippanel"))
        kinds: dict[str, Callable[[], Any]] = {
            "no pace": lambda: ask(account, requests, paced=False),
            "paced": lambda: ask(account, requests, paced=True),
            f"paced, {THREADS} threads": lambda: at_once(lambda: ask(account, requests // THREADS, paced=True)),
            f"no pace, {THREADS} threads": lambda: at_once(lambda: ask(account, requests // THREADS, paced=False)),
        }
        taken: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(ROUNDS):
            for name, work in kinds.items():
                began = time.perf_counter()
                work()
                taken[name].append((time.perf_counter() - began) / requests * 1000)
    floor = statistics.median(taken["no pace"])
    print(f"{vendor}, {requests} requests, {ROUNDS} rounds")  # noqa: T201
    for name, times in taken.items():
        middle = statistics.median(times)
        print(f"{name:20} {middle:6.2f} ms a request  {middle / floor:5.2f} × no pace")  # noqa: T201


def ask(account: Any, requests: int, *, paced: bool) -> None:
    from django.db import connection

    from contactsync.sync.connect import credentials_of
    from contactsync.sync.pace import DatabasePacer
    from providers import registry
    from providers.types import AccountConfig

    pacer = DatabasePacer(f"account:{account.pk}", per_second=1e6) if paced else None
    config = AccountConfig("ippanel", credentials_of(account), base_url=account.base_url, pacer=pacer)
    with registry.build(config) as provider:
        for _ in range(requests):
            provider.check()
    if threading.current_thread() is not threading.main_thread():
        connection.close()


def at_once(work: Callable[[], Any]) -> None:
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
