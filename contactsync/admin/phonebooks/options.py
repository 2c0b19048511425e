"""Custom options: the extra fields contacts of an account can have."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.accounts.abilities import limits_of, why_not
from contactsync.admin.common import ScreenAdmin
from contactsync.admin.files.exports import ImportScreenMixin
from contactsync.admin.phonebooks.files import CustomOptionResource
from contactsync.admin.phonebooks.removal import RemovalStep, removal_facts
from contactsync.models import CustomOption, ProviderAccount
from contactsync.sync.connect import Operation
from contactsync.sync.option_rules import choices_problem, kind_problem, takes
from contactsync.templatetags.contactsync import listed, ltr, number
from contactsync.text import clean

Kind = CustomOption.Kind


class CustomOptionForm(forms.ModelForm[CustomOption]):
    """Title, kind and choices; choices are written one per line."""

    choices = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vTextField"}),
        help_text=gettext_lazy("For “choice” and “several choices”: the allowed values, one per line."),
    )

    class Meta:
        model = CustomOption
        fields = ("account", "title", "kind", "choices")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["choices"] = "\n".join(self.instance.choices)
        if "kind" in self.fields:
            self._offer_kinds()
        limits = limits_of(self.instance.account) if self.instance.pk else None
        if "title" in self.fields and limits is not None and limits.option_identity == "name":
            why = why_not(self.instance.account, Operation.RENAME_OPTION)
            self.fields["title"].help_text = _("Another title stays here. %(reason)s") % {"reason": why} if why else ""

    def _offer_kinds(self) -> None:
        """Show only the kinds that an account can have; beside them what each account's provider has no options of."""
        accounts = [self.instance.account] if self.instance.pk else list(ProviderAccount.objects.order_by("name"))
        lacking = {account.name: [kind for kind in Kind if not takes(account, kind)] for account in accounts}
        nowhere = {kind for kind in Kind if lacking and all(kind in kinds for kinds in lacking.values())}
        field: Any = self.fields["kind"]
        field.widget.choices = [
            (kind, kind.label) for kind in Kind if kind not in nowhere or kind == self.instance.kind
        ]
        field.help_text = " ".join(
            _("The provider of “%(account)s” has no options of the kinds: %(kinds)s.")
            % {"account": name, "kinds": listed(kind.label for kind in kinds)}
            for name, kinds in lacking.items()
            if kinds
        )

    def clean_title(self) -> str:
        return clean(self.cleaned_data["title"])

    def clean_choices(self) -> list[str]:
        lines = [clean(line) for line in self.cleaned_data["choices"].splitlines()]
        return list(dict.fromkeys(line for line in lines if line))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind = cleaned.get("kind") or self.instance.kind
        choices = cleaned.get("choices")
        if choices is not None and (problem := choices_problem(kind, choices)):
            self.add_error("choices", problem)
        account = cleaned.get("account") or (self.instance.account if self.instance.account_id else None)
        if account and kind and "kind" in cleaned and (problem := kind_problem(account, kind)):
            raise ValidationError({"kind": problem})
        return cleaned


@admin.register(CustomOption)
class CustomOptionAdmin(RemovalStep, ImportScreenMixin, ScreenAdmin):
    """The kind is fixed once the option exists at the provider, where it cannot be changed."""

    resource_classes = (CustomOptionResource,)
    form = CustomOptionForm
    change_form_template = "admin/contactsync/customoption/change_form.html"
    steps = ("remove",)
    list_display = ("title", "account", "kind", "used_in", "key")
    list_filter = ("account", "kind")
    list_select_related = ("account",)
    search_fields = ("title",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomOption]:
        options: QuerySet[CustomOption] = super().get_queryset(request)
        return options.annotate(book_count=Count("places"))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        option = context.get("original")
        if option:
            context |= removal_facts(request, option)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: CustomOption | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("account", "kind_fixed", "key") if obj.remote_key else ("account", "key")

    def get_fields(self, request: HttpRequest, obj: CustomOption | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("account", "title", "kind", "choices")
        return ("account", "title", "kind_fixed" if obj.remote_key else "kind", "choices", "key")

    def has_delete_permission(self, request: HttpRequest, obj: CustomOption | None = None) -> bool:
        """An option in use stays: deleting it would take the values of all contacts with it."""
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.places.exists())

    @admin.display(description=gettext_lazy("kind"))
    def kind_fixed(self, option: CustomOption) -> str:
        why = _("It cannot be changed: the option exists at the provider already, and providers keep the kind.")
        return f"{option.get_kind_display()} — {why}"

    @admin.display(description=gettext_lazy("phonebooks"), ordering="book_count")
    def used_in(self, option: Any) -> str:
        return number(option.book_count)

    @admin.display(description=gettext_lazy("key at the provider"))
    def key(self, option: CustomOption) -> str:
        return ltr(option.remote_key)
