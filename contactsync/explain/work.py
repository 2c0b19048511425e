"""What files and runs did with a number."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contactsync.explain.lines import Kind, Line, name_of
from contactsync.explain.number import Number
from contactsync.imports.issues import describe_issue
from contactsync.models import ImportChange, ImportIssue, ImportUndoChange, Run, RunItem


def imported(number: Number, most: int) -> Iterator[Line]:
    """Rows of files that made or changed a contact with the number, also one that is gone."""
    yield from _changes(ImportChange.objects.filter(contact__in=number.contact_ids), most)


def listed(number: Number, most: int) -> Iterator[Line]:
    """Rows of files that put the number on the suppression list, or found it there."""
    if keys := number.suppression_ids:
        yield from _changes(ImportChange.objects.filter(suppression__in=keys), most)


def _changes(found: QuerySet[ImportChange], most: int) -> Iterator[Line]:
    rows = found.order_by("-pk")
    for change in rows.select_related("job__phonebook", "job__created_by")[:most]:
        job = change.job
        words = {"line": change.line, "file": job, "book": job.place}
        yield Line(
            job.finished_at or job.started_at or job.created_at,
            Kind.IMPORT,
            _("New in “%(book)s” from line %(line)s of %(file)s") % words
            if change.kind == ImportChange.Kind.CREATED
            else _("Named by line %(line)s of %(file)s for “%(book)s”, and there already") % words
            if change.kind == ImportChange.Kind.THERE
            else _("Changed in “%(book)s” by line %(line)s of %(file)s") % words,
            job,
            why=(change.before or {}).get("set", {}).get("reason", "") if job.is_suppression else "",
            who=name_of(job.created_by),
            state=job.state,
            label=job.get_state_display(),
            change=None if job.is_suppression else change,
        )


def issues(number: Number, most: int) -> Iterator[Line]:
    """Rows of files with the number that were not imported, or about which there was something to say."""
    rows = ImportIssue.objects.filter(number__in=number.issue_keys).exclude(number="").order_by("-pk")
    for issue in rows.select_related("job__phonebook", "job__created_by")[:most]:
        job = issue.job
        yield Line(
            job.finished_at or job.started_at or job.created_at,
            Kind.IMPORT,
            _("Line %(line)s of %(file)s for “%(book)s”") % {"line": issue.line, "file": job, "book": job.place},
            job,
            why=f"{issue.column}: {describe_issue(issue)}" if issue.column else describe_issue(issue),
            who=name_of(job.created_by),
            state=issue.severity,
            label=issue.get_severity_display(),
            phone=issue.value,
        )


def undone(number: Number, most: int) -> Iterator[Line]:
    """What undos of imports did with the contacts of the number."""
    rows = ImportUndoChange.objects.filter(phone__in=number.numbers).exclude(action=ImportUndoChange.Action.PLANNED)
    for change in rows.select_related("undo__job__phonebook", "undo__created_by").order_by("-pk")[:most]:
        undo, is_redone = change.undo, bool(change.redone)
        words = {"file": undo.job, "book": undo.job.place}
        yield Line(
            undo.finished_at or undo.started_at or undo.created_at,
            Kind.IMPORT,
            _("Undo of the import %(file)s into “%(book)s”, itself undone") % words
            if is_redone
            else _("Undo of the import %(file)s into “%(book)s”") % words,
            undo.job,
            why=change.get_case_display(),
            who=name_of(undo.created_by),
            state=change.redone if is_redone else change.action,
            label=change.get_redone_display() if is_redone else change.get_action_display(),
            phone=change.phone,
        )


def items(number: Number, most: int) -> Iterator[Line]:
    """What runs meant to do with the number, and what became of it."""
    rows = RunItem.objects.filter(phone__in=number.spellings).order_by("-pk")
    related = ("run__phonebook", "run__campaign", "run__account", "run__approved_by", "run__created_by", "call")
    for item in rows.select_related(*related)[:most]:
        run = item.run
        at = item.call.finished_at or item.call.started_at if item.call else None
        yield Line(
            at or run.finished_at or run.started_at or run.created_at,
            Kind.PUSH,
            _("%(run)s of “%(book)s”: %(what)s")
            % {"run": run, "book": run.about or run.account, "what": item.get_operation_display()},
            run,
            why=item.error_text,
            who=name_of(run.approved_by or run.created_by),
            state=""
            if run.kind == Run.Kind.PULL
            else item.state,  # a pull finds a difference and does nothing about it
            label="" if run.kind == Run.Kind.PULL else item.get_state_display(),
            phone=item.phone,
            call=item.call,
        )
