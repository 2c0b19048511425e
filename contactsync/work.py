"""Ask for background work: the change of state and the wake-up call, in one transaction.

What the screens call. Nothing here does the work itself, and everything here may refuse with
`TransitionRefused` (somebody was faster, or it is not possible now) or `CampaignProblem`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contactsync import tasks
from contactsync.campaigns import lifecycle as campaigns
from contactsync.campaigns.cancel import CANCELLABLE, cancel
from contactsync.imports import jobs, keeping, undo
from contactsync.inbound.receive import keep_events
from contactsync.inbound.retry import try_again
from contactsync.models import (
    Callback,
    Campaign,
    Contact,
    CustomOption,
    ImportJob,
    ImportUndo,
    Phonebook,
    ProviderAccount,
    Run,
)
from contactsync.models.transitions import StepRefused
from contactsync.sync import accounts, bring_in, callbacks, reconcile, removal
from contactsync.sync import lifecycle as runs
from contactsync.sync.worker import FOR_A_PERSON

logger = logging.getLogger(__name__)


def _wake(task: Any, row_id: int) -> None:
    """Enqueue once the rows are committed, never before. When the queue cannot be reached, that is logged: the sweep finds the row."""
    transaction.on_commit(lambda: task.enqueue(row_id), robust=True)


def _wake_or_refuse(task: Any, row_id: int) -> None:
    """The same for what no sweep would find: whoever asked is told, with `StepRefused`, that nothing was done."""

    def enqueue() -> None:
        try:
            task.enqueue(row_id)
        except ConnectionError as error:
            logger.error("Nobody was woken for %s(%s): %s", task.module_path, row_id, error)
            raise StepRefused(
                _("The queue of background work cannot be reached, so nothing was done. Try again in a moment.")
            ) from error

    transaction.on_commit(enqueue)


def _not_a_send(run: Run) -> None:
    if run.kind == Run.Kind.SEND:
        raise StepRefused(_("A send is started, stopped and resumed on the page of its campaign."))


@transaction.atomic
def check_import(job: ImportJob, *, user: User | None) -> None:
    """Dry run of an import."""
    jobs.begin_check(job, user=user)
    _wake(tasks.check_import, job.pk)


@transaction.atomic
def apply_import(job: ImportJob, *, user: User | None, go_on: bool = False) -> None:
    """The real run of a checked import; with `go_on`, also where the phonebook is not as it was when checked."""
    jobs.begin_apply(job, user=user, go_on=go_on)
    _wake(tasks.apply_import, job.pk)


@transaction.atomic
def erase_import(job: ImportJob) -> None:
    """Erase the file of an import at once, and what is kept of its rows soon after."""
    keeping.erase_file(job)
    _wake(tasks.erase_import_rows, job.pk)


@transaction.atomic
def check_undo(job: ImportJob, *, user: User | None) -> ImportUndo:
    """Look what the undo of an import would do."""
    found = undo.begin_check(job, user=user)
    _wake(tasks.undo_import, found.pk)
    return found


@transaction.atomic
def undo_import(row: ImportUndo, choices: Mapping[str, str], *, user: User | None) -> None:
    """Undo an import as chosen."""
    undo.begin_undo(row, choices, user=user)
    _wake(tasks.undo_import, row.pk)


@transaction.atomic
def redo_import(row: ImportUndo, *, user: User | None) -> None:
    """Undo the undo of an import."""
    undo.begin_redo(row, user=user)
    _wake(tasks.undo_import, row.pk)


@transaction.atomic
def resume_undo(row: ImportUndo, *, user: User | None) -> None:
    """Go on with what was stopped: looking through, undoing or redoing."""
    undo.go_on(row, user=user)
    _wake(tasks.undo_import, row.pk)


@transaction.atomic
def plan_push(phonebook: Phonebook, *, user: User | None) -> Run:
    """A plan of what a push would do."""
    run = runs.create_push_run(phonebook, user=user)
    _wake(tasks.plan_run, run.pk)
    return run


@transaction.atomic
def plan_delete(contacts: QuerySet[Contact], *, user: User | None) -> Run:
    """A plan to delete contacts of one phonebook, at the provider and here."""
    run = runs.create_delete_run(contacts, user=user)
    _wake(tasks.plan_run, run.pk)
    return run


@transaction.atomic
def plan_pull(phonebook: Phonebook, *, user: User | None) -> Run:
    """Read the provider's state of a phonebook; it changes nothing there, so it begins at once."""
    run = runs.create_pull_run(phonebook, user=user)
    _wake(tasks.execute_run, run.pk)
    return run


@transaction.atomic
def plan_reconcile(pull_run: Run, *, user: User | None) -> Run:
    """A plan of what the decisions made on a pull would do."""
    run = reconcile.create_reconcile_run(pull_run, user)
    _wake(tasks.plan_run, run.pk)
    return run


@transaction.atomic
def bring_in_phonebook(account: ProviderAccount, remote_id: str, title: str, *, user: User | None) -> Run:
    """Bring a phonebook of the provider in; it changes nothing there, so it begins at once."""
    run = bring_in.create_bring_in_run(account, remote_id, title, user)
    _wake(tasks.execute_run, run.pk)
    return run


@transaction.atomic
def plan_phonebook_removal(phonebook: Phonebook, *, user: User | None) -> Run:
    """A plan to delete a phonebook at the provider, with everybody in it there."""
    run = removal.create_phonebook_removal(phonebook, user)
    _wake(tasks.plan_run, run.pk)
    return run


@transaction.atomic
def plan_option_removal(option: CustomOption, *, user: User | None) -> Run:
    """A plan to delete an option at the provider, with its values there."""
    run = removal.create_option_removal(option, user)
    _wake(tasks.plan_run, run.pk)
    return run


@transaction.atomic
def approve_run(run: Run, *, user: User | None) -> Run:
    """Let a planned run be carried out."""
    _not_a_send(run)
    runs.approve(run, user=user)
    _wake(tasks.execute_run, run.pk)
    return run


@transaction.atomic
def resume_run(run: Run) -> Run:
    """Go on where a paused or stopped run ended."""
    _not_a_send(run)
    runs.resume(run)
    _wake(tasks.execute_run, run.pk)
    return run


def stop_run(run: Run) -> Run:
    """Ask a run to stop after the call it is in."""
    _not_a_send(run)
    return runs.stop(run)


def check_account(account: ProviderAccount) -> list[Run]:
    """Test the account, and let the pushes, pulls and deletions go on that had stopped with it. Returns those runs.

    Sends are not among them, nor what paused after too many failures: a person says when that goes on.
    """
    was_stopped = account.is_stopped or account.state == ProviderAccount.State.UNCHECKED
    accounts.check_account(account)
    if account.state != ProviderAccount.State.READY or not was_stopped:
        return []
    paused = Run.objects.filter(account=account, state=Run.State.PAUSED).exclude(kind=Run.Kind.SEND)
    return [resume_run(run) for run in paused.order_by("pk") if run.error.get("message") not in FOR_A_PERSON]


@transaction.atomic
def prepare_campaign(campaign: Campaign, *, user: User | None) -> Campaign:
    """Freeze the audience of a draft."""
    campaigns.begin_prepare(campaign, user=user)
    _wake(tasks.prepare_campaign, campaign.pk)
    return campaign


@transaction.atomic
def send_campaign(campaign: Campaign, *, user: User, audience_hash: str) -> Run:
    """Send a prepared campaign to exactly the audience that was shown."""
    run = campaigns.begin_send(campaign, user=user, audience_hash=audience_hash)
    _wake(tasks.execute_run, run.pk)
    return run


def stop_campaign(campaign: Campaign) -> Campaign:
    """Stop sending at once."""
    return campaigns.stop(campaign)


@transaction.atomic
def resume_campaign(campaign: Campaign, *, user: User, at_once: bool = False) -> Run:
    """Go on with those who were not sent to."""
    run = campaigns.resume(campaign, user=user, at_once=at_once)
    _wake(tasks.execute_run, run.pk)
    return run


@transaction.atomic
def cancel_campaign(campaign: Campaign) -> None:
    """Take a scheduled campaign back, from the provider where it has it."""
    if Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.WAITING).exists():
        cancel(campaign)  # it waits here, so it is done at once
        return
    if not Campaign.objects.filter(pk=campaign.pk, state__in=CANCELLABLE).exclude(scheduled_for=None).exists():
        raise StepRefused(_("The campaign is not scheduled (any more), so there is nothing to cancel."))
    # What an earlier attempt found out is not the answer to this one.
    Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.SCHEDULED).update(error={})
    _wake_or_refuse(tasks.cancel_campaign, campaign.pk)


def leave_unsent(campaign: Campaign, *, user: User) -> Campaign:
    """Close a campaign as it is: nobody else is written to."""
    return campaigns.leave_unsent(campaign, user=user)


@transaction.atomic
def refresh_report(campaign: Campaign) -> None:
    """Read the delivery report of a campaign now."""
    _wake_or_refuse(tasks.pull_report, campaign.pk)


def take_callback(
    account: ProviderAccount,
    *,
    method: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
    reference: str = "",
) -> None:
    """Keep what a provider tells by calling us; a worker does what follows from it. Raises `NotGenuine`."""
    events = callbacks.read(account, method=method, headers=headers, query=query, body=body, reference=reference)
    with transaction.atomic():
        if keep_events(account, events):
            _wake(tasks.handle_callbacks, account.pk)


@transaction.atomic
def retry_callback(callback: Callback) -> None:
    """Work once more on a callback that was given up."""
    try_again(callback)
    _wake(tasks.handle_callbacks, callback.account_id)


def read_inbox(account: ProviderAccount) -> None:
    """Read the replies that the provider keeps for us, now."""
    with transaction.atomic():
        _wake(tasks.read_inbox, account.pk)


@transaction.atomic
def search_unknown_calls(accounts: Iterable[int]) -> None:
    """Search the providers of these accounts for calls whose outcome is not known."""
    for account_id in accounts:
        _wake_or_refuse(tasks.search_unknown_calls, account_id)
