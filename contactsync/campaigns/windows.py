"""Providers that let free text through only for a while after a person wrote: who may have what, looked at twice.

When the campaign is prepared, and again right before each call. What the provider was asked is kept with the contact.
A contact that the provider does not know has never written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.counts import add_to_summary
from contactsync.campaigns.packets import template_use
from contactsync.campaigns.sources import Candidate
from contactsync.campaigns.summary import rows_by_exclusion
from contactsync.campaigns.templates import TemplateFiller, always
from contactsync.models import Call, Campaign, Contact, CustomOption, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.segments import count_parts
from contactsync.sync import sends
from contactsync.sync.connect import Capabilities, Operation, capabilities
from contactsync.sync.line import Line

MARGIN = dt.timedelta(minutes=1)  # a window about to close may be closed when the message arrives

NEEDS_TEMPLATE = gettext_noop(
    "The person did not write within the last %(hours)s hours, so only a template gets through, and the campaign has none "
    "for them."
)
NO_CONSENT = gettext_noop(
    "Only a template may go to this person, which needs their consent, and no consent is on record. Enter when and how "
    "it was given on the contact's page."
)


def is_open(limits: Capabilities, last_received_at: dt.datetime | None) -> bool:
    """Whether free text may go now to somebody who last wrote then."""
    if limits.reply_window is None:
        return True
    return last_received_at is not None and timezone.now() < last_received_at + limits.reply_window - MARGIN


def exclusion(campaign: Campaign, *, has_consent: bool, is_open: bool) -> tuple[str, dict[str, Any]]:
    """Why this person can have neither free text nor the template, and the reason for `describe()`; both empty when they can."""
    if is_open and not always(campaign):
        return "", {}
    limits = capabilities(campaign.account)
    if not campaign.template:
        window = limits.reply_window or dt.timedelta(0)
        why = reason(NEEDS_TEMPLATE, hours=int(window / dt.timedelta(hours=1)))
        return Recipient.Exclusion.NEEDS_TEMPLATE, why
    if limits.template_needs_consent and not has_consent:
        return Recipient.Exclusion.NO_CONSENT, reason(NO_CONSENT)
    return "", {}


def look_up(candidates: Sequence[Candidate], campaign: Campaign, line: Line) -> None:
    """Ask the provider when those last wrote of whom it is not known that they may have free text. Raises `ProviderError`.

    Outside any transaction; the pulse of `line` is felt before each question.
    """
    limits = line.capabilities
    if limits.reply_window is None or always(campaign) or not limits.can(Operation.READ_CONVERSATION):
        return
    for candidate in candidates:
        if candidate.contact_id and candidate.own_id and not is_open(limits, candidate.last_received_at):
            line.pulse()
            candidate.last_received_at = _ask(candidate.contact_id, candidate.own_id, line)


def _ask(contact_id: int, remote_id: str, line: Line) -> dt.datetime | None:
    """When the contact last wrote, as the provider says, kept where it is news."""
    at = sends.last_received(line, remote_id)
    if at is not None:
        older = Q(last_received_at=None) | Q(last_received_at__lt=at)
        Contact.objects.filter(older, pk=contact_id).update(last_received_at=at)
    return at


def look_again(run: Run, call: Call, line: Line) -> bool:
    """Right before a call to one person: free text becomes the template when the window has closed, or the person is left out.

    False when nobody is left in the call.
    """
    limits = line.capabilities
    is_template = call.operation == Operation.SEND_TEMPLATE
    if limits.reply_window is None and not (is_template and limits.template_needs_consent):
        return True
    person = Recipient.objects.filter(call=call, state=Recipient.State.PLANNED).select_related("contact").first()
    if person is None:
        return True
    campaign = Campaign.objects.select_related("account").get(runs=run)
    contact = person.contact
    open_now = not is_template and _is_open_now(contact, line)
    has_consent = contact is not None and contact.consented_at is not None
    excluded, why = exclusion(campaign, has_consent=has_consent, is_open=open_now)
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        planned = Call.objects.filter(pk=call.pk, state=Call.State.PLANNED)
        if not planned.select_for_update().exists():
            return True
        if not excluded and not open_now and not is_template:
            excluded, why = _use_template(call, person, campaign)
        if excluded:
            _leave_out(campaign, person, excluded, why)
            planned.update(item_count=0)
            return False
    return True


def to_look_at(run: Run, calls: Sequence[Call]) -> tuple[set[int], set[int]]:
    """Of these calls, those that `look_again` has to ask the provider about, and others that it has to look at, by id."""
    limits = capabilities(run.account)
    can_ask = limits.can(Operation.READ_CONVERSATION)
    templates = {call.pk for call in calls if call.operation == Operation.SEND_TEMPLATE}
    asked: set[int] = set()
    others: set[int] = set()
    if limits.reply_window is None and not (templates and limits.template_needs_consent):
        return asked, others
    people = Recipient.objects.filter(call__in=[call.pk for call in calls], state=Recipient.State.PLANNED)
    columns = ("call_id", "contact__last_received_at", "contact__remote_id", "contact__consented_at")
    for call_id, received_at, remote_id, consented_at in people.order_by().values_list(*columns):
        if call_id in templates:
            if limits.template_needs_consent and consented_at is None:
                others.add(call_id)
        elif not is_open(limits, received_at):
            (asked if remote_id and can_ask else others).add(call_id)
    return asked, others


def _is_open_now(contact: Contact | None, line: Line) -> bool:
    if contact is None:
        return False
    if is_open(line.capabilities, contact.last_received_at):
        return True
    if not contact.remote_id or not line.capabilities.can(Operation.READ_CONVERSATION):
        return False
    return is_open(line.capabilities, _ask(contact.pk, contact.remote_id, line))


def _use_template(call: Call, person: Recipient, campaign: Campaign) -> tuple[str, dict[str, Any]]:
    """Turn the call into one with the template, inside the caller's transaction. Returns why it cannot be, else nothing."""
    contact = person.contact
    if contact is None:
        return Recipient.Exclusion.DELETED, {}
    options = CustomOption.objects.filter(places__phonebook=contact.phonebook_id)
    filled = TemplateFiller(campaign, options).fill(contact)
    if filled.has_gap:
        return Recipient.Exclusion.INCOMPLETE, {}
    call.operation = Operation.SEND_TEMPLATE
    call.target = {"numbers": [person.phone], "template": template_use(campaign, filled.values)}
    Call.objects.filter(pk=call.pk).update(operation=call.operation, target=call.target)
    Recipient.objects.filter(pk=person.pk).update(
        text=filled.text, template_values=filled.values, parts=count_parts(filled.text).count
    )
    return "", {}


def _leave_out(campaign: Campaign, person: Recipient, excluded: str, why: dict[str, Any]) -> None:
    Recipient.objects.filter(pk=person.pk).update(
        state=Recipient.State.EXCLUDED, exclusion=excluded, error=why, call=None
    )
    rows = rows_by_exclusion(campaign)
    add_to_summary(campaign, recipients=rows.pop("", 0), excluded=rows)
