"""The suppression list as a file, with the titles that people give its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tablib  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.fields import Field

from contactsync.admin.downloads import cell
from contactsync.admin.exports import SmallResource
from contactsync.imports.headers import field_of, key, phone_within
from contactsync.imports.issues import TEXT_TOO_LONG, sentence, storable
from contactsync.imports.rows import among
from contactsync.models import ProviderAccount, Suppression
from contactsync.phone import PHONE_MESSAGES, parse_phone
from contactsync.text import undefused

LONGEST_REASON = 255  # as the model has it

#: titles of the column that says why, beside those of a note
REASONS = frozenset(
    map(
        key,
        (
            "reason",
            "why",
            "cause",
            "علت",
            "دلیل",
            "سبب",
            "السبب",
            "grund",
            "begründung",
            "motivo",
            "causa",
            "ragione",
            "razón",
        ),
    )
)


def default_region() -> str:
    """The country of numbers without a country code where no account is at hand: that of the first account."""
    return ProviderAccount.objects.order_by("pk").values_list("default_region", flat=True).first() or "IR"


def _text(value: Any) -> str:
    return undefused("" if value is None else str(value))


def known_headers(headers: Sequence[Any]) -> list[str]:
    """The headers with the clearest one for a number called `phone`, and the first one for a reason `reason`."""
    found = [str(header or "").strip() for header in headers]
    names = [name.casefold() for name in found]
    for wanted in ("phone", "reason"):
        if wanted in names:
            found[names.index(wanted)] = wanted
    if "phone" not in found:
        ranks = [(field_of(name)[1], place) for place, name in enumerate(found) if field_of(name)[0] == "phone"]
        ranks = ranks or [(0, place) for place, name in enumerate(found) if phone_within(name)]
        if ranks:
            found[min(ranks)[1]] = "phone"
    if "reason" not in found:
        places = [place for place, name in enumerate(found) if key(name) in REASONS or field_of(name)[0] == "note"]
        if places:
            found[places[0]] = "reason"
    return found


class SuppressionResource(SmallResource):
    source = Field(attribute="source", column_name="source", readonly=True)
    since = Field(attribute="since", column_name="since", readonly=True)

    class Meta:
        model = Suppression
        fields = ("phone", "reason", "source", "since")
        import_id_fields = ("phone",)
        use_bulk = True
        skip_unchanged = True

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        """Know the columns by what people call them, as the import of contacts does, and the numbers that are there."""
        super().before_import(dataset, **kwargs)
        dataset.headers = known_headers(dataset.headers or [])
        self._region = default_region()
        self._reasons: dict[str, str] = {}
        column = dataset["phone"] if "phone" in dataset.headers else ()
        numbers = {parse_phone(_text(value), self._region).e164 for value in column} - {""}
        self._there = {row.phone: row for row in Suppression.objects.filter(phone__in=among(numbers))}

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        """What the model would check row by row; of a number that stands in the file again the first row counts."""
        super().before_import_row(row, **kwargs)
        verdict = parse_phone(row.get("phone", ""), self._region)
        if not verdict.is_valid:
            raise ValidationError({"phone": _(PHONE_MESSAGES[verdict.code])})
        row["phone"] = verdict.e164
        if "reason" in row:
            row["reason"] = self._reasons.setdefault(verdict.e164, storable(row["reason"]))
            if len(row["reason"]) > LONGEST_REASON:
                params = {"length": len(row["reason"]), "limit": LONGEST_REASON}
                raise ValidationError({"reason": sentence(TEXT_TOO_LONG, params)})

    def get_instance(self, instance_loader: Any, row: Any) -> Suppression | None:
        """A number that is there, or that an earlier row has brought."""
        return self._there.get(row["phone"])

    def init_instance(self, row: Any = None) -> Suppression:
        made = Suppression(source=Suppression.Source.IMPORT)
        if row:
            self._there[row["phone"]] = made
        return made

    def dehydrate_since(self, suppression: Suppression) -> str:
        return str(cell(suppression.since)) if suppression.pk else ""
