"""Values of custom options: read in any usual spelling, kept in one canonical form."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from contactsync.calendars import from_jalali, jalali
from contactsync.text import ascii_digits, clean, fold, gettext_noop

LARGEST_INTEGER = 2**63 - 1
LONGEST_TEXT = 2000
LONGEST_EMAIL = 254
KINDS = frozenset({"text", "integer", "date", "choice", "multiple", "email"})


class OptionCode(StrEnum):
    OK = "ok"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    NOT_INTEGER = "not_integer"
    HAS_FRACTION = "has_fraction"
    AMBIGUOUS_INTEGER = "ambiguous_integer"
    SCIENTIFIC = "scientific"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_DATE = "not_a_date"
    AMBIGUOUS_DATE = "ambiguous_date"
    IMPOSSIBLE_DATE = "impossible_date"
    SHORT_YEAR = "short_year"
    YEAR_OUT_OF_RANGE = "year_out_of_range"
    SERIAL_DATE = "serial_date"
    NOT_A_CHOICE = "not_a_choice"
    NOT_AN_EMAIL = "not_an_email"
    FROM_JALALI = "from_jalali"  # a note, not a refusal
    TIME_DROPPED = "time_dropped"  # a note, not a refusal


OPTION_MESSAGES: dict[OptionCode, str] = {
    OptionCode.OK: gettext_noop("The value is valid."),
    OptionCode.EMPTY: gettext_noop("There is no value."),
    OptionCode.TOO_LONG: gettext_noop("The text is too long: at most 2000 characters fit."),
    OptionCode.NOT_INTEGER: gettext_noop("This is not a whole number. Write digits only, such as 15."),
    OptionCode.HAS_FRACTION: gettext_noop("This number has decimal places, and only whole numbers fit here."),
    OptionCode.AMBIGUOUS_INTEGER: gettext_noop(
        "The separator can mean thousands or decimal places. Write the number without it."
    ),
    OptionCode.SCIENTIFIC: gettext_noop(
        "A spreadsheet has shortened this number. Format the column as text and export the file again."
    ),
    OptionCode.OUT_OF_RANGE: gettext_noop("This number is too large to be kept."),
    OptionCode.NOT_A_DATE: gettext_noop("This is not a date. Write it as 1371/07/16 or 1992-10-08."),
    OptionCode.AMBIGUOUS_DATE: gettext_noop(
        "Day and month cannot be told apart. Write the year first, as 1371/07/16 or 1992-10-08."
    ),
    OptionCode.IMPOSSIBLE_DATE: gettext_noop("There is no such day in the calendar."),
    OptionCode.SHORT_YEAR: gettext_noop("The year needs four digits, as in 1371/07/16 or 1992-10-08."),
    OptionCode.YEAR_OUT_OF_RANGE: gettext_noop("The year must be 1200 to 1599 (Jalali) or 1800 to 2200 (Gregorian)."),
    OptionCode.SERIAL_DATE: gettext_noop(
        "This looks like a spreadsheet’s day number. Format the column as a date and export the file again."
    ),
    OptionCode.NOT_A_CHOICE: gettext_noop("This is not one of the allowed values."),
    OptionCode.NOT_AN_EMAIL: gettext_noop("This is not an e-mail address."),
    OptionCode.FROM_JALALI: gettext_noop("Read as a Jalali date."),
    OptionCode.TIME_DROPPED: gettext_noop("The time of day was left out."),
}


@dataclass(frozen=True, slots=True)
class OptionVerdict:
    """What a cell means. `value` is canonical, and empty unless the code is `ok`; `note_code` says what was assumed."""

    raw: str
    value: str
    code: OptionCode
    note_code: OptionCode | str = ""

    @property
    def is_valid(self) -> bool:
        return self.code in {OptionCode.OK, OptionCode.EMPTY}


def parse_option(raw: str, kind: str, *, choices: Sequence[str] = ()) -> OptionVerdict:
    """Read a cell as one of `KINDS`. Never raises on any text; an unknown kind is a `ValueError`."""
    if kind == "integer" and (value := plain_integer(raw)):
        return OptionVerdict(raw, value, OptionCode.OK)
    text = clean(raw)
    if kind not in KINDS:
        raise ValueError(f"Unknown kind of option: {kind!r}")
    if not text:
        return OptionVerdict(raw, "", OptionCode.EMPTY)
    match kind:
        case "integer":
            return _integer(raw, ascii_digits(text))
        case "date":
            return _date(raw, ascii_digits(text))
        case "choice":
            return _choice(raw, text, choices)
        case "multiple":
            return _multiple(raw, choices)
        case "email":
            return _email(raw, text)
    if len(text) > LONGEST_TEXT:
        return OptionVerdict(raw, "", OptionCode.TOO_LONG)
    return OptionVerdict(raw, text, OptionCode.OK)


def plain_integer(raw: str) -> str:
    """The canonical value of digits alone, in any script; empty for every other spelling, valid or not."""
    return str(int(raw)) if raw.isdecimal() and len(raw) < 19 else ""


def plain_date(raw: str) -> str:
    """The canonical value of a date with its year first; empty for every other spelling, valid or not."""
    found = _PLAIN_DATE.fullmatch(raw)
    if not found:
        return ""
    year, month, day = int(found[1]), int(found[3]), int(found[4])
    try:
        if 1200 <= year <= 1599:
            return from_jalali(year, month, day).isoformat()
        return dt.date(year, month, day).isoformat() if 1800 <= year <= 2200 else ""
    except ValueError:
        return ""


_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "﹣": "-", "－": "-", "＋": "+", "٫": ".", "٬": " ", "،": " ", "'": " ", "’": " "}
)
_PLAIN_INTEGER = re.compile(r"([+-]?) ?(\d+)")
_SPACED_INTEGER = re.compile(r"([+-]?) ?(\d{1,3}(?: \d{3})+)(?:[.,](\d+))?")
_GROUPED_INTEGER = re.compile(r"([+-]?) ?(\d{1,3}(?:,\d{3}){2,}|\d{1,3}(?:\.\d{3}){2,})")
_GROUPED_DECIMAL = re.compile(r"([+-]?) ?(\d{1,3}(?:,\d{3})+)\.(\d+)|([+-]?) ?(\d{1,3}(?:\.\d{3})+),(\d+)")
_ONE_SEPARATOR = re.compile(r"([+-]?) ?(\d+)[.,](\d+)")
_SCIENTIFIC = re.compile(r"[+-]?\d+([.,/]\d+)?[eE][+-]?\d+")


def _integer(raw: str, text: str) -> OptionVerdict:
    arabic_decimal = "٫" in text
    text = text.translate(_SIGNS).strip()
    if found := _PLAIN_INTEGER.fullmatch(text) or _GROUPED_INTEGER.fullmatch(text):
        return _integer_of(raw, found[1], found[2], "")
    if found := _SPACED_INTEGER.fullmatch(text):
        return _integer_of(raw, found[1], found[2], found[3] or "")
    if found := _GROUPED_DECIMAL.fullmatch(text):
        sign, whole, fraction = found.group(1, 2, 3) if found[2] else found.group(4, 5, 6)
        return _integer_of(raw, sign, whole, fraction)
    if found := _ONE_SEPARATOR.fullmatch(text):
        if len(found[3]) == 3 and 1 <= len(found[2]) <= 3 and found[2] != "0" and not arabic_decimal:
            return OptionVerdict(raw, "", OptionCode.AMBIGUOUS_INTEGER)
        return _integer_of(raw, found[1], found[2], found[3])
    return OptionVerdict(raw, "", OptionCode.SCIENTIFIC if _SCIENTIFIC.fullmatch(text) else OptionCode.NOT_INTEGER)


def _integer_of(raw: str, sign: str, whole: str, fraction: str) -> OptionVerdict:
    if fraction.strip("0"):
        return OptionVerdict(raw, "", OptionCode.HAS_FRACTION)
    digits = re.sub(r"\D", "", whole).lstrip("0") or "0"
    if len(digits) > 19 or int(digits) > LARGEST_INTEGER:
        return OptionVerdict(raw, "", OptionCode.OUT_OF_RANGE)
    return OptionVerdict(raw, f"-{digits}" if sign == "-" and digits != "0" else digits, OptionCode.OK)


_DATE_SEPARATORS = str.maketrans({"،": "/", ",": "/", "٫": "/", "\\": "/", "–": "-", "−": "-", "‐": "-", "‑": "-"})
_TIME = re.compile(r"[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:?\d{2})?$")
_YEAR_FIRST = re.compile(r"(\d{4}) ?([/.-]) ?(\d{1,2}) ?\2 ?(\d{1,2})")
_PLAIN_DATE = re.compile(r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2}) ?([/.-]) ?(\d{1,2}) ?\2 ?(\d{4})")
_SHORT_YEAR = re.compile(r"\d{1,2} ?([/.-]) ?\d{1,2} ?\1 ?\d{1,2}")


def _date(raw: str, text: str) -> OptionVerdict:
    text = text.translate(_DATE_SEPARATORS)
    note = ""
    if time := _TIME.search(text):
        text = text[: time.start()]
        if any(int(part or 0) for part in time.group(1, 2, 3, 4)):
            if time[5]:  # midnight elsewhere: the day itself depends on the zone
                return OptionVerdict(raw, "", OptionCode.NOT_A_DATE)
            note = OptionCode.TIME_DROPPED
    if found := _YEAR_FIRST.fullmatch(text):
        return _date_of(raw, int(found[1]), int(found[3]), int(found[4]), note)
    if found := _COMPACT.fullmatch(text):
        return _date_of(raw, int(found[1]), int(found[2]), int(found[3]), note)
    if found := _YEAR_LAST.fullmatch(text):
        day, month = int(found[1]), int(found[3])
        if found[2] != "." and day != month and day <= 12:
            return OptionVerdict(raw, "", OptionCode.AMBIGUOUS_DATE)
        return _date_of(raw, int(found[4]), month, day, note)
    if _SHORT_YEAR.fullmatch(text):
        return OptionVerdict(raw, "", OptionCode.SHORT_YEAR)
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return OptionVerdict(raw, "", OptionCode.SERIAL_DATE)
    return OptionVerdict(raw, "", OptionCode.NOT_A_DATE)


def _date_of(raw: str, year: int, month: int, day: int, note: OptionCode | str) -> OptionVerdict:
    try:
        if 1200 <= year <= 1599:
            value = from_jalali(year, month, day).isoformat()
            return OptionVerdict(raw, value, OptionCode.OK, note or OptionCode.FROM_JALALI)
        if 1800 <= year <= 2200:
            return OptionVerdict(raw, dt.date(year, month, day).isoformat(), OptionCode.OK, note)
    except ValueError:
        return OptionVerdict(raw, "", OptionCode.IMPOSSIBLE_DATE)
    return OptionVerdict(raw, "", OptionCode.YEAR_OUT_OF_RANGE)


def _choice(raw: str, text: str, choices: Sequence[str]) -> OptionVerdict:
    for choice in choices:
        if choice == raw or clean(choice) == text:
            return OptionVerdict(raw, choice, OptionCode.OK)
    alike = [choice for choice in choices if fold(choice) == fold(text)]
    if len(alike) == 1:
        return OptionVerdict(raw, alike[0], OptionCode.OK)
    return OptionVerdict(raw, "", OptionCode.NOT_A_CHOICE)


_SURE_SEPARATORS = re.compile(r"[;؛|\n]")  # none of them stands in a choice; a comma may
_ANY_SEPARATOR = re.compile(r"[;؛|\n,،]")


def several(raw: str) -> list[str]:
    """The parts of a cell that holds several values, whatever is between them."""
    return [part for part in map(clean, _ANY_SEPARATOR.split(raw)) if part]


def _multiple(raw: str, choices: Sequence[str]) -> OptionVerdict:
    """Any number of the choices; canonical is `A; B`, each once, in the order of the choices."""
    choices = [choice for choice in choices if not _SURE_SEPARATORS.search(choice)]
    found: set[str] = set()
    for part in filter(None, map(clean, _SURE_SEPARATORS.split(raw))):
        verdicts = [_choice(part, part, choices)]
        if not verdicts[0].is_valid:
            verdicts = [_choice(each, each, choices) for each in several(part)]
        if not all(verdict.is_valid for verdict in verdicts):
            return OptionVerdict(raw, "", OptionCode.NOT_A_CHOICE)
        found |= {verdict.value for verdict in verdicts}
    value = "; ".join(choice for choice in dict.fromkeys(choices) if choice in found)
    return OptionVerdict(raw, value, OptionCode.OK if value else OptionCode.EMPTY)


_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]*[^\W_]")


def _email(raw: str, text: str) -> OptionVerdict:
    local, _at, domain = text.rpartition("@")
    if (
        len(text) > LONGEST_EMAIL
        or not _EMAIL.fullmatch(text)
        or ".." in local
        or local[:1] == "."
        or local[-1:] == "."
    ):
        return OptionVerdict(raw, "", OptionCode.NOT_AN_EMAIL)
    return OptionVerdict(raw, f"{local}@{domain.lower()}", OptionCode.OK)


def display_option(value: str, kind: str) -> str:
    """A canonical value for people; dates in both calendars."""
    if kind != "date" or not value:
        return value
    try:
        return f"{value} ({jalali(dt.date.fromisoformat(value))})"
    except ValueError:
        return value
