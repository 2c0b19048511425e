"""What Callbell would refuse, told without a call."""

from __future__ import annotations

from providers import values
from providers.backends.callbell import facts, forms
from providers.exceptions import ProviderError, Rejected
from providers.text import gettext_noop
from providers.types import BookRef, ContactRecord, OutboundMessage, TemplateUse

_NUMBER = gettext_noop("Callbell needs a whole international number, and %(phone)s is not one.")
_NO_TAG = gettext_noop("This phonebook has no tag at Callbell yet. Enter the tag's name as its title.")
_COMMA = gettext_noop(
    "Callbell separates tags by commas when it is asked for contacts, so the tag “%(tag)s” cannot be a phonebook."
)
_NOTE = gettext_noop("The note has %(length)s characters; Callbell takes %(limit)s at most.")
_USER = gettext_noop("Callbell knows its users by their e-mail address, and “%(user)s” is not one.")
_OPTION_KEY = gettext_noop("One of the custom options has no name at Callbell yet.")
_OPTION_VALUE = gettext_noop("“%(value)s” is not a value Callbell's custom field “%(key)s” can take.")
_NO_SENDER = gettext_noop("Choose the channel that sends.")
_ONE_NUMBER = gettext_noop("Callbell sends to one number at a time; this message is for %(count)s.")
_NO_TEXT = gettext_noop("The message is empty.")
_NO_SCHEDULE = gettext_noop("Callbell sends at once; it takes no send time.")
_NO_CONSENT = gettext_noop(
    "Callbell sends a template only with the statement that the person agreed to it, and no consent is on record."
)
_NO_TEMPLATE = gettext_noop("Choose the template.")
_VARIABLE = gettext_noop("The template's variable {{%(number)s}} has no value.")
_VARIABLES = gettext_noop("Templates of Callbell have numbered variables; “%(name)s” is none.")


def problem_with_number(phone: str) -> ProviderError | None:
    """Why the number cannot be sent to."""
    return None if values.is_e164(phone) else Rejected(_NUMBER, params={"phone": phone})


def problem_with_tag(book: BookRef) -> ProviderError | None:
    """Why the phonebook cannot be a tag."""
    if not book.remote_id.strip():
        return Rejected(_NO_TAG)
    return Rejected(_COMMA, params={"tag": book.remote_id}) if "," in book.remote_id else None


def problem_with_contact(record: ContactRecord) -> ProviderError | None:
    """The first thing for which the contact would be refused."""
    if problem := problem_with_number(record.phone):
        return problem
    if len(record.note) > facts.LONGEST_NOTE:
        return Rejected(_NOTE, params={"length": len(record.note), "limit": facts.LONGEST_NOTE})
    if record.assigned_user and "@" not in record.assigned_user:
        return Rejected(_USER, params={"user": record.assigned_user})
    for key, value in record.options.items():
        if not key:
            return Rejected(_OPTION_KEY)
        try:
            forms.wire_value(value)
        except ValueError:
            return Rejected(_OPTION_VALUE, params={"key": key, "value": value.value})
    return None


def problem_with_message(message: OutboundMessage) -> ProviderError | None:
    """The first thing wrong. Whether a text comes within 24 hours of the person's last message is for the caller to see."""
    if not message.sender.strip():
        return Rejected(_NO_SENDER)
    if len(message.numbers) != 1:
        return Rejected(_ONE_NUMBER, params={"count": len(message.numbers)})
    if problem := problem_with_number(message.numbers[0]):
        return problem
    if message.send_at is not None:
        return Rejected(_NO_SCHEDULE)
    if message.template is not None:
        return _problem_with_template(message.template)
    return None if message.text.strip() else Rejected(_NO_TEXT)


def _problem_with_template(template: TemplateUse) -> ProviderError | None:
    if not template.has_consent:
        return Rejected(_NO_CONSENT)
    if not template.remote_id:
        return Rejected(_NO_TEMPLATE)
    for name in template.values:
        if not (name.isascii() and name.isdigit()):
            return Rejected(_VARIABLES, params={"name": name})
    for number in range(1, len(template.values) + 1):
        if not template.values.get(str(number), "").strip():
            return Rejected(_VARIABLE, params={"number": number})
    return None
