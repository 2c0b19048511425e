"""What people fill in to import a file: the upload, and what each column is."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.forms.mapping import MappingForm
from contactsync.admin.forms.reading import ReadingForm
from contactsync.admin.forms.regions import RegionForm
from contactsync.admin.forms.rules import RulesForm
from contactsync.models import Phonebook
from contactsync.text import left_to_right

FILE_KINDS = (".csv", ".txt", ".tsv", ".tab", ".xlsx", ".xlsm", ".xls", ".ods", ".zip", ".gz")


class PhonebookChoice(forms.ModelChoiceField):
    """A phonebook, named with its account."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.title} — {obj.account.name}"


class FileForm(forms.Form):
    """Which file."""

    file = forms.FileField(
        label=gettext_lazy("File"), widget=forms.FileInput(attrs={"accept": ",".join(FILE_KINDS)}), max_length=200
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].help_text = _("CSV or Excel, also zipped (%(kinds)s), at most %(size)d MB.") % {
            "kinds": left_to_right(" ".join(FILE_KINDS)),  # dots stay before their letters in Persian
            "size": settings.IMPORT_MAX_MB,
        }

    def clean_file(self) -> UploadedFile:
        upload: UploadedFile = self.cleaned_data["file"]
        if PurePath(upload.name or "").suffix.lower() not in FILE_KINDS:
            raise forms.ValidationError(
                _("“%(name)s” is not a kind of file that can be read here. Save it as CSV or Excel, and upload that."),
                params={"name": upload.name},
            )
        if (upload.size or 0) > self.most_bytes:
            raise forms.ValidationError(self.too_large)
        return upload

    @property
    def most_bytes(self) -> int:
        """What a file may have; a browser that knows does not send what will be refused."""
        return settings.IMPORT_MAX_MB * 1024 * 1024

    @property
    def too_large(self) -> str:
        """What is said of a file that has more."""
        return _("The file is larger than %(size)d MB. Split it, and upload the parts one after the other.") % {
            "size": settings.IMPORT_MAX_MB
        }


class UploadForm(FileForm):
    """Where to, and which file."""

    field_order = ("phonebook", "file")
    phonebook = PhonebookChoice(
        label=gettext_lazy("Phonebook"),
        queryset=Phonebook.objects.none(),
        help_text=gettext_lazy("The contacts of the file go into this phonebook."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["phonebook"].queryset = Phonebook.objects.select_related("account")  # type: ignore[attr-defined]


class ListUploadForm(FileForm, RegionForm):
    """Which file goes onto the suppression list, and where its numbers are from."""

    field_order = ("file", "region")


class ColumnsForm(ReadingForm, RulesForm, MappingForm):
    """How the file is read, what each of its columns is, and what happens with contacts that are there."""


class ListColumnsForm(ReadingForm, RegionForm, MappingForm):
    """The same of a file for the suppression list, where nothing that is there changes."""

    def rules(self) -> None:
        """There is nothing to choose."""
