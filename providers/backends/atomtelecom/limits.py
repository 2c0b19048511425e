"""What can be told without a call. The document describes no answer to a bad request, so more is looked at here than it demands."""

from __future__ import annotations

import datetime as dt

from providers import values
from providers.backends.atomtelecom.facts import SLOTS
from providers.exceptions import ProviderError, Rejected
from providers.text import gettext_noop
from providers.types import ContactRecord, OptionKind, OutboundMessage

_NUMBER = gettext_noop(
    "Atom Telecom needs a number with its country code, such as +61400000001; “%(phone)s” is not one."
)
_SLOT = gettext_noop("Atom Telecom has no place “%(key)s” for a field; it has: %(slots)s.")
_KIND = gettext_noop("Atom Telecom keeps text only, not fields of the kind “%(kind)s”.")
_NO_SENDER = gettext_noop("The message has no sender. Choose one of those that Atom Telecom lists.")
_NO_TEXT = gettext_noop("The message is empty.")
_NOBODY = gettext_noop("The message is for nobody: choose a number.")
_MANY_NUMBERS = gettext_noop("%(count)s numbers are too many for one send; Atom Telecom is given one at a time.")
_SCHEDULED = gettext_noop("Atom Telecom cannot send later. Send now, or let this application wait until then.")


def problem_with_number(phone: str) -> ProviderError | None:
    """Why the number cannot be sent to. The document states no form; those that can exist are taken."""
    return None if values.is_e164(phone) else Rejected(_NUMBER, params={"phone": phone})


def problem_with_contact(record: ContactRecord) -> ProviderError | None:
    """The first thing for which the contact would be refused."""
    if problem := problem_with_number(record.phone):
        return problem
    for key, value in record.options.items():
        if key not in SLOTS:
            return Rejected(_SLOT, params={"key": key, "slots": ", ".join(SLOTS)})
        if value.kind is not OptionKind.TEXT:
            return Rejected(_KIND, params={"kind": value.kind.value})
    return None


def problem_with_message(message: OutboundMessage, *, now: dt.datetime) -> ProviderError | None:
    """The first thing for which the send would be refused."""
    if not message.sender.strip():
        return Rejected(_NO_SENDER)
    if not message.text.strip():
        return Rejected(_NO_TEXT)
    if not message.numbers:
        return Rejected(_NOBODY)
    if len(message.numbers) > 1:
        return Rejected(_MANY_NUMBERS, params={"count": len(message.numbers)})
    return problem_with_number(message.numbers[0]) or (Rejected(_SCHEDULED) if message.send_at else None)
