"""Phone numbers: any usual spelling in, E.164 or a reason out. Damaged numbers are refused, never repaired."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from contactsync.spelling import PLAIN, PhoneCode, dialled_digits, unified
from contactsync.text import gettext_noop

__all__ = ["PHONE_MESSAGES", "PhoneCode", "PhoneVerdict", "display", "parse_phone", "search_digits"]


PHONE_MESSAGES: dict[PhoneCode, str] = {
    PhoneCode.OK: gettext_noop("The phone number is valid."),
    PhoneCode.EMPTY: gettext_noop("There is no phone number."),
    PhoneCode.NOT_A_NUMBER: gettext_noop("This is not a phone number, or there is other text beside it."),
    PhoneCode.EXTENSION: gettext_noop("The number has an extension. Messages cannot go to extensions; remove it."),
    PhoneCode.SEVERAL_NUMBERS: gettext_noop("There are several numbers in one cell. Give each its own row."),
    PhoneCode.SCIENTIFIC: gettext_noop(
        "A spreadsheet has shortened this number, and its last digits are lost. Format the column as text and export the file again."
    ),
    PhoneCode.DECIMAL_DAMAGED: gettext_noop(
        "A spreadsheet has put a decimal point into this number. Format the column as text and export the file again."
    ),
    PhoneCode.NEGATIVE: gettext_noop(
        "A spreadsheet has calculated with this number. Format the column as text and enter the number again."
    ),
    PhoneCode.TOO_SHORT: gettext_noop("The number has too few digits."),
    PhoneCode.TOO_LONG: gettext_noop("The number has too many digits."),
    PhoneCode.UNKNOWN_COUNTRY: gettext_noop("No country has this country code."),
    PhoneCode.NOT_ASSIGNED: gettext_noop("No such number is in use in this country."),
    PhoneCode.AMBIGUOUS: gettext_noop(
        "The number can be read with and without a country code. Write it with + and the country code."
    ),
}


@dataclass(frozen=True, slots=True)
class PhoneVerdict:
    """What a cell means. `e164` is empty when refused; `line` is "mobile", "fixed", "either" or "other"."""

    raw: str
    e164: str
    code: PhoneCode
    line: str
    changed: bool

    @property
    def is_valid(self) -> bool:
        return self.code is PhoneCode.OK


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to understand the digits."""

    e164: str
    code: PhoneCode
    line: str = ""


_LINES = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "either",
}
_IMPOSSIBLE = {
    ValidationResult.INVALID_COUNTRY_CODE: PhoneCode.UNKNOWN_COUNTRY,
    ValidationResult.TOO_SHORT: PhoneCode.TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: PhoneCode.TOO_SHORT,  # the area code is missing
    ValidationResult.INVALID_LENGTH: PhoneCode.TOO_SHORT,  # between two lengths in use
    ValidationResult.TOO_LONG: PhoneCode.TOO_LONG,
}
_UNREADABLE = {
    NumberParseException.INVALID_COUNTRY_CODE: PhoneCode.UNKNOWN_COUNTRY,
    NumberParseException.NOT_A_NUMBER: PhoneCode.TOO_SHORT,  # only digits get here
    NumberParseException.TOO_SHORT_AFTER_IDD: PhoneCode.TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: PhoneCode.TOO_SHORT,
    NumberParseException.TOO_LONG: PhoneCode.TOO_LONG,
}


def parse_phone(raw: str, region: str) -> PhoneVerdict:
    """Read a cell as one phone number; `region` (ISO, such as "IR") is for numbers without country code. Never raises."""
    region = region.upper()
    if PLAIN.fullmatch(raw):
        reading = _understand(raw, region)
    else:
        dialled, code = dialled_digits(raw)
        reading = _understand(dialled, region) if code is PhoneCode.OK else _Reading("", code)
        if not reading.e164 and len(dialled) > 13 and _is_two_numbers(dialled, region):
            reading = _Reading("", PhoneCode.SEVERAL_NUMBERS)
    return PhoneVerdict(raw, reading.e164, reading.code, reading.line, changed=reading.e164 != raw)


def _understand(dialled: str, region: str) -> _Reading:
    """The one valid reading of the digits, or why there is none."""
    readings = tuple(_readings(dialled, region))
    valid = {reading.e164: reading for reading in readings if reading.e164}
    if len(valid) == 1:
        return next(iter(valid.values()))
    if valid:
        # 49171… in Germany: a mobile with its country code is likelier than a landline without its zero.
        mobiles = [reading for reading in valid.values() if reading.line == "mobile"]
        if len(mobiles) == 1 and not dialled.startswith("0"):
            return mobiles[0]
        return _Reading("", PhoneCode.AMBIGUOUS)
    if readings[0].code is PhoneCode.TOO_LONG:
        return readings[-1]
    return readings[0]


def _readings(dialled: str, region: str) -> Iterable[_Reading]:
    if dialled.startswith("+"):
        yield _read(dialled, None)
        return
    first = _read(dialled, region)
    yield first
    if dialled.startswith("00"):
        if not first.e164:  # 00 is understood everywhere, also where people dial 011 or 0011
            yield _read("+" + dialled[2:], None)
        return
    country_code = str(phonenumbers.country_code_for_region(region))
    if dialled.startswith(country_code):
        if first.e164 != "+" + dialled:
            yield _read("+" + dialled, None)
    elif dialled.startswith("0" + country_code) and len(dialled) > 10:
        yield _read("+" + dialled[1:], None)


def _read(dialled: str, region: str | None) -> _Reading:
    try:
        number = phonenumbers.parse(dialled, region)
    except NumberParseException as error:
        return _Reading("", _UNREADABLE[error.error_type])
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        return _Reading("", _why_not(number))
    significant = phonenumbers.national_significant_number(number)
    return _Reading(f"+{number.country_code}{significant}", PhoneCode.OK, _LINES.get(kind, "other"))


def _why_not(number: PhoneNumber) -> PhoneCode:
    reason = phonenumbers.is_possible_number_with_reason(_without_trunk_zero(number))
    return _IMPOSSIBLE.get(reason, PhoneCode.NOT_ASSIGNED)


def _without_trunk_zero(number: PhoneNumber) -> PhoneNumber:
    """The library keeps the zero of a number that is not valid, though it is no digit of it (except in Italy)."""
    country = phonenumbers.region_code_for_country_code(number.country_code or 0)
    if number.italian_leading_zero and phonenumbers.ndd_prefix_for_region(country, True) == "0":
        return PhoneNumber(country_code=number.country_code, national_number=number.national_number)
    return number


def _is_two_numbers(dialled: str, region: str) -> bool:
    """Two numbers with nothing between them that tells them apart."""
    if len(dialled) > 30:
        return False
    return any(
        _understand(dialled[:cut], region).e164 and _understand(dialled[cut:], region).e164
        for cut in range(8, len(dialled) - 6)
    )


_SEARCHABLE = re.compile(r"[\d+().\-/\s]+")


def search_digits(text: str) -> str:
    """The digits to look for in stored numbers, from a number or a piece of one in any form; empty when it is not one."""
    text = unified(text).strip()
    if not _SEARCHABLE.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text)
    international = digits[2:] if digits.startswith("00") else digits if "+" in text else ""
    if international:
        try:
            number = phonenumbers.parse("+" + international, None)
        except NumberParseException:
            return international.lstrip("0")
        return f"{number.country_code}{phonenumbers.national_significant_number(_without_trunk_zero(number))}"
    return digits.lstrip("0")


def display(e164: str) -> str:
    """The number with spaces, as +98 912 000 1234; anything else unchanged."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
