"""The custom options on the page of a phonebook: put in and taken out here; where they go is the business of the page of places."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.models import CustomOption, Phonebook, PhonebookOption
from contactsync.sync.connect import Misconfigured, capabilities


class NamedFormSet(forms.BaseInlineFormSet[Any, Any, Any]):
    """Says aloud what the box at the end of a row is for. Another option in a row would take over the place of the first."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "option" in form.fields:
            form.fields["option"].required = True
            form.fields["option"].disabled = bool(form.instance.pk)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = _("Take this option out of the phonebook")


class OptionInline(admin.TabularInline):
    model = PhonebookOption
    formset = NamedFormSet
    extra = 0
    verbose_name = gettext_lazy("custom option")
    verbose_name_plural = gettext_lazy("custom options of this phonebook")
    readonly_fields = ("slot",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhonebookOption]:
        """Options only: fields of the contact are on the page of places."""
        rows: QuerySet[PhonebookOption] = super().get_queryset(request)
        return rows.filter(option__isnull=False)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("option", "slot") if obj and has_places(obj) else ("option",)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        field: Any = formset.form.base_fields.get("option")
        if field is not None and obj is not None:
            field.queryset = CustomOption.objects.filter(account=obj.account_id)
            field.widget.can_change_related = field.widget.can_view_related = False
            field.widget.widget.attrs["aria-label"] = _("Custom option")
            field.label_from_instance = lambda option: f"{option.title} ({option.get_kind_display()})"
        return formset


def has_places(book: Phonebook) -> bool:
    """Whether a person chooses the places at the provider, or enters their names."""
    try:
        return capabilities(book.account).option_identity in {"slot", "name"}
    except Misconfigured:
        return False
