"""A contact as the provider tells it: kept as JSON, and taken over into a contact of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_noop, override

from contactsync.models import Contact, CustomOption, Phonebook, PhonebookOption
from contactsync.models.reasons import reason
from contactsync.options import parse_option
from contactsync.phone import parse_phone
from contactsync.sync.connect import capabilities
from contactsync.sync.mapping import OPTION, Place, places_of
from contactsync.text import clean
from providers.types import Capabilities, RemoteContact

FIELDS = ("prefix", "name", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note")
PLAIN = ("prefix", "first_name", "last_name", "company", "email", "assigned_user", "note")

Unfit = list[str | Mapping[str, Any]]

NO_NUMBER = gettext_noop("“%(number)s” is no valid phone number, so it cannot be added here.")
NOT_TAKEN = gettext_noop("%(fields)s could not be taken over, because the value there does not fit the field here.")
NOT_ALL_TOLD = gettext_noop(
    "The provider does not tell every field, so it is not known whether the contact is in step."
)


def told(remote: RemoteContact) -> dict[str, Any]:
    """What the provider tells of a contact, as JSON; what it does not tell is not in it."""
    values: dict[str, Any] = {"phone": remote.phone}
    for name in FIELDS:
        value = getattr(remote, name)
        if value is not None:
            values[name] = list(value) if name == "tags" else value
    if remote.options is not None:
        values["options"] = {key: value for key, value in remote.options.items() if value}
    if remote.is_opted_out is not None:
        values["is_opted_out"] = remote.is_opted_out
    return values


def shown(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Field by field for people, in the form of `changes`: options as `option:<key>`, what is empty left out."""
    flat = {name: theirs[name] for name in ("phone", *FIELDS) if theirs.get(name)}
    return {**flat, **{f"{OPTION}{key}": value for key, value in theirs.get("options", {}).items()}}


def number_of(theirs: Mapping[str, Any], region: str) -> str:
    """Their number in E.164; empty when it is none."""
    return parse_phone(str(theirs.get("phone", "")), region).e164


class Taker:
    """Puts what the provider tells into contacts of one phonebook, field by field as its places say."""

    def __init__(self, phonebook: Phonebook) -> None:
        self.phonebook = phonebook
        self.region = phonebook.account.default_region
        self.limits: Capabilities = capabilities(phonebook.account)
        self.places = places_of(phonebook)
        rows = phonebook.option_places.select_related("option").exclude(option=None)
        self._options = {str(row.option_id): row.option for row in rows}

    def take(self, contact: Contact, theirs: Mapping[str, Any]) -> dict[str, Any]:
        """Set everything that is told and fits. Returns the reason to store when something does not fit, else an empty one.

        Does not save. Where there is one field for the whole name, it is split as `split_name` says.
        """
        unfit: Unfit = []
        for name in PLAIN:
            if name in theirs and name in self.places.fields:
                self._set(contact, name, str(theirs[name]), unfit)
        if "name" in theirs and not self.limits.has_separate_names and self.limits.has_name:
            self._set_name(contact, str(theirs["name"]), unfit)
        if "tags" in theirs and "tags" in self.places.fields:
            contact.tags = sorted(theirs["tags"])
        if "options" in theirs:
            for place in self.places.options:
                self._set_place(contact, place, str(theirs["options"].get(place.key, "")), unfit)
        return reason(NOT_TAKEN, fields=unfit) if unfit else {}

    def _set(self, contact: Contact, name: str, value: str, unfit: Unfit) -> None:
        field = Contact._meta.get_field(name)
        value = clean(value)
        if len(value) > (getattr(field, "max_length", None) or len(value)) or not _is_address(name, value):
            with override(None):  # a reason is stored in English and translated when shown
                unfit.append(reason(str(getattr(field, "verbose_name", name))))
        else:
            setattr(contact, name, value)

    def _set_name(self, contact: Contact, name: str, unfit: Unfit) -> None:
        first, last = split_name(clean(name), contact.first_name, contact.last_name)
        self._set(contact, "first_name", first, unfit)
        self._set(contact, "last_name", last, unfit)

    def _set_place(self, contact: Contact, place: Place, value: str, unfit: Unfit) -> None:
        if place.field == PhonebookOption.Field.FULL_NAME:
            self._set_name(contact, value, unfit)
        elif place.field:
            self._set(contact, place.field, value, unfit)
        else:
            canonical = canonical_value(self._options[place.option_id], value)
            if canonical is None:
                unfit.append(place.title)
            elif canonical:
                contact.options = {**contact.options, place.option_id: canonical}
            else:
                contact.options = {key: kept for key, kept in contact.options.items() if key != place.option_id}

    def tells_all(self, theirs: Mapping[str, Any]) -> bool:
        """Whether the provider told every field and option that this phonebook keeps there."""
        single = self.limits.has_name and not self.limits.has_separate_names
        wanted = self.places.fields - ({"first_name", "last_name"} if single else set())
        names = wanted | ({"name"} if single else set())
        return all(name in theirs for name in names) and ("options" in theirs or not self.places.options)


def split_name(name: str, first: str, last: str) -> tuple[str, str]:
    """One name as first and last name: as it is split here already where that fits, else all of it as the first name.

    Nothing is guessed: which words of a name are the last name differs between languages.
    """
    if name == f"{first} {last}".strip():
        return first, last
    if last and name.endswith(f" {last}"):
        return name.removesuffix(f" {last}"), last
    if first and name.startswith(f"{first} "):
        return first, name.removeprefix(f"{first} ")
    return name, ""


def canonical_value(option: CustomOption | None, value: str) -> str | None:
    """The value in the form that is kept here; None when it does not fit the kind of the option."""
    if option is None or not value:
        return ""
    verdict = parse_option(value, option.kind, choices=option.choices)
    return verdict.value if verdict.is_valid else None


def _is_address(name: str, value: str) -> bool:
    if name not in {"email", "assigned_user"} or not value:
        return True
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True
