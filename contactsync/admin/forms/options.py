"""The field of a form for a custom option, by the option's kind."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from contactsync.models import CustomOption

OPTION = "option_"
Kind = CustomOption.Kind


def option_field(option: CustomOption) -> forms.Field:
    """A field that shows what the option takes; the value itself is read by `parse_option`."""
    common: dict[str, Any] = {"label": option.title, "required": False}
    choices = [(value, value) for value in option.choices]
    help_text: Any = ""
    match option.kind:
        case Kind.CHOICE:
            return forms.ChoiceField(choices=[("", "–"), *choices], **common)
        case Kind.MULTIPLE:
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **common)
        case Kind.INTEGER:
            more, help_text = {"inputmode": "numeric", "dir": "ltr"}, gettext_lazy("A whole number.")
        case Kind.DATE:
            more = {"dir": "ltr"}
            help_text = gettext_lazy("A date, Jalali or Gregorian, year first: 1371/07/16 or 1992-10-08.")
        case Kind.EMAIL:
            more, help_text = {"inputmode": "email", "dir": "ltr"}, gettext_lazy("An e-mail address.")
        case _:
            more, help_text = {}, ""
    return forms.CharField(widget=forms.TextInput({"class": "vTextField", **more}), help_text=help_text, **common)


def option_text(value: Any) -> str:
    """What such a field gave, as the text that `parse_option` reads."""
    return "; ".join(value) if isinstance(value, list) else str(value or "")
