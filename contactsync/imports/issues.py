"""Everything that can be said about a row: codes, and the sentences people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext, gettext_noop

from contactsync.models import ImportIssue
from contactsync.options import OPTION_MESSAGES
from contactsync.phone import PHONE_MESSAGES

REJECTED = ImportIssue.Severity.REJECTED.value
DUPLICATE = ImportIssue.Severity.DUPLICATE.value
WARNING = ImportIssue.Severity.WARNING.value

CONSENT_IN_FUTURE = "consent_in_future"
CONSENT_UNCLEAR = "consent_unclear"
DUPLICATE_IN_FILE = "duplicate_in_file"
EMAIL_INVALID = "email_invalid"
EXTRA_CELLS = "extra_cells"
FIXED_LINE = "fixed_line"
FORMULA = "formula"
SUPPRESSED = "suppressed"
TEXT_TOO_LONG = "text_too_long"

MESSAGES: dict[str, str] = {
    CONSENT_IN_FUTURE: gettext_noop("Consent cannot be given in the future."),
    CONSENT_UNCLEAR: gettext_noop("This is neither a date nor a yes or no. Write the day of the consent, or yes."),
    DUPLICATE_IN_FILE: gettext_noop("The number stands on line %(line)s already. That row was used, this one was not."),
    EMAIL_INVALID: gettext_noop("This is not an e-mail address."),
    EXTRA_CELLS: gettext_noop(
        "The row has %(cells)s cells, the table has %(columns)s columns. "
        "Put text that holds the delimiter into quotation marks."
    ),
    FIXED_LINE: gettext_noop("This is a landline. It may not receive messages."),
    FORMULA: gettext_noop("The text begins like a formula. It was kept as text and is made harmless in exports."),
    SUPPRESSED: gettext_noop("The number is on the suppression list. It is kept here, but gets no messages."),
    TEXT_TOO_LONG: gettext_noop("The text has %(length)s characters; at most %(limit)s fit."),
    **{f"phone_{code}": message for code, message in PHONE_MESSAGES.items()},
    **{f"option_{code}": message for code, message in OPTION_MESSAGES.items()},
}
LONGEST_COLUMN = 200
LONGEST_SUGGESTION = 255


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing about one cell. `suggestion` is a value that would be accepted, or empty."""

    severity: str
    code: str
    column: str = ""
    value: str = ""
    params: Mapping[str, str | int] = field(default_factory=dict)
    suggestion: str = ""


def describe_issue(issue: ImportIssue) -> str:
    """The sentence of an issue in the active language."""
    return sentence(issue.code, issue.params)


def sentence(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The sentence of a code in the active language; the code itself when a later version wrote it."""
    message = MESSAGES.get(code)
    if message is None:
        return code
    translated = gettext(message)
    return translated % params if params else translated


def code_choices() -> list[tuple[str, str]]:
    """Every code with its sentence, for filters."""
    return [(code, gettext(message)) for code, message in MESSAGES.items()]


def storable(text: str) -> str:
    """The text with what no database keeps made visible."""
    return text.replace("\x00", "␀")
