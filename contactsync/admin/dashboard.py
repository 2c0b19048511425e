"""The start page: what needs a decision first, then how everything stands, then what is going on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contactsync.admin import progress, restored
from contactsync.admin import unknown as unknown_page
from contactsync.admin.book_counts import contact_counts, grouped
from contactsync.admin.common import link, list_link, may
from contactsync.admin.import_rights import kinds_seen_by
from contactsync.admin.undo_pages import UNDER_WAY, moving_undos, undos_of, waiting_undos
from contactsync.models import Call, Callback, Campaign, Contact, ImportJob, Phonebook, ProviderAccount, Run
from contactsync.models.reasons import describe
from contactsync.sync import guard

#: rows of each list on the page
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Decision:
    """Something only a person can settle: what, why, and where."""

    row: Any  # with a state, or None
    text: str
    reason: str
    url: str
    button: str


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps."""

    label: str
    hint: str
    done: bool
    url: str


def dashboard(user: Any) -> dict[str, Any]:
    """Everything the start page shows to this person; what they may not see is not read."""
    accounts = list(ProviderAccount.objects.all()) if _sees_work(user) else []
    runs = _runs(user)
    imports = _imports(user)
    undos = undos_of(imports)
    books = _books(user)
    return {
        "decisions": [
            *_held_back(user),
            *_account_decisions(user, accounts),
            *_run_decisions(runs),
            *_call_decisions(user),
            *_callback_decisions(user),
            *_campaign_decisions(user),
            *_import_decisions(imports),
            *(Decision(*each) for each in waiting_undos(undos)),
        ],
        "moving": [*_moving_imports(imports), *moving_undos(undos), *_moving_runs(runs)],
        "totals": _totals(books),
        "books": books[:SHOWN],
        "more_books": len(books) > SHOWN,
        "accounts": [(account, link(account) if may(user, "view_provideraccount") else "") for account in accounts],
        "campaigns": _campaigns(user),
        "steps": _steps(user, accounts, books),
    }


def _sees_work(user: Any) -> bool:
    return any(may(user, f"view_{model}") for model in ("phonebook", "campaign", "provideraccount"))


# What needs a decision


def _held_back(user: Any) -> Iterator[Decision]:
    """First of all: nothing goes out, for any account."""
    if restored.may_see(user) and (why := guard.why_held_back()):
        yield Decision(None, _("Nothing is sent or pushed."), describe(why), restored.address(), _("Look and decide"))


def _account_decisions(user: Any, accounts: list[ProviderAccount]) -> Iterator[Decision]:
    url = may(user, "change_provideraccount")
    for account in accounts:
        if account.is_stopped:
            text = _("The account “%(account)s” is stopped. Nothing is pushed or sent through it.")
            yield Decision(
                account,
                text % {"account": account},
                account.state_reason_text,
                link(account) if url else "",
                _("Correct the account"),
            )


WAITING_RUNS = (Run.State.ATTENTION, Run.State.PAUSED, Run.State.PLANNED)


def _runs(user: Any) -> list[Run]:
    if not may(user, "view_run"):
        return []
    states = {*WAITING_RUNS, *progress.RUN_BUSY}
    runs = Run.objects.filter(state__in=states).select_related("phonebook", "campaign")
    return list(runs.order_by("-id")[: 4 * SHOWN])


def _about(run: Run) -> str:
    return f"{capfirst(run.get_kind_display())}: {run.about or run.pk}"


def _run_decisions(runs: list[Run]) -> Iterator[Decision]:
    """Sends are decided about on the pages of their campaigns, which are listed themselves."""
    for run in runs:
        if run.state in WAITING_RUNS and run.kind != Run.Kind.SEND:
            button = _("Look at the plan") if run.state == Run.State.PLANNED else _("Decide")
            yield Decision(run, _about(run), run.error_text, link(run), button)


def _call_decisions(user: Any) -> Iterator[Decision]:
    unknown = Call.objects.filter(state=Call.State.UNKNOWN).count() if may(user, "view_call") else 0
    if unknown:
        text = ngettext(
            "The outcome of %(count)d call is not known. It is not repeated by itself.",
            "The outcome of %(count)d calls is not known. They are not repeated by themselves.",
            unknown,
        )
        yield Decision(None, text % {"count": unknown}, "", unknown_page.address(), _("Look and decide"))


def _callback_decisions(user: Any) -> Iterator[Decision]:
    """Administrators alone see call backs."""
    sees = may(user, "view_callback") and may(user, "change_provideraccount")
    failed = Callback.objects.filter(state=Callback.State.FAILED).count() if sees else 0
    if failed:
        text = ngettext(
            "%(count)d call back of a provider could not be worked on.",
            "%(count)d call backs of providers could not be worked on.",
            failed,
        )
        url = list_link(Callback, state__exact=Callback.State.FAILED)
        yield Decision(None, text % {"count": failed}, "", url, _("Look and try again"))


WAITING_IMPORTS = {
    ImportJob.State.CHECKED: gettext_lazy("Look at the check"),
    ImportJob.State.UPLOADED: gettext_lazy("Choose the columns"),
}
MOVING_IMPORTS = (ImportJob.State.CHECKING, ImportJob.State.APPLYING)


def _imports(user: Any) -> list[ImportJob]:
    kinds = kinds_seen_by(user)
    if not kinds:
        return []
    states = [*WAITING_IMPORTS, *MOVING_IMPORTS, *UNDER_WAY]
    jobs = ImportJob.objects.filter(state__in=states, kind__in=kinds)
    return list(jobs.select_related("phonebook").order_by("-id")[: 2 * SHOWN])


def _import_decisions(imports: list[ImportJob]) -> Iterator[Decision]:
    for job in imports:
        if job.state in WAITING_IMPORTS:
            text = _("Import “%(file)s” into “%(book)s”") % {"file": job.file_name, "book": job.place}
            yield Decision(job, text, "", link(job), str(WAITING_IMPORTS[ImportJob.State(job.state)]))


WAITING_CAMPAIGNS = (Campaign.State.PREPARED, Campaign.State.ATTENTION, Campaign.State.PAUSED)


def _campaign_decisions(user: Any) -> Iterator[Decision]:
    if not may(user, "view_campaign"):
        return
    for campaign in Campaign.objects.filter(state__in=WAITING_CAMPAIGNS).order_by("-id")[:SHOWN]:
        text = _("Campaign “%(title)s”") % {"title": campaign}
        yield Decision(campaign, text, campaign.error_text, link(campaign), _("Look and decide"))


# How everything stands


def _books(user: Any) -> list[tuple[Phonebook, dict[str, int]]]:
    """Phonebooks with their counts, those that need something first."""
    if not (may(user, "view_phonebook") and may(user, "view_contact")):
        return []
    counts = contact_counts()
    books = [(book, grouped(counts.get(book.pk, {}))) for book in Phonebook.objects.only("title")]
    order = ("failed", "cannot", "waiting", "total")
    return sorted(books, key=lambda pair: [-pair[1][name] for name in order])


def _totals(books: list[tuple[Phonebook, dict[str, int]]]) -> dict[str, Any]:
    names = ("total", "synced", "waiting", "cannot", "failed")
    return {
        **{name: sum(counts[name] for _book, counts in books) for name in names},
        "urls": {
            "total": list_link(Contact),
            "synced": list_link(Contact, sync="synced"),
            "waiting": list_link(Contact, sync="waiting"),
            "cannot": list_link(Contact, sync="cannot"),
            "failed": list_link(Contact, sync="trouble"),
        },
    }


def _campaigns(user: Any) -> dict[str, Any]:
    if not may(user, "view_campaign"):
        return {}
    counts = Campaign.objects.order_by().values_list("state").annotate(count=Count("pk"))
    found = dict(counts)
    return {
        "states": [
            (state, state.label, found[state], list_link(Campaign, state__exact=state.value))
            for state in Campaign.State
            if found.get(state)
        ],
        "latest": [(campaign, link(campaign)) for campaign in Campaign.objects.order_by("-id")[:5]],
    }


# What is going on


def _moving_imports(imports: list[ImportJob]) -> Iterator[dict[str, Any]]:
    for job in imports:
        if job.state in MOVING_IMPORTS:
            text = _("Import “%(file)s” into “%(book)s”") % {"file": job.file_name, "book": job.place}
            yield {"text": text, "url": link(job), "progress": progress.of_import(job), "ask": link(job, "progress")}


def _moving_runs(runs: list[Run]) -> Iterator[dict[str, Any]]:
    """What waits for its time does not move; it stands among the campaigns."""
    busy = [run for run in runs if run.state in progress.RUN_BUSY]
    for run in [run for run in busy if not (run.campaign and run.campaign.state == Campaign.State.WAITING)][:SHOWN]:
        yield {"text": _about(run), "url": link(run), "progress": progress.of_run(run), "ask": link(run, "progress")}


# The first steps


def _account_url(accounts: list[ProviderAccount]) -> str:
    """Where the connection is made: on the page of the first account, or a new one."""
    return link(accounts[0]) if accounts else reverse("admin:contactsync_provideraccount_add")


def _steps(user: Any, accounts: list[ProviderAccount], books: list[tuple[Phonebook, dict[str, int]]]) -> list[Step]:
    """The way to the first campaign; empty once there are contacts in step, or for people who only read."""
    if not may(user, "add_phonebook"):
        return []
    contacts = sum(counts["total"] for _book, counts in books)
    in_step = sum(counts["synced"] for _book, counts in books)
    if in_step:
        return []
    may_account = may(user, "add_provideraccount")
    return [
        Step(
            _("Connect the provider"),
            _("Add an account with the provider's key, and test the connection.")
            if may_account
            else _("An administrator adds an account with the provider's key."),
            any(not account.is_stopped for account in accounts),
            _account_url(accounts) if may_account else "",
        ),
        Step(
            _("Make a phonebook"),
            _("A phonebook is a list of contacts that is kept in step with a list at the provider."),
            bool(books),
            reverse("admin:contactsync_phonebook_add"),
        ),
        Step(
            _("Import contacts"),
            _("Upload a CSV or Excel file. Nothing is imported before you have seen the check."),
            bool(contacts),
            reverse("admin:contactsync_importjob_add") if may(user, "add_importjob") else "",
        ),
        Step(
            _("Push to the provider"),
            _("Open the phonebook and choose “Push to provider”. You see the plan first."),
            bool(in_step),
            link(books[0][0]) if books else "",
        ),
        Step(
            _("Write a campaign"),
            _("You see how many people get it, how many parts it has and what it costs before anything is sent."),
            False,
            reverse("admin:contactsync_campaign_add") if may(user, "add_campaign") else "",
        ),
    ]
