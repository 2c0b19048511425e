"""What the pages of an import show at each state."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from contactsync.admin import progress, stages, sums
from contactsync.admin.common import list_link, may
from contactsync.admin.tables import Table
from contactsync.imports.discard import can_be_discarded
from contactsync.models import Contact, ImportIssue, ImportJob

State = ImportJob.State
#: where an import that has begun can go on
GOES_ON = ImportJob.TRANSITIONS[State.APPLYING] - {State.CHECKED}
FIRST_PROBLEMS = 20
TEMPLATES = {State.CHECKING: "running", State.APPLYING: "running", State.CHECKED: "checked"}


def template(job: ImportJob) -> str:
    """The page of the import's state."""
    return TEMPLATES.get(State(job.state), "result")


def context(request: HttpRequest, job: ImportJob, *, progress_url: str) -> dict[str, Any]:
    """Everything the page of this state needs."""
    found: dict[str, Any] = {
        "steps": stages.of_import(job),
        "progress": progress.of_import(job),
        "progress_url": progress_url,
        "can_discard": can_be_discarded(job) and may(request.user, "add_importjob"),
        "can_go_on": bool(job.counts) and job.state in GOES_ON,
        "may_import": may(request.user, "add_importjob"),
        "may_download": may(request.user, "export_importjob"),
        "may_push": may(request.user, "push_phonebook"),
        "contacts_url": list_link(Contact, phonebook__id__exact=job.phonebook_id),
    }
    if job.state == State.CHECKED:
        found |= {"sum": sums.of_import(job), "problems": job.issues.all()[:FIRST_PROBLEMS]}
    elif template(job) == "result" and job.state != State.UPLOADED:
        found |= {"sum": sums.of_import(job) if job.counts else None, "table": issue_table(request, job.issues.all())}
    return found


def issue_table(request: HttpRequest, issues: QuerySet[ImportIssue]) -> Table:
    """Issues of one import, searchable by what stands in the file."""

    def search(rows: QuerySet[ImportIssue], words: str) -> QuerySet[ImportIssue]:
        line = Q(line=int(words)) if words.isascii() and words.isdigit() and len(words) < 10 else Q()
        return rows.filter(Q(value__icontains=words) | Q(column__icontains=words) | line)

    return Table(
        request, issues, search=search, filters={"severity": (_("What happened"), ImportIssue.Severity.choices)}
    )
