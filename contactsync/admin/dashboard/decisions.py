"""What needs a person's decision: the first part of the start page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contactsync.admin.calls import restored, unknown
from contactsync.admin.common import link, list_link, may
from contactsync.imports.undo import can_go_on
from contactsync.models import Call, Callback, Campaign, ImportJob, ImportUndo, ProviderAccount, Run
from contactsync.models.reasons import describe
from contactsync.sync import guard

#: campaigns shown, the newest
SHOWN = 8
WAITING_RUNS = (Run.State.ATTENTION, Run.State.PAUSED, Run.State.PLANNED)
WAITING_CAMPAIGNS = (Campaign.State.PREPARED, Campaign.State.ATTENTION, Campaign.State.PAUSED)
WAITING_IMPORTS = {
    ImportJob.State.CHECKED: gettext_lazy("Review the check"),
    ImportJob.State.UPLOADED: gettext_lazy("Choose the columns"),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Something only a person can settle: what, why, and where."""

    row: Any  # with a state, or None
    text: str
    reason: str
    url: str
    button: str


def decisions(
    user: Any,
    *,
    accounts: Iterable[ProviderAccount],
    runs: Iterable[Run],
    imports: Iterable[ImportJob],
    undos: Iterable[ImportUndo],
) -> list[Decision]:
    """All of them, those first that hold up most. What is passed in is what this person may see."""
    return [
        *_held_back(user),
        *_of_accounts(user, accounts),
        *_of_runs(runs),
        *_of_calls(user),
        *_of_callbacks(user),
        *_of_campaigns(user),
        *_of_imports(imports),
        *_of_undos(undos),
    ]


def name_of_run(run: Run) -> str:
    """“Push: Customers”."""
    return f"{capfirst(run.get_kind_display())}: {run.about or run.pk}"


def name_of_import(job: ImportJob) -> str:
    """The file and where it goes."""
    return _("Import “%(file)s” into “%(book)s”") % {"file": job, "book": job.place}


def name_of_undo(undo: ImportUndo) -> str:
    """The same of the import that is undone."""
    names = {"file": undo.job, "book": undo.job.place}
    return _("Undo of the import “%(file)s” into “%(book)s”") % names


def _held_back(user: Any) -> Iterator[Decision]:
    """First of all: nothing goes out, for any account."""
    if restored.may_see(user) and (why := guard.why_held_back()):
        yield Decision(None, _("Nothing is sent or pushed."), describe(why), restored.address(), _("Review and decide"))


def _of_accounts(user: Any, accounts: Iterable[ProviderAccount]) -> Iterator[Decision]:
    may_correct = may(user, "change_provideraccount")
    for account in accounts:
        if account.is_stopped:
            text = _("The account “%(account)s” is stopped. Nothing is pushed or sent through it.")
            yield Decision(
                account,
                text % {"account": account},
                account.state_reason_text,
                link(account) if may_correct else "",
                _("Correct the account"),
            )


def _of_runs(runs: Iterable[Run]) -> Iterator[Decision]:
    """Sends are decided about on the pages of their campaigns, which are listed themselves."""
    for run in runs:
        if run.state in WAITING_RUNS and run.kind != Run.Kind.SEND:
            button = _("Review the plan") if run.state == Run.State.PLANNED else _("Decide")
            yield Decision(run, name_of_run(run), run.error_text, link(run), button)


def _of_calls(user: Any) -> Iterator[Decision]:
    count = Call.objects.filter(state=Call.State.UNKNOWN).count() if may(user, "view_call") else 0
    if count:
        text = ngettext(
            "The outcome of %(count)d call is not known. It is not repeated automatically.",
            "The outcome of %(count)d calls is not known. They are not repeated automatically.",
            count,
        )
        yield Decision(None, text % {"count": count}, "", unknown.address(), _("Review and decide"))


def _of_callbacks(user: Any) -> Iterator[Decision]:
    """Administrators alone see callbacks."""
    sees = may(user, "view_callback") and may(user, "change_provideraccount")
    failed = Callback.objects.filter(state=Callback.State.FAILED).count() if sees else 0
    if failed:
        text = ngettext(
            "%(count)d callback of a provider could not be processed.",
            "%(count)d callbacks of providers could not be processed.",
            failed,
        )
        url = list_link(Callback, state__exact=Callback.State.FAILED)
        yield Decision(None, text % {"count": failed}, "", url, _("Review and try again"))


def _of_campaigns(user: Any) -> Iterator[Decision]:
    if not may(user, "view_campaign"):
        return
    for campaign in Campaign.objects.filter(state__in=WAITING_CAMPAIGNS).order_by("-id")[:SHOWN]:
        text = _("Campaign “%(title)s”") % {"title": campaign}
        yield Decision(campaign, text, campaign.error_text, link(campaign), _("Review and decide"))


def _of_imports(imports: Iterable[ImportJob]) -> Iterator[Decision]:
    for job in imports:
        if job.state in WAITING_IMPORTS:
            button = str(WAITING_IMPORTS[ImportJob.State(job.state)])
            yield Decision(job, name_of_import(job), "", link(job), button)


def _of_undos(undos: Iterable[ImportUndo]) -> Iterator[Decision]:
    """Those that rest half-way."""
    for undo in undos:
        if can_go_on(undo):
            yield Decision(undo, name_of_undo(undo), undo.error_text, link(undo.job, "undo"), _("Review and decide"))
