"""How fast a campaign goes out, against the ideal: what so many calls at once can carry at that latency.

By hand, from the top of the repository; the sandbox runs as a process of its own and is spoken to over HTTP:

    python -m tests.benchmarks.bench_send
    python -m tests.benchmarks.bench_send --provider atomtelecom --recipients 10000 --threads 32
    python -m tests.benchmarks.bench_send --provider lox24 --recipients 10000 --threads 32 --message "{first_name}"
    python -m tests.benchmarks.bench_send --recipients 1000000 --latency 0 --threads 4
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_send

One setting a run. A message with a placeholder makes a call for each person where the provider takes one text per call.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import queue
import resource
import threading
import time
import urllib.parse
import uuid
from typing import Any

from tests.benchmarks.bench_push import NUMBER, account_at, database, make_book, sandbox, timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", default="ippanel", choices=list(NUMBER))
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--message", default="Hello")
    parser.add_argument("--latency", type=float, default=100.0, metavar="MS")
    parser.add_argument("--rate", type=float, default=0.0, metavar="N", help="requests per second of the account")
    parser.add_argument("--profile", default="", metavar="FILE", help="write where the time went")
    options = parser.parse_args()
    with database() as vendor, sandbox(options.latency) as addresses:
        report(vendor, addresses, options)


def report(vendor: str, addresses: dict[str, str], options: argparse.Namespace) -> None:
    """One setting's figures."""
    from contactsync.campaigns import audience, dispatch, lifecycle
    from contactsync.models import Call, CampaignTarget, Run
    from tests.factories import make_campaign

    settings: dict[str, Any] = {"concurrency": options.threads}
    if options.rate:
        settings["requests_per_second"] = options.rate
    account = account_at(addresses, options.provider, **settings)
    book = make_book(account, options.recipients)
    if options.provider == "callbell":
        let_everybody_write(addresses["callbell"], book)
    campaign = make_campaign(account, message=options.message, sender=sender_of(options.provider))
    CampaignTarget.objects.create(campaign=campaign, phonebook=book)
    lifecycle.begin_prepare(campaign, user=None)
    freezing = timed(lambda: audience.freeze(campaign.pk), "").seconds
    campaign.refresh_from_db()
    frozen_at = peak()
    run = lifecycle.begin_send(campaign, user=None, audience_hash=campaign.audience_hash, command="bench_send")
    seconds, cpu, *_ = timed(lambda: dispatch.execute(run.pk), options.profile)
    run.refresh_from_db()
    calls = Call.objects.filter(run=run).count()
    reached = options.recipients / seconds
    alone = without_books(account, run, options)
    ideal = ideal_rate(options, options.recipients / calls)
    print(  # noqa: T201
        f"{vendor}, {options.provider}: {options.recipients} recipients in {calls} calls, {options.threads} threads, "
        f"{options.latency:g} ms\n"
        f"run {Run.State(run.state).label}, {run.counts.get('accepted')} accepted, balances: {run.counts.get('balances')}\n"
        f"frozen in {freezing:.1f} s, sent in {seconds:.1f} s: {reached:.0f} recipients/s; ideal {ideal:.0f}; "
        f"ratio {reached / ideal:.0%}; the same threads without any books {alone:.0f}, ratio {reached / alone:.0%}\n"
        f"CPU {cpu / calls * 1000:.2f} ms a call; peak memory {peak():.0f} MB, {frozen_at:.0f} MB of it once frozen"
    )


def without_books(account: Any, run: Any, options: argparse.Namespace) -> float:
    """Recipients a second when the same threads make the first calls of the run again, and nobody writes anything down."""
    from contactsync.campaigns.calls import sender_and_time
    from contactsync.sync import sends
    from contactsync.sync.line import Line

    sender, _ = sender_and_time(run)
    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
    people = 0
    for call in run.calls.order_by("sequence")[: 60 * options.threads]:
        call.uuid = uuid.uuid4()
        people += call.item_count
        jobs.put(sends.message_of(call, account=account, sender=sender, text="Hello again", send_at=None))

    def work(provider: Any) -> None:
        while not jobs.empty():
            with contextlib.suppress(queue.Empty):
                provider.send(jobs.get_nowait())

    lines = [Line(account) for _ in range(options.threads)]
    threads = [threading.Thread(target=work, args=(line.provider,)) for line in lines]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    for line in lines:
        line.close()
    return people / seconds


def ideal_rate(options: argparse.Namespace, recipients_per_call: float) -> float:
    """Recipients a second when every thread always has a call on the wire, or when the account's rate is used up."""
    calls = options.threads / (options.latency / 1000) if options.latency else float("inf")
    return recipients_per_call * min(calls, options.rate or float("inf"))


def peak() -> float:
    """MB that this process has needed at the most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sender_of(provider: str) -> str:
    """A sender that the sandbox knows."""
    from tests.campaigns.companies import COMPANIES

    return next(company.sender for company in COMPANIES if company.slug == provider)


def let_everybody_write(base: str, book: Any) -> None:
    """Everybody has just written, so free text may go to them."""
    from django.utils import timezone

    book.contacts.update(last_received_at=timezone.now())
    origin = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(str(origin.hostname), origin.port)
    for phone in book.contacts.values_list("phone", flat=True).iterator():
        body = json.dumps({"from": phone, "message": "Hello"})
        connection.request("POST", "/_sandbox/inbound/callbell", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()
        answer.read()
    connection.close()


if __name__ == "__main__":
    main()
