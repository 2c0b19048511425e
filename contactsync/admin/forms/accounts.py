"""The form of a provider account, made from what the provider's backend asks for."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.models import ProviderAccount
from contactsync.sync.connect import Provider, provider_class

CREDENTIAL = "credential_"
SETTING = "setting_"


def account_form(slug: str) -> type[AccountForm]:
    """The form for accounts at this provider: the common fields, its credentials, its settings."""
    backend = provider_class(slug)
    fields: dict[str, Any] = {
        f"{CREDENTIAL}{field.name}": _credential_field(field) for field in backend.credential_fields
    }
    fields |= {f"{SETTING}{field.name}": _setting_field(field) for field in backend.setting_fields}
    return type("AccountForm", (AccountForm,), {**fields, "backend": backend, "__module__": __name__})


def _credential_field(field: Any) -> forms.Field:
    widget = forms.PasswordInput(
        render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField", "dir": "ltr"}
    )
    return forms.CharField(label=gettext_lazy(field.label), required=field.required, widget=widget, max_length=2000)


def _setting_field(field: Any) -> forms.Field:
    common: dict[str, Any] = {
        "label": gettext_lazy(field.label),
        "help_text": _(field.help_text) if field.help_text else "",
        "required": False,
        "initial": field.default,
    }
    if field.kind == "integer":
        return forms.IntegerField(min_value=field.minimum, max_value=field.maximum, **common)
    if field.kind == "choice":
        return forms.ChoiceField(choices=[(choice, _(choice)) for choice in field.choices], **common)
    return forms.CharField(max_length=200, **common)


def is_loopback(host: str) -> bool:
    """Whether this host is the machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class AccountForm(forms.ModelForm[ProviderAccount]):
    """Credentials go in and never come out: an empty field keeps what is stored."""

    backend: type[Provider]

    class Meta:
        model = ProviderAccount
        fields = ("name", "base_url", "default_sender", "default_region")
        widgets = {"default_sender": forms.TextInput(attrs={"class": "vTextField", "dir": "ltr"})}

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
            self.fields["base_url"].help_text = _("Leave empty for %(address)s.") % {"address": own} if own else ""
        if self.instance.pk and self.instance.credentials:
            for name in self.credential_names:
                self.fields[name].required = False
                self.fields[name].help_text = _("A value is stored. Leave empty to keep it.")
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
        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValidationError(_("There is no country with this code. Write two letters, such as IR, DE or IT."))
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
        return cleaned

    @property
    def new_credentials(self) -> dict[str, str]:
        """What was entered; empty when everything stays."""
        entered = {
            name.removeprefix(CREDENTIAL): self.cleaned_data.get(name, "").strip() for name in self.credential_names
        }
        return {name: value for name, value in entered.items() if value}

    @property
    def new_settings(self) -> dict[str, Any]:
        """The provider's settings as entered; an empty field means the provider's own default."""
        entered = {name.removeprefix(SETTING): self.cleaned_data.get(name) for name in self.setting_names}
        return {name: value for name, value in entered.items() if value not in (None, "")}
