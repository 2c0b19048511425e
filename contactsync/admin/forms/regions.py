"""The country of numbers that are written without a country code."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.phone import is_region
from contactsync.sync.new_account import NO_SUCH_REGION


class RegionForm(forms.Form):
    """For files whose numbers belong to no account."""

    region = forms.CharField(
        label=gettext_lazy("Country of the numbers"),
        max_length=2,
        help_text=gettext_lazy("Two letters, such as IR, DE or IT. For phone numbers written without a country code."),
        widget=forms.TextInput(attrs={"dir": "ltr", "size": 4, "autocapitalize": "characters"}),
    )

    def clean_region(self) -> Any:
        region = str(self.cleaned_data["region"]).upper()
        if not is_region(region):
            raise forms.ValidationError(_(NO_SUCH_REGION))
        return region
