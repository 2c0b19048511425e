"""Uploads nobody wants any more, and phonebooks that go with all that was ever imported into them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contactsync.imports.preview import drop_previews
from contactsync.models import CampaignTarget, ImportChange, ImportJob, ImportUndoChange, Phonebook
from contactsync.models.reasons import describe, reason
from contactsync.models.transitions import StepRefused, TransitionRefused, transition
from contactsync.sync.connect import Operation, capabilities

State = ImportJob.State
#: imports that have written nothing and are not being worked on
UNDECIDED = ImportJob.TRANSITIONS[State.DISCARDED]
BEING_WORKED_ON = (State.CHECKING, State.APPLYING, State.UNDOING, State.REDOING)

HAS_CONTACTS = gettext_noop("It still holds contacts (%(count)s). Delete them first, here and at the provider.")
LEAVING = gettext_noop(
    "%(count)s deleted contacts still wait for the provider. Push the phonebook, so that they are deleted there too."
)
LINKED = gettext_noop(
    "It is linked with a phonebook at the provider. Remove it there first, with the button of this page."
)
IMPORTING = gettext_noop("A file is being imported into it (%(file)s). Wait for it, or stop it.")
RUNNING = gettext_noop("A run works on it (%(run)s). Wait for it, or stop it.")
IN_CAMPAIGN = gettext_noop("The campaign “%(title)s” goes to it, or went to it, and keeps that on record.")


def can_be_discarded(job: ImportJob) -> bool:
    """Whether the upload can be thrown away: no row of it was imported, and nobody works on it."""
    return job.state in UNDECIDED and not job.counts


def discard(job: ImportJob) -> ImportJob:
    """Throw an upload away: the file and all that was read from it. That there was one stays on record.

    Raises `StepRefused` once rows have been imported, and `TransitionRefused` while it is worked on.
    """
    if can_be_discarded(ImportJob.objects.get(pk=job.pk)):
        drop_previews(job.pk)
    with transaction.atomic():
        fresh = ImportJob.objects.select_for_update().get(pk=job.pk)
        if fresh.counts:
            raise StepRefused(_("Rows of this file have been imported, so it cannot be discarded any more."))
        if fresh.state not in UNDECIDED:
            raise TransitionRefused(f"Import {job.pk} cannot be discarded: it is {fresh.state}.")
        name, storage = fresh.file.name, fresh.file.storage
        kept = {key: value for key, value in fresh.dialect.items() if key != "sample"}
        changes: dict[str, Any] = {"file": "", "dialect": kept, "lease_owner": "", "lease_until": None}
        transition(job, State.DISCARDED, table=ImportJob.TRANSITIONS, finished_at=timezone.now(), **changes)
        job.issues.all().delete()
        job.chunks.all().delete()
        if name:
            transaction.on_commit(lambda: storage.delete(name))
    return job


def why_not_deletable(phonebook: Phonebook) -> dict[str, Any]:
    """Why the phonebook cannot be deleted here, as a reason to show with what to do; empty when it can."""
    waiting = phonebook.contacts.filter(deleted_at__isnull=False).count()  # as the index says it
    if present := phonebook.contacts.count() - waiting:
        return reason(HAS_CONTACTS, count=present)
    if waiting:
        return reason(LEAVING, count=waiting)
    if phonebook.remote_id and capabilities(phonebook.account).can(Operation.DELETE_PHONEBOOK):
        return reason(LINKED)
    if run := phonebook.runs.filter(state__in=["queued", "running", "stopping", "paused"]).first():
        return reason(RUNNING, run=str(run))
    if job := phonebook.imports.filter(state__in=BEING_WORKED_ON).first():
        return reason(IMPORTING, file=job.file_name)
    target = CampaignTarget.objects.filter(phonebook=phonebook).select_related("campaign").order_by("pk").first()
    return reason(IN_CAMPAIGN, title=target.campaign.title) if target else {}


def delete_phonebook(phonebook: Phonebook) -> None:
    """Delete the phonebook here, with the record of its imports and their files. Raises `StepRefused` when it cannot go."""
    with transaction.atomic():
        locked = Phonebook.objects.select_for_update().get(pk=phonebook.pk)
        if why := why_not_deletable(locked):
            raise StepRefused(describe(why))
        jobs = ImportJob.objects.filter(phonebook=locked)
        files = [(job.file.storage, str(job.file.name)) for job in jobs if job.file.name]
        # by hand, in this order: Django would load every change to look for what hangs on it
        ImportUndoChange.objects.filter(undo__job__in=jobs).delete()
        ImportChange.objects.filter(job__in=jobs)._raw_delete(jobs.db)
        jobs.delete()
        locked.delete()
        for storage, name in files:
            transaction.on_commit(partial(storage.delete, name))
