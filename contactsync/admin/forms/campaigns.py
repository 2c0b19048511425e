"""The form a campaign is written in."""

from __future__ import annotations

from copy import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.accounts.abilities import limits_of
from contactsync.admin.forms.campaign_ways import WaysForm
from contactsync.models import Campaign, CampaignTarget, Contact
from contactsync.templatetags.contactsync import number

MANY = 200  # more chosen contacts than this are shown as a number, not one by one


class CampaignForm(WaysForm):
    """Who writes, through which account, what and when."""

    class Meta:
        model = Campaign
        fields = ("title", "account", "sender", "message", "template", "is_keyworded", "scheduled_for")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "sender" in self.fields:
            self.fields["sender"].widget.attrs.update({"list": "cs-senders", "dir": "ltr", "autocomplete": "off"})
        if "message" in self.fields:
            self.fields["message"].widget.attrs.update({"rows": 6, "dir": "auto"})
        if "scheduled_for" in self.fields:
            self.fields["scheduled_for"].help_text = zone_note()
            for part, label in zip(self.fields["scheduled_for"].widget.widgets, (_("Date"), _("Time")), strict=True):
                part.attrs["aria-label"] = label

    def clean_message(self) -> str:
        """With line breaks as the counter counts them: browsers post two characters for each, which would be paid for."""
        return str(self.cleaned_data["message"]).replace("\r\n", "\n").replace("\r", "\n")


def zone_note() -> str:
    """“Empty: at once. Time zone: Asia/Tehran (UTC+03:30).”"""
    now = timezone.localtime()
    offset = now.strftime("%z")
    return _("Empty: at once. Time zone: %(zone)s (UTC%(offset)s).") % {
        "zone": timezone.get_current_timezone_name(),
        "offset": f"{offset[:3]}:{offset[3:]}",
    }


class ContactPicker(AutocompleteSelectMultiple):
    """Contacts by number or name, looked up in the phonebook chosen beside it."""

    def get_url(self) -> str:
        return reverse("admin:contactsync_campaign_contacts")

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        attrs = super().build_attrs(base_attrs, extra_attrs)
        attrs["class"] = attrs["class"].replace("admin-autocomplete", "cs-contact-picker")
        return attrs


class TargetForm(forms.ModelForm):
    """One part of the audience."""

    contacts = forms.ModelMultipleChoiceField(
        queryset=Contact.objects.none(), required=False, label=gettext_lazy("Chosen contacts")
    )

    class Meta:
        model = CampaignTarget
        fields = ("phonebook", "type", "start", "size", "contacts")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        instance = kwargs.get("instance")
        chosen = instance.contacts.count() if instance is not None and instance.pk else 0
        self.too_many = chosen > MANY
        if self.too_many:  # else all of them would be loaded as what the field holds at first
            self._meta = copy(self._meta)
            self._meta.exclude = [*(self._meta.exclude or ()), "contacts"]
        super().__init__(*args, **kwargs)
        field: Any = self.fields["contacts"]
        field.queryset = Contact.objects.present()
        relation: Any = CampaignTarget._meta.get_field("contacts")
        field.widget = ContactPicker(relation, admin.site)
        field.widget.choices = field.choices
        if self.too_many:
            field.disabled = True
            field.widget = forms.HiddenInput()
            self.fields["type"].help_text = _(
                "%(count)s contacts are chosen. To choose others, delete this target and add a new one."
            ) % {"count": number(chosen)}

    def clean(self) -> dict[str, Any]:
        """What the database would refuse, in plain words, beside the field."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("type") == CampaignTarget.Type.DETAIL:
            for name in [name for name in ("start", "size") if name in self.fields]:
                if data.get(name) is not None:
                    self.add_error(name, _("Rows can be chosen for a whole phonebook only. Leave this empty."))
            self._clean_chosen(data)
        else:
            for name in ("start", "size"):
                if data.get(name) == 0:
                    self.add_error(name, _("Rows are counted from 1."))
            self._clean_slice(data)
            if not self.too_many:
                data["contacts"] = Contact.objects.none()
        return data

    def _clean_slice(self, data: dict[str, Any]) -> None:
        """Rows can be counted only where the provider's phonebooks have an order."""
        book = data.get("phonebook")
        limits = limits_of(book.account) if book else None
        if book is None or limits is None or limits.sends_slices:
            return
        for name in ("start", "size"):
            if data.get(name):
                text = _(
                    "This provider's phonebooks have no fixed order, so some rows of “%(title)s” cannot be chosen. "
                    "Send to everybody in it, or choose contacts."
                )
                self.add_error(name, text % {"title": book.title})
                return

    def _clean_chosen(self, data: dict[str, Any]) -> None:
        if self.too_many:
            return
        chosen = data.get("contacts")
        if not chosen:
            self.add_error("contacts", _("Choose at least one contact, or choose everybody in the phonebook."))
        elif "phonebook" in data and chosen.exclude(phonebook=data["phonebook"]).exists():
            self.add_error("contacts", _("Some of these contacts are in another phonebook. Add a target for that one."))
