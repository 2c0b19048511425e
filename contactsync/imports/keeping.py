"""How long an uploaded file is kept, and how it is erased. What an import did stays on record."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contactsync.imports.lease import WORKING_STATES
from contactsync.imports.preview import drop_previews
from contactsync.models import ImportCorrection, ImportIssue, ImportJob, ImportUndoChange
from contactsync.models.transitions import StepRefused

#: rows in one UPDATE, so that nobody waits long for the database
AT_ONCE = 2000
JOBS_AT_ONCE = 20
#: while an undo is under way, what it keeps is needed
UNDO_STATES = (ImportJob.State.UNDOING, ImportJob.State.REDOING)


def can_be_erased(job: ImportJob) -> bool:
    """Whether there is a file to erase and nobody is reading it."""
    return bool(job.file) and job.state not in (*WORKING_STATES, *UNDO_STATES)


def has_file(job: ImportJob) -> bool:
    """Whether the uploaded file can still be read: it was not erased, nor has it vanished from the storage."""
    name = job.file.name
    return name is not None and name != "" and job.file.storage.exists(name)


def erase_file(job: ImportJob) -> None:
    """Erase the file at once. The rows kept from it follow with `erase_rows`. Raises `StepRefused` while it is being read."""
    with transaction.atomic():
        fresh = ImportJob.objects.select_for_update().get(pk=job.pk)
        if fresh.state in WORKING_STATES:
            raise StepRefused(_("The file is being read. Stop the import first, then erase the file."))
        if fresh.state in UNDO_STATES:
            raise StepRefused(
                _("The import is being undone or redone. Bring that to its end first, then erase the file.")
            )
        name, storage = fresh.file.name, fresh.file.storage
        dialect = {key: value for key, value in fresh.dialect.items() if key != "sample"}
        ImportJob.objects.filter(pk=job.pk).update(file="", dialect=dialect, erased_at=timezone.now())
        if name:
            transaction.on_commit(lambda: storage.delete(name))


def erase_rows(job_id: int) -> None:
    """Erase what was kept of the rows: cells, values and suggestions of issues, what was corrected, what
    the check said they would change, and the contacts that an undo has removed. May be called again."""
    kept = ImportIssue.objects.filter(job_id=job_id).exclude(cells=[], value="", suggestion="")
    while ids := list(kept.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        ImportIssue.objects.filter(pk__in=ids).update(cells=[], value="", suggestion="", number="")
    corrected = ImportCorrection.objects.filter(job_id=job_id).exclude(changes=[])
    while ids := list(corrected.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        ImportCorrection.objects.filter(pk__in=ids).update(changes=[])
    drop_previews(job_id)
    undone = ImportUndoChange.objects.filter(undo__job=job_id, before__isnull=False)
    while ids := list(undone.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        ImportUndoChange.objects.filter(pk__in=ids).update(before=None, links={}, name="")
    ImportJob.objects.filter(pk=job_id).exclude(erased_at=None).update(keeps_rows=False)


def erase_old_files() -> int:
    """Erase files that have been kept for `IMPORT_KEEP_DAYS`. Returns how many."""
    limit = timezone.now() - dt.timedelta(days=settings.IMPORT_KEEP_DAYS)
    old = ImportJob.objects.filter(created_at__lt=limit, erased_at=None)
    old = old.exclude(state__in=(*WORKING_STATES, *UNDO_STATES))
    erased = 0
    for job in old.exclude(file="").order_by("pk")[:JOBS_AT_ONCE]:
        erase_file(job)
        erased += 1
    return erased


def half_erased() -> list[int]:
    """Imports whose file is gone and whose rows are still kept, but for those that a worker was woken for a moment ago."""
    half = ImportJob.objects.exclude(erased_at=None).filter(keeps_rows=True)
    unattended = half.filter(Q(lease_until=None) | Q(lease_until__lt=timezone.now()))
    return list(unattended.order_by("pk").values_list("pk", flat=True))


def same_file(job: ImportJob) -> QuerySet[ImportJob]:
    """Other imports of the very same file that have written something and were not undone, newest first."""
    same = ImportJob.objects.filter(sha256=job.sha256).exclude(pk=job.pk).exclude(counts={})
    same = same.exclude(state=ImportJob.State.UNDONE)
    return same.select_related("phonebook", "created_by").order_by("-pk") if job.sha256 else same.none()
