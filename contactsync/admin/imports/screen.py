"""Imports: upload, columns, check, result."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from contactsync import work
from contactsync.admin import progress, stages, sums
from contactsync.admin.common import link, may, person, require, say
from contactsync.admin.files import ledger_columns
from contactsync.admin.files.downloads import DownloadMixin
from contactsync.admin.flow import FlowAdmin, in_plain_words
from contactsync.admin.forms.imports import ListUploadForm, UploadForm
from contactsync.admin.imports import pages
from contactsync.admin.imports.files import FilesMixin, samples
from contactsync.admin.imports.mapping import MappingMixin
from contactsync.admin.imports.rights import kinds_seen_by, may_with, require_with
from contactsync.admin.imports.undo import UndoMixin
from contactsync.imports import jobs
from contactsync.imports.discard import discard
from contactsync.imports.errors import ImportRefused
from contactsync.models import ImportJob, Phonebook
from contactsync.sync.accounts import default_region
from contactsync.templatetags.contactsync import badge, number, when

State = ImportJob.State


@admin.register(ImportJob)
class ImportJobAdmin(MappingMixin, UndoMixin, FilesMixin, DownloadMixin, FlowAdmin):
    """The four steps of an import, for everybody who may add imports or, on the suppression list, suppressed numbers."""

    download_columns = ledger_columns.IMPORTS
    change_list_template = "admin/contactsync/importjob/change_list.html"
    list_display = ("name", "place", "state_badge", "counted", "uploaded")
    list_filter = ("kind", "state", "created_by", "created_at")
    list_select_related = ("phonebook", "created_by")
    search_fields = ("file_name", "phonebook__title", "=sha256")
    steps = ("apply", "go_on", "check", "stop", "discard", "erase", *UndoMixin.steps)
    readings = ("progress", *FilesMixin.readings, *UndoMixin.readings)

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

    @admin.display(description=gettext_lazy("file name"), ordering="file_name")
    def name(self, job: ImportJob) -> str:
        return str(job)

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
                return self._onward(request, job)
        return self.page(
            request,
            "upload",
            None,
            title=_("Import contacts"),
            form=form,
            steps=stages.of_import(None),
            samples=list(samples()),
            no_phonebooks=not Phonebook.objects.exists(),
        )

    def suppression_view(self, request: HttpRequest) -> HttpResponse:
        """Choose the file for the suppression list, and where its numbers are from."""
        require(request, "add_suppression", "view_suppression")
        form = ListUploadForm(initial={"region": default_region()})
        if request.method == "POST":
            form = ListUploadForm(request.POST, request.FILES)
            if job := self._uploaded(request, form):
                return self._onward(request, job)
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

    def _onward(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """To the page of the import; the script that sends the file goes there itself, or the page would be made twice."""
        is_script = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
        return JsonResponse({"url": link(job)}) if is_script else self.back(job)

    # Steps 3 and 4

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of the step the import is at."""
        job = self.row(request, object_id)
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if job.state == State.UPLOADED and may_with(request.user, "add", job):
            return self.show_columns(request, job)
        context = pages.context(request, job, progress_url=link(job, "progress"))
        return self.page(request, pages.template(job), job, **context)

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
            say(
                request,
                _("The import stops after the current rows. Rows imported so far stay; you can continue later."),
            )
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
