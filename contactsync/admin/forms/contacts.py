"""The form of a contact: typed fields for the options of its phonebook, numbers and dates in any usual form."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from contactsync.models import Contact, CustomOption, Phonebook
from contactsync.options import OPTION_MESSAGES, jalali, parse_option
from contactsync.phone import PHONE_MESSAGES, parse_phone
from contactsync.text import clean

OPTION = "option_"
WIDE = {"class": "vTextField"}
NAMES = ("prefix", "first_name", "last_name", "company")


def options_of(phonebook: Phonebook) -> list[CustomOption]:
    """The options of a phonebook, in their order."""
    return [place.option for place in phonebook.option_places.select_related("option")]


def contact_form(phonebook: Phonebook) -> type[ContactForm]:
    """The form for contacts of this phonebook."""
    options = options_of(phonebook)
    fields: dict[str, Any] = {f"{OPTION}{option.pk}": _option_field(option) for option in options}
    return type(
        "ContactForm", (ContactForm,), {**fields, "phonebook": phonebook, "options": options, "__module__": __name__}
    )


def _option_field(option: CustomOption) -> forms.Field:
    if option.kind == CustomOption.Kind.CHOICE:
        choices = [("", "–"), *((value, value) for value in option.choices)]
        return forms.ChoiceField(label=option.title, required=False, choices=choices)
    attrs = dict(WIDE)
    help_text: Any = ""
    if option.kind == CustomOption.Kind.INTEGER:
        attrs |= {"inputmode": "numeric", "dir": "ltr"}
        help_text = gettext_lazy("A whole number.")
    if option.kind == CustomOption.Kind.DATE:
        attrs |= {"dir": "ltr"}
        help_text = gettext_lazy("A date, Jalali or Gregorian, year first: 1371/07/16 or 1992-10-08.")
    return forms.CharField(label=option.title, required=False, widget=forms.TextInput(attrs), help_text=help_text)


class ContactForm(forms.ModelForm[Contact]):
    """What people may change of a contact. The phonebook is fixed."""

    phonebook: Phonebook
    options: list[CustomOption]

    phone = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=100,
        help_text=gettext_lazy("In any usual form; kept in international form."),
        widget=forms.TextInput(attrs={**WIDE, "dir": "ltr", "inputmode": "tel"}),
    )
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        required=False,
        widget=forms.TextInput(attrs=WIDE),
        help_text=gettext_lazy("Separated by commas."),
    )

    class Meta:
        model = Contact
        fields = ("phone", "prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.line = ""
        self.initial["tags"] = ", ".join(self.instance.tags)
        for option in self.options:
            self._start(option, self.instance.options.get(str(option.pk), ""))

    def _start(self, option: CustomOption, value: str) -> None:
        """Begin with the stored value; a date in the calendar of the page, the other one beside it."""
        name = f"{OPTION}{option.pk}"
        field = self.fields[name]
        self.initial[name] = value
        if option.kind == CustomOption.Kind.CHOICE and value and value not in option.choices:
            field.choices = [*field.choices, (value, value)]  # type: ignore[attr-defined]
        if option.kind == CustomOption.Kind.DATE and value:
            persian = jalali(dt.date.fromisoformat(value))
            here, beside = (persian, value) if (get_language() or "").startswith("fa") else (value, persian)
            self.initial[name] = here
            field.help_text = _("In the other calendar: %(date)s.") % {"date": f"\u2068{beside}\u2069"}

    def clean_phone(self) -> str:
        verdict = parse_phone(self.cleaned_data["phone"], self.phonebook.account.default_region)
        if not verdict.is_valid:
            raise ValidationError(_(PHONE_MESSAGES[verdict.code]))
        twin = Contact.objects.filter(phonebook=self.phonebook, phone=verdict.e164).exclude(pk=self.instance.pk).first()
        if twin and twin.deleted_at:
            raise ValidationError(
                _("A deleted contact has this number until the provider has deleted it too. Finish that run first.")
            )
        if twin:
            raise ValidationError(_("“%(name)s” has this number in this phonebook already.") % {"name": twin})
        self.line = verdict.line
        return verdict.e164

    def clean_tags(self) -> list[str]:
        tags = [clean(tag) for tag in re.split("[,،;؛\n]", self.cleaned_data["tags"])]
        return list(dict.fromkeys(tag for tag in tags if tag))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in NAMES:
            if name in cleaned:
                cleaned[name] = clean(cleaned[name])
        values = dict(self.instance.options)
        for option in self.options:
            value = self._option(option, cleaned.get(f"{OPTION}{option.pk}") or "")
            values.pop(str(option.pk), None)
            if value:
                values[str(option.pk)] = value
        self.option_values = values
        return cleaned

    def _option(self, option: CustomOption, raw: str) -> str:
        if raw and option.kind == CustomOption.Kind.CHOICE and raw == self.instance.options.get(str(option.pk)):
            return raw  # a value that is no longer among the choices may stay
        verdict = parse_option(raw, option.kind, choices=option.choices)
        if not verdict.is_valid:
            self.add_error(f"{OPTION}{option.pk}", _(OPTION_MESSAGES[verdict.code]))
        return verdict.value

    def _post_clean(self) -> None:
        super()._post_clean()
        self.instance.phonebook = self.phonebook
        self.instance.options = getattr(self, "option_values", self.instance.options)
