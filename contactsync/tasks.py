"""Background tasks: ids in, nothing else. A task is a wake-up call; the rows are the truth.

Every task may run twice or never finish: it claims its row first and does nothing when
somebody else holds it. What a killed task leaves behind is found by `sweep`.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.utils import timezone
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
from contactsync.sync import executor, guard, leases, planner, shutdown
from contactsync.sync.connect import ProviderError
from contactsync.sync.sweep import expired_runs, recover_lost_calls

try:  # Django 6
    from django.tasks import task
except ImportError:
    from django_tasks import task  # type: ignore[no-redef]

logger = logging.getLogger(__name__)

KEPT_FOR = dt.timedelta(days=2)
FORGOTTEN_AT_ONCE = 1_000


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
    """The next step of an import's undo: review, undo, or redo."""
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
def search_unknown_calls(account_id: int, asked_at: str = "") -> None:
    """Look for the calls of an account whose outcome is not known. What takes long goes on in another task, behind other work."""
    moment = dt.datetime.fromisoformat(asked_at) if asked_at else timezone.now()
    if not evidence.search_account(account_id, asked_at=moment):
        search_unknown_calls.enqueue(account_id, moment.isoformat())


@task()
def handle_callbacks(account_id: int) -> None:
    """Do what follows from the callbacks of an account."""
    try:
        handle.handle(account_id)
    except shutdown.Ending:
        logger.info("The callbacks of account %s are left to the next worker.", account_id)


@task()
def read_inbox(account_id: int) -> None:
    """Read the replies that a provider keeps for us; what it says against it is in the log, and the next round tries again."""
    try:
        inbox.read_inbox(account_id)
    except ProviderError as error:
        logger.warning("The replies of account %s could not be read: %s", account_id, error.reason)
    except shutdown.Ending:
        logger.info("The replies of account %s are read by the next worker.", account_id)


def sweep() -> int:
    """Wake a worker for everything that should be worked on and is not, and for what is due by the clock. Returns how many.

    Safe to call at any time and from several processes: a task that finds its row taken does nothing. While all
    workers are busy, nobody is woken twice: on the database's queue never, on another one not again for a while.
    A part that fails keeps no other from its work, and what it met is raised at the end; without the database or the broker
    none is begun any more.
    """
    woken, failure = 0, None
    for part in PARTS:
        try:
            woken += part()
        except (ConnectionError, InterfaceError, OperationalError):
            raise
        except Exception as error:
            if failure is not None:
                logger.exception("Another part of the sweep failed, too.")
            failure = failure or error
    if failure is not None:
        raise failure
    return woken


def _after_pauses() -> int:
    leases.mend()
    lease.mend()
    guard.look()
    return 0


def _lost_calls() -> int:
    recover_lost_calls(then=lambda run: settle_again(run) if run.kind == Run.Kind.SEND else None)
    return 0


def _runs() -> int:
    runs = Run.objects.filter(state__in=leases.WORKABLE)
    return sum(_wake_for(execute_run, runs, run_id, error={}) for run_id in expired_runs())


def _imports() -> int:
    woken = 0
    for job_id, state in expired_jobs():
        check_or_apply = check_import if state == ImportJob.State.CHECKING else apply_import
        woken += _wake_for(check_or_apply, ImportJob.objects.filter(state=state), job_id)
    undoing = ImportUndo.objects.filter(state__in=WORK)
    return woken + sum(_wake_for(undo_import, undoing, pk) for pk, _state in expired_jobs(ImportUndo, tuple(WORK)))


def _files() -> int:
    keeping.erase_old_files()
    half = ImportJob.objects.filter(keeps_rows=True)
    return sum(_wake_for(erase_import_rows, half, job_id) for job_id in keeping.half_erased())


def _campaigns() -> int:
    preparing = Campaign.objects.filter(state=Campaign.State.PREPARING)
    woken = sum(_wake_for(prepare_campaign, preparing, pk, error={}) for pk in audience.abandoned())
    held = Campaign.objects.filter(state__in=cancel.HELD_THERE)
    woken += sum(_wake_for(cancel_campaign, held, pk, error=cancel.GOES_ON) for pk in cancel.interrupted())
    return woken + sum(_wake(pull_report, campaign_id) for campaign_id in claim_due_reports())


def _callbacks() -> int:
    woken = sum(_wake(handle_callbacks, account_id) for account_id in handle.claim_accounts())
    handle.forget_old()
    return woken


def _replies() -> int:
    return sum(_wake(read_inbox, account_id) for account_id in inbox.claim_due())


def _queue() -> int:
    forget_old_tasks()
    return 0


PARTS: tuple[Callable[[], int], ...] = (
    _after_pauses,
    _lost_calls,
    _runs,
    _imports,
    _files,
    _campaigns,
    _callbacks,
    _replies,
    _queue,
)


def forget_old_tasks() -> int:
    """Delete what the queue of the database keeps of ended tasks of earlier days, some at a time. Returns how many.

    What came of a task is in its rows; without this the queue grows by some rows per account and hour, for ever.
    """
    ended = DBTaskResult.objects.finished().filter(enqueued_at__lt=timezone.now() - KEPT_FOR)
    old = list(ended.order_by().values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    count, _by_model = DBTaskResult.objects.filter(pk__in=old).delete() if old else (0, {})
    return count


def _wake_for(task: Any, rows: QuerySet[Any], row_id: int, **changes: Any) -> bool:
    """Enqueue for one of the rows whose lease is over, and note that on it. When the queue cannot be reached, nothing stays noted."""
    row = rows.filter(pk=row_id)
    if not leases.await_worker(row, **changes):
        return False
    try:
        return _wake(task, row_id)
    except ConnectionError:
        row.filter(lease_owner="").update(lease_until=timezone.now())
        raise


def _wake(task: Any, row_id: int) -> bool:
    """Enqueue, unless the same waits in the queue of the database already. False when it does."""
    the_same = DBTaskResult.objects.filter(task_path=task.module_path, args_kwargs={"args": [row_id], "kwargs": {}})
    if the_same.ready().exists():
        return False
    task.enqueue(row_id)
    return True
