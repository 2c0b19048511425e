"""Words for what is stored as a code or a number: operations of providers, fields of contacts, lengths of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from contactsync.templatetags.contactsync import number

OPERATIONS = {
    "check": _("test the connection"),
    "read_balance": _("read the balance"),
    "list_senders": _("list the senders"),
    "estimate_price": _("tell the price beforehand"),
    "list_phonebooks": _("list the phonebooks"),
    "create_phonebook": _("create the phonebook"),
    "update_phonebook": _("change the phonebook"),
    "delete_phonebook": _("delete the phonebook"),
    "list_options": _("list the options"),
    "create_option": _("create an option"),
    "rename_option": _("rename an option"),
    "delete_option": _("delete an option"),
    "list_contacts": _("read the contacts"),
    "read_contact": _("read a contact"),
    "create_contacts": _("create contacts"),
    "update_contact": _("change a contact"),
    "delete_contacts": _("delete contacts"),
    "list_suppressed": _("read who has unsubscribed"),
    "list_templates": _("list the templates"),
    "list_inbox": _("read the replies"),
    "read_conversation": _("read when somebody last wrote"),
    "subscribe_callbacks": _("subscribe to callbacks"),
    "unsubscribe_callbacks": _("unsubscribe from callbacks"),
    "send_to_phonebook": _("send to a phonebook"),
    "send_keywords": _("send to a phonebook, placeholders filled in by the provider"),
    "send_to_numbers": _("send to numbers"),
    "send_texts": _("send several texts in one call"),
    "send_template": _("send a template"),
    "cancel_send": _("cancel a send"),
    "read_report": _("read the delivery report"),
    "find_sends": _("look for a send whose outcome is not known"),
}
CALLBACK_EVENTS = {
    "delivery": _("news of a message"),
    "inbound": _("reply"),
    "contact_changed": _("contact changed at the provider"),
    "contact_deleted": _("contact deleted at the provider"),
    "other": _("other news"),
}
FIELDS = {
    "phone": _("phone number"),
    "prefix": _("prefix"),
    "name": _("name"),
    "first_name": _("first name"),
    "last_name": _("last name"),
    "full_name": _("full name"),
    "company": _("company"),
    "email": _("e-mail"),
    "tags": _("tags"),
    "assigned_user": _("assigned user"),
    "note": _("note"),
    "consented_at": _("consent given at"),
    "consent_source": _("how consent was given"),
    "options": _("custom options"),
    "deleted_at": _("deleted at"),
}
#: how a provider comes to call us
CALLBACK_WAYS = {
    "none": _("none"),
    "per_send": _("the address goes along with every send"),
    "portal": _("a person enters the address at the provider"),
    "subscribed": _("subscribed from here"),
}


def operation_label(operation: str) -> str:
    """The operation in words; one that is not known here as its code."""
    return str(OPERATIONS.get(operation, operation))


def callback_label(kind: str) -> str:
    """What a callback is about in words; a kind that is not known here as its code."""
    return str(CALLBACK_EVENTS.get(kind, kind))


def field_label(name: str, options: Mapping[str, str]) -> str:
    """The field in words; `options` maps keys of custom options to their titles. Plans name options as `option:<title>`."""
    known: Any = FIELDS.get(name)
    key = name.removeprefix("option:")
    return str(known or (key if key in options.values() else options.get(key, key)))


def span(value: dt.timedelta | None) -> str:
    """A length of time in its largest whole unit; empty for None."""
    if value is None:
        return ""
    seconds = int(value.total_seconds())
    if seconds and seconds % 86400 == 0:
        return ngettext("%(count)s day", "%(count)s days", seconds // 86400) % {"count": number(seconds // 86400)}
    if seconds and seconds % 3600 == 0:
        return ngettext("%(count)s hour", "%(count)s hours", seconds // 3600) % {"count": number(seconds // 3600)}
    if seconds and seconds % 60 == 0:
        return ngettext("%(count)s minute", "%(count)s minutes", seconds // 60) % {"count": number(seconds // 60)}
    return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": number(seconds)}
