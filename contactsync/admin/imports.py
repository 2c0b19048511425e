"""Imports: upload, columns, check, result."""

from __future__ import annotations

import mimetypes
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from contactsync import work
from contactsync.admin import import_columns, import_pages, ledger_columns, progress, stages, sums
from contactsync.admin.common import link, may, require, say
from contactsync.admin.downloads import XLSX_TYPE, DownloadMixin
from contactsync.admin.flow import FlowAdmin, in_plain_words, person
from contactsync.admin.forms.imports import ColumnsForm, ListColumnsForm, ListUploadForm, UploadForm
from contactsync.admin.forms.reading import ReadingForm
from contactsync.admin.forms.rules import RulesForm
from contactsync.admin.import_rights import kinds_seen_by, may_with, require_with
from contactsync.admin.import_undo import UndoMixin
from contactsync.imports import jobs, keeping, report
from contactsync.imports.correction_workbook import write_workbook
from contactsync.imports.discard import can_be_discarded, discard
from contactsync.imports.errors import ImportRefused
from contactsync.models import ImportJob, Phonebook
from contactsync.sync.accounts import default_region
from contactsync.templatetags.contactsync import badge, number, when

SAMPLES = Path(settings.BASE_DIR) / "contactsync" / "samples"
State = ImportJob.State
#: where the columns may still be changed
OPEN = frozenset({State.UPLOADED, State.CHECKED, State.STOPPED, State.FAILED})


@admin.register(ImportJob)
class ImportJobAdmin(UndoMixin, DownloadMixin, FlowAdmin):
    """The four steps of an import. Whoever may add imports, or suppressed numbers, may take theirs to their end."""

    download_columns = ledger_columns.IMPORTS
    change_list_template = "admin/contactsync/importjob/change_list.html"
    list_display = ("file_name", "place", "state_badge", "counted", "uploaded")
    list_filter = ("kind", "state", "created_by", "created_at")
    list_select_related = ("phonebook", "created_by")
    search_fields = ("file_name", "phonebook__title", "=sha256")
    steps = ("apply", "go_on", "check", "stop", "discard", "erase", *UndoMixin.steps)
    readings = ("progress", "rejected", "workbook", *UndoMixin.readings)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, "add_importjob")

    def has_view_permission(self, request: HttpRequest, obj: ImportJob | None = None) -> bool:
        return may_with(request.user, "view", obj) if obj else bool(kinds_seen_by(request.user))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportJob]:
        return super().get_queryset(request).filter(kind__in=kinds_seen_by(request.user))

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "sample/<str:name>",
                self.admin_site.admin_view(require_GET(self.sample_view)),
                name="contactsync_importjob_sample",
            ),
            self.page_path("suppression/", self.suppression_view, "suppression"),
            self.page_path("<int:object_id>/columns/", self.columns_view, "columns"),
            *super().get_urls(),
        ]

    # The list

    @admin.display(description=gettext_lazy("where to"), ordering="phonebook")
    def place(self, job: ImportJob) -> str:
        return job.place

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, job: ImportJob) -> str:
        return badge(job)

    @admin.display(description=gettext_lazy("counts"))
    def counted(self, job: ImportJob) -> str:
        """“431 new · 28 rejected”, of the check while nothing is imported yet."""
        if not (job.counts or job.checked_counts):
            rows = ngettext("%(rows)s row", "%(rows)s rows", job.total_rows or 0)
            return rows % {"rows": number(job.total_rows)} if job.total_rows else number(None)
        return sums.in_short(sums.of_import(job).parts, {"created", "updated", "skipped", "rejected"})

    @admin.display(description=gettext_lazy("uploaded"), ordering="created_at")
    def uploaded(self, job: ImportJob) -> str:
        return format_html("{} {}", when(job.created_at), job.created_by or "")

    # Step 1

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose the phonebook and the file."""
        require(request, "add_importjob")
        form: UploadForm | ListUploadForm = UploadForm(initial={"phonebook": request.GET.get("phonebook", "")})
        if request.method == "POST":
            form = UploadForm(request.POST, request.FILES)
            if job := self._uploaded(request, form):
                return self.back(job)
        return self.page(
            request,
            "upload",
            None,
            title=_("Import contacts"),
            form=form,
            steps=stages.of_import(None),
            samples=sorted(file.name for file in SAMPLES.glob("*.*")) if SAMPLES.is_dir() else [],
            no_phonebooks=not Phonebook.objects.exists(),
        )

    def suppression_view(self, request: HttpRequest) -> HttpResponse:
        """Choose the file for the suppression list, and where its numbers are from."""
        require(request, "add_suppression", "view_suppression")
        form = ListUploadForm(initial={"region": default_region()})
        if request.method == "POST":
            form = ListUploadForm(request.POST, request.FILES)
            if job := self._uploaded(request, form):
                return self.back(job)
        title = _("Import into the suppression list")
        return self.page(request, "upload", None, title=title, form=form, steps=stages.of_import(None), is_list=True)

    def _uploaded(self, request: HttpRequest, form: UploadForm | ListUploadForm) -> ImportJob | None:
        """The upload as an import; None when something about it is wrong, which the form then says."""
        if not form.is_valid():
            return None
        book, region = form.cleaned_data.get("phonebook"), form.cleaned_data.get("region", "")
        try:
            return jobs.create_job(
                phonebook=book, upload=form.cleaned_data["file"], user=person(request), region=region
            )
        except jobs.UnreadableFile as error:
            form.add_error("file", error.describe())
            return None

    def sample_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """One of the sample files, by its exact name."""
        require(request, "add_importjob")
        known = {file.name: file for file in SAMPLES.glob("*.*")} if SAMPLES.is_dir() else {}
        if name not in known:
            raise Http404(_("There is no sample file of this name."))
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(known[name].read_bytes(), content_type=kind, headers=headers)

    # Step 2

    def columns_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What each column is: guessed already, changeable until the import begins."""
        job = self.row(request, object_id)
        require_with(request, "add", job)
        if job.state not in OPEN or job.counts:
            return self.back(job)
        if "_reread" in request.POST:
            return self._read_again(request, job)
        return self._save_columns(request, job) if request.method == "POST" else self._show_columns(request, job)

    def _columns_form(
        self, request: HttpRequest, job: ImportJob, data: Any = None
    ) -> tuple[ColumnsForm | ListColumnsForm, jobs.Sample]:
        sample = jobs.sample(job)
        initial = {f"column_{index}": field for index, field in job.mapping.items()}
        initial |= {name: getattr(sample.form, name) for name in ReadingForm.base_fields}
        initial |= {name: getattr(job, name) for name in (*RulesForm.base_fields, "region")}
        offer = import_columns.offer(request, job, sample.columns)
        is_text = bool(sample.form.encoding)
        columns_form = ListColumnsForm if job.is_suppression else ColumnsForm
        return columns_form(data, initial=initial, offer=offer, is_text=is_text, sheets=sample.sheets), sample

    def _show_columns(
        self, request: HttpRequest, job: ImportJob, form: ColumnsForm | ListColumnsForm | None = None
    ) -> HttpResponse:
        fresh, sample = self._columns_form(request, job)
        form = form or fresh
        return self.page(
            request,
            "columns",
            job,
            form=form,
            sample=sample,
            first_rows=import_columns.first_rows(sample),
            steps=stages.of_import(job, current="columns"),
            same_file=keeping.same_file(job).first(),
            can_discard=can_be_discarded(job),
            **import_columns.context(request, job, form),
        )

    def _save_columns(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        if "_use" in request.POST:
            with in_plain_words(request, job):
                import_columns.use(request, job)
            return HttpResponseRedirect(link(job, "columns"))
        form, _sample = self._columns_form(request, job, request.POST)
        if not form.is_valid():
            return self._show_columns(request, job, form)
        with in_plain_words(request, job):
            try:
                import_columns.confirm(request, job, form, log=lambda option: self.log_addition(request, option, []))
                work.check_import(job, user=person(request))
            except (jobs.MappingError, jobs.UnreadableFile) as error:
                column, fixed = getattr(error, "column", ""), getattr(error, "fixed", "")
                form.show_refusal(error.describe(), column=column, fixed=fixed)
                return self._show_columns(request, job, form)
        return self.back(job)

    def _read_again(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Read the sample again in the form the person chose, and guess the columns anew."""
        form, _sample = self._columns_form(request, job, request.POST)
        if form.errors.keys() & ReadingForm.base_fields.keys():
            return self._show_columns(request, job, form)
        with in_plain_words(request, job):
            try:
                jobs.read_again(job, **form.dialect())
            except jobs.UnreadableFile as error:
                form.add_error(None, error.describe())
                return self._show_columns(request, job, form)
        return HttpResponseRedirect(link(job, "columns"))

    # Steps 3 and 4

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of the step the import is at."""
        job = self.row(request, object_id)
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if job.state == State.UPLOADED and may_with(request.user, "add", job):
            return self._show_columns(request, job)
        context = import_pages.context(request, job, progress_url=link(job, "progress"))
        return self.page(request, import_pages.template(job), job, **context)

    def apply_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Import what was checked; also goes on where a stopped import ended."""
        require_with(request, "add", job)
        with in_plain_words(request, job):
            work.apply_import(job, user=person(request))
        return self.back(job)

    def go_on_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Import the rest although the phonebook (or the list) is not as it was when the file was checked."""
        require_with(request, "add", job)
        with in_plain_words(request, job):
            work.apply_import(job, user=person(request), go_on=True)
        return self.back(job)

    def check_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Check the file once more, with the columns as they are."""
        require_with(request, "add", job)
        with in_plain_words(request, job):
            try:
                work.check_import(job, user=person(request))
            except ImportRefused as refused:
                say(request, refused.describe(), level=messages.WARNING)
        return self.back(job)

    def stop_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Stop after the rows in hand."""
        require_with(request, "add", job)
        with in_plain_words(request, job):
            jobs.stop(job)
            say(request, _("The import stops after the rows in hand. Rows imported so far stay; you can go on later."))
        return self.back(job)

    def discard_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Throw away an upload of which nothing was imported."""
        require_with(request, "add", job)
        with in_plain_words(request, job):
            discard(job)
            say(request, _("Discarded: the file was deleted, and nothing of it was imported."))
        return self.back(job)

    def erase_view(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Erase the uploaded file and what is kept of its rows."""
        require_with(request, "add", job)
        with in_plain_words(request, job):
            work.erase_import(job)
            say(request, _("The file was erased. What it changed stays on record."))
        return self.back(job)

    # Readings

    def progress_view(self, request: HttpRequest, job: ImportJob) -> JsonResponse:
        return progress.of_import(job).answer()

    def rejected_view(self, request: HttpRequest, job: ImportJob) -> StreamingHttpResponse:
        """The rejected rows as a CSV file: the original columns, the line and the reason."""
        require_with(request, "export", job)
        answer = StreamingHttpResponse(report.rejected_rows(job), content_type="text/csv; charset=utf-8")
        stem = slugify(Path(job.file_name).stem) or "import"
        answer["Content-Disposition"] = f'attachment; filename="{stem}-rejected-{job.pk}.csv"'
        return answer

    def workbook_view(self, request: HttpRequest, job: ImportJob) -> HttpResponseBase:
        """The rejected rows as a workbook to correct and upload again."""
        require_with(request, "export", job)
        file = tempfile.TemporaryFile()  # noqa: SIM115  closed by the response
        try:
            write_workbook(job, file)
        except ImportRefused as refused:
            file.close()
            say(request, refused.describe(), level=messages.WARNING)
            return self.back(job)
        file.seek(0)
        stem = slugify(Path(job.file_name).stem) or "import"
        return FileResponse(
            file, as_attachment=True, filename=f"{stem}-corrections-{job.pk}.xlsx", content_type=XLSX_TYPE
        )
