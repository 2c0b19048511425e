"""What people fill in to import a file: the upload, and what each column is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.imports.charset import ENCODINGS
from contactsync.imports.detect import DELIMITERS
from contactsync.models import Phonebook

FILE_KINDS = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".ods")


class PhonebookChoice(forms.ModelChoiceField):
    """A phonebook, named with its account."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.title} — {obj.account.name}"


class UploadForm(forms.Form):
    """Where to, and which file."""

    phonebook = PhonebookChoice(
        label=gettext_lazy("Phonebook"),
        queryset=Phonebook.objects.none(),
        help_text=gettext_lazy("The contacts of the file go into this phonebook."),
    )
    file = forms.FileField(
        label=gettext_lazy("File"), widget=forms.FileInput(attrs={"accept": ",".join(FILE_KINDS)}), max_length=200
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["phonebook"].queryset = Phonebook.objects.select_related("account")  # type: ignore[attr-defined]
        self.fields["file"].help_text = _("CSV or Excel (%(kinds)s), at most %(size)d MB.") % {
            "kinds": " ".join(FILE_KINDS),
            "size": settings.IMPORT_MAX_MB,
        }

    def clean_file(self) -> UploadedFile:
        upload: UploadedFile = self.cleaned_data["file"]
        if PurePath(upload.name or "").suffix.lower() not in FILE_KINDS:
            raise forms.ValidationError(
                _("“%(name)s” is not a kind of file that can be read here. Save it as CSV or Excel, and upload that."),
                params={"name": upload.name},
            )
        if (upload.size or 0) > settings.IMPORT_MAX_MB * 1024 * 1024:
            raise forms.ValidationError(
                _("The file is larger than %(size)d MB. Split it, and upload the parts one after the other."),
                params={"size": settings.IMPORT_MAX_MB},
            )
        return upload


def grouped(choices: Sequence[tuple[str, str]]) -> list[tuple[str, Any]]:
    """The fields a column can go to, in three groups: none, fields of every contact, custom options."""
    fields = [choice for choice in choices if choice[0] and not choice[0].startswith("option:")]
    options = [choice for choice in choices if choice[0].startswith("option:")]
    groups: list[tuple[str, Any]] = [("", _("(leave out)")), (_("Contact"), fields)]
    if options:
        groups.append((_("Custom options"), options))
    return groups


class ColumnsForm(forms.Form):
    """What each column of the file is. Field names: `column_0`, `column_1` …"""

    has_header = forms.BooleanField(label=gettext_lazy("The first row holds the titles"), required=False)
    encoding = forms.ChoiceField(label=gettext_lazy("Encoding"), choices=(), required=False)
    delimiter = forms.ChoiceField(label=gettext_lazy("Between the columns"), choices=(), required=False)

    def __init__(
        self, *args: Any, columns: Sequence[str], fields: Sequence[tuple[str, str]], is_text: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if is_text:
            self._offer("encoding", list(ENCODINGS.items()))
            self._offer("delimiter", list(DELIMITERS.items()))
        else:
            del self.fields["encoding"], self.fields["delimiter"]
        groups = grouped(fields)
        self.names = [f"column_{index}" for index in range(len(columns))]
        for name, title in zip(self.names, columns, strict=True):
            self.fields[name] = forms.ChoiceField(
                label=title, choices=groups, required=False, widget=forms.Select(attrs={"aria-label": title})
            )

    def _offer(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        """The usual choices, and what was found in this file if it is another."""
        found = self.initial.get(name) or ""
        known = {value for value, _label in choices}
        extra = [] if found in known or not found else [(found, found)]
        self.fields[name].choices = [*extra, *choices]  # type: ignore[attr-defined]

    @property
    def column_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.names]

    def mapping(self) -> dict[str, str]:
        """Column index as text -> field."""
        return {str(index): self.cleaned_data[name] for index, name in enumerate(self.names)}

    def dialect(self) -> dict[str, Any]:
        """Encoding, delimiter and header as the person confirmed them."""
        return {
            "encoding": self.cleaned_data.get("encoding") or None,
            "delimiter": self.cleaned_data.get("delimiter") or None,
            "has_header": self.cleaned_data["has_header"],
        }
