"""The form of a contact: typed fields for the options of its phonebook, numbers and dates in any usual form."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from contactsync.admin.forms.options import OPTION, option_field, option_text
from contactsync.calendars import jalali
from contactsync.imports.consent import parse_consent
from contactsync.imports.issues import sentence
from contactsync.models import Contact, CustomOption, Phonebook
from contactsync.options import OPTION_MESSAGES, parse_option
from contactsync.phone import PHONE_MESSAGES, parse_phone
from contactsync.sync.connect import Misconfigured, capabilities
from contactsync.text import clean, isolated

__all__ = ["OPTION", "ContactForm", "contact_form", "options_of"]

WIDE = {"class": "vTextField"}
NAMES = ("prefix", "first_name", "last_name", "company", "note", "consent_source")
Kind = CustomOption.Kind


def options_of(phonebook: Phonebook) -> list[CustomOption]:
    """The options of a phonebook, in their order."""
    places = phonebook.option_places.filter(option__isnull=False).select_related("option")
    return [place.option for place in places if place.option is not None]


def contact_form(phonebook: Phonebook) -> type[ContactForm]:
    """The form for contacts of this phonebook."""
    options = options_of(phonebook)
    fields: dict[str, Any] = {f"{OPTION}{option.pk}": option_field(option) for option in options}
    return type(
        "ContactForm", (ContactForm,), {**fields, "phonebook": phonebook, "options": options, "__module__": __name__}
    )


def in_calendar(moment: dt.datetime | None) -> str:
    """A moment as people of this page write it, to the minute; Jalali on a Persian page. Empty for None."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    day = jalali(local.date()) if (get_language() or "").startswith("fa") else local.date().isoformat()
    return f"{day} {local:%H:%M}"


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
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField", "dir": "auto"}),
    )
    consented_at = forms.CharField(
        label=gettext_lazy("Consent given at"),
        required=False,
        widget=forms.TextInput(attrs={**WIDE, "dir": "ltr"}),
        help_text=gettext_lazy(
            "When the person agreed to be written to: a date, Jalali or Gregorian, year first, or “yes” for now. Empty: no consent on record."
        ),
    )

    class Meta:
        model = Contact
        fields = (
            "phone", "prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note",
            "consented_at", "consent_source",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.line = ""
        self.initial["tags"] = ", ".join(self.instance.tags)
        self.initial["consented_at"] = in_calendar(self.instance.consented_at)
        self._keep_number()
        for option in self.options:
            self._start(option, self.instance.options.get(str(option.pk), ""))

    def _keep_number(self) -> None:
        """A number that is at the provider already stays where the provider cannot change it."""
        try:
            fixed = bool(self.instance.remote_id) and not capabilities(self.phonebook.account).can_change_phone
        except Misconfigured:
            fixed = False
        if fixed and "phone" in self.fields:
            self.fields["phone"].disabled = True
            self.fields["phone"].help_text = _(
                "This provider cannot change a number. For another number, add a new contact and delete this one."
            )

    def _start(self, option: CustomOption, value: str) -> None:
        """Begin with the stored value; a date in the calendar of the page, the other one beside it."""
        name = f"{OPTION}{option.pk}"
        field = self.fields[name]
        self.initial[name] = value
        if option.kind in {Kind.CHOICE, Kind.MULTIPLE} and value:
            stored = [part.strip() for part in value.split(";")] if option.kind == Kind.MULTIPLE else [value]
            former = [(one, one) for one in stored if one not in option.choices]
            field.choices = [*field.choices, *former]  # type: ignore[attr-defined]
            self.initial[name] = stored if option.kind == Kind.MULTIPLE else value
        if option.kind == Kind.DATE and value:
            persian = jalali(dt.date.fromisoformat(value))
            here, beside = (persian, value) if (get_language() or "").startswith("fa") else (value, persian)
            self.initial[name] = here
            field.help_text = _("In the other calendar: %(date)s.") % {"date": isolated(beside)}

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

    def clean_consented_at(self) -> dt.datetime | None:
        """The moment as stored when nobody touched it; else what was entered, a plain “yes” never moving an earlier date."""
        text, before = self.cleaned_data["consented_at"], self.instance.consented_at
        if not text.strip() or text == in_calendar(before):
            return before if text.strip() else None
        consent = parse_consent(text, now=timezone.now())
        if consent.code:
            raise ValidationError(sentence(consent.code))
        return before if consent.is_bare and before else consent.at

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in NAMES:
            if name in cleaned:
                cleaned[name] = clean(cleaned[name])
        values = dict(self.instance.options)
        for option in self.options:
            value = self._option(option, option_text(cleaned.get(f"{OPTION}{option.pk}")))
            values.pop(str(option.pk), None)
            if value:
                values[str(option.pk)] = value
        self.option_values = values
        return cleaned

    def _option(self, option: CustomOption, raw: str) -> str:
        if raw and option.kind in {Kind.CHOICE, Kind.MULTIPLE} and raw == self.instance.options.get(str(option.pk)):
            return raw  # a value that is no longer among the choices may stay
        verdict = parse_option(raw, option.kind, choices=option.choices)
        if not verdict.is_valid:
            self.add_error(f"{OPTION}{option.pk}", _(OPTION_MESSAGES[verdict.code]))
        return verdict.value

    def _post_clean(self) -> None:
        super()._post_clean()
        self.instance.phonebook = self.phonebook
        self.instance.options = getattr(self, "option_values", self.instance.options)
