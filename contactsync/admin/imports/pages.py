"""What the pages of an import show at each state."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.conf import settings
from django.db.models import Case, Q, QuerySet, TextField, When
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin import progress, stages, sums
from contactsync.admin.common import COUNTED, list_link, may
from contactsync.admin.imports import changes, origin, suppression_lists
from contactsync.admin.imports.rights import may_with
from contactsync.admin.tables import Table
from contactsync.imports import attempts, keeping
from contactsync.imports.discard import can_be_discarded
from contactsync.imports.issues import sentence
from contactsync.imports.jobs import field_choices
from contactsync.imports.letters import column_titles
from contactsync.imports.rules import Rules
from contactsync.imports.settle import Outcome
from contactsync.imports.undo import can_be_undone, undo_of
from contactsync.models import Contact, ImportChange, ImportIssue, ImportJob, ImportUndo

State = ImportJob.State
#: where an import that has begun can go on
GOES_ON = ImportJob.TRANSITIONS[State.APPLYING] - {State.CHECKED}
OUTCOMES: dict[str, Any] = {
    Outcome.CREATED: gettext_lazy("new"),
    Outcome.UPDATED: gettext_lazy("updated"),
    Outcome.UNCHANGED: gettext_lazy("unchanged"),
    Outcome.SKIPPED: gettext_lazy("skipped"),
    Outcome.DUPLICATE: gettext_lazy("repeated"),
    Outcome.REJECTED: gettext_lazy("rejected"),
}
SHOWN_UNASKED = set(ImportIssue.Severity) - {ImportIssue.Severity.SKIPPED}
TEMPLATES = {State.CHECKING: "running", State.APPLYING: "running", State.CHECKED: "checked"}


def template(job: ImportJob) -> str:
    """The page of the import's state."""
    return "running" if job.is_ending else TEMPLATES.get(State(job.state), "result")


def context(request: HttpRequest, job: ImportJob, *, progress_url: str) -> dict[str, Any]:
    """Everything the page of this state needs."""
    last = undo_of(job) if job.counts else None
    has_file = keeping.has_file(job)
    found: dict[str, Any] = {
        "steps": stages.of_import(job),
        "progress": progress.of_import(job),
        "progress_url": progress_url,
        "can_discard": can_be_discarded(job) and may_with(request.user, "add", job),
        "has_file": has_file,
        "can_erase": has_file and keeping.can_be_erased(job) and may_with(request.user, "add", job),
        "erased_on": job.created_at + dt.timedelta(days=settings.IMPORT_KEEP_DAYS),
        "same_file": keeping.same_file(job).first(),
        "columns_used": columns_used(job),
        "can_go_on": bool(job.counts) and job.state in GOES_ON and has_file,
        "may_import": may_with(request.user, "add", job),
        "may_download": may_with(request.user, "export", job),
        "may_see_rows": may_see_rows(request, job),
        "may_push": may(request.user, "push_phonebook"),
        "undo": last if last and last.state not in {ImportUndo.State.CHECKED, ImportUndo.State.REDONE} else None,
        "can_undo": can_be_undone(job) and may_with(request.user, "undo", job),
        "contacts_url": list_link(Contact, phonebook__id__exact=job.phonebook_id),
        "upload_url": upload_url(job),
        "concerned": suppression_lists.concerned(request, job),
    }
    fixed = {name: kept["text"] for name, kept in job.fixed_values.items()}
    found["skipped"] = (job.counts or job.checked_counts).get(Outcome.SKIPPED, 0)
    filled = {*job.mapping.values(), *fixed}
    rules = suppression_lists.rules() if job.is_suppression else Rules.of(job).words(filled)
    found["rules"] = rules if job.mapping and job.state != State.UPLOADED else []
    found["fixed"] = origin.fixed_words(job, fixed) if fixed else ""
    if job.state == State.CHECKED:
        found |= {"sum": sums.of_import(job), "table": issue_table(request, job)}
        found |= changes.of_check(request, job)
    elif template(job) == "result" and job.state != State.UPLOADED:
        found |= {"sum": sums.of_import(job) if job.counts else None, "table": issue_table(request, job)}
        found |= changes.of_result(request, job)
    found["attempts"] = attempt_list(job) if job.corrects_id or job.corrections.exists() else []
    if job.corrects_id and job.checked_counts:
        found |= {"corrected": sums.of_corrections(job), "corrections": correction_table(request, job)}
        found["knows_before"] = attempts.knows_rows_then(job)
    return found


def upload_url(job: ImportJob) -> str:
    """Where another file of the kind is uploaded."""
    if job.is_suppression:
        return reverse("admin:contactsync_importjob_suppression")
    return f"{reverse('admin:contactsync_importjob_add')}?phonebook={job.phonebook_id}"


def columns_used(job: ImportJob) -> list[tuple[str, str]]:
    """The columns that were imported: title in the file, field here."""
    labels = dict(field_choices(job.phonebook))
    titles = column_titles(job.columns)
    used = [(titles[int(index)], labels.get(field, field)) for index, field in job.mapping.items() if field]
    return used if job.state != State.UPLOADED else []


def correction_table(request: HttpRequest, job: ImportJob) -> Table:
    """The rows of a corrected workbook, each with what was changed in it and what became of it; changed ones first."""
    is_same = Case(When(changes=[], then=1), default=0)
    table = Table(request, job.corrected_rows.order_by(is_same, "pk"), param="c")
    rows = list(table.page.object_list)
    outcomes = attempts.outcomes_of_rows(job, [row.row for row in rows])
    labels = OUTCOMES if job.state == State.APPLIED else OUTCOMES | {Outcome.UNCHANGED: _("can be imported")}
    labels |= {ImportChange.Kind.THERE: _("there already")}
    for row in rows:
        row.outcome, row.outcome_label = outcomes[row.row], labels[outcomes[row.row]]
    table.page.object_list = rows
    return table


def attempt_list(job: ImportJob) -> list[ImportJob]:
    """The attempts of an import, each with its counts in short."""
    found = attempts.attempts_of(job)
    for one in found:
        parts = sums.of_import(one).parts
        one.in_short = sums.in_short(parts, {"created", "updated", "unchanged", "skipped", "rejected"})  # type: ignore[attr-defined]
    return found


def codes_of(job: ImportJob) -> list[tuple[str, str]]:
    """The codes that occur, each with its sentence's first words, for a filter. Why very many rows are rejected, the check has noted."""
    noted = job.checked_counts.get("codes", {})
    known = set(noted) if sum(noted.values()) > COUNTED else set()
    looked_for = SHOWN_UNASKED - {ImportIssue.Severity.REJECTED} if known else SHOWN_UNASKED
    issues = job.issues.filter(severity__in=looked_for).order_by()
    known.update(issues.values_list("code", flat=True).distinct())
    return [(code, Truncator(sentence(code)).chars(60)) for code in sorted(known)]


def may_see_rows(request: HttpRequest, job: ImportJob) -> bool:
    """Whole rows are for those who may upload files or take the rows away; others see what is wrong with them."""
    return may_with(request.user, "add", job) or may_with(request.user, "export", job)


def issue_table(request: HttpRequest, job: ImportJob) -> Table:
    """Issues of one import, searchable by what stands in the row; skipped rows only when they are asked for, for they are many."""
    issues = job.issues.all()
    others = issues.filter(severity__in=SHOWN_UNASKED)
    asked = request.GET.get("q") or request.GET.get("severity") == ImportIssue.Severity.SKIPPED

    def search(rows: QuerySet[ImportIssue], words: str) -> QuerySet[ImportIssue]:
        line = Q(line=int(words)) if words.isascii() and words.isdigit() and len(words) < 10 else Q()
        found = Q(value__icontains=words) | Q(column__icontains=words) | line
        if may_see_rows(request, job):  # SQLite has letters beyond ASCII as JSON escapes them
            found |= Q(row_text__icontains=words) | Q(row_text__icontains=json.dumps(words)[1:-1])
        return rows.alias(row_text=Cast("cells", TextField())).filter(found)

    return Table(
        request,
        issues if asked else others,
        search=search,
        filters={
            "severity": (_("What happened"), ImportIssue.Severity.choices),
            "code": (_("Problem"), codes_of(job)),
        },
    )
