"""What LOX24 would refuse, told without a call."""

from __future__ import annotations

import datetime as dt

from providers import gsm
from providers.backends.lox24 import facts, forms
from providers.exceptions import ProviderError, Rejected
from providers.text import gettext_noop
from providers.types import ChosenContacts, ContactRecord, OutboundMessage, PhonebookSpec, WholePhonebooks

_NUMBER = gettext_noop(
    "LOX24 needs the number in international form, such as +4915200000001; “%(phone)s” is not in it."
)
_LONG_NUMBER = gettext_noop("The number has %(length)s characters; LOX24 takes %(limit)s at most.")
_LONG_REFERENCE = gettext_noop("The contact's own id has %(length)s characters; LOX24 takes %(limit)s at most.")
_NO_COLUMN = gettext_noop("LOX24 has the columns a to e; there is no column “%(key)s”.")
_LONG_COLUMN = gettext_noop(
    "The value for column %(key)s has %(length)s characters; LOX24 takes %(limit)s at most. Shorten it."
)
_NO_TITLE = gettext_noop("LOX24 needs a title.")
_LONG_TITLE = gettext_noop("The title has %(length)s characters; LOX24 takes %(limit)s at most.")
_LONG_DESCRIPTION = gettext_noop("The description has %(length)s characters; LOX24 takes %(limit)s at most.")
_LONG_LABEL = gettext_noop("The label of column %(key)s has %(length)s characters; LOX24 takes %(limit)s at most.")
_SENDER = gettext_noop(
    "The sender must be a number of up to 15 digits, or up to 11 Latin letters, digits and spaces; “%(sender)s” is not."
)
_NO_TEXT = gettext_noop("The message is empty.")
_LONG_TEXT = gettext_noop("The message has %(length)s characters; LOX24 takes %(limit)s at most.")
_LONG_UNICODE = gettext_noop(
    "The message has %(length)s characters; LOX24 takes %(limit)s at most when it holds letters or signs outside the plain SMS alphabet."
)
_NOBODY = gettext_noop("The message is for nobody: choose a phonebook or numbers.")
_BOTH_KINDS = gettext_noop("One send goes either to phonebooks or to numbers, not to both.")
_MANY_NUMBERS = gettext_noop("%(count)s numbers are too many for one send; at LOX24 %(limit)s are sent at most.")
_MANY_TARGETS = gettext_noop("%(count)s phonebooks are too many for one send; at LOX24 %(limit)s are sent at most.")
_WHOLE_ONLY = gettext_noop("LOX24 sends to whole groups only. Choose the whole phonebook, or send to numbers.")
_NOT_THERE = gettext_noop("One of the chosen phonebooks is not at LOX24 yet.")
_TOO_EARLY = gettext_noop("Choose a send time at least one minute ahead, or send now.")
_TOO_LATE = gettext_noop("Choose a send time within the next year.")


def _too_long(message: str, value: str, limit: int, **params: str) -> ProviderError | None:
    if len(value) <= limit:
        return None
    return Rejected(message, params={**params, "length": len(value), "limit": limit})


def problem_with_number(phone: str) -> ProviderError | None:
    """Why the number cannot be sent to."""
    return None if forms.is_recipient(phone) else Rejected(_NUMBER, params={"phone": phone})


def problem_with_contact(record: ContactRecord) -> ProviderError | None:
    """The first thing for which the contact would be refused."""
    if key := next((key for key in record.options if key not in facts.SLOTS), None):
        return Rejected(_NO_COLUMN, params={"key": key})
    problems = (
        problem_with_number(record.phone),
        _too_long(_LONG_NUMBER, record.phone, facts.LONGEST_PHONE),
        _too_long(_LONG_REFERENCE, record.reference, facts.LONGEST_CALLBACK_DATA),
        *(
            _too_long(_LONG_COLUMN, option.value, facts.LONGEST_COLUMN, key=key)
            for key, option in record.options.items()
        ),
    )
    return next((problem for problem in problems if problem), None)


def problem_with_group(spec: PhonebookSpec) -> ProviderError | None:
    """The first thing for which the group would be refused."""
    if not spec.title.strip():
        return Rejected(_NO_TITLE)
    if key := next((key for key in spec.options if key not in facts.SLOTS), None):
        return Rejected(_NO_COLUMN, params={"key": key})
    problems = (
        _too_long(_LONG_TITLE, spec.title, facts.LONGEST_TITLE),
        _too_long(_LONG_DESCRIPTION, spec.description, facts.LONGEST_DESCRIPTION),
        *(_too_long(_LONG_LABEL, label, facts.LONGEST_LABEL, key=key) for key, label in spec.options.items()),
    )
    return next((problem for problem in problems if problem), None)


def problem_with_message(message: OutboundMessage, *, now: dt.datetime) -> ProviderError | None:
    """The first thing for which the send would be refused."""
    if not forms.is_sender(message.sender):
        return Rejected(_SENDER, params={"sender": message.sender})
    return (
        _problem_with_text(message.text)
        or _problem_with_recipients(message)
        or _problem_with_time(message.send_at, now)
    )


def _problem_with_text(text: str) -> ProviderError | None:
    """As written, and as it goes out: a sign of the extended alphabet counts twice, Unicode halves the room."""
    if not text.strip():
        return Rejected(_NO_TEXT)
    if problem := _too_long(_LONG_TEXT, text, facts.LONGEST_WRITTEN):
        return problem
    is_unicode = gsm.needs_unicode(text)
    message, limit = (_LONG_UNICODE, facts.LONGEST_UNICODE) if is_unicode else (_LONG_TEXT, facts.LONGEST_GSM)
    length = gsm.length(text)
    return Rejected(message, params={"length": length, "limit": limit}) if length > limit else None


def _problem_with_recipients(message: OutboundMessage) -> ProviderError | None:
    if message.numbers and message.targets:
        return Rejected(_BOTH_KINDS)
    if not message.numbers and not message.targets:
        return Rejected(_NOBODY)
    if len(message.numbers) > facts.MOST_NUMBERS:
        return Rejected(_MANY_NUMBERS, params={"count": len(message.numbers), "limit": facts.MOST_NUMBERS})
    if len(message.targets) > facts.MOST_TARGETS:
        return Rejected(_MANY_TARGETS, params={"count": len(message.targets), "limit": facts.MOST_TARGETS})
    problems = (
        *(problem_with_number(phone) for phone in message.numbers),
        *(_problem_with_target(target) for target in message.targets),
    )
    return next((problem for problem in problems if problem), None)


def _problem_with_target(target: WholePhonebooks | ChosenContacts) -> ProviderError | None:
    if isinstance(target, ChosenContacts) or target.start is not None or target.size is not None:
        return Rejected(_WHOLE_ONLY)
    ids = [book.remote_id for book in target.books]
    return None if ids and all(one.isascii() and one.isdigit() for one in ids) else Rejected(_NOT_THERE)


def _problem_with_time(send_at: dt.datetime | None, now: dt.datetime) -> ProviderError | None:
    if send_at is None:
        return None
    if send_at < now + facts.SCHEDULE_EARLIEST:
        return Rejected(_TOO_EARLY)
    return Rejected(_TOO_LATE) if send_at > now + facts.SCHEDULE_LATEST else None
