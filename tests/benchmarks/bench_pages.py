"""How long the server takes for each page with a million contacts.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_pages
    python -m tests.benchmarks.bench_pages --contacts 100000 --only search
    python -m tests.benchmarks.bench_pages --keep /tmp/big.sqlite3          (filled once, used again)
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_pages --keep big

A page is asked for many times, each time for somebody else.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

LONGEST = 0.2  # seconds of server time at the 95th percentile
Page = Callable[[int], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--planned", type=int, default=100_000, help="items of the plan and of the comparison")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--keep", default="", metavar="DATABASE", help="keep the database under this name, or file")
    parser.add_argument("--only", default="", help="pages with this in their name")
    parser.add_argument("--queries", action="store_true", help="show the slowest query of each page")
    options = parser.parse_args()
    with database(options.keep) as vendor:
        from tests.benchmarks.fill import fill, is_filled

        if not is_filled():
            fill(options.contacts, planned=min(options.planned, options.contacts))
            tidy()
        measure(vendor, options)


@contextmanager
def database(keep: str) -> Iterator[str]:
    """An empty database, or the one of that name as it was left."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    if keep:
        connection.settings_dict["TEST"]["NAME"] = keep
    connection.creation.create_test_db(verbosity=0, keepdb=bool(keep), serialize=False)
    try:
        yield connection.vendor
    finally:
        connection.creation.destroy_test_db("", verbosity=0, keepdb=bool(keep))


def tidy() -> None:
    """What PostgreSQL does by itself within minutes, unless that is switched off."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")


def measure(vendor: str, options: argparse.Namespace) -> None:
    """A table: page; median, 95th percentile and slowest by the clock; 95th percentile of CPU here; queries."""
    from django.contrib.auth.models import User
    from django.test import Client

    user = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench", password="x")
    client = Client()
    client.force_login(user)
    say(f"{vendor}, {options.contacts} contacts; milliseconds of {options.times} requests\n")
    say(f"{'page':44} {'median':>8} {'p95':>8} {'slowest':>8} {'CPU p95':>8} {'queries':>8}")
    for name, page in pages(options.contacts).items():
        if options.only not in name:
            continue
        queries = queries_of(lambda page=page: ask(client, page(0)))  # type: ignore[misc]
        asked = [ask(client, page(number)) for number in range(1, options.times + 1)]
        taken, cpu = (sorted(column) for column in zip(*asked, strict=True))
        nearly_all = int(0.95 * (len(taken) - 1))
        p95 = taken[nearly_all]
        mark = "" if p95 <= LONGEST else "  over"
        middle = statistics.median(taken)
        say(
            f"{name:44} {middle * 1e3:8.0f} {p95 * 1e3:8.0f} {taken[-1] * 1e3:8.0f} "
            f"{cpu[nearly_all] * 1e3:8.0f} {len(queries):8}{mark}"
        )
        if options.queries and queries:
            slowest = max(queries, key=lambda query: float(query["time"]))
            say(f"    {slowest['time']} s: {slowest['sql'][:1500]}")


def ask(client: Any, address: str) -> tuple[float, float]:
    """Seconds for one page, to its last byte: by the clock, and of CPU in this process."""
    began, cpu = time.perf_counter(), time.process_time()
    answer = client.get(address)
    _ = b"".join(answer.streaming_content) if answer.streaming else answer.content
    seconds = time.perf_counter() - began, time.process_time() - cpu
    assert answer.status_code == 200, f"{answer.status_code} for {address}"
    return seconds


def queries_of(work: Callable[[], Any]) -> list[dict[str, str]]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        work()
    return list(captured.captured_queries)


def pages(contacts: int) -> dict[str, Page]:
    """Name to the address of the page, the n-th time it is asked for."""
    from contactsync.models import Call, Campaign, ImportJob, Phonebook, Run
    from tests.benchmarks.fill import FIRST, LAST, phone

    book = Phonebook.objects.get(title="Everybody")
    first = book.contacts.order_by("pk").values_list("pk", flat=True)[0]
    push, compare = (Run.objects.get(kind=kind, state=Run.State.FINISHED) for kind in (Run.Kind.PUSH, Run.Kind.PULL))
    plan = Run.objects.get(state=Run.State.PLANNED)
    call = Call.objects.filter(run=push).order_by("pk").values_list("pk", flat=True)[0]
    sent = Run.objects.get(kind=Run.Kind.SEND)
    campaign, (job, wrong) = Campaign.objects.get(), ImportJob.objects.order_by("pk")[:2]

    def somebody(number: int) -> int:
        return number * 48_611 % contacts

    def at(path: str) -> str:
        return f"/admin/contactsync/{path}"

    def contact_list(query: str) -> Page:
        return lambda number: at(
            "contact/?" + query.format(book=book.pk, number=number, phone=phone(somebody(number))[1:],
                                       piece=phone(somebody(number))[5:11], page=number * 7 % 200 + 1,
                                       first=FIRST[number % len(FIRST)], last=LAST[number % len(LAST)])
        )  # fmt: skip

    def run_page(run: Run, query: str = "") -> Page:
        return lambda number: at(
            f"run/{run.pk}/change/?"
            + query.format(phone=phone(number * 613)[1:], name=FIRST[number % len(FIRST)], page=number * 7 % 200 + 1)
        )

    def campaign_page(state: str, query: str = "") -> Page:
        def address(number: int) -> str:
            Campaign.objects.filter(pk=campaign.pk).update(state=state)
            return at(
                f"campaign/{campaign.pk}/change/?"
                + query.format(number=number, phone=phone(somebody(number))[1:], piece=phone(somebody(number))[5:11],
                               first=FIRST[number % len(FIRST)], page=number * 7 % 200 + 1)
            )  # fmt: skip

        return address

    in_book = "phonebook__id__exact={book}"
    return {
        "dashboard": lambda number: "/admin/",
        "phonebooks": lambda number: at("phonebook/"),
        "phonebook": lambda number: at(f"phonebook/{book.pk}/change/"),
        "contacts": contact_list(""),
        "contacts: page": contact_list("p={page}"),
        "contacts: phonebook": contact_list(in_book),
        "contacts: phonebook, by name": contact_list(in_book + "&o=1"),
        "contacts: phonebook, by number": contact_list(in_book + "&o=2"),
        "contacts: phonebook, by state": contact_list(in_book + "&o=4"),
        "contacts: phonebook, by time": contact_list(in_book + "&o=-5"),
        "contacts: by number": contact_list("o=2"),
        "contacts: waiting": contact_list("sync=waiting"),
        "contacts: waiting, phonebook": contact_list("sync=waiting&" + in_book),
        "contacts: impossible": contact_list("sync=cannot"),
        "contacts: trouble": contact_list("sync=trouble"),
        "contacts: missing": contact_list("sync=missing"),
        "contacts: in step": contact_list("sync=synced&" + in_book),
        "contacts: account": contact_list(f"phonebook__account__id__exact={book.account_id}"),
        "contacts: deleted": contact_list("deleted=yes"),
        "contacts: search number": contact_list("q=%2B{phone}"),
        "contacts: search number, phonebook": contact_list("q=%2B{phone}&" + in_book),
        "contacts: search piece of a number": contact_list("q={piece}"),
        "contacts: search number nobody has": contact_list("q=%2B98935000000{number}"),
        "contacts: search piece nobody has": contact_list("q=77{number}000077"),
        "contacts: search name": contact_list("q={first}"),
        "contacts: search two words": contact_list("q={first}+{last}"),
        "contacts: search two words, phonebook": contact_list("q={first}+{last}&" + in_book),
        "contacts: search name nobody has": contact_list("q=Nobody{number}"),
        "contacts: search name nobody has, Persian": contact_list("q=هیچکس{number}"),
        "contacts: search name nobody has, phonebook": contact_list("q=Nobody{number}&" + in_book),
        "contacts: search option": contact_list("q=City+{number}&" + in_book),
        "contact": lambda number: at(f"contact/{first + somebody(number)}/change/"),
        "runs": lambda number: at("run/"),
        "run: pushed": run_page(push),
        "run: pushed, page": run_page(push, "p={page}"),
        "run: pushed, filter": run_page(push, "state=failed"),
        "run: pushed, search number": run_page(push, "q=%2B{phone}"),
        "run: pushed, search name": run_page(push, "q={name}"),
        "run: pushed, search name nobody has": run_page(push, "q=Nobody"),
        "run: plan": run_page(plan),
        "run: plan, page": run_page(plan, "p={page}"),
        "run: plan, impossible": run_page(plan, "operation=cannot"),
        "run: plan, search number": run_page(plan, "q=%2B{phone}"),
        "run: plan, search name": run_page(plan, "q={name}"),
        "run: plan, search name nobody has": run_page(plan, "q=Nobody"),
        "run: comparison": lambda number: at(f"run/{compare.pk}/reconcile/"),
        "run: progress": lambda number: at(f"run/{push.pk}/progress/"),
        "run: send": run_page(sent),
        "items": lambda number: at("runitem/"),
        "items: operation": lambda number: at("runitem/?operation__exact=delete"),
        "items: state": lambda number: at("runitem/?state__exact=failed"),
        "items: by run": lambda number: at("runitem/?o=2"),
        "items: by operation": lambda number: at("runitem/?o=3"),
        "items: by call": lambda number: at("runitem/?o=6"),
        "items: search number": lambda number: at(f"runitem/?q=%2B{phone(somebody(number))[1:]}"),
        "calls": lambda number: at("call/"),
        "calls: unknown": lambda number: at("call/?state__exact=unknown"),
        "calls: operation": lambda number: at("call/?operation=create_contacts"),
        "calls: by state": lambda number: at("call/?o=3"),
        "calls: by time": lambda number: at("call/?o=-7"),
        "calls: by seconds": lambda number: at("call/?o=-8"),
        "calls: search": lambda number: at("call/?q=Everybody"),
        "calls: search nothing": lambda number: at(f"call/?q=nothing{number}"),
        "call": lambda number: at(f"call/{call + number}/change/"),
        "imports": lambda number: at("importjob/"),
        "import": lambda number: at(f"importjob/{job.pk}/change/"),
        "campaigns": lambda number: at("campaign/"),
        "campaign": campaign_page(Campaign.State.SENT),
        "campaign, page": campaign_page(Campaign.State.SENT, "p={page}"),
        "campaign, search number": campaign_page(Campaign.State.SENT, "q=%2B{phone}"),
        "campaign, search piece of a number": campaign_page(Campaign.State.SENT, "q={piece}"),
        "campaign, search name": campaign_page(Campaign.State.SENT, "q={first}"),
        "campaign, search name nobody has": campaign_page(Campaign.State.SENT, "q=Nobody{number}"),
        "campaign, state": campaign_page(Campaign.State.SENT, "state=refused"),
        "campaign, delivery": campaign_page(Campaign.State.SENT, "delivery=blocked"),
        "campaign, left out": campaign_page(Campaign.State.SENT, "exclusion=suppressed"),
        "campaign: draft": campaign_page(Campaign.State.DRAFT),
        "campaign: prepared": campaign_page(Campaign.State.PREPARED),
        "campaign: sending": campaign_page(Campaign.State.SENDING),
        "campaign: contacts to choose": lambda number: at(
            f"campaign/contacts/?phonebook={book.pk}&term=Nobody{number}"
        ),
        "recipients": lambda number: at("recipient/"),
        "recipients: state": lambda number: at("recipient/?state__exact=refused"),
        "recipients: delivery": lambda number: at("recipient/?delivery__exact=blocked"),
        "recipients: left out": lambda number: at("recipient/?exclusion__exact=suppressed"),
        "recipients: by number": lambda number: at("recipient/?o=1"),
        "recipients: by name": lambda number: at("recipient/?o=2"),
        "recipients: by campaign": lambda number: at("recipient/?o=3"),
        "recipients: by state": lambda number: at("recipient/?o=4"),
        "recipients: by time": lambda number: at("recipient/?o=-6"),
        "recipients: search number": lambda number: at(f"recipient/?q=%2B{phone(somebody(number))[1:]}"),
        "recipients: search name nobody has": lambda number: at(f"recipient/?q=Nobody{number}"),
        "suppressed": lambda number: at("suppression/"),
        "suppressed: by number": lambda number: at("suppression/?o=1"),
        "suppressed: source": lambda number: at("suppression/?source__exact=person"),
        "suppressed: search nothing": lambda number: at(f"suppression/?q=nothing{number}"),
        "replies": lambda number: at("inboundmessage/"),
        "replies: opted out": lambda number: at("inboundmessage/?is_opt_out__exact=1"),
        "replies: search nothing": lambda number: at(f"inboundmessage/?q=nothing{number}"),
        "import: all rejected": lambda number: at(f"importjob/{wrong.pk}/change/"),
        "import: all rejected, code": lambda number: at(f"importjob/{wrong.pk}/change/?code=phone_invalid"),
        "import: all rejected, warnings": lambda number: at(f"importjob/{wrong.pk}/change/?severity=warning"),
        "import: all rejected, search": lambda number: at(f"importjob/{wrong.pk}/change/?q=nothing"),
        "not known": lambda number: "/admin/unknown/",
        "explain": lambda number: f"/admin/explain/?number=%2B{phone(somebody(number))[1:]}",
        "explain: nobody": lambda number: f"/admin/explain/?number=%2B98935000000{number % 10}",
    }


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
