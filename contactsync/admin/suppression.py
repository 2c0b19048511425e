"""Numbers that get no message from us."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.common import ScreenAdmin
from contactsync.admin.exports import ExportScreenMixin
from contactsync.admin.search import by_number
from contactsync.admin.suppression_files import SuppressionResource
from contactsync.models import Suppression
from contactsync.phone import PHONE_MESSAGES, display, parse_phone
from contactsync.sync.accounts import default_region
from contactsync.templatetags.contactsync import ltr, when
from contactsync.text import clean


class SuppressionForm(forms.ModelForm[Suppression]):
    """A number in any usual form, and why."""

    phone = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=100,
        help_text=gettext_lazy("In any usual form; kept in international form."),
        widget=forms.TextInput(attrs={"class": "vTextField", "dir": "ltr", "inputmode": "tel"}),
    )

    class Meta:
        model = Suppression
        fields = ("phone", "reason")

    def clean_phone(self) -> str:
        verdict = parse_phone(self.cleaned_data["phone"], default_region())
        if not verdict.is_valid:
            raise ValidationError(_(PHONE_MESSAGES[verdict.code]))
        return verdict.e164

    def clean_reason(self) -> str:
        return clean(self.cleaned_data["reason"])


@admin.register(Suppression)
class SuppressionAdmin(ExportScreenMixin, ScreenAdmin):
    """Suppression wins over every phonebook, import and campaign."""

    resource_classes = (SuppressionResource,)
    import_export_change_list_template = "admin/contactsync/suppression/change_list.html"
    form = SuppressionForm
    bulk_delete = True
    list_display = ("number", "reason_text", "source", "since_text")
    list_filter = ("source",)
    search_fields = ("phone", "reason")
    search_help_text = gettext_lazy("A number in any form, or a word of the reason.")

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> tuple[str, ...]:
        return ("phone", "reason", "source", "since_text") if obj else ("phone", "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Suppression | None = None) -> tuple[str, ...]:
        return ("source", "since_text") if obj else ()

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        found = by_number(queryset, search_term)
        if found is not None:
            return found, False
        return super().get_search_results(request, queryset, clean(search_term))

    @admin.display(description=gettext_lazy("phone number"), ordering="phone")
    def number(self, suppression: Suppression) -> str:
        return ltr(display(suppression.phone))

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def reason_text(self, suppression: Suppression) -> str:
        return suppression.reason_text

    @admin.display(description=gettext_lazy("since"), ordering="since")
    def since_text(self, suppression: Suppression) -> str:
        return when(suppression.since)
