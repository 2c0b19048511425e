"""Asking for background work: nothing is enqueued before the commit, and a real worker carries it out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from contactsync import tasks, work
from contactsync.campaigns.due import due_reports
from contactsync.imports import jobs
from contactsync.models import Campaign, CampaignTarget, Contact, ImportJob, Phonebook, Run
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import worker
from contactsync.sync.accounts import set_credentials
from contactsync.tasks import sweep
from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY, make_account, make_campaign, make_contact, make_phonebook, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phonebook(sandbox: SandboxServer, transactional_db: None) -> Phonebook:
    book = make_phonebook(make_account(base_url=sandbox.url("ippanel")))
    for number in (1, 2, 3):
        make_contact(book, f"+98912000000{number}")
    return book


def test_nothing_is_enqueued_when_the_transaction_is_rolled_back(phonebook: Phonebook) -> None:
    with transaction.atomic():
        work.plan_push(phonebook, user=None)
        transaction.set_rollback(True)
    assert not DBTaskResult.objects.exists()
    assert not Run.objects.exists()


def test_an_import_goes_through_check_and_real_run(phonebook: Phonebook, run_tasks: Callable[[], None]) -> None:
    upload = ContentFile("نام,موبایل\nسارا,۰۹۱۲۰۰۰۰۰۰۹\n".encode(), name="people.csv")
    job = jobs.create_job(phonebook=phonebook, upload=upload)
    work.check_import(job, user=None)
    run_tasks()
    job.refresh_from_db()
    assert (job.state, job.checked_counts["created"]) == (ImportJob.State.CHECKED, 1)
    assert not Contact.objects.filter(phone="+989120000009").exists()
    work.apply_import(job, user=None)
    run_tasks()
    job.refresh_from_db()
    assert job.state == ImportJob.State.APPLIED
    assert Contact.objects.filter(phone="+989120000009").exists()


def test_a_push_is_planned_then_approved_then_carried_out(
    phonebook: Phonebook, sandbox: SandboxServer, run_tasks: Callable[[], None]
) -> None:
    run = work.plan_push(phonebook, user=None)
    run_tasks()
    run.refresh_from_db()
    assert run.state == Run.State.PLANNED
    assert not sandbox.state("ippanel").phonebooks
    work.approve_run(run, user=None)
    run_tasks()
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert set(phonebook.contacts.values_list("sync_state", flat=True)) == {Contact.SyncState.SYNCED}


def test_a_corrected_key_resumes_the_paused_push_and_nothing_is_lost(
    phonebook: Phonebook, sandbox: SandboxServer, run_tasks: Callable[[], None]
) -> None:
    run = work.plan_push(phonebook, user=None)
    run_tasks()
    set_credentials(phonebook.account, {"api_key": "a-wrong-key-of-thirty-two-characters"})
    work.approve_run(run, user=None)
    before = len(sandbox.requests)
    run_tasks()
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert len(sandbox.requests) == before + 1
    set_credentials(phonebook.account, {"api_key": SANDBOX_KEY})
    phonebook.account.refresh_from_db()
    assert [resumed.pk for resumed in work.check_account(phonebook.account)] == [run.pk]
    run_tasks()
    run.refresh_from_db()
    assert (run.state, run.counts["done"]) == (Run.State.FINISHED, 3)


def test_a_push_that_paused_after_too_many_refusals_waits_for_a_person_whatever_the_account_does(
    phonebook: Phonebook, sandbox: SandboxServer, run_tasks: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MOST_REFUSED", 2)
    sandbox.fault("status_422", "POST /api/phonebooks/numbers/add-list-new", times=0)
    run = work.plan_push(phonebook, user=None)
    run_tasks()
    work.approve_run(run, user=None)
    run_tasks()
    run.refresh_from_db()
    assert (run.state, run.error["message"]) == (Run.State.PAUSED, worker.TOO_MANY_REFUSED)
    set_credentials(phonebook.account, {"api_key": SANDBOX_KEY})
    assert work.check_account(phonebook.account) == []
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED


def test_a_campaign_is_prepared_sent_and_reported(
    phonebook: Phonebook, sandbox: SandboxServer, run_tasks: Callable[[], None]
) -> None:
    user = make_user()
    campaign = make_campaign(phonebook.account, message="Sale")
    CampaignTarget.objects.create(campaign=campaign, phonebook=phonebook)
    work.prepare_campaign(campaign, user=user)
    run_tasks()
    campaign.refresh_from_db()
    run = work.send_campaign(campaign, user=user, audience_hash=campaign.audience_hash)
    with pytest.raises(TransitionRefused):
        work.send_campaign(campaign, user=user, audience_hash=campaign.audience_hash)
    run_tasks()
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SENT
    sandbox.advance(3600)
    assert list(due_reports()) == [campaign.pk]
    assert sweep() == 1
    run_tasks()
    assert set(campaign.recipients.values_list("delivery", flat=True)) == {"delivered"}
    assert due_reports() == {}
    assert run.campaign_id == campaign.pk


def test_a_send_is_not_steered_as_a_run(phonebook: Phonebook) -> None:
    run = Run.objects.create(kind=Run.Kind.SEND, account=phonebook.account, state=Run.State.PAUSED)
    for steer in (
        work.stop_run,
        lambda run: work.resume_run(run),
        lambda run: work.approve_run(run, user=None),
    ):
        with pytest.raises(TransitionRefused, match="campaign"):
            steer(run)
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED


def test_only_a_scheduled_campaign_can_be_cancelled(phonebook: Phonebook) -> None:
    with pytest.raises(TransitionRefused):
        work.cancel_campaign(make_campaign(phonebook.account))
    assert not DBTaskResult.objects.exists()


def test_a_sweep_with_nothing_to_do_wakes_nobody() -> None:
    assert sweep() == 0
    assert not DBTaskResult.objects.exists()


@pytest.mark.parametrize("broken", ["guard.look", "keeping.erase_old_files", "expired_jobs"])
def test_a_part_of_the_sweep_that_fails_keeps_no_other_from_its_work(
    broken: str, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise PermissionError(broken)

    past = timezone.now() - timezone.timedelta(hours=1)
    Run.objects.create(
        kind=Run.Kind.PUSH, account=phonebook.account, phonebook=phonebook, state=Run.State.QUEUED, lease_until=past
    )
    make_campaign(phonebook.account, state=Campaign.State.PREPARING, lease_until=past)
    monkeypatch.setattr(f"contactsync.tasks.{broken}", fail)
    with pytest.raises(PermissionError):
        sweep()
    woken = {row.task_path.rpartition(".")[2] for row in DBTaskResult.objects.all()}
    assert woken == {"execute_run", "prepare_campaign"}


def test_the_queue_keeps_of_earlier_days_only_what_waits_or_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FORGOTTEN_AT_ONCE", 1)
    for _ in range(5):
        tasks.check_import.enqueue(0)
    done, failed, running, waiting, _young = DBTaskResult.objects.values_list("pk", flat=True)
    for pk, status in ((done, "SUCCESSFUL"), (failed, "FAILED"), (running, "RUNNING")):
        DBTaskResult.objects.filter(pk=pk).update(status=status)
    long_ago = timezone.now() - tasks.KEPT_FOR - timezone.timedelta(minutes=1)
    DBTaskResult.objects.filter(pk__in=[done, failed, running, waiting]).update(enqueued_at=long_ago)
    DBTaskResult.objects.exclude(enqueued_at=long_ago).update(status="SUCCESSFUL")
    assert [sweep(), DBTaskResult.objects.count()] == [0, 4]
    assert [sweep(), DBTaskResult.objects.count()] == [0, 3]
    assert DBTaskResult.objects.filter(pk__in=[running, waiting]).count() == 2
    assert tasks.forget_old_tasks() == 0


def test_while_all_workers_are_busy_nobody_is_woken_twice(phonebook: Phonebook) -> None:
    past = timezone.now() - timezone.timedelta(hours=1)
    run = Run.objects.create(
        kind=Run.Kind.PUSH, account=phonebook.account, phonebook=phonebook, state=Run.State.QUEUED, lease_until=past
    )
    campaign = make_campaign(phonebook.account, state=Campaign.State.PREPARING, lease_until=past)
    assert [sweep(), sweep()] == [2, 0]
    woken = {row.task_path.rpartition(".")[2]: row.args_kwargs["args"] for row in DBTaskResult.objects.all()}
    assert woken == {"execute_run": [run.pk], "prepare_campaign": [campaign.pk]}
    DBTaskResult.objects.update(status="SUCCESSFUL")  # a worker came, and was killed
    past = timezone.now() - timezone.timedelta(seconds=1)
    for rows in (Run.objects.all(), Campaign.objects.all()):
        rows.update(lease_owner="the killed one", lease_until=past)
    assert sweep() == 2
