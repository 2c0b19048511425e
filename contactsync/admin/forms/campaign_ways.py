"""The part of the campaign form on templates and on messages that the provider fills in."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import quote

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.accounts.abilities import limits_of
from contactsync.campaigns.templates import known_templates, usable_templates, variables_of
from contactsync.models import Campaign, ProviderAccount
from contactsync.sync.connect import Capabilities, Operation
from contactsync.templatetags.contactsync import number

VALUE = "value_"
WAYS = ("template", "is_keyworded")


def has_templates(limits: Capabilities) -> bool:
    """Whether campaigns can be templates: the provider lists them, and sends them."""
    return limits.can(Operation.SEND_TEMPLATE) and limits.can(Operation.LIST_TEMPLATES)


def fields_of(campaign: Campaign | None) -> tuple[str, ...]:
    """The fields to show: those of the account's provider; all while no account is chosen; never less than is in use."""
    limits = limits_of(campaign.account) if campaign else None
    if campaign is None or limits is None:
        return WAYS
    template = ("template", *value_fields(campaign)) if campaign.template or has_templates(limits) else ()
    keyworded = campaign.is_keyworded or limits.can(Operation.SEND_KEYWORDS)
    return (*template, *(("is_keyworded",) if keyworded else ()))


def value_fields(campaign: Campaign | None) -> dict[str, str]:
    """Name of the input -> the variable of the chosen template whose value is written there.

    Named after the variable, so that a value stays with it in whatever order the provider lists them next time.
    """
    variables = variables_of(campaign.account, campaign.template) if campaign else ()
    return {f"{VALUE}{quote(variable, safe='')}": variable for variable in variables}


def message_note(limits: Capabilities | None) -> str:
    """Whom the provider lets a free text go to; empty where it goes to anybody."""
    notes = []
    if limits and limits.reply_window is not None:
        notes.append(
            _(
                "The message goes to people who wrote within the last %(hours)s hours. All others get the template, "
                "or nothing where none is chosen."
            )
            % {"hours": number(int(limits.reply_window / dt.timedelta(hours=1)))}
        )
    if limits and limits.template_needs_consent:
        notes.append(_("The template goes only to people whose consent is on record."))
    return " ".join(notes)


def template_choices(campaign: Campaign | None) -> list[Any]:
    """The templates that can be used, account by account; the one in use is among them, whatever became of it."""
    groups: list[Any] = [("", _("No template"))]
    for account in ProviderAccount.objects.order_by("name"):
        limits = limits_of(account)
        if limits is None or not has_templates(limits):
            continue
        if rows := [(one.remote_id, f"{one.title} – {one.text}"[:120]) for one in usable_templates(account)]:
            groups.append((account.name, rows))
    known = {value for _name, rows in groups[1:] for value, _label in rows}
    if campaign and campaign.template and campaign.template not in known:
        titles = {one.remote_id: one.title for one in known_templates(campaign.account)}
        title = titles.get(campaign.template, campaign.template)
        groups.append((campaign.template, _("%(title)s (cannot be used any more)") % {"title": title}))
    return groups


class WaysForm(forms.ModelForm):
    """Template, its values, and the provider's filling in, judged by what the chosen account's provider can do."""

    template = forms.ChoiceField(label=gettext_lazy("Template"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        saved: Campaign | None = self.instance if self.instance.pk else None
        self._inputs = {name: variable for name, variable in value_fields(saved).items() if name in self.fields}
        limits = limits_of(saved.account if saved else None)
        if "template" in self.fields:
            field: Any = self.fields["template"]
            field.choices = template_choices(saved)
            field.help_text = _template_help(limits)
        if "is_keyworded" in self.fields and limits is None:
            self.fields["is_keyworded"].help_text += " " + _("Only if the provider can do that.")
        if "message" in self.fields:
            self.fields["message"].help_text = message_note(limits)
        for name, variable in self._inputs.items():
            self.fields[name].initial = self.instance.template_values.get(variable, "")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        account = data.get("account")
        limits = limits_of(account)
        if account is None or limits is None:
            return data
        if data.get("template"):
            self._clean_template(data, account, limits)
        if data.get("is_keyworded"):
            self._clean_keyworded(data, limits)
        return data

    def _clean_template(self, data: dict[str, Any], account: ProviderAccount, limits: Capabilities) -> None:
        chosen = data["template"]
        for operation in (Operation.SEND_TEMPLATE, Operation.LIST_TEMPLATES):
            if not limits.can(operation):
                self.add_error("template", _(limits.why_not(operation)))
                return
        is_kept = not {"template", "account"} & set(self.changed_data)
        if not is_kept and chosen not in {one.remote_id for one in usable_templates(account)}:
            self.add_error("template", _("This template belongs to another account. Choose one of this account."))

    def _clean_keyworded(self, data: dict[str, Any], limits: Capabilities) -> None:
        if not limits.can(Operation.SEND_KEYWORDS):
            self.add_error("is_keyworded", _(limits.why_not(Operation.SEND_KEYWORDS)))
        elif data.get("template"):
            text = _("A template is filled in here. Choose either the template or the provider's filling in.")
            self.add_error("is_keyworded", text)

    def _post_clean(self) -> None:
        """The values written are kept as far as the template chosen now has these variables.

        Where variables are numbers, another template's say something else.
        """
        super()._post_clean()
        data = self.cleaned_data
        is_new = bool({"template", "account"} & set(self.changed_data))
        if "template" in self.fields and data.get("account") and (is_new or self._inputs):
            written = {variable: data.get(name, "") for name, variable in self._inputs.items()}
            wanted = variables_of(data["account"], data.get("template", ""))
            if is_new:
                wanted = tuple(name for name in wanted if not name.isdecimal())
            self.instance.template_values = {name: written[name] for name in wanted if written.get(name)}

    @property
    def changed_columns(self) -> list[str]:
        """What saving a change writes: the columns that the form shows."""
        columns = [name for name in self.changed_data if name not in self._inputs]
        return [*columns, "template_values"] if "template" in self.fields else columns

    @property
    def wants_values(self) -> bool:
        """Whether the template chosen just now has variables that there were no inputs for."""
        campaign = self.instance
        wanted = variables_of(campaign.account, campaign.template)
        return "template" in self.changed_data and any(name not in campaign.template_values for name in wanted)


def _template_help(limits: Capabilities | None) -> str:
    if limits is None:
        return _("Only if the provider has templates. You fill in the variables after saving the draft.")
    if limits.reply_window is not None:
        return _("Leave the message empty to send the template to everybody.")
    return _("Where a template is chosen, everybody gets it, and the message above is not used.")


def with_values(form: type[WaysForm], campaign: Campaign | None) -> type[WaysForm]:
    """The form with one input for each variable of the campaign's template."""
    fields = {
        name: forms.CharField(
            label=_("Value of “%(variable)s”") % {"variable": variable},
            required=False,
            max_length=1000,
            help_text=_("A text; placeholders such as {first_name} are filled for each person."),
            widget=forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}),
        )
        for name, variable in value_fields(campaign).items()
    }
    return type(form.__name__, (form,), {**fields, "__module__": __name__})
