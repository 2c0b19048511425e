"""Templates: texts approved by the provider, with variables that a campaign gives values to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.campaigns import render
from contactsync.campaigns.render import OptionDefinition, Person, Template
from contactsync.models import Campaign, Phonebook, ProviderAccount
from contactsync.models.reasons import reason
from contactsync.sync import sends
from contactsync.sync.connect import Operation, capabilities


@dataclass(frozen=True, slots=True)
class KnownTemplate:
    """A template as the provider last listed it. `text` shows where the variables go, in the provider's own way."""

    remote_id: str
    title: str
    text: str
    variables: tuple[str, ...]
    is_usable: bool
    raw_state: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A template for one person: its values and what it comes to, or the placeholders that are `missing` a value."""

    values: dict[str, str]
    text: str
    missing: tuple[str, ...]

    @property
    def has_gap(self) -> bool:
        """A variable without a value, which no provider takes."""
        return bool(self.missing) or not all(value.strip() for value in self.values.values())


def known_templates(account: ProviderAccount) -> list[KnownTemplate]:
    """All templates as last listed, whether they can be used or not."""
    return [KnownTemplate(**{**row, "variables": tuple(row["variables"])}) for row in account.templates]


def usable_templates(account: ProviderAccount) -> list[KnownTemplate]:
    """The templates that a campaign may choose."""
    return [template for template in known_templates(account) if template.is_usable]


def find_template(account: ProviderAccount, template_id: str) -> KnownTemplate | None:
    """The template as it was last read; None when it was not among them."""
    return next((template for template in known_templates(account) if template.remote_id == template_id), None)


def variables_of(account: ProviderAccount, template_id: str) -> tuple[str, ...]:
    """The variables that want a value, in their order; empty for an unknown template."""
    template = find_template(account, template_id)
    return template.variables if template else ()


def always(campaign: Campaign) -> bool:
    """Whether everybody gets the template: where free text is bound to a window, only when there is no free text."""
    if not campaign.template:
        return False
    return capabilities(campaign.account).reply_window is None or not campaign.message.strip()


class TemplateFiller:
    """The campaign's template prepared once for the options of one phonebook, then filled for many contacts."""

    def __init__(self, campaign: Campaign, options: Iterable[OptionDefinition]) -> None:
        known = find_template(campaign.account, campaign.template)
        options = list(options)
        self._account = campaign.account
        self._text = known.text if known else ""
        self._values = {
            variable: Template(str(campaign.template_values.get(variable, "")), options)
            for variable in (known.variables if known else ())
        }

    def fill(self, contact: Person) -> Filled:
        """The values for one contact."""
        rendered = {variable: template.render(contact) for variable, template in self._values.items()}
        values = {variable: one.text for variable, one in rendered.items()}
        missing = tuple(dict.fromkeys(name for one in rendered.values() for name in one.missing))
        return Filled(values, sends.template_text(self._account, self._text, values), missing)


def problems(campaign: Campaign, phonebooks: Sequence[Phonebook]) -> list[dict[str, Any]]:
    """Why the campaign's template cannot be used, as reasons for `describe()`; empty when it can, or when there is none."""
    if not campaign.template:
        return []
    limits = capabilities(campaign.account)
    if not limits.can(Operation.SEND_TEMPLATE):
        return [reason(limits.why_not(Operation.SEND_TEMPLATE))]
    template = find_template(campaign.account, campaign.template)
    if template is None:
        return [
            reason(
                gettext_noop(
                    "The template %(template)s is not among those the provider last listed. "
                    "Refresh the templates in the campaign's form, then choose one."
                ),
                template=campaign.template,
            )
        ]
    if not template.is_usable:
        return [
            reason(
                gettext_noop("The template “%(title)s” cannot be used; its state at the provider: %(state)s."),
                title=template.title,
                state=template.raw_state,
            )
        ]
    return _value_problems(campaign, template, phonebooks)


def _value_problems(
    campaign: Campaign, template: KnownTemplate, phonebooks: Sequence[Phonebook]
) -> list[dict[str, Any]]:
    found = []
    for variable in template.variables:
        text = str(campaign.template_values.get(variable, ""))
        if text.strip():
            found += render.problems(text, phonebooks)
        else:
            found.append(
                reason(gettext_noop("The template's variable “%(name)s” has no value. Write a text."), name=variable)
            )
    return found
