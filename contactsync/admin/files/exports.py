"""Small lists in and out through django-import-export: what the files hold, and how they are read and written."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import tablib  # type: ignore[import-untyped]
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from import_export.admin import ExportMixin, ImportMixin
from import_export.fields import Field
from import_export.formats import base_formats
from import_export.forms import ExportForm, ImportForm
from import_export.resources import Diff, ModelResource
from import_export.tmp_storages import MediaStorage
from import_export.widgets import ForeignKeyWidget

from contactsync.admin.files.downloads import BOM, NO_SUCH_FILTER, cell, may_export, write_xlsx
from contactsync.models import ProviderAccount
from contactsync.text import clean, from_excel_text, undefused


class CSVFile(base_formats.CSV):
    """CSV as Excel reads and writes it: UTF-8 with its mark; comma, semicolon or tab between cells."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> tablib.Dataset:
        text = in_stream.decode(self.encoding or "utf-8-sig") if isinstance(in_stream, bytes) else in_stream
        first = text.lstrip(BOM).partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        return super().create_dataset(text.lstrip(BOM), delimiter=delimiter, **kwargs)

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> str:
        out = StringIO()
        writer = csv.writer(out)
        writer.writerow(dataset.headers)
        writer.writerows([cell(value) for value in row] for row in dataset)
        return BOM + out.getvalue()


class XLSXFile(base_formats.XLSX):
    """Excel files, formulas defused. Empty cells at the end of a row need not be in the file."""

    def create_dataset(self, in_stream: Any) -> tablib.Dataset:
        sheet: Any = openpyxl.load_workbook(BytesIO(in_stream), read_only=True, data_only=True).active
        rows = sheet.iter_rows(values_only=True)
        dataset = tablib.Dataset()
        dataset.headers = list(next(rows))
        width = len(dataset.headers)
        for row in rows:
            cells = [from_excel_text(one) if isinstance(one, str) else one for one in row]
            while cells and cells[-1] is None:
                cells.pop()
            if cells:  # cells beyond the headers stay, so that such a row is refused and not cut
                dataset.append(cells + [None] * (width - len(cells)))
        return dataset

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        file = BytesIO()
        write_xlsx(file, dataset.headers, dataset)
        return file.getvalue()


FORMATS = [CSVFile, XLSXFile]
#: these files are read as a whole, so they are small, also once an Excel file is unpacked
MOST_MB = 20


class SmallImportForm(ImportForm):
    """A file for one of the small lists. Refuses what would fill the memory of the web server."""

    def clean_import_file(self) -> UploadedFile:
        upload: UploadedFile = self.cleaned_data["import_file"]
        if _unpacked_size(upload) > MOST_MB * 1024 * 1024:
            raise ValidationError(
                _("The file is larger than %(size)d MB. Split it, and upload the parts one after the other."),
                params={"size": MOST_MB},
            )
        return upload


def _unpacked_size(upload: UploadedFile) -> int:
    """Bytes of the file, or of what is packed in it; the reader takes no more of a member than the archive declares."""
    try:
        with zipfile.ZipFile(upload) as archive:
            packed = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile:  # no Excel file
        packed = 0
    upload.seek(0)
    return max(packed, upload.size or 0)


class PlainDiff(Diff):
    """Old and new values side by side as a file holds them, without the inline styles of the original."""

    @classmethod
    def _read_field_values(cls, resource: Any, instance: Any) -> list[Any]:
        return [resource.export_field(field, instance) for field in resource.get_import_fields()]

    def __init__(self, resource: Any, instance: Any, new: bool) -> None:
        self.left = self._read_field_values(resource, instance)
        self.right: list[Any] = []
        self.new = new

    def compare_with(self, resource: Any, instance: Any) -> None:
        self.right = self._read_field_values(resource, instance)

    def as_html(self) -> list[Any]:
        return [self._cell(str(old), str(new)) for old, new in zip(self.left, self.right, strict=True)]

    def _cell(self, old: str, new: str) -> Any:
        if old == new:
            return format_html("{}", new)
        if self.new or not old:
            return format_html("<ins>{}</ins>", new)
        return format_html("<del>{}</del> <ins>{}</ins>", old, new)


class SmallResource(ModelResource):
    """A resource whose files make the round trip: what was defused on the way out is read as it was, and what is the same is left alone."""

    def get_diff_class(self) -> type[Diff]:
        return PlainDiff

    def get_import_fields(self) -> list[Any]:
        """Only what a file may set."""
        return [field for field in super().get_import_fields() if not field.readonly]

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        for name, value in row.items():
            row[name] = undefused("" if value is None else str(value))


class AccountByName(ForeignKeyWidget):
    """An account by its name; with one account, an empty cell means that one."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> ProviderAccount:
        accounts = ProviderAccount.objects.all()
        name = clean(str(value or ""))
        if not name and accounts.count() == 1:
            return accounts.get()
        found = accounts.filter(name=name).first()
        if found is None:
            raise ValueError(_("There is no account with the name “%(name)s”.") % {"name": name})
        return found


def account_field() -> Field:
    """The column of a file that names the account."""
    return Field(attribute="account", column_name="account", widget=AccountByName(ProviderAccount, "name"))


class ExportScreenMixin(ExportMixin):
    """An Export button for CSV and XLSX, for those who may export the model."""

    export_form_class = ExportForm
    model: type[Model]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return may_export(request, self.model)

    def get_export_formats(self) -> Sequence[Any]:
        return FORMATS

    def init_request_context_data(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """Show the columns the file will have."""
        context: dict[str, Any] = super().init_request_context_data(request, form)
        resources = self.get_export_resource_classes(request)
        context["fields_list"] = [(one.get_display_name(), one().get_export_headers()) for one in resources]
        return context

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        try:
            found: QuerySet[Any] = super().get_export_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest(NO_SUCH_FILTER) from error
        return found

    def get_export_filename(self, request: HttpRequest, queryset: QuerySet[Any], file_format: Any) -> str:
        return f"{self.model._meta.model_name}-{timezone.localdate():%Y-%m-%d}.{file_format.get_extension()}"


class ImportScreenMixin(ImportMixin, ExportScreenMixin):
    """Import and Export buttons. Import needs add and change; its uploads lie in the file storage, not in a shared temp folder."""

    import_export_change_list_template = "admin/import_export/change_list_import_export.html"
    tmp_storage_class = MediaStorage
    import_form_class = SmallImportForm

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def get_import_formats(self) -> Sequence[Any]:
        return FORMATS
