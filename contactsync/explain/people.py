"""What became of a number as a contact, and what was written to it and by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from contactsync.explain.lines import Kind, Line, name_of
from contactsync.explain.number import Number
from contactsync.models import Contact, InboundMessage, Recipient, Suppression

EXCERPT = 200


def contacts(number: Number, most: int) -> Iterator[Line]:
    """When it came into phonebooks, and left them."""
    for contact in number.contacts[:most]:
        book = {"book": contact.phonebook}
        yield Line(
            contact.created_at,
            Kind.CONTACT,
            _("Added to the phonebook “%(book)s”") % book,
            contact,
            why=contact.full_name,
            state=contact.sync_state,
            label=contact.get_sync_state_display(),
            phone=contact.phone,
        )
        if contact.deleted_at:
            what = _("Deleted in the phonebook “%(book)s”; the provider is to be told") % book
            yield Line(contact.deleted_at, Kind.CONTACT, what, contact, phone=contact.phone)
    for former in number.former[:most]:
        what = (
            _("Removed from the phonebook “%(book)s”") % {"book": former.phonebook}
            if former.phonebook
            else _("Removed from a phonebook that is gone")
        )
        yield Line(former.removed_at, Kind.CONTACT, what, former.phonebook, phone=former.phone)


def edits(number: Number, most: int) -> Iterator[Line]:
    """What people did with the contact on its page."""
    keys = [str(key) for key in number.contact_ids]
    yield from _logged(Kind.CONTACT, Contact, most, object_id__in=keys)


def suppression_edits(number: Number, most: int) -> Iterator[Line]:
    """Who put the number on the suppression list, and who took it off."""
    names = [str(Suppression(phone=phone)) for phone in number.numbers]
    yield from _logged(Kind.SUPPRESSION, Suppression, most, object_repr__in=names)


def _logged(kind: Kind, model: Any, most: int, **which: Any) -> Iterator[Line]:
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model), **which)
    name = model._meta.verbose_name
    for entry in entries.select_related("user").order_by("-pk")[:most]:
        what = _("%(what)s: %(done)s") % {"what": name, "done": entry.get_action_flag_display()}
        yield Line(entry.action_time, kind, what, why=entry.get_change_message(), who=name_of(entry.user))


def suppressions(number: Number, most: int) -> Iterator[Line]:
    """Whether nothing may be sent to it, and since when."""
    for row in Suppression.objects.filter(phone__in=number.numbers)[:most]:
        yield Line(
            row.since,
            Kind.SUPPRESSION,
            _("On the suppression list: no campaign sends to it"),
            row,
            why=row.reason_text,
            state="blocked",
            label=row.get_source_display(),
            phone=row.phone,
        )


def _recipients(number: Number) -> Any:
    rows = Recipient.objects.filter(phone__in=number.numbers).order_by("-pk")
    return rows.select_related("campaign__sent_by", "campaign__created_by", "target__phonebook", "call")


def campaigns(number: Number, most: int) -> Iterator[Line]:
    """Whether it was in or out of a campaign, by which rule, and what the provider said of the message."""
    for person in _recipients(number)[:most]:
        campaign, call = person.campaign, person.call
        is_out = person.state == Recipient.State.EXCLUDED
        words = {"campaign": campaign, "why": person.get_exclusion_display(), "target": person.target or "–"}
        at = None if call is None or is_out else call.finished_at or call.started_at
        yield Line(
            at or campaign.prepared_at or campaign.created_at,
            Kind.CAMPAIGN,
            _("Left out of the campaign “%(campaign)s”: %(why)s") % words
            if is_out
            else _("In the campaign “%(campaign)s” through %(target)s") % words,
            person,
            why=person.error_text,
            who=name_of(campaign.sent_by or campaign.created_by),
            state=person.state,
            label=person.get_state_display(),
            phone=person.phone,
            call=call,
        )


def deliveries(number: Number, most: int) -> Iterator[Line]:
    """What the provider has last reported of each message."""
    for person in _recipients(number).exclude(delivery="")[:most]:
        yield Line(
            person.delivery_at,
            Kind.REPORT,
            _("The provider reports of the message of “%(campaign)s”") % {"campaign": person.campaign},
            person,
            why=f"{_('code of the provider:')} {person.delivery_raw}" if person.delivery_raw else "",
            state=person.delivery,
            label=person.get_delivery_display(),
            phone=person.phone,
        )


def replies(number: Number, most: int) -> Iterator[Line]:
    """What came from the number."""
    rows = InboundMessage.objects.filter(phone__in=number.spellings).order_by("-pk").select_related("account")
    for reply in rows[:most]:
        yield Line(
            reply.received_at,
            Kind.REPLY,
            _("Wrote to us, by “%(account)s”") % {"account": reply.account},
            reply,
            why=Truncator(reply.text).chars(EXCERPT),
            state="stopped" if reply.is_opt_out else "",
            label=_("no more messages") if reply.is_opt_out else "",
            phone=reply.phone,
        )
