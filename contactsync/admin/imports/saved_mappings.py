"""Saved mappings: renamed and deleted here, made on the page of an import's columns."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.common import ScreenAdmin
from contactsync.admin.words import field_label
from contactsync.imports.rules import Rules
from contactsync.models import CustomOption, SavedMapping
from contactsync.templatetags.contactsync import number, when
from contactsync.text import clean


class SavedMappingForm(forms.ModelForm[SavedMapping]):
    """The name is all that can be changed here."""

    class Meta:
        model = SavedMapping
        fields = ("name",)

    def clean_name(self) -> str:
        name = clean(self.cleaned_data["name"])
        others = SavedMapping.objects.filter(account=self.instance.account_id, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError(_("There is already a saved mapping with this name. Choose another name."))
        return name


@admin.register(SavedMapping)
class SavedMappingAdmin(ScreenAdmin):
    form = SavedMappingForm
    fields = ("name", "account", "what", "same", "there", "created_by", "changed")
    readonly_fields = ("account", "what", "same", "there", "created_by", "changed")
    list_display = ("name", "account", "used", "created_by", "changed")
    list_filter = ("account",)
    list_select_related = ("account", "created_by")
    search_fields = ("name",)
    bulk_delete = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It takes a file to make one."""
        return False

    @admin.display(description=gettext_lazy("columns used"))
    def used(self, saved: SavedMapping) -> str:
        return number(sum(1 for _title, field in saved.columns if field))

    @admin.display(description=gettext_lazy("last changed at"), ordering="updated_at")
    def changed(self, saved: SavedMapping) -> str:
        return when(saved.updated_at)

    @admin.display(description=gettext_lazy("columns"))
    def what(self, saved: SavedMapping) -> str:
        titles = _titles(saved)
        rows = [
            (title or "–", field_label(field, titles) if field else _("(leave out)")) for title, field in saved.columns
        ]
        return format_html("<ul>{}</ul>", format_html_join("", "<li><bdi>{}</bdi> — <bdi>{}</bdi></li>", rows))

    @admin.display(description=gettext_lazy("same for all rows"))
    def same(self, saved: SavedMapping) -> str:
        titles = _titles(saved)
        rows = [(field_label(field, titles), text) for field, text in saved.fixed.items()]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: <bdi>{}</bdi></li>", rows)) if rows else "–"

    @admin.display(description=gettext_lazy("what happens with contacts that are there"))
    def there(self, saved: SavedMapping) -> str:
        return " ".join(
            Rules.read(saved.rules).words({*(field for _title, field in saved.columns if field), *saved.fixed})
        )


def _titles(saved: SavedMapping) -> dict[str, str]:
    options = CustomOption.objects.filter(account=saved.account_id).values_list("pk", "title")
    return {str(pk): title for pk, title in options} | {f"option:{pk}": title for pk, title in options}
