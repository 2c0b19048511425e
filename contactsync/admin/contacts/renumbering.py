"""Asking before contacts whose number the provider cannot change become new ones there."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.contrib.admin.options import ModelAdmin
from django.db.models import F, QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync.admin.accounts.abilities import limits_of
from contactsync.admin.common import confirm, say
from contactsync.models import Contact, ProviderAccount
from contactsync.sync.renumber import make_new_contacts
from contactsync.templatetags.contactsync import number

CHUNK = 2000


def ask(screen: ModelAdmin, request: HttpRequest, contacts: QuerySet[Contact]) -> HttpResponse | None:
    """Ask, then let the next push delete the old contacts there and add new ones."""
    wanted = with_another_number(contacts)
    count = wanted.count()
    if not count:
        text = _("None of these contacts has another number at a provider that cannot change numbers.")
        say(request, text, level=messages.WARNING)
        return None
    question = ngettext("Replace %(count)s contact with a new one?", "Replace %(count)s contacts with new ones?", count)
    asked = confirm(
        screen,
        request,
        wanted,
        title=_("Make a new contact"),
        question=question % {"count": number(count)},
        facts=[
            _(
                "The provider cannot change a number: the old contact is deleted there, and one with the new number added."
            ),
            *deletion_warnings(wanted),
            _("What only the provider keeps with the old contact, such as conversations, may be lost."),
            _("Nothing goes to the provider now; the next push shows its plan first."),
        ],
        button=_("Replace them"),
        danger=True,
    )
    if asked:
        return asked
    _say_done(request, made=make_new_contacts(_one_by_one(wanted)), count=count)
    return None


def deletion_warnings(contacts: QuerySet[Contact]) -> list[str]:
    """What the providers of these contacts destroy with a contact beyond its phonebook."""
    accounts = ProviderAccount.objects.filter(pk__in=contacts.order_by().values("phonebook__account"))
    found = [limits for account in accounts if (limits := limits_of(account)) is not None]
    return list(dict.fromkeys(_(limits.deleting_contacts) for limits in found if limits.deleting_contacts))


def accounts_with_fixed_numbers() -> list[int]:
    """Accounts whose provider cannot change the number of a contact."""
    limits = {account.pk: limits_of(account) for account in ProviderAccount.objects.all()}
    return [pk for pk, can in limits.items() if can is not None and not can.can_change_phone]


def with_another_number(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Those of the contacts that have another number at a provider that cannot change it."""
    there = contacts.filter(deleted_at=None, phonebook__account__in=accounts_with_fixed_numbers()).exclude(remote_id="")
    return (
        there.alias(number_there=KT("pushed_payload__phone"))
        .exclude(number_there=None)
        .exclude(number_there=F("phone"))
    )


def _one_by_one(contacts: QuerySet[Contact]) -> Iterator[Contact]:
    """Not all at once: there may be a million."""
    return contacts.select_related("phonebook__account").iterator(chunk_size=CHUNK)


def _say_done(request: HttpRequest, *, made: int, count: int) -> None:
    if made:
        done = ngettext(
            "The next push replaces %(count)s contact with a new one.",
            "The next push replaces %(count)s contacts with new ones.",
            made,
        )
        say(request, done % {"count": number(made)})
    if left := count - made:
        text = ngettext(
            "%(count)s contact was left as it is: its old number belongs to another contact of the phonebook by now.",
            "%(count)s contacts were left as they are: their old numbers belong to other contacts of the phonebook by now.",
            left,
        )
        say(request, text % {"count": number(left)}, level=messages.WARNING)
