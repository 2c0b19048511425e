"""From our contact to what the provider is told, and what differs from what it was told or tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import override

from contactsync.models import Contact, Phonebook, PhonebookOption
from contactsync.models.reasons import reason
from contactsync.sync.connect import capabilities
from providers.types import Capabilities, ContactRecord, OptionKind, OptionValue, RemoteContact

#: first character of the stand-in key of an option that is not at the provider yet; no real id begins so
TO_BE_CREATED = "0"
OPTION = "option:"
#: fields that people fill in at the provider: what is empty here and was never told is left as it is there
THEIRS = ("assigned_user", "note")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one option of the phonebook, or one field of its contacts, goes at the provider."""

    option_id: str  # empty: it is a field
    key: str  # the provider's key: an id, a slot or a name
    title: str
    kind: OptionKind
    field: str = ""

    def value_of(self, contact: Contact) -> str:
        if self.field:
            return str(getattr(contact, self.field))
        return str(contact.options.get(self.option_id, ""))


@dataclass(frozen=True, slots=True)
class Places:
    """Which fields and options of a contact the provider takes for one phonebook."""

    options: tuple[Place, ...]
    fields: frozenset[str]
    unused: frozenset[str] = frozenset()  # slots of the provider that nothing goes to

    def code(self, key: str) -> str:
        """What stands in this place, for stored changes: `option:<title>`, or the name of a field of ours."""
        place = self._at(key)
        return place.field if place and place.field else f"{OPTION}{place.title if place else key}"

    def words(self, key: str) -> str | dict[str, Any]:
        """The same for a stored reason, translated when it is shown."""
        place = self._at(key)
        if place is None:
            return key
        return reason(place.title) if place.field else place.title

    def _at(self, key: str) -> Place | None:
        return next((place for place in self.options if place.key == key), None)


def places_of(phonebook: Phonebook) -> Places:
    """The places of a phonebook's options and fields, by what its provider is capable of; what stays here has none."""
    limits = capabilities(phonebook.account)
    rows = phonebook.option_places.select_related("option").filter(stays_here=False).order_by("id")
    options = tuple(_place(row, identity=limits.option_identity) for row in rows)
    return Places(options, fields_of(limits), frozenset(limits.slots) - {place.key for place in options})


def _place(row: PhonebookOption, *, identity: str) -> Place:
    option = row.option
    if option is None:
        kind = OptionKind.EMAIL if row.field == PhonebookOption.Field.EMAIL else OptionKind.TEXT
        return Place("", row.slot or row.field, source_title(row), kind, field=row.field)
    match identity:
        case "slot":
            key = row.slot
        case "name":
            key = row.slot or option.remote_key or option.title
        case _:
            key = option.remote_key or f"{TO_BE_CREATED}{option.pk}"
    return Place(str(option.pk), key, option.title, OptionKind(option.kind))


def source_title(row: PhonebookOption) -> str:
    """Title of the option, or the field in English whatever language is active: for what is told and stored."""
    with override(None):
        return str(row)


def source_words(row: PhonebookOption) -> str | dict[str, Any]:
    """The same for a stored reason, translated when it is shown."""
    return source_title(row) if row.option is not None else reason(source_title(row))


def fields_of(limits: Capabilities) -> frozenset[str]:
    """The fields of a contact that the provider has a place of its own for."""
    has = {
        "first_name": limits.has_name,
        "last_name": limits.has_name,
        "prefix": limits.has_prefix,
        "email": limits.has_email,
        "company": limits.has_company,
        "tags": limits.has_tags,
        "assigned_user": limits.has_assigned_user,
        "note": limits.has_note,
    }
    return frozenset(field for field, present in has.items() if present)


def record_of(contact: Contact, *, places: Places, whole: bool = False) -> ContactRecord:
    """The contact as the provider shall have it: only what it takes, and an empty value for an option it was told before.

    With `whole`, what is empty here is empty in the record too, and so would be emptied there.
    """
    told_before = contact.pushed_payload or {}
    told = told_before.get("options", {})
    options = {}
    for place in places.options:
        value = place.value_of(contact)
        if value or whole or place.key in told:
            options[place.key] = OptionValue(value, place.kind)
    options |= {key: OptionValue("", OptionKind.TEXT) for key in told if key in places.unused}

    def field(name: str) -> str:
        return str(getattr(contact, name)) if name in places.fields else ""

    return ContactRecord(
        reference=str(contact.uuid),
        phone=contact.phone,
        prefix=field("prefix"),
        first_name=field("first_name"),
        last_name=field("last_name"),
        company=field("company"),
        email=field("email"),
        tags=tuple(contact.tags) if "tags" in places.fields else (),
        assigned_user=field("assigned_user"),
        note=field("note"),
        options=options,
        leave=frozenset(name for name in THEIRS if not (whole or field(name) or name in told_before)),
    )


def payload_of(record: ContactRecord) -> dict[str, Any]:
    """The record as JSON to store and to compare; what is empty is left out."""
    values: dict[str, Any] = {
        "phone": record.phone,
        "prefix": record.prefix,
        "first_name": record.first_name,
        "last_name": record.last_name,
        "company": record.company,
        "email": record.email,
        "tags": sorted(record.tags),
        "assigned_user": record.assigned_user,
        "note": record.note,
        "options": {key: option.value for key, option in sorted(record.options.items()) if option.value},
    }
    return {name: value for name, value in values.items() if value}


def differences(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Field by field what changes from one payload to another: `{field: [old, new]}`; options as `option:<key>`."""
    before, after = _flat(old or {}), _flat(new)
    return {
        name: [before.get(name, ""), after.get(name, "")]
        for name in [*after, *(name for name in before if name not in after)]
        if before.get(name, "") != after.get(name, "")
    }


def _flat(payload: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in payload.items() if name != "options"}
    for key, value in payload.get("options", {}).items():
        flat[f"{OPTION}{key}"] = value
    return flat


def titled(changes: Mapping[str, list[Any]], places: Places) -> dict[str, list[Any]]:
    """The same changes with options' titles, and names of fields, in place of the provider's keys, for people."""
    return {
        places.code(name.removeprefix(OPTION)) if name.startswith(OPTION) else name: pair
        for name, pair in changes.items()
    }


def differences_from_remote(record: ContactRecord, remote: RemoteContact, *, limits: Capabilities) -> dict[str, Any]:
    """Field by field what the provider shows otherwise than we want it: `{field: [there, here]}`.

    Fields that the provider does not show (option values at some) cannot differ here; nor can those that an update
    would leave as they are.
    """
    pairs: list[tuple[str, str | None, str]] = [("phone", remote.phone, record.phone)]
    name = f"{record.first_name} {record.last_name}".strip()
    if limits.has_separate_names:
        pairs += [
            ("first_name", remote.first_name, record.first_name),
            ("last_name", remote.last_name, record.last_name),
        ]
    elif limits.has_name and (name or limits.can_clear_name):
        pairs += [("name", remote.name, name)]
    if limits.has_prefix:
        pairs += [("prefix", remote.prefix, record.prefix)]
    if limits.has_email:
        pairs += [("email", remote.email, record.email)]
    if limits.has_company:
        pairs += [("company", remote.company, record.company)]
    if limits.has_assigned_user:
        pairs += [("assigned_user", remote.assigned_user, record.assigned_user)]
    if limits.has_note:
        pairs += [("note", remote.note, record.note)]
    if remote.options is not None:
        pairs += [
            (f"{OPTION}{key}", remote.options.get(key, ""), wanted.value) for key, wanted in record.options.items()
        ]
    told = [(name, there, here) for name, there, here in pairs if there is not None and name not in record.leave]
    found: dict[str, Any] = {name: [there, here] for name, there, here in told if _squeezed(there) != _squeezed(here)}
    if limits.has_tags and remote.tags is not None and _missing_tags(record, remote.tags):
        found["tags"] = [sorted(remote.tags), sorted(record.tags)]
    return found


def _squeezed(text: str) -> str:
    """Providers trim and collapse blanks as they like; that is no difference."""
    return " ".join(text.split())


def _missing_tags(record: ContactRecord, there: Iterable[str]) -> bool:
    """Tags are added and never taken away, and those of others do not concern us."""
    known = {tag.casefold() for tag in there}
    return any(tag.casefold() not in known for tag in record.tags)


def is_proven(record: ContactRecord, remote: RemoteContact, *, limits: Capabilities) -> bool:
    """True when the provider shows everything of the record, exactly as wanted."""
    unseen = [
        record.options and remote.options is None,
        record.tags and remote.tags is None,
        record.assigned_user and remote.assigned_user is None,
        record.note and remote.note is None,
    ]
    return not any(unseen) and not differences_from_remote(record, remote, limits=limits)
