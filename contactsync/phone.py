"""Phone numbers: any usual spelling in, E.164 or a reason out. Damaged numbers are refused, never repaired."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberType,
    ValidationResult,
)

from contactsync import numbering
from contactsync.numbering import Reading
from contactsync.spelling import PLAIN, PhoneCode, dialled_digits, unified
from contactsync.text import gettext_noop

__all__ = [
    "PHONE_MESSAGES",
    "PhoneCode",
    "PhoneVerdict",
    "ask_library",
    "calling_code",
    "country_of",
    "is_region",
    "parse_phone",
    "read_phone",
    "search_digits",
]


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


def is_region(code: str) -> bool:
    """Whether this is the ISO code of a country with phone numbers, such as "IR"; capitals count."""
    return code in phonenumbers.SUPPORTED_REGIONS


def parse_phone(raw: str, region: str) -> PhoneVerdict:
    """Read a cell as one phone number; `region` (ISO, such as "IR") is for numbers without country code. Never raises."""
    e164, code, line = read_phone(raw, region.upper())
    return PhoneVerdict(raw, e164, code, line, changed=e164 != raw)


def read_phone(raw: str, region: str) -> Reading:
    """The same in short, for many cells; the region in capitals."""
    if PLAIN.fullmatch(raw):
        return _understand(raw, region)
    dialled, code = dialled_digits(raw)
    reading = _understand(dialled, region) if code is PhoneCode.OK else Reading("", code)
    if not reading.e164 and len(dialled) > 13 and _is_two_numbers(dialled, region):
        return Reading("", PhoneCode.SEVERAL_NUMBERS)
    return reading


def _understand(dialled: str, region: str) -> Reading:
    """The one valid reading of the digits, or why there is none."""
    if usual := numbering.read_usual(dialled, region):
        return usual
    first = _read(dialled, region)
    international = _international(dialled, region, first)
    if not international:
        return first
    second = _read(international, region)
    if not first.e164:
        return second if second.e164 or first.code is PhoneCode.TOO_LONG else first
    if second.e164 in {"", first.e164}:
        return first
    # 49171… in Germany: a mobile with its country code is likelier than a landline without its zero.
    mobiles = [reading for reading in (first, second) if reading.line == "mobile"]
    if len(mobiles) == 1 and not dialled.startswith("0"):
        return mobiles[0]
    return Reading("", PhoneCode.AMBIGUOUS)


def _international(dialled: str, region: str, first: Reading) -> str:
    """How else the digits may be meant, with a plus; empty when they cannot."""
    if dialled.startswith("+"):
        return ""
    if dialled.startswith("00"):  # understood everywhere, also where people dial 011 or 0011
        return "" if first.e164 else "+" + dialled[2:]
    code = numbering.country_code(region)
    if dialled.startswith(code):
        return "" if first.e164 == "+" + dialled else "+" + dialled
    if dialled.startswith("0" + code) and len(dialled) > 10:
        return "+" + dialled[1:]
    return ""


def _read(dialled: str, region: str) -> Reading:
    return numbering.read(dialled, region) or ask_library(dialled, region)


def ask_library(dialled: str, region: str) -> Reading:
    """Digits, with or without a plus, read in a region by the library alone."""
    try:
        number = phonenumbers.parse(dialled, None if dialled.startswith("+") else region)
    except NumberParseException as error:
        return Reading("", _UNREADABLE[error.error_type])
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        return Reading("", _why_not(number))
    significant = phonenumbers.national_significant_number(number)
    return Reading(f"+{number.country_code}{significant}", PhoneCode.OK, _LINES.get(kind, "other"))


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


_REGIONS = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
_SEARCHABLE = re.compile(r"[\d+().\-/\s]+")


def search_digits(text: str) -> str:
    """The digits to look for in stored numbers, from a number or a piece of one in any form; empty when it is not one."""
    text = unified(text).strip()
    if not _SEARCHABLE.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text)
    international = ""
    if digits.startswith("00"):
        international = digits.removeprefix("00")
    elif "+" in text:
        international = digits
    if international:
        try:
            number = phonenumbers.parse("+" + international, None)
        except NumberParseException:
            return international.lstrip("0")
        return f"{number.country_code}{phonenumbers.national_significant_number(_without_trunk_zero(number))}"
    return digits.lstrip("0")


def calling_code(e164: str) -> str:
    """The digits of a number in E.164 that say its country; empty when there is no such country."""
    codes = (e164[1 : 1 + length] for length in (1, 2, 3))
    return next((code for code in codes if code.isdecimal() and int(code) in _REGIONS), "")


def country_of(e164: str) -> str:
    """The country a number in E.164 belongs to (ISO, such as "IR"); its country code where that is no country's, else empty."""
    code = calling_code(e164)
    if not code:
        return ""
    regions = _REGIONS[int(code)]
    if len(regions) == 1:
        return regions[0] if regions[0] != "001" else f"+{code}"
    number = phonenumbers.parse(e164, None)  # several countries share the code
    return phonenumbers.region_code_for_number(number) or f"+{code}"
