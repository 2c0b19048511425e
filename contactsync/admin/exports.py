"""Small lists in and out through django-import-export: what the files hold, and how they are read and written."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any

import tablib  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from import_export.admin import ExportMixin, ImportMixin
from import_export.fields import Field
from import_export.formats import base_formats
from import_export.forms import ExportForm
from import_export.resources import Diff, ModelResource
from import_export.tmp_storages import MediaStorage
from import_export.widgets import ForeignKeyWidget

from contactsync.admin.downloads import BOM, cell, may_export, write_xlsx
from contactsync.models import Campaign, CustomOption, Phonebook, PhonebookOption, ProviderAccount, Suppression
from contactsync.phone import PHONE_MESSAGES, parse_phone
from contactsync.text import clean, is_formula


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
    """Excel files, formulas defused."""

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        file = BytesIO()
        write_xlsx(file, dataset.headers, dataset)
        return file.getvalue()


FORMATS = [CSVFile, XLSXFile]


class PlainDiff(Diff):
    """Old and new values side by side, without the inline styles of the original."""

    def as_html(self) -> list[Any]:
        return [self._cell(str(old), str(new)) for old, new in zip(self.left, self.right, strict=True)]

    def _cell(self, old: str, new: str) -> Any:
        if old == new:
            return format_html("{}", new)
        if self.new or not old:
            return format_html("<ins>{}</ins>", new)
        return format_html("<del>{}</del> <ins>{}</ins>", old, new)


class SmallResource(ModelResource):
    """A resource whose files make the round trip: what was defused on the way out is read as it was."""

    def get_diff_class(self) -> type[Diff]:
        return PlainDiff

    def get_import_fields(self) -> list[Any]:
        """Only what a file may set."""
        return [field for field in super().get_import_fields() if not field.readonly]

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        for name, value in row.items():
            text = "" if value is None else str(value)
            row[name] = text[1:] if text.startswith("'") and is_formula(text[1:]) else text


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


def _account_field() -> Field:
    return Field(attribute="account", column_name="account", widget=AccountByName(ProviderAccount, "name"))


class PhonebookResource(SmallResource):
    account = _account_field()
    options = Field(column_name="options")

    class Meta:
        model = Phonebook
        fields = ("account", "title", "description", "options")
        import_id_fields = ("account", "title")
        clean_model_instances = True

    def dehydrate_options(self, book: Phonebook) -> str:
        return " | ".join(place.option.title for place in book.option_places.all() if place.option is not None)

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        super().before_import_row(row, **kwargs)
        row["title"] = clean(row.get("title", ""))

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        self._wanted(instance, row)

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        for option in self._wanted(instance, row):
            PhonebookOption.objects.get_or_create(phonebook=instance, option=option)

    def _wanted(self, book: Phonebook, row: Any) -> list[CustomOption]:
        """The options a row names. Raises `ValidationError` for one the account does not have."""
        titles = [clean(title) for title in row.get("options", "").split("|") if clean(title)]
        known = {option.title: option for option in CustomOption.objects.filter(account=book.account)}
        missing = [title for title in titles if title not in known]
        if missing:
            raise ValidationError(
                {"options": _("The account has no option “%(title)s”. Add it first.") % {"title": missing[0]}}
            )
        return [known[title] for title in titles]


class CustomOptionResource(SmallResource):
    account = _account_field()
    choices = Field(column_name="choices")

    class Meta:
        model = CustomOption
        fields = ("account", "title", "kind", "choices")
        import_id_fields = ("account", "title")
        clean_model_instances = True
        skip_unchanged = True

    def dehydrate_choices(self, option: CustomOption) -> str:
        return " | ".join(option.choices)

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        super().before_import_row(row, **kwargs)
        row["title"] = clean(row.get("title", ""))
        row["kind"] = row.get("kind", "").strip() or CustomOption.Kind.TEXT

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        kind_before = instance.kind if instance.pk and instance.remote_key else ""
        super().import_instance(instance, row, **kwargs)
        if "choices" in row:
            instance.choices = [clean(word) for word in row["choices"].split("|") if clean(word)]
        if kind_before and instance.kind != kind_before:
            raise ValidationError({"kind": _("The kind is fixed: the option exists at the provider already.")})


class SuppressionResource(SmallResource):
    source = Field(attribute="source", column_name="source", readonly=True)
    since = Field(attribute="since", column_name="since", readonly=True)

    class Meta:
        model = Suppression
        fields = ("phone", "reason", "source", "since")
        import_id_fields = ("phone",)
        clean_model_instances = True
        skip_unchanged = True

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        super().before_import_row(row, **kwargs)
        verdict = parse_phone(row.get("phone", ""), default_region())
        if not verdict.is_valid:
            raise ValidationError({"phone": _(PHONE_MESSAGES[verdict.code])})
        row["phone"] = verdict.e164

    def init_instance(self, row: Any = None) -> Suppression:
        return Suppression(source=Suppression.Source.IMPORT)

    def dehydrate_since(self, suppression: Suppression) -> str:
        return str(cell(suppression.since)) if suppression.pk else ""


class CampaignResource(SmallResource):
    """Campaigns for reports: never imported."""

    account = Field(attribute="account__name", column_name="account")
    state = Field(attribute="get_state_display", column_name="state")
    created_by = Field(attribute="created_by__username", column_name="written by")
    sent_by = Field(attribute="sent_by__username", column_name="sent by")
    recipients = Field(column_name="recipients")
    parts = Field(column_name="SMS parts")

    class Meta:
        model = Campaign
        fields = (
            "id", "title", "account", "sender", "message", "state", "scheduled_for", "recipients", "parts",
            "created_by", "sent_by", "created_at", "prepared_at", "started_at", "finished_at", "reported_at",
        )  # fmt: skip
        export_order = fields

    def dehydrate_recipients(self, campaign: Campaign) -> Any:
        return campaign.summary.get("recipients", "")

    def dehydrate_parts(self, campaign: Campaign) -> Any:
        return campaign.summary.get("parts", "")


def default_region() -> str:
    """The country of numbers without a country code where no account is at hand: that of the first account."""
    return ProviderAccount.objects.order_by("pk").values_list("default_region", flat=True).first() or "IR"


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

    def get_export_filename(self, request: HttpRequest, queryset: QuerySet[Any], file_format: Any) -> str:
        return f"{self.model._meta.model_name}-{timezone.localdate():%Y-%m-%d}.{file_format.get_extension()}"


class ImportScreenMixin(ImportMixin, ExportScreenMixin):
    """Import and Export buttons. Import needs add and change; its uploads lie in the file storage, not in a shared temp folder."""

    import_export_change_list_template = "admin/import_export/change_list_import_export.html"
    tmp_storage_class = MediaStorage

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def get_import_formats(self) -> Sequence[Any]:
        return FORMATS


__all__ = [
    "CampaignResource",
    "CustomOptionResource",
    "ExportScreenMixin",
    "ImportScreenMixin",
    "PhonebookResource",
    "SuppressionResource",
    "default_region",
]
