"""What happens with contacts that are there already, as a person chooses it for one file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from contactsync.imports.rules import LONGEST_TOKEN, Rules
from contactsync.models import ImportJob

Mode, TagsMode = ImportJob.Mode, ImportJob.TagsMode
MODES = [
    (Mode.ADD_AND_UPDATE, gettext_lazy("Add new numbers, and update existing contacts")),
    (Mode.ADD_ONLY, gettext_lazy("Only add new numbers: existing contacts stay as they are")),
    (Mode.UPDATE_ONLY, gettext_lazy("Only update existing contacts: nobody is added")),
]
TAGS = [
    (TagsMode.REPLACE, gettext_lazy("The tags of the file replace those of the contact")),
    (TagsMode.ADD, gettext_lazy("The tags of the file are added to those of the contact")),
]


class RulesForm(forms.Form):
    """Rows that the mode leaves out are counted as skipped."""

    mode: Any = forms.ChoiceField(
        label=gettext_lazy("New and existing numbers"),
        choices=MODES,
        required=False,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Rows that are not used for this reason are counted as skipped, each with its reason."),
    )
    tags_mode: Any = forms.ChoiceField(
        label=gettext_lazy("Tags of existing contacts"), choices=TAGS, required=False, widget=forms.RadioSelect
    )
    clear_token = forms.CharField(
        label=gettext_lazy("Sign that empties a field"),
        required=False,
        max_length=LONGEST_TOKEN,
        widget=forms.TextInput(attrs={"dir": "auto", "size": 20}),
        help_text=gettext_lazy(
            "A blank cell keeps the existing value. A cell that holds only this sign empties the field. "
            "Leave it blank if no cell should empty a field."
        ),
    )

    @property
    def rule_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in RulesForm.base_fields]

    def rules(self) -> Rules:
        """What the person chose; what the form did not ask for stays as it was."""
        known = {
            name: self.cleaned_data[name] if name in self.data else self.initial[name] for name in RulesForm.base_fields
        }
        return Rules(
            mode=known["mode"] or self.initial["mode"],
            tags_mode=known["tags_mode"] or self.initial["tags_mode"],
            clear_token=known["clear_token"],
        )
