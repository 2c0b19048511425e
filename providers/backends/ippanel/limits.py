"""What IPPanel would refuse, told without a call."""

from __future__ import annotations

import datetime as dt

from providers.backends.ippanel import facts, forms
from providers.exceptions import ProviderError, Rejected
from providers.text import gettext_noop
from providers.types import ChosenContacts, ContactRecord, OptionKind, OutboundMessage, WholePhonebooks

_NUMBER = gettext_noop("IPPanel takes Iranian numbers only (+98 and ten digits), and %(phone)s is not one.")
_OPTION_KEY = gettext_noop("The custom option “%(key)s” has no number at IPPanel yet.")
_OPTION_KIND = gettext_noop("IPPanel has no custom options of the kind “%(kind)s”.")
_OPTION_VALUE = gettext_noop("“%(value)s” is not a value IPPanel's option %(key)s can take.")
_TITLE_LENGTH = gettext_noop("The title has %(length)s characters; IPPanel takes %(limit)s at most.")
_NO_TITLE = gettext_noop("IPPanel needs a title.")
_SENDER = gettext_noop("The sender must be a number with +98 in front, as IPPanel lists it; “%(sender)s” is not.")
_NO_TEXT = gettext_noop("The message is empty.")
_LONG_TEXT = gettext_noop("The message has %(length)s characters; IPPanel takes %(limit)s at most.")
_NOBODY = gettext_noop("The message is for nobody: choose a phonebook, contacts or numbers.")
_BOTH_KINDS = gettext_noop("One send goes either to phonebooks or to numbers, not to both.")
_MANY_TEXTS = gettext_noop("%(count)s different texts are too many for one send; it takes %(limit)s at most.")
_WHOLE_ONLY = gettext_noop(
    "IPPanel fills in custom options for whole phonebooks only, not for chosen contacts or some of the rows."
)
_NO_TEMPLATE = gettext_noop("Choose one of IPPanel's templates.")
_ONE_PERSON = gettext_noop("IPPanel sends a template to one number at a time, not to %(count)s.")
_NO_VALUE = gettext_noop("The template's variable “%(name)s” has no value.")
_MANY_NUMBERS = gettext_noop("%(count)s numbers are too many for one send; IPPanel takes %(limit)s at most.")
_MANY_TARGETS = gettext_noop(
    "%(count)s parts of phonebooks are too many for one send; IPPanel takes %(limit)s at most."
)
_EMPTY_TARGET = gettext_noop("One of the chosen phonebooks or lists of contacts is empty or not at IPPanel yet.")
_BAD_SLICE = gettext_noop("The first row and the number of rows must be 1 or more.")
_TOO_EARLY = gettext_noop(
    "IPPanel takes a send time only if it is at least 5 minutes ahead. Choose a later time or send now."
)
_TOO_LATE = gettext_noop("IPPanel takes a send time only within the next 3 months. Choose an earlier time.")


def problem_with_number(phone: str) -> ProviderError | None:
    """Why the number cannot be sent to."""
    return None if forms.is_recipient(phone) else Rejected(_NUMBER, params={"phone": phone})


def problem_with_contact(record: ContactRecord) -> ProviderError | None:
    """The first thing for which the contact would be refused."""
    if problem := problem_with_number(record.phone):
        return problem
    for key, value in record.options.items():
        if not key.isascii() or not key.isdigit():
            return Rejected(_OPTION_KEY, params={"key": key})
        if value.kind is OptionKind.CHOICE:
            return Rejected(_OPTION_KIND, params={"kind": value.kind.value})
        try:
            forms.option_text(value, facts.DASHED)
        except ValueError:
            return Rejected(_OPTION_VALUE, params={"key": key, "value": value.value})
    return None


def problem_with_title(title: str) -> ProviderError | None:
    """Why a phonebook or an option cannot have this title."""
    if not title.strip():
        return Rejected(_NO_TITLE)
    if len(title) > facts.LONGEST_TITLE:
        return Rejected(_TITLE_LENGTH, params={"length": len(title), "limit": facts.LONGEST_TITLE})
    return None


def problem_with_message(message: OutboundMessage, *, now: dt.datetime) -> ProviderError | None:
    """The first thing wrong; the number of parts is not counted here, the caller holds it against `max_message_parts`."""
    if not forms.is_sender(message.sender):
        return Rejected(_SENDER, params={"sender": message.sender})
    if sum(map(bool, (message.targets, message.numbers, message.texts))) > 1:
        return Rejected(_BOTH_KINDS)
    problems = (
        _problem_with_template(message) if message.template else _problem_with_texts(message),
        _problem_with_recipients(message),
        _problem_with_time(message.send_at, now),
    )
    return next((problem for problem in problems if problem), None)


def _problem_with_texts(message: OutboundMessage) -> ProviderError | None:
    if len(message.texts) > facts.MOST_TEXTS:
        return Rejected(_MANY_TEXTS, params={"count": len(message.texts), "limit": facts.MOST_TEXTS})
    for text in [part.text for part in message.texts] or [message.text]:
        if not text.strip():
            return Rejected(_NO_TEXT)
        if len(text) > facts.LONGEST_MESSAGE:
            return Rejected(_LONG_TEXT, params={"length": len(text), "limit": facts.LONGEST_MESSAGE})
    return None


def _problem_with_template(message: OutboundMessage) -> ProviderError | None:
    if not message.template or not message.template.remote_id:
        return Rejected(_NO_TEMPLATE)
    if len(message.numbers) != 1:
        return Rejected(_ONE_PERSON, params={"count": len(message.numbers)})
    empty = next((name for name, value in message.template.values.items() if not value.strip()), None)
    return None if empty is None else Rejected(_NO_VALUE, params={"name": empty})


def _problem_with_recipients(message: OutboundMessage) -> ProviderError | None:
    if not all(part.numbers for part in message.texts):
        return Rejected(_NOBODY)
    numbers = message.numbers or [phone for part in message.texts for phone in part.numbers]
    if not numbers and not message.targets:
        return Rejected(_NOBODY)
    if len(numbers) > facts.MOST_NUMBERS:
        return Rejected(_MANY_NUMBERS, params={"count": len(numbers), "limit": facts.MOST_NUMBERS})
    if (count := _targets(message)) > facts.MOST_TARGETS:
        return Rejected(_MANY_TARGETS, params={"count": count, "limit": facts.MOST_TARGETS})
    problems = (
        *(problem_with_number(phone) for phone in numbers),
        *(_problem_with_target(target) for target in message.targets),
        *(_problem_with_keywords(target) for target in message.targets if message.is_keyworded),
    )
    return next((problem for problem in problems if problem), None)


def _targets(message: OutboundMessage) -> int:
    """How many elements `params` gets: with placeholders each phonebook is one."""
    if not message.is_keyworded:
        return len(message.targets)
    return sum(len(target.books) if isinstance(target, WholePhonebooks) else 1 for target in message.targets)


def _problem_with_keywords(target: WholePhonebooks | ChosenContacts) -> ProviderError | None:
    is_whole = isinstance(target, WholePhonebooks) and target.start is None and target.size is None
    return None if is_whole else Rejected(_WHOLE_ONLY)


def _problem_with_target(target: WholePhonebooks | ChosenContacts) -> ProviderError | None:
    if isinstance(target, ChosenContacts):
        full = bool(target.book.remote_id and target.contact_ids and all(target.contact_ids))
        return None if full else Rejected(_EMPTY_TARGET)
    if not target.books or not all(book.remote_id for book in target.books):
        return Rejected(_EMPTY_TARGET)
    if any(number is not None and number < 1 for number in (target.start, target.size)):
        return Rejected(_BAD_SLICE)
    return None


def _problem_with_time(send_at: dt.datetime | None, now: dt.datetime) -> ProviderError | None:
    if send_at is None:
        return None
    if send_at < now + facts.SCHEDULE_EARLIEST:
        return Rejected(_TOO_EARLY)
    return Rejected(_TOO_LATE) if send_at > now + facts.SCHEDULE_LATEST else None
