"""Everything that can be said about a row: codes, and the sentences people read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext, gettext_noop

from contactsync.models import ImportIssue
from contactsync.options import OPTION_MESSAGES
from contactsync.phone import PHONE_MESSAGES, search_digits
from contactsync.spelling import unified

REJECTED = ImportIssue.Severity.REJECTED.value
DUPLICATE = ImportIssue.Severity.DUPLICATE.value
SKIPPED = ImportIssue.Severity.SKIPPED.value
WARNING = ImportIssue.Severity.WARNING.value

CLEARED_FOR_ALL = "cleared_for_all"
CONSENT_IN_FUTURE = "consent_in_future"
CONSENT_UNCLEAR = "consent_unclear"
DUPLICATE_IN_FILE = "duplicate_in_file"
EMAIL_INVALID = "email_invalid"
EMAIL_LEFT_OUT = "email_left_out"
EXTRA_CELLS = "extra_cells"
FIXED_LINE = "fixed_line"
FORMULA = "formula"
NO_VALUE = "no_value"
PHONE_CLEARED = "phone_cleared"
PHONE_TITLE = "phone_title"
PHONE_TOTAL = "phone_total"
SINCE_IN_FUTURE = "since_in_future"
SKIPPED_DELETED = "skipped_deleted"
SKIPPED_MISSING = "skipped_missing"
SKIPPED_THERE = "skipped_there"
SUPPRESSED = "suppressed"
TEXT_TOO_LONG = "text_too_long"

#: what is said instead of numbers that a spreadsheet has spoilt: how to undo it there
DAMAGED = {
    "phone_scientific": gettext_noop(
        "A spreadsheet has shortened this number, and its last digits are lost. In Excel, mark the column, "
        "press Ctrl+1, choose “Text”, enter the number again, and upload the saved file."
    ),
    "phone_decimal_damaged": gettext_noop(
        "A spreadsheet has put a decimal point into this number, and digits may be lost. In Excel, mark the "
        "column, press Ctrl+1, choose “Text”, enter the number again, and upload the saved file."
    ),
    "phone_negative": gettext_noop(
        "A spreadsheet has calculated with this number. In Excel, mark the column, press Ctrl+1, "
        "choose “Text”, enter the number again, and upload the saved file."
    ),
    "phone_too_short": gettext_noop(
        "The number has too few digits. If a spreadsheet has taken some away: in Excel, mark the column, "
        "press Ctrl+1, choose “Text”, enter the number again, and upload the saved file."
    ),
}
MESSAGES: dict[str, str] = {
    CLEARED_FOR_ALL: gettext_noop("The sign that empties a field works in the cells of the file only."),
    CONSENT_IN_FUTURE: gettext_noop("Consent cannot be given in the future."),
    CONSENT_UNCLEAR: gettext_noop("This is neither a date nor a yes or no. Write the day of the consent, or yes."),
    DUPLICATE_IN_FILE: gettext_noop("The number stands on line %(line)s already. That row was used, this one was not."),
    EMAIL_INVALID: gettext_noop("This is not an e-mail address."),
    EMAIL_LEFT_OUT: gettext_noop(
        "This is not an e-mail address, so it was left out. The rest of the row is used; an address that the contact has stays."
    ),
    EXTRA_CELLS: gettext_noop(
        "The row has %(cells)s cells, the table has %(columns)s columns. "
        "Put text that holds the delimiter into quotation marks, and in a spreadsheet empty the cells beside the table."
    ),
    FIXED_LINE: gettext_noop("This is a landline. It may not receive messages."),
    FORMULA: gettext_noop("The text begins like a formula. It was kept as text and is made harmless in exports."),
    NO_VALUE: gettext_noop(
        "Programs write this where they know nothing. It was kept as text, and a message would show it. "
        "Empty the cell if nothing is meant."
    ),
    PHONE_CLEARED: gettext_noop(
        "The phone number cannot be emptied: it says who is meant. Write the number, and empty other fields."
    ),
    PHONE_TITLE: gettext_noop("This row repeats the titles of the columns, so it is no contact."),
    PHONE_TOTAL: gettext_noop("This looks like the line of sums below a table. If it is a contact, write its number."),
    SINCE_IN_FUTURE: gettext_noop("Nobody can be on the list since a day that is still to come."),
    SKIPPED_DELETED: gettext_noop(
        "The contact has been deleted here. This import only updates contacts, so it stays deleted."
    ),
    SKIPPED_MISSING: gettext_noop(
        "The number is not in the phonebook. This import only updates contacts, so it was not added."
    ),
    SKIPPED_THERE: gettext_noop(
        "The number is in the phonebook already. This import only adds numbers, so the contact stays as it is."
    ),
    SUPPRESSED: gettext_noop("The number is on the suppression list. It is kept here, but gets no messages."),
    TEXT_TOO_LONG: gettext_noop("The text has %(length)s characters; at most %(limit)s fit."),
    **{f"phone_{code}": message for code, message in PHONE_MESSAGES.items()},
    **{f"option_{code}": message for code, message in OPTION_MESSAGES.items()},
}
_VALUE = re.compile(r"%\(\w+\)[sd]")
LONGEST_COLUMN = 200
LONGEST_SHOWN = 60
LONGEST_NUMBER = 40
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
    """The sentence of an issue in the active language, with the cell where a spreadsheet has spoilt it."""
    if issue.code not in DAMAGED or issue.value.startswith(("0", "+")):  # spreadsheets leave neither to a number
        return sentence(issue.code, issue.params)
    return gettext("“%(cell)s”: %(words)s") % {
        "cell": issue.value[:LONGEST_SHOWN],
        "words": gettext(DAMAGED[issue.code]),
    }


def sentence(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The sentence of a code in the active language; the code itself when a later version wrote it.

    Without the values of a row, as for a filter, dots stand in their place.
    """
    message = MESSAGES.get(code)
    if message is None:
        return code
    translated = gettext(message)
    return translated % params if params else _VALUE.sub("…", translated)


def number_in(text: str) -> str:
    """The digits by which a number that could not be read is found again; empty when there are none."""
    return (search_digits(text) or re.sub(r"\D", "", unified(text)).lstrip("0"))[:LONGEST_NUMBER]


def storable(text: str) -> str:
    """The text with what no database keeps made visible."""
    return text.replace("\x00", "␀")
