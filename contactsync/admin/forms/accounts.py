"""The form of a provider account, made from what the provider's backend asks for."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.models import ProviderAccount
from contactsync.phone import is_region
from contactsync.sync.accounts import problem_with, stored_credentials
from contactsync.sync.connect import Provider, error_text, is_loopback, provider_class
from contactsync.sync.new_account import NO_SUCH_REGION

CREDENTIAL = "credential_"
FORGET = "forget_"
SETTING = "setting_"


def account_form(slug: str, account: ProviderAccount | None = None) -> type[AccountForm]:
    """The form for accounts at this provider: the common fields, its credentials, its settings."""
    backend = provider_class(slug)
    stored = stored_credentials(account) if account else {}
    fields: dict[str, Any] = {
        f"{CREDENTIAL}{field.name}": _credential_field(field, stored) for field in backend.credential_fields
    }
    for field in backend.credential_fields:
        if field.is_secret and not field.required and field.name in stored:
            fields[f"{FORGET}{field.name}"] = forms.BooleanField(
                label=_("Remove: %(name)s") % {"name": _(field.label)},
                required=False,
                help_text=_("If ticked, the stored value is removed when you save."),
            )
    fields |= {f"{SETTING}{field.name}": _setting_field(field) for field in backend.setting_fields}
    return type("AccountForm", (AccountForm,), {**fields, "backend": backend, "stored": stored, "__module__": __name__})


def access_fields(form: type[AccountForm]) -> tuple[str, ...]:
    """The inputs for credentials, in their order."""
    names = [f"{part}{field.name}" for field in form.backend.credential_fields for part in (CREDENTIAL, FORGET)]
    return tuple(name for name in names if name in form.base_fields)


def _credential_field(field: Any, stored: Mapping[str, str | None]) -> forms.Field:
    """A secret goes in and never comes out: an empty input keeps it. What is no secret is shown as it is."""
    common: dict[str, Any] = {"label": gettext_lazy(field.label), "max_length": 2000}
    attrs = {"class": "vTextField", "dir": "ltr"}
    if not field.is_secret:
        widget = forms.TextInput(attrs={**attrs, "autocomplete": "off"})
        return forms.CharField(required=field.required, widget=widget, initial=stored.get(field.name), **common)
    help_text: Any = ""
    if field.name in stored:
        help_text = gettext_lazy("A value is stored. Leave empty to keep it.")
    elif not field.required:
        help_text = gettext_lazy("Optional; none is stored.")
    return forms.CharField(
        required=field.required and field.name not in stored,
        widget=forms.PasswordInput(render_value=False, attrs={**attrs, "autocomplete": "new-password"}),
        help_text=help_text,
        **common,
    )


def _setting_field(field: Any) -> forms.Field:
    common: dict[str, Any] = {
        "label": gettext_lazy(field.label),
        "help_text": _(field.help_text) if field.help_text else "",
        "required": False,
        "initial": field.default,
    }
    if field.kind == "integer":
        widget = forms.NumberInput(attrs={"dir": "ltr"})
        return forms.IntegerField(min_value=field.minimum, max_value=field.maximum, widget=widget, **common)
    if field.kind == "choice":
        return forms.ChoiceField(choices=[(choice, _(choice)) for choice in field.choices], **common)
    # numbers and ids of the provider, which read left to right on every page
    return forms.CharField(
        max_length=200, widget=forms.TextInput(attrs={"dir": "ltr", "class": "vTextField"}), **common
    )


class AccountForm(forms.ModelForm[ProviderAccount]):
    """Secret credentials go in and never come out: an empty field keeps what is stored."""

    backend: type[Provider]
    stored: Mapping[str, str | None]

    class Meta:
        model = ProviderAccount
        fields = ("name", "base_url", "default_sender", "default_region")
        widgets = {
            "default_sender": forms.TextInput(attrs={"class": "vTextField", "dir": "ltr"}),
            "default_region": forms.TextInput(attrs={"class": "vTextField", "dir": "ltr"}),
        }

    base_url = forms.URLField(
        label=gettext_lazy("API address"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"class": "vURLField", "dir": "ltr"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address_before = self.instance.base_url
        own = self.backend.default_base_url
        if "base_url" in self.fields:
            self.fields["base_url"].required = not own
            self.fields["base_url"].help_text = (
                _("Leave empty for %(address)s.") % {"address": own}
                if own
                else _("Required: this provider gives each customer an address of their own.")
            )
            self.fields["base_url"].error_messages["required"] = _(
                "Enter the address of the API that the provider gave you, such as https://api.example.com."
            )
        for name in self.setting_names:
            self.initial.setdefault(
                name, self.instance.settings.get(name.removeprefix(SETTING), self.fields[name].initial)
            )

    @property
    def credential_names(self) -> list[str]:
        return [name for name in self.fields if name.startswith(CREDENTIAL)]

    @property
    def setting_names(self) -> list[str]:
        return [name for name in self.fields if name.startswith(SETTING)]

    def clean_base_url(self) -> str:
        address = str(self.cleaned_data["base_url"] or "").rstrip("/")
        if not address:
            return ""
        parts = urlsplit(address)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValidationError(_("Write only scheme, host and path, such as https://api.example.com/v1."))
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValidationError(
                _("The address must begin with https://, so that nobody can read the key on its way.")
            )
        return address

    def clean_default_region(self) -> str:
        region = str(self.cleaned_data["default_region"]).upper()
        if not is_region(region):
            raise ValidationError(_(NO_SUCH_REGION))
        return region

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        moved = bool(self.instance.pk and self.instance.credentials) and cleaned.get("base_url") != self.address_before
        if moved and "base_url" in cleaned:
            for field in self.backend.credential_fields:
                name = f"{CREDENTIAL}{field.name}"
                if field.required and not cleaned.get(name):
                    self.add_error(
                        name, _("The address is new. Enter this again, so that a stored key cannot be sent elsewhere.")
                    )
        if self.forgotten & set(self.new_credentials):
            for name in self.forgotten & set(self.new_credentials):
                self.add_error(f"{FORGET}{name}", _("Either enter a new value, or remove the stored one."))
        return cleaned

    def _post_clean(self) -> None:
        """What the provider's backend would refuse before any call is said beside its field."""
        super()._post_clean()
        if self.errors:
            return
        account = copy(self.instance)
        account.provider, account.settings = self.backend.slug, self.new_settings
        if problem := problem_with(account, self.new_credentials):
            named = (f"{part}{name}" for name in problem.fields for part in ("", CREDENTIAL, SETTING))
            self.add_error(next((name for name in named if name in self.fields), None), error_text(problem))

    def _forgets(self, name: str) -> bool:
        return bool(self.cleaned_data.get(f"{FORGET}{name}"))

    @property
    def forgotten(self) -> set[str]:
        """Names of stored credentials that are to be removed."""
        return {field.name for field in self.backend.credential_fields if self._forgets(field.name)}

    @property
    def new_credentials(self) -> dict[str, str]:
        """What was entered and is not stored so already; empty when everything stays."""
        entered = {
            name.removeprefix(CREDENTIAL): (self.cleaned_data.get(name) or "").strip() for name in self.credential_names
        }
        return {name: value for name, value in entered.items() if value and value != self.stored.get(name)}

    @property
    def new_settings(self) -> dict[str, Any]:
        """The provider's settings as entered; an empty field means the provider's own default."""
        entered = {name.removeprefix(SETTING): self.cleaned_data.get(name) for name in self.setting_names}
        return {name: value for name, value in entered.items() if value not in (None, "")}
