"""Words for codes that are stored as they are: operations of providers, fields of contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

OPERATIONS = {
    "create_phonebook": _("create the phonebook"),
    "update_phonebook": _("change the phonebook"),
    "delete_phonebook": _("delete the phonebook"),
    "create_option": _("create an option"),
    "rename_option": _("rename an option"),
    "delete_option": _("delete an option"),
    "list_contacts": _("read the contacts"),
    "read_contact": _("read a contact"),
    "create_contacts": _("create contacts"),
    "update_contact": _("change a contact"),
    "delete_contacts": _("delete contacts"),
    "send_to_phonebook": _("send to a phonebook"),
    "send_to_numbers": _("send to numbers"),
    "cancel_send": _("cancel a send"),
}
FIELDS = {
    "phone": _("phone number"),
    "prefix": _("prefix"),
    "name": _("name"),
    "first_name": _("first name"),
    "last_name": _("last name"),
    "company": _("company"),
    "email": _("e-mail"),
    "tags": _("tags"),
    "assigned_user": _("assigned user"),
}


def operation_label(operation: str) -> str:
    """The operation in words; one that is not known here as its code."""
    return str(OPERATIONS.get(operation, operation))


def field_label(name: str, options: Mapping[str, str]) -> str:
    """The field in words; `options` maps keys of custom options to their titles."""
    known: Any = FIELDS.get(name)
    return str(known or options.get(name) or options.get(name.removeprefix("option:")) or name.removeprefix("option:"))
