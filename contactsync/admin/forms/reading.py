"""How an uploaded file is read: what was found out, for a person to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy, ngettext

from contactsync.imports.charset import ENCODINGS
from contactsync.imports.detect import DELIMITERS
from contactsync.imports.forms import Asked
from contactsync.templatetags.contactsync import number

MOST_SKIPPED = 10_000


class ReadingForm(forms.Form):
    """The form of a file. Spreadsheets have no encoding and no delimiter, a sheet to choose if there are several, and perhaps
    hidden rows."""

    sheet = forms.ChoiceField(label=gettext_lazy("Sheet"), required=False)
    encoding = forms.ChoiceField(label=gettext_lazy("Encoding"), required=False)
    delimiter = forms.ChoiceField(label=gettext_lazy("Between the columns"), required=False)
    skip_lines = forms.IntegerField(
        label=gettext_lazy("Lines to skip at the top"), min_value=0, max_value=MOST_SKIPPED, required=False
    )
    has_header = forms.BooleanField(label=gettext_lazy("The first row holds the titles"), required=False)
    leave_out_hidden = forms.BooleanField(label=gettext_lazy("Leave out the hidden rows"), required=False)

    def __init__(
        self,
        *args: Any,
        is_text: bool,
        sheets: Sequence[tuple[str, int | None]] = (),
        has_hidden_rows: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if is_text:
            self._offer("encoding", list(ENCODINGS.items()))
            self._offer("delimiter", list(DELIMITERS.items()))
        else:
            del self.fields["encoding"], self.fields["delimiter"]
        if sheets:
            self._offer("sheet", [(name, _sheet_label(name, rows)) for name, rows in sheets])
        else:
            del self.fields["sheet"]
        if not has_hidden_rows:
            del self.fields["leave_out_hidden"]

    def _offer(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        """The usual choices, and what was found in this file if it is another."""
        found = self.initial.get(name) or ""
        known = {value for value, _label in choices}
        extra = [] if found in known or not found else [(found, found)]
        self.fields[name].choices = [*extra, *choices]  # type: ignore[attr-defined]

    @property
    def reading_fields(self) -> list[forms.BoundField]:
        """What stands in a row of fields; the box for the titles follows after them."""
        return [self[name] for name in ("sheet", "encoding", "delimiter", "skip_lines") if name in self.fields]

    def dialect(self) -> Asked:
        """What the person changed; the rest stays, or follows from it."""
        changed = {name: self.cleaned_data.get(name) for name in Asked.__annotations__ if name in self.changed_data}
        return cast(Asked, {name: value for name, value in changed.items() if value not in ("", None)})


def _sheet_label(name: str, rows: int | None) -> str:
    if rows is None:
        return name
    words = ngettext("%(sheet)s (%(rows)s line)", "%(sheet)s (%(rows)s lines)", rows)
    return words % {"sheet": name, "rows": number(rows)}
