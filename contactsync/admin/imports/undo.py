"""The undo of an import, as pages of the import: look what it would do, choose, undo, redo."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.utils.translation import gettext as _

from contactsync import work
from contactsync.admin import progress
from contactsync.admin.common import link, person, say
from contactsync.admin.files.downloads import csv_file
from contactsync.admin.flow import FlowAdmin, in_plain_words
from contactsync.admin.imports import undo_pages
from contactsync.admin.imports.rights import require_with
from contactsync.imports import undo
from contactsync.imports.undo_cases import OFFERS
from contactsync.models import ImportJob, ImportUndo

State = ImportUndo.State
#: names of the choices in the form: this and the case
CHOICE = "case-"
CHUNK = 2000
#: what a line of the file is made of: not the contacts before and after, which take far longer to read
READ = ("undo", "phone", "name", "case", "facts", "action", "redone", "change", "change__line")


class UndoMixin(FlowAdmin):
    """The steps of an undo (review, begin, stop, redo), for everybody who may undo imports."""

    steps: tuple[str, ...] = ("undo_check", "undo_begin", "undo_stop", "undo_resume", "undo_redo")
    readings: tuple[str, ...] = ("undo", "undo_progress", "undo_rows")

    def undo_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """The page of the state the undo is at."""
        found = undo.undo_of(job)
        if found is None:
            return self.back(job)
        page = "checked" if found.state == State.CHECKED else "result"
        if found.state in progress.UNDO_BUSY:
            page = "running"
        title = _("Undo: %(file)s") % {"file": job}
        return self.page(request, f"undo_{page}", job, **{**undo_pages.context(request, found), "title": title})

    def undo_check_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Look what an undo would do; contacts are not touched."""
        require_with(request, "undo", job)
        with in_plain_words(request, job):
            work.check_undo(job, user=person(request))
        return _to_undo(job)

    def undo_begin_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Undo, as chosen for each case."""
        require_with(request, "undo", job)
        found = _undo_of(job)
        chosen = {case: request.POST[CHOICE + case] for case in map(str, OFFERS) if request.POST.get(CHOICE + case)}
        with in_plain_words(request, found):
            work.undo_import(found, chosen, user=person(request))
        return _to_undo(job)

    def undo_stop_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Stop after the contacts in hand."""
        require_with(request, "undo", job)
        found = _undo_of(job)
        with in_plain_words(request, found):
            undo.stop(found)
            say(
                request,
                _("The work stops after the current numbers. What was done stays as it is; you can continue later.")
                if job.is_suppression
                else _(
                    "The work stops after the current contacts. What was done stays as it is; you can continue later."
                ),
            )
        return _to_undo(job)

    def undo_resume_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Go on where the work was stopped."""
        require_with(request, "undo", job)
        found = _undo_of(job)
        with in_plain_words(request, found):
            work.resume_undo(found, user=person(request))
        return _to_undo(job)

    def undo_redo_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Undo the undo."""
        require_with(request, "undo", job)
        found = _undo_of(job)
        with in_plain_words(request, found):
            work.redo_import(found, user=person(request))
        return _to_undo(job)

    def undo_progress_view(self, request: HttpRequest, job: ImportJob) -> JsonResponse:
        return progress.of_undo(_undo_of(job)).answer()

    def undo_rows_view(self, request: HttpRequest, job: ImportJob) -> StreamingHttpResponse:
        """The contacts of the undo as filtered, as a CSV file."""
        require_with(request, "export", job)
        found = _undo_of(job)
        rows = undo_pages.table_of(request, found).rows.select_related(None).select_related("change").only(*READ)
        name = _("Reason") if job.is_suppression else _("Name")
        headers = [_("Line"), _("Phone number"), name, _("Case"), _("Since the import"), _("What is done")]
        return csv_file(f"import-{job.pk}-undo", headers, _cells(found, rows.iterator(chunk_size=CHUNK)))


def _cells(found: ImportUndo, rows: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(rows, CHUNK)):
        for line in undo_pages.lines(found, chunk):
            row = line.row
            yield [row.change.line, row.phone, row.name, line.case, line.since, line.done]


def _undo_of(job: ImportJob) -> ImportUndo:
    found = undo.undo_of(job)
    if found is None:
        raise Http404(_("Nobody has begun to undo this import."))
    return found


def _to_undo(job: ImportJob) -> HttpResponseRedirect:
    return HttpResponseRedirect(link(job, "undo"))
