"""Which fields of a contact its provider takes, and which stay here; what an import changed of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from contactsync.admin.accounts.abilities import limits_of
from contactsync.admin.forms.contacts import OPTION, options_of
from contactsync.admin.words import field_label
from contactsync.models import Contact, CustomOption, ImportChange, Phonebook, PhonebookOption
from contactsync.sync.connect import Capabilities
from contactsync.sync.mapping import places_of
from contactsync.templatetags.contactsync import listed, with_jalali

FIELDS = (
    "phone", "prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note",
    "consented_at", "consent_source",
)  # fmt: skip
CONSENT = ("consented_at", "consent_source")


def told_fields(book: Phonebook) -> frozenset[str]:
    """Fields that the provider is told: those it has a place of its own for, and those put into a place of the phonebook."""
    places = places_of(book)
    put = {place.field for place in places.options if place.field}
    if PhonebookOption.Field.FULL_NAME in put:
        put |= {"first_name", "last_name"}
    return places.fields | put | {"phone"}


def fieldsets(book: Phonebook) -> tuple[Any, ...]:
    """The form in parts: what the provider is told, options, consent where it is asked for, and what stays here."""
    limits = limits_of(book.account)
    told = told_fields(book) if limits else frozenset(FIELDS)
    parts: list[Any] = [(None, {"fields": tuple(name for name in FIELDS if name in told and name not in CONSENT)})]
    if options := tuple(f"{OPTION}{option.pk}" for option in options_of(book)):
        parts.append((_("Custom options"), {"fields": options}))
    needs_consent = limits is not None and limits.template_needs_consent
    if needs_consent:
        note = _("This provider takes templates only for people whose consent is on record. It stays here.")
        parts.append((_("Consent"), {"fields": CONSENT, "description": note}))
    only_here = tuple(name for name in FIELDS if name not in told and not (needs_consent and name in CONSENT))
    if only_here:
        parts.append(
            (
                _("Kept here only"),
                {"fields": only_here, "description": _why_here(limits), "classes": ("collapse",)},
            )
        )
    return tuple(parts)


def _why_here(limits: Capabilities | None) -> str:
    if limits is not None and limits.option_identity != "id":
        return _(
            "These fields stay here: this provider has no place for them, unless one is given on the phonebook's page “Places at the provider”."
        )
    return _("These fields stay here: this provider has no place for them.")


@dataclass(frozen=True, slots=True)
class Changed:
    """One field that an import changed."""

    label: str
    old: str
    new: str


def changed_by(change: ImportChange, titles: Mapping[str, str]) -> list[Changed]:
    """Field by field what the import changed; empty for a new contact, and where an older version kept no record."""
    before = change.before or {}
    found = []
    for name, value in (before.get("set") or {}).items():
        if name == "options":
            found += list(_options(before.get("options") or {}, value or {}, titles))
        elif name != "deleted_at":
            found.append(Changed(field_label(name, {}), shown(before.get(name)), shown(value)))
    return found


def _options(old: Mapping[str, Any], new: Mapping[str, Any], titles: Mapping[str, str]) -> Iterable[Changed]:
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield Changed(titles.get(key, key), shown(old.get(key)), shown(new.get(key)))


def shown(value: Any) -> str:
    """A stored value of a contact for people to read."""
    return listed(value) if isinstance(value, list) else with_jalali(str(value or "").replace("T", " ", 1)[:200])


def imports_of(contact: Contact, *, at_most: int) -> list[ImportChange]:
    """The rows of files that touched the contact, newest first, each with `changed`."""
    titles = {
        str(pk): title
        for pk, title in CustomOption.objects.filter(account=contact.phonebook.account_id).values_list("pk", "title")
    }
    rows: list[Any] = list(contact.import_changes.select_related("job").order_by("-id")[:at_most])
    for row in rows:
        row.changed = changed_by(row, titles)
    return rows
