"""What people fill in about the columns of a file: a field or a new option for each, and what is the same for all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from contactsync.admin.forms.quick import Choices, QuickChoice, QuickInput, QuickTextarea, labelled
from contactsync.imports.kinds import Inferred
from contactsync.imports.new_options import ADD, LONGEST_TITLE, NEW, NewOption
from contactsync.imports.saved import LONGEST_NAME
from contactsync.models import CustomOption

Kind = CustomOption.Kind
#: empty lines for values that are the same for all rows, beside those there are
BLANK_LINES = 3
LONGEST_VALUE = 2000
ALL_VALUES = gettext_noop(
    "These are the values of the first rows. Add what is missing: a row with another value is not imported."
)
#: written without a template, because a file may have hundreds of columns
NEW_PART = (
    '<div class="cs-column__new"><div class="cs-column__part">{title}</div><div class="cs-column__part">{kind}</div>'
    '<div class="cs-column__part cs-column__choices">{choices}</div><p class="help cs-column__choices">…</p></div>'
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the columns of one file may become.

    `fields` and `fixable` are choices of a select; `inferred` says per column what a new option for it would be, and
    is empty for people who may not make one, as are `unused` and `kinds`. `own` are the columns a person may choose
    for: all but those that a correction workbook adds. `group` heads the fields; without it they are those of a contact.
    """

    columns: Sequence[str]
    own: Sequence[int]
    fields: Sequence[tuple[str, str]]
    fixable: Sequence[tuple[str, str]]
    fixed: Mapping[str, str] = field(default_factory=dict)
    inferred: Sequence[Inferred] = ()
    unused: Sequence[tuple[str, str]] = ()
    kinds: Sequence[tuple[str, str]] = ()
    group: str = ""
    may_save: bool = False
    may_replace: bool = False


def grouped(choices: Sequence[tuple[str, str]], offer: Offer | None = None) -> list[tuple[str, Any]]:
    """The fields a column can go to, in groups: none, fields of every contact, custom options, options to come."""
    fields = [choice for choice in choices if choice[0] and not choice[0].startswith("option:")]
    options = [choice for choice in choices if choice[0].startswith("option:")]
    group = (offer and offer.group) or _("Contact")
    groups: list[tuple[str, Any]] = [("", _("(leave out)")), (group, fields)]
    if options:
        groups.append((_("Custom options"), options))
    if offer and offer.unused:
        groups.append((_("Options that this phonebook does not use yet"), list(offer.unused)))
    if offer and offer.inferred:
        groups.append((NEW, _("Make a new option…")))
    return groups


class MappingForm(forms.Form):
    """Field names: `column_0`, `new_0_title`, `new_0_kind`, `new_0_choices`, `fixed_0_field`, `fixed_0_value`, …"""

    def __init__(self, *args: Any, offer: Offer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer = offer
        self._new_part = NEW_PART.replace("…", escape(_(ALL_VALUES)))
        self.names = {index: f"column_{index}" for index in offer.own}
        groups, kinds = Choices(grouped(offer.fields, offer)), Choices(offer.kinds)
        for index, name in self.names.items():
            self.fields[name] = QuickChoice(groups, label=offer.columns[index])
            self.fields[name].widget.attrs["aria-label"] = offer.columns[index]
        for index, inferred in enumerate(offer.inferred):
            if index in self.names:
                self._add_new(index, inferred, kinds)
        self._add_fixed()
        if offer.may_save:
            self._add_name()

    def _add_new(self, index: int, inferred: Inferred, kinds: Choices) -> None:
        title = self.offer.columns[index][:LONGEST_TITLE]
        self.fields |= {
            f"new_{index}_title": forms.CharField(
                label=_("Title of the new option"),
                initial=title,
                required=False,
                max_length=LONGEST_TITLE,
                widget=QuickInput,
            ),
            f"new_{index}_kind": QuickChoice(kinds, label=_("Kind"), initial=inferred.kind),
            f"new_{index}_choices": forms.CharField(
                label=_("Allowed values, one per line"),
                initial="\n".join(inferred.choices),
                required=False,
                widget=QuickTextarea,
            ),
        }
        self.fields[f"new_{index}_choices"].widget.attrs["rows"] = 3

    def _add_fixed(self) -> None:
        choices = Choices([("", "–"), *grouped(self.offer.fixable, Offer((), (), (), (), group=self.offer.group))[1:]])
        known = list(self.offer.fixed.items())
        self.lines = range(min(len(known) + BLANK_LINES, max(len(self.offer.fixable), BLANK_LINES)))
        for line in self.lines:
            used, text = known[line] if line < len(known) else ("", "")
            self.fields[f"fixed_{line}_field"] = QuickChoice(choices, label=_("Field"), initial=used)
            self.fields[f"fixed_{line}_value"] = forms.CharField(
                label=_("Value for all rows"),
                initial=text,
                required=False,
                max_length=LONGEST_VALUE,
                widget=forms.TextInput(attrs={"dir": "auto"}),
            )

    def _add_name(self) -> None:
        self.fields["save_as"] = forms.CharField(
            label=_("Save these columns under a name"),
            required=False,
            max_length=LONGEST_NAME,
            help_text=_(
                "Leave it empty to save nothing. Columns are found again by their titles, wherever they stand."
            ),
        )
        if self.offer.may_replace:
            self.fields["replace"] = forms.BooleanField(label=_("Replace the one with that name"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        seen: set[str] = set()
        for line in self.lines:
            used, text = cleaned.get(f"fixed_{line}_field"), cleaned.get(f"fixed_{line}_value")
            if used in seen:
                self.add_error(f"fixed_{line}_field", _("This field has a value above already."))
            if text and not used:
                self.add_error(f"fixed_{line}_field", _("Choose which field gets this value."))
            if used and not text:
                self.add_error(f"fixed_{line}_value", _("Enter the value, or choose no field."))
            seen |= {used} if used else set()
        return cleaned

    @property
    def column_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.names.values()]

    def new_part(self, index: int) -> SafeString:
        """The fields of a new option for the column, as the page has them; nothing for people who may not make one."""
        names = [f"new_{index}_{part}" for part in ("title", "kind", "choices")]
        if names[0] not in self.fields:
            return SafeString()
        title, kind, choices = (labelled(self[name]) for name in names)
        return format_html(self._new_part, title=title, kind=kind, choices=choices)

    @property
    def fixed_fields(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"fixed_{line}_field"], self[f"fixed_{line}_value"]) for line in self.lines]

    def mapping(self) -> dict[str, str]:
        """Column index as text -> field, `new`, or `add:` and an id."""
        chosen = {index: self.cleaned_data[name] for index, name in self.names.items()}
        return {str(index): chosen.get(index, "") for index in range(len(self.offer.columns))}

    def fixed(self) -> dict[str, str]:
        """Field -> text."""
        pairs = [(self.cleaned_data[f"fixed_{n}_field"], self.cleaned_data[f"fixed_{n}_value"]) for n in self.lines]
        return {used: text for used, text in pairs if used}

    def wanted(self) -> dict[str, NewOption]:
        """The options to make, by column."""
        return {
            column: NewOption(
                self.cleaned_data[f"new_{column}_title"],
                self.cleaned_data[f"new_{column}_kind"],
                tuple(self.cleaned_data[f"new_{column}_choices"].splitlines()),
            )
            for column, used in self.mapping().items()
            if used == NEW
        }

    def show_refusal(self, text: str, *, column: str = "", fixed: str = "") -> None:
        """Say what the services refused, beside what it is about."""
        beside: str | None = f"column_{column}" if column else None
        for line in self.lines if fixed else ():
            if self.cleaned_data.get(f"fixed_{line}_field") == fixed:
                beside = f"fixed_{line}_value"
        self.add_error(beside, text)


class UseMappingForm(forms.Form):
    """Which saved mapping to use."""

    saved: Any = forms.ModelChoiceField(
        label=gettext_lazy("Saved mapping"), queryset=None, required=False, empty_label="–"
    )

    def __init__(self, *args: Any, mappings: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["saved"].queryset = mappings  # type: ignore[attr-defined]


__all__ = ["ADD", "MappingForm", "Offer", "UseMappingForm", "grouped"]
