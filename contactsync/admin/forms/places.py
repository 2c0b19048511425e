"""The form of the places of a phonebook: a field for each source of values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from contactsync.models import CustomOption, PhonebookOption
from contactsync.models.reasons import describe
from contactsync.sync.connect import Capabilities
from contactsync.sync.mapping import fields_of
from contactsync.sync.place_saving import FIELD, LONGEST, OPTION
from contactsync.sync.places import PlacePlan, PlaceRow

Field = PhonebookOption.Field


def other_fields(limits: Capabilities, plan: PlacePlan) -> list[PlaceRow]:
    """Fields of a contact that are not in the plan and could have a place at the provider."""
    own, known = fields_of(limits), {row.source for row in (*plan.rows, *plan.left_out)}
    if Field.FIRST_NAME in own:
        own |= {Field.FULL_NAME.value}
    kinds = CustomOption.Kind
    return [
        PlaceRow(f"{FIELD}{name}", str(Field(name).label), kinds.EMAIL if name == Field.EMAIL else kinds.TEXT, "", True)
        for name in Field.values
        if name not in own and f"{FIELD}{name}" not in known
    ]


class PlacesForm(forms.Form):
    """Source to place. Which fields there are is what the page shows; the rest is checked when it is saved."""

    def __init__(
        self, rows: Iterable[PlaceRow], limits: Capabilities, *args: Any, may_change: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for row in rows:
            if limits.option_identity == "id" and not row.source.startswith(OPTION):
                continue  # only options can go to such a provider
            self.fields[row.source] = _field(row, limits)
            self.fields[row.source].disabled = not may_change

    @property
    def is_of_now(self) -> bool:
        """Whether it was filled in on a page with the same sources."""
        return all(source in self.data for source in self.fields)


def _field(row: PlaceRow, limits: Capabilities) -> forms.Field:
    attrs = {"dir": "ltr", "aria-label": row.title}
    common: dict[str, Any] = {"label": row.title, "required": False, "initial": row.slot}
    if limits.option_identity == "slot":
        slots = [*limits.slots, *([row.slot] if row.slot and row.slot not in limits.slots else [])]
        choices = [("", "–"), *((slot, slot) for slot in slots)]
        return forms.ChoiceField(choices=choices, widget=forms.Select(attrs), **common)
    if limits.option_identity == "id":
        # The place has no name of its own: it goes there or it does not.
        common["initial"] = row.source if row.slot else ""
        choices = [(row.source, _("goes to the provider")), ("", _("stays here"))]
        return forms.ChoiceField(choices=choices, widget=forms.Select({"aria-label": row.title}), **common)
    attrs["class"] = "vTextField"
    return forms.CharField(max_length=LONGEST, widget=forms.TextInput(attrs), **common)


def lines(rows: Iterable[PlaceRow], form: PlacesForm) -> list[dict[str, Any]]:
    """The rows as the table shows them."""
    return [
        {
            "row": row,
            "kind": CustomOption.Kind(row.kind).label,
            "is_field": row.source.startswith(FIELD),
            "field": form[row.source] if row.source in form.fields else None,
            "warnings": [describe(why) for why in row.warnings],
        }
        for row in rows
    ]
