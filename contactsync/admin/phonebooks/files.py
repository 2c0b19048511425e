"""Phonebooks and custom options as files that make the round trip: with places, kinds and choices."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.widgets import Widget

from contactsync.admin.files.exports import SmallResource, account_field
from contactsync.models import CustomOption, Phonebook, PhonebookOption
from contactsync.sync.option_rules import choices_problem, kind_problem
from contactsync.sync.place_saving import FIELD, OPTION, PlacesRefused, save
from contactsync.text import clean

BETWEEN = re.compile(r"(?<!\|)\|(?!\|)")
EQUALS = re.compile(r"(?<!=)=(?!=)")


def packed(parts: Iterable[str]) -> str:
    """Several texts in one cell: “one | two”. A bar within one is doubled."""
    return " | ".join(part.replace("|", "||") for part in parts)


def unpacked(text: str) -> list[str]:
    """What `packed` has made, or a person has written so."""
    parts = (clean(part.replace("||", "|")) for part in BETWEEN.split(text))
    return [part for part in parts if part]


class ListWidget(Widget):
    """A list of texts in one cell."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[str]:
        return unpacked(str(value or ""))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return packed(value or [])


class PhonebookResource(SmallResource):
    """`options` are titles. `places` are “what = place”: an option by its title or `field:first_name`; no place: it stays here."""

    account = account_field()
    options = Field(column_name="options")
    places = Field(column_name="places")

    class Meta:
        model = Phonebook
        fields = ("account", "title", "description", "options", "places")
        import_id_fields = ("account", "title")
        clean_model_instances = True
        skip_unchanged = True

    def dehydrate_options(self, book: Phonebook) -> str:
        return packed(row.option.title for row in _rows(book) if row.option is not None)

    def dehydrate_places(self, book: Phonebook) -> str:
        return packed(
            f"{_name(row).replace('=', '==')} = {row.slot.replace('=', '==')}".strip()
            for row in _rows(book)
            if row.slot or row.stays_here
        )

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        super().before_import_row(row, **kwargs)
        row["title"] = clean(row.get("title", ""))

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        same = super().skip_row(instance, original, row, import_validation_errors)
        return bool(
            same and original.pk and not self._new_options(instance, row) and not self._new_places(instance, row)
        )

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        self._new_places(instance, row)  # says what is wrong before anything is written

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        PhonebookOption.objects.bulk_create(
            PhonebookOption(phonebook=instance, option=option) for option in self._new_options(instance, row)
        )
        if places := self._new_places(instance, row):
            try:
                save(instance, places)
            except PlacesRefused as refused:
                raise ValidationError({"places": str(refused)}) from refused

    def _new_options(self, book: Phonebook, row: Any) -> list[CustomOption]:
        """The options a row names that the phonebook does not have. Raises `ValidationError` for one the account does not have."""
        titles = dict.fromkeys(unpacked(row.get("options", "")))
        known = {option.title: option for option in CustomOption.objects.filter(account=book.account)}
        if missing := [title for title in titles if title not in known]:
            raise ValidationError(
                {"options": _("The account has no option “%(title)s”. Add it first.") % {"title": missing[0]}}
            )
        has = {place.option_id for place in _rows(book)}
        return [known[title] for title in titles if known[title].pk not in has]

    def _new_places(self, book: Phonebook, row: Any) -> dict[str, str]:
        """All places a row names, by source, when one of them is not so yet; else nothing. Raises `ValidationError`."""
        options = {place.option.title: place.option for place in _rows(book) if place.option is not None}
        options |= {option.title: option for option in self._new_options(book, row)}
        wanted = dict(_source_and_place(part, options) for part in unpacked(row.get("places", "")))
        now = {_source(place): place.slot for place in _rows(book) if place.slot or place.stays_here}
        return wanted if any(source not in now or now[source] != slot for source, slot in wanted.items()) else {}


def _rows(book: Phonebook) -> list[PhonebookOption]:
    return list(book.option_places.all()) if book.pk else []


def _name(row: PhonebookOption) -> str:
    return row.option.title if row.option is not None else f"{FIELD}{row.field}"


def _source(row: PhonebookOption) -> str:
    return f"{OPTION}{row.option_id}" if row.option_id else f"{FIELD}{row.field}"


def _source_and_place(text: str, options: dict[str, CustomOption]) -> tuple[str, str]:
    what, *rest = (part.strip().replace("==", "=") for part in EQUALS.split(text, maxsplit=1))
    if not rest:
        raise ValidationError({"places": _("Write places as “option = place”, not “%(text)s”.") % {"text": text}})
    if what in options:
        return f"{OPTION}{options[what].pk}", rest[0]
    if what.startswith(FIELD) and what.removeprefix(FIELD) in PhonebookOption.Field.values:
        return what, rest[0]
    raise ValidationError({"places": _("The phonebook has no option “%(title)s”.") % {"title": what}})


class CustomOptionResource(SmallResource):
    account = account_field()
    choices = Field(attribute="choices", column_name="choices", widget=ListWidget())

    class Meta:
        model = CustomOption
        fields = ("account", "title", "kind", "choices")
        import_id_fields = ("account", "title")
        clean_model_instances = True
        skip_unchanged = True

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        super().before_import_row(row, **kwargs)
        row["title"] = clean(row.get("title", ""))
        if not row.get("kind", "").strip():  # nothing said: a new one is a text, an old one stays what it is
            row.pop("kind", None)

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        before = (instance.kind, instance.choices) if instance.pk else None
        super().import_instance(instance, row, **kwargs)
        instance.choices = list(dict.fromkeys(instance.choices))
        if before == (instance.kind, instance.choices):
            return
        if before and instance.remote_key and instance.kind != before[0]:
            raise ValidationError({"kind": _("The kind is fixed: the option exists at the provider already.")})
        if instance.kind not in CustomOption.Kind.values:
            return  # the model says so
        if problem := kind_problem(instance.account, instance.kind):
            raise ValidationError({"kind": problem})
        if problem := choices_problem(instance.kind, instance.choices):
            raise ValidationError({"choices": problem})
