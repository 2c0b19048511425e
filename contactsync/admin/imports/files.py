"""Files that belong to imports: samples to try, and rejected rows to look at or to correct."""

from __future__ import annotations

import mimetypes
import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _

from contactsync.admin.common import require, say
from contactsync.admin.files.downloads import XLSX_TYPE
from contactsync.admin.flow import FlowAdmin
from contactsync.admin.imports.rights import require_with
from contactsync.imports import report
from contactsync.imports.correction_workbook import write_workbook
from contactsync.imports.errors import ImportRefused
from contactsync.models import ImportJob

SAMPLES = Path(settings.BASE_DIR) / "contactsync" / "samples"


def samples() -> dict[str, Path]:
    """The sample files by name."""
    return {file.name: file for file in sorted(SAMPLES.glob("*.*"))}


class FilesMixin(FlowAdmin):
    """Sample files, for everybody who may add imports; rejected rows are personal data, for those who may export them."""

    readings: tuple[str, ...] = ("rejected", "workbook")

    def sample_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """One of the sample files, by its exact name."""
        require(request, "add_importjob")
        known = samples()
        if name not in known:
            raise Http404(_("There is no sample file with this name."))
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(known[name].read_bytes(), content_type=kind, headers=headers)

    def rejected_view(self, request: HttpRequest, job: ImportJob) -> StreamingHttpResponse:
        """The rejected rows as a CSV file: the original columns, the line and the reason."""
        require_with(request, "export", job)
        answer = StreamingHttpResponse(report.rejected_rows(job), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = content_disposition_header(True, f"{_stem(job)}-rejected-{job.pk}.csv") or ""
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
        name = f"{_stem(job)}-corrections-{job.pk}.xlsx"
        return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX_TYPE)


def _stem(job: ImportJob) -> str:
    return slugify(Path(job.file_name).stem, allow_unicode=True) or "import"
