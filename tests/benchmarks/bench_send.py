"""How fast a campaign goes out, against the ideal: what one call after the other can carry at that latency.

By hand, from the top of the repository; the sandbox runs as a process of its own and is spoken to over HTTP:

    python -m tests.benchmarks.bench_send
    python -m tests.benchmarks.bench_send --provider ippanel --recipients 100000
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_send

One setting a run. A send makes its calls one after the other: each is looked at once more before it leaves.
"""

from __future__ import annotations

import argparse
import resource

from tests.benchmarks.bench_push import account_at, database, make_book, sandbox, timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", default="ippanel", choices=["ippanel"])
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--latency", type=float, default=100.0, metavar="MS")
    parser.add_argument("--profile", default="", metavar="FILE", help="write where the time went")
    options = parser.parse_args()
    with database() as vendor, sandbox(options.latency) as addresses:
        report(vendor, addresses, options)


def report(vendor: str, addresses: dict[str, str], options: argparse.Namespace) -> None:
    """One setting's figures."""
    from contactsync.campaigns import audience, dispatch, lifecycle
    from contactsync.models import Call, CampaignTarget, Run
    from tests.factories import make_campaign

    account = account_at(addresses, options.provider)
    book = make_book(account, options.recipients)
    campaign = make_campaign(account, message="Hello")
    CampaignTarget.objects.create(campaign=campaign, phonebook=book)
    lifecycle.begin_prepare(campaign, user=None)
    freezing = timed(lambda: audience.freeze(campaign.pk), "").seconds
    campaign.refresh_from_db()
    run = lifecycle.begin_send(campaign, user=None, audience_hash=campaign.audience_hash, command="bench_send")
    seconds, cpu, *_ = timed(lambda: dispatch.execute(run.pk), options.profile)
    run.refresh_from_db()
    calls = Call.objects.filter(run=run).count()
    reached = options.recipients / seconds
    ideal = options.recipients / calls / (options.latency / 1000)
    print(  # noqa: T201
        f"{vendor}, {options.provider}: {options.recipients} recipients in {calls} calls, one at a time, {options.latency:g} ms\n"
        f"run {Run.State(run.state).label}, {run.counts.get('accepted')} accepted, balances: {run.counts.get('balances')}\n"
        f"frozen in {freezing:.1f} s, sent in {seconds:.1f} s: {reached:.0f} recipients/s; ideal {ideal:.0f}; "
        f"ratio {reached / ideal:.0%}\n"
        f"CPU {cpu / calls * 1000:.2f} ms a call; "
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


if __name__ == "__main__":
    main()
