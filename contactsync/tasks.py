"""Background tasks: ids in, nothing else. A task is a wake-up call; the rows are the truth.

Every task may run twice or never finish: it claims its row first and does nothing when
somebody else holds it. What a killed task leaves behind is found by `sweep`.
"""

from __future__ import annotations

import logging
from typing import Any

from django_tasks_db.models import DBTaskResult

from contactsync.campaigns import audience, cancel, dispatch, evidence, lease, reports
from contactsync.campaigns.due import claim_due_reports
from contactsync.campaigns.problems import CampaignProblem
from contactsync.campaigns.settle import settle_again
from contactsync.imports import keeping
from contactsync.imports.lease import expired_jobs
from contactsync.imports.run import run_apply, run_check
from contactsync.imports.undo_run import WORK, run_undo_work
from contactsync.inbound import handle, inbox
from contactsync.models import Campaign, ImportJob, ImportUndo, Run
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import executor, guard, leases, planner
from contactsync.sync.connect import ProviderError
from contactsync.sync.sweep import expired_runs, recover_lost_calls

try:  # Django 6
    from django.tasks import task
except ImportError:
    from django_tasks import task  # type: ignore[no-redef]

logger = logging.getLogger(__name__)


@task()
def check_import(job_id: int) -> None:
    """Dry run of an import."""
    run_check(job_id)


@task()
def apply_import(job_id: int) -> None:
    """The real run of an import."""
    run_apply(job_id)


@task()
def erase_import_rows(job_id: int) -> None:
    """Erase what is kept of the rows of an import whose file was erased."""
    keeping.erase_rows(job_id)


@task()
def undo_import(undo_id: int) -> None:
    """What is to be done about the undo of an import: look through, undo, or redo."""
    run_undo_work(undo_id)


@task()
def plan_run(run_id: int) -> None:
    """Compute what a run would do."""
    planner.plan(run_id)


@task()
def execute_run(run_id: int) -> None:
    """Carry out an approved run, or go on with one that was interrupted."""
    kind = Run.objects.values_list("kind", flat=True).get(pk=run_id)
    if kind == Run.Kind.SEND:
        dispatch.execute(run_id)
    else:
        executor.execute(run_id)


@task()
def prepare_campaign(campaign_id: int) -> None:
    """Freeze the audience of a campaign."""
    audience.freeze(campaign_id)


@task()
def cancel_campaign(campaign_id: int) -> None:
    """Take a scheduled campaign back from the provider; what it says against it stands on the campaign."""
    campaign = Campaign.objects.select_related("account").get(pk=campaign_id)
    try:
        cancel.cancel(campaign)
    except CampaignProblem as problem:
        Campaign.objects.filter(pk=campaign_id).update(error=problem.reasons[0])
    except TransitionRefused as refused:  # two people pressed the button: the other one's answer counts
        logger.info("Campaign %s was not cancelled by this task: %s", campaign_id, refused)


@task()
def pull_report(campaign_id: int) -> None:
    """Read the delivery report of a campaign."""
    reports.pull(campaign_id)


@task()
def search_unknown_calls(account_id: int) -> None:
    """Look for the calls of an account whose outcome is not known."""
    evidence.search_account(account_id)


@task()
def handle_callbacks(account_id: int) -> None:
    """Do what follows from the call backs of an account."""
    handle.handle(account_id)


@task()
def read_inbox(account_id: int) -> None:
    """Read the replies that a provider keeps for us; what it says against it is in the log, and the next round tries again."""
    try:
        inbox.read_inbox(account_id)
    except ProviderError as error:
        logger.warning("The replies of account %s could not be read: %s", account_id, error.reason)


def sweep() -> int:
    """Wake a worker for everything that should be worked on and is not, and for what is due by the clock. Returns how many.

    Safe to call at any time and from several processes: a task that finds its row taken does nothing. While all
    workers are busy, nobody is woken twice.
    """
    leases.mend()
    lease.mend()
    guard.look()
    for run in recover_lost_calls():
        if run.kind == Run.Kind.SEND:
            settle_again(run)
    woken = sum(_wake(execute_run, run_id) for run_id in expired_runs())
    for job_id, state in expired_jobs():
        woken += _wake(check_import if state == ImportJob.State.CHECKING else apply_import, job_id)
    keeping.erase_old_files()
    woken += sum(_wake(erase_import_rows, job_id) for job_id in keeping.half_erased())
    woken += sum(_wake(undo_import, undo_id) for undo_id, _state in expired_jobs(ImportUndo, tuple(WORK)))
    woken += sum(_wake(prepare_campaign, campaign_id) for campaign_id in audience.abandoned())
    woken += sum(_wake(pull_report, campaign_id) for campaign_id in claim_due_reports())
    woken += sum(_wake(handle_callbacks, account_id) for account_id in handle.claim_accounts())
    handle.forget_old()
    woken += sum(_wake(read_inbox, account_id) for account_id in inbox.claim_due())
    return woken


def _wake(task: Any, row_id: int) -> bool:
    """Enqueue, unless the same waits in the queue of the database already. False when it does."""
    the_same = DBTaskResult.objects.filter(task_path=task.module_path, args_kwargs={"args": [row_id], "kwargs": {}})
    if the_same.ready().exists():
        return False
    task.enqueue(row_id)
    return True
