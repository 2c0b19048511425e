"""The start page: what needs a decision first, then how everything stands, then what is going on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count

from contactsync.admin import progress
from contactsync.admin.common import link, list_link, may
from contactsync.admin.dashboard.decisions import (
    WAITING_IMPORTS,
    WAITING_RUNS,
    decisions,
    name_of_import,
    name_of_run,
    name_of_undo,
)
from contactsync.admin.dashboard.first_steps import first_steps
from contactsync.admin.imports.rights import kinds_seen_by
from contactsync.admin.phonebooks.counts import contact_counts, grouped
from contactsync.models import Campaign, Contact, ImportJob, ImportUndo, Phonebook, ProviderAccount, Run

#: rows of each list on the page
SHOWN = 8
MOVING_IMPORTS = (ImportJob.State.CHECKING, ImportJob.State.APPLYING)
#: imports whose contacts are between two states
UNDONE_IMPORTS = (ImportJob.State.UNDOING, ImportJob.State.REDOING)


def dashboard(user: Any) -> dict[str, Any]:
    """Everything the start page shows to this person; what they may not see is not read."""
    accounts = list(ProviderAccount.objects.all()) if _sees_work(user) else []
    runs = _runs(user)
    imports = _imports(user)
    undos = _undos(imports)
    books = _books(user)
    return {
        "decisions": decisions(user, accounts=accounts, runs=runs, imports=imports, undos=undos),
        "moving": [*_moving_imports(imports), *_moving_undos(undos), *_moving_runs(runs)],
        "totals": _totals(books),
        "books": books[:SHOWN],
        "more_books": len(books) > SHOWN,
        "accounts": [(account, link(account) if may(user, "view_provideraccount") else "") for account in accounts],
        "campaigns": _campaigns(user),
        "steps": first_steps(user, accounts, books),
    }


# What a person may see


def _sees_work(user: Any) -> bool:
    return any(may(user, f"view_{model}") for model in ("phonebook", "campaign", "provideraccount"))


def _runs(user: Any) -> list[Run]:
    if not may(user, "view_run"):
        return []
    states = {*WAITING_RUNS, *progress.RUN_BUSY}
    runs = Run.objects.filter(state__in=states).select_related("phonebook", "campaign")
    return list(runs.order_by("-id")[: 4 * SHOWN])


def _imports(user: Any) -> list[ImportJob]:
    kinds = kinds_seen_by(user)
    if not kinds:
        return []
    states = [*WAITING_IMPORTS, *MOVING_IMPORTS, *UNDONE_IMPORTS]
    jobs = ImportJob.objects.filter(state__in=states, kind__in=kinds)
    return list(jobs.select_related("phonebook").order_by("-id")[: 2 * SHOWN])


def _undos(imports: list[ImportJob]) -> list[ImportUndo]:
    """The undos under way among these imports, with their imports; asks the database only when there is one."""
    jobs = {job.pk: job for job in imports if job.state in UNDONE_IMPORTS}
    if not jobs:
        return []
    undos = list(ImportUndo.objects.filter(job__in=jobs).exclude(state=ImportUndo.State.REDONE).order_by("-id"))
    for undo in undos:
        undo.job = jobs[undo.job_id]
    return undos


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


def _moving(text: str, url: str, shown: progress.Progress, ask: str) -> dict[str, Any]:
    return {"text": text, "url": url, "progress": shown, "ask": ask}


def _moving_imports(imports: list[ImportJob]) -> Iterator[dict[str, Any]]:
    for job in imports:
        if job.state in MOVING_IMPORTS:
            yield _moving(name_of_import(job), link(job), progress.of_import(job), link(job, "progress"))


def _moving_undos(undos: list[ImportUndo]) -> Iterator[dict[str, Any]]:
    for undo in undos:
        if undo.state in progress.UNDO_BUSY:
            job = undo.job
            yield _moving(name_of_undo(undo), link(job, "undo"), progress.of_undo(undo), link(job, "undo_progress"))


def _moving_runs(runs: list[Run]) -> Iterator[dict[str, Any]]:
    """What waits for its time does not move; it stands among the campaigns."""
    busy = [run for run in runs if run.state in progress.RUN_BUSY]
    for run in [run for run in busy if not (run.campaign and run.campaign.state == Campaign.State.WAITING)][:SHOWN]:
        yield _moving(name_of_run(run), link(run), progress.of_run(run), link(run, "progress"))
