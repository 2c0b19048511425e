"""Whole contacts as JSON and back: to remove them for good, and to bring them back as they were, with their ids."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, models

from contactsync.models import CampaignTarget, Contact, Recipient, RunItem
from contactsync.sync.bulk import save_fields

_OWN = {"id", "phonebook"}
_FIELDS: list[models.Field[Any, Any]] = [field for field in Contact._meta.concrete_fields if field.name not in _OWN]
_DEFAULTS = {field.name: field.get_default() for field in _FIELDS if field.name != "uuid"}
#: who points to a contact, and points to nothing once it is gone
LINKED: dict[str, type[models.Model]] = {"recipients": Recipient, "run_items": RunItem}
TARGETS = "targets"
_CHOSEN = CampaignTarget.contacts.through
#: what a new contact has as long as no provider was told of it
NEVER_PUSHED: dict[str, Any] = {
    "remote_id": "",
    "sync_state": Contact.SyncState.NEW,
    "pushed_hash": "",
    "pushed_payload": None,
    "pushed_at": None,
    "sync_error": {},
}


def image_of(contact: Contact) -> dict[str, Any]:
    """Every field that is not as it would be in a new contact, as JSON."""
    values = ((field.name, getattr(contact, field.name)) for field in _FIELDS)
    return {name: _stored(value) for name, value in values if name == "uuid" or value != _DEFAULTS[name]}


def _stored(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value


def contact_from(key: int, phonebook_id: int, image: Mapping[str, Any]) -> Contact:
    """The contact of an image; not saved."""
    contact = Contact(pk=key, phonebook_id=phonebook_id)
    for field in _FIELDS:
        value = field.to_python(image[field.name]) if field.name in image else field.get_default()
        setattr(contact, field.name, value)
    return contact


def bring_back(contacts: Sequence[Contact]) -> None:
    """Write contacts that were removed, with their ids and their dates, which `bulk_create` would make those of now."""
    if not contacts:
        return
    fields = Contact._meta.concrete_fields
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    rows = [
        [field.get_db_prep_save(getattr(contact, field.attname), connection) for field in fields]
        for contact in contacts
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(Contact._meta.db_table)} ({names}) VALUES ({places})",  # noqa: S608 - names of our own
            rows,
        )


def links_of(keys: Sequence[int]) -> dict[int, dict[str, list[int]]]:
    """The rows of others that point to these contacts, by contact."""
    found: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for name, model in LINKED.items():
        rows = model._default_manager.filter(contact__in=keys).order_by("pk")
        for contact_id, pk in rows.values_list("contact_id", "pk"):
            found[contact_id][name].append(pk)
    chosen = _CHOSEN._default_manager.filter(contact__in=keys).order_by("pk")
    for contact_id, target in chosen.values_list("contact_id", "campaigntarget_id"):
        found[contact_id][TARGETS].append(target)
    return {key: dict(links) for key, links in found.items()}


def link_again(links: Iterable[tuple[int, Mapping[str, Sequence[int]]]]) -> None:
    """Let the rows of others point to contacts that are back; rows that are gone are left out."""
    links = [pair for pair in links if pair[1]]
    for name, model in LINKED.items():
        rows = [model(pk=pk, contact_id=key) for key, named in links for pk in named.get(name, ())]
        save_fields(rows, ["contact"])
    chosen = [(target, key) for key, named in links for target in named.get(TARGETS, ())]
    there = set(CampaignTarget.objects.filter(pk__in={target for target, _key in chosen}).values_list("pk", flat=True))
    _CHOSEN._default_manager.bulk_create(
        [_CHOSEN(campaigntarget_id=target, contact_id=key) for target, key in chosen if target in there],
        ignore_conflicts=True,
    )
