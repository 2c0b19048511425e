"""Files to download, written row by row: CSV that Excel opens rightly, and XLSX. Formulas are defused in both."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from contactsync.admin.files.xlsx_stream import xlsx_pieces
from contactsync.text import defuse

BOM = "\ufeff"
CHUNK = 2000
NO_SUCH_FILTER = "The address names a filter that this list does not have."
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Row = Iterable[Any]


def cell(value: Any) -> Any:
    """A value as it goes into a file: text defused, moments in the site's time zone, numbers as they are."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return value
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    return defuse(ILLEGAL_CHARACTERS_RE.sub("", str(value)))


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(headers: Sequence[Any], rows: Iterable[Row]) -> Iterator[str]:
    """The file as text, line by line, with the mark that tells Excel it is UTF-8."""
    writer = csv.writer(_Echo())
    yield BOM
    for row in chain([headers], rows):
        yield writer.writerow([cell(value) for value in row])


def csv_file(name: str, headers: Sequence[Any], rows: Iterable[Row]) -> StreamingHttpResponse:
    """A CSV download, streamed."""
    answer = StreamingHttpResponse(csv_lines(headers, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def write_xlsx(file: IO[bytes], headers: Sequence[Any], rows: Iterable[Row]) -> None:
    """Write an XLSX file, row by row."""
    file.writelines(_xlsx(headers, rows))


def _xlsx(headers: Sequence[Any], rows: Iterable[Row]) -> Iterator[bytes]:
    return xlsx_pieces([cell(title) for title in headers], ([cell(value) for value in row] for row in rows))


def xlsx_file(name: str, headers: Sequence[Any], rows: Iterable[Row]) -> StreamingHttpResponse:
    """An XLSX download, streamed."""
    answer = StreamingHttpResponse(_xlsx(headers, rows), content_type=XLSX_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return answer


WRITERS: dict[str, Callable[[str, Sequence[Any], Iterable[Row]], HttpResponseBase]] = {
    "csv": csv_file,
    "xlsx": xlsx_file,
}


def may_export(request: HttpRequest, model: Any) -> bool:
    """Who may take a list away: those with the export permission of the model, or, where there is none, who may see it."""
    opts = model._meta
    names = {name for name, _label in opts.permissions}
    wanted = f"export_{opts.model_name}" if f"export_{opts.model_name}" in names else f"view_{opts.model_name}"
    user: Any = request.user
    return bool(user.has_perm(f"{opts.app_label}.{wanted}"))


class DownloadMixin:
    """Buttons and actions that download the filtered list.

    A screen says what goes into the file with `download_columns`: pairs of a header and a
    function of the row. A screen whose columns depend on the rows overrides `download`.
    """

    change_list_template = "admin/contactsync/change_list_download.html"
    download_columns: Sequence[tuple[Any, Callable[[Any], Any]]] = ()
    #: the permission to export, where it is not the model's own
    export_permission = ""
    opts: Any
    model: Any
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_download"
        view = self.admin_site.admin_view(require_GET(self.download_view))
        return [path("download/<str:form>/", view, name=name), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The screen's own actions, and the downloads for those who may."""
        actions: dict[str, Any] = super().get_actions(request)
        if self.has_export_permission(request):
            actions |= {name: self.get_action(name) for name in ("download_csv", "download_xlsx")}  # type: ignore[attr-defined]
        return actions

    def has_export_permission(self, request: HttpRequest) -> bool:
        if self.export_permission:
            return bool(request.user.has_perm(self.export_permission))
        return may_export(request, self.model)

    def download_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """The list as filtered, as a file."""
        if not self.has_export_permission(request) or not self.has_view_or_change_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        try:
            listed = self.get_changelist_instance(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters as error:
            raise BadRequest(NO_SUCH_FILTER) from error
        return self.file(form, listed.get_queryset(request))

    def file(self, form: str, rows: QuerySet[Any]) -> HttpResponseBase:
        """These rows as a file of the form "csv" or "xlsx"."""
        if form not in WRITERS:
            raise Http404
        headers, lines = self.download(rows)
        name = f"{slugify(self.opts.model_name)}-{timezone.localdate():%Y-%m-%d}"
        return WRITERS[form](name, headers, lines)

    def download(self, rows: QuerySet[Any]) -> tuple[Sequence[Any], Iterable[Row]]:
        """Headers, and the rows one by one."""
        getters = [getter for _header, getter in self.download_columns]
        found = rows.iterator(chunk_size=CHUNK)
        return [header for header, _getter in self.download_columns], (
            [getter(row) for getter in getters] for row in found
        )

    @admin.action(description=_("Download as CSV"))
    def download_csv(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase:
        return self.file("csv", rows)

    @admin.action(description=_("Download as Excel file"))
    def download_xlsx(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase:
        return self.file("xlsx", rows)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {"has_export_permission": self.has_export_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)
