"""Numbering plans: what the phone library's metadata say about digits, compiled once for each region.

Only for speed: `read` gives what the library gives, in a small part of the time, and leaves to it what is rare.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

from contactsync.spelling import PhoneCode

SHORTEST, LONGEST = 3, 17  # digits; outside, the library has answers of another kind


class Reading(NamedTuple):
    """One way to understand digits. `e164` and `line` are empty when no such number is in use."""

    e164: str
    code: PhoneCode
    line: str = ""


_REFUSALS = {code: Reading("", code) for code in (PhoneCode.TOO_SHORT, PhoneCode.TOO_LONG, PhoneCode.NOT_ASSIGNED)}
# The groups of a plan's patterns, in the library's order: the first that matches says what line it is.
_LINES = ("", "other", "either", "fixed", "mobile")
_OTHERS = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
_NEVER = "(?!)"


@dataclass(frozen=True, slots=True)
class _Plan:
    """One region. `refusals` say, by length, why a number is not valid; `patterns`, by length too, which line a valid one is."""

    metadata: PhoneMetadata
    code: str
    general: re.Pattern[str]
    abroad: re.Pattern[str]
    trunk: re.Pattern[str]
    leading: re.Pattern[str] | None
    refusals: tuple[PhoneCode, ...]
    is_simple: bool
    patterns: dict[int, re.Pattern[str]] = field(default_factory=dict)

    def line(self, number: str) -> str:
        """The line of a national number; empty when it is not valid here."""
        pattern = self.patterns.get(len(number))
        if pattern is None:
            pattern = self.patterns[len(number)] = re.compile(_lines_pattern(self.metadata, len(number)))
        found = pattern.fullmatch(number)
        return _LINES[found.lastindex or 0] if found else ""


def read_usual(dialled: str, region: str) -> Reading | None:
    """A valid number with the trunk zero or the country code of a region that can be read in one way only; None otherwise."""
    plan = plan_of(region)
    if plan is None or not plan.is_simple or len(dialled) > LONGEST:
        return None
    if dialled.startswith("0"):
        number = dialled[1:]
        if number.startswith(plan.code):
            return None
    elif dialled.startswith("+" + plan.code):
        number = dialled[len(plan.code) + 1 :]
    else:
        return None
    line = "" if number.startswith("0") else plan.line(number)
    return Reading(f"+{plan.code}{number}", PhoneCode.OK, line) if line else None


def read(dialled: str, region: str) -> Reading | None:
    """ASCII digits, with or without a plus, as the library reads them in a region; None when it must be asked itself."""
    if not SHORTEST <= len(dialled) <= LONGEST:
        return None
    if dialled[0] == "+":
        return _international(dialled[1:])
    plan = plan_of(region)
    if plan is None:
        return None
    if found := plan.abroad.match(dialled):
        after = dialled[found.end() :]
        if after[:1] != "0":  # no country code begins with a zero
            return _international(after)
    if dialled.startswith(plan.code):
        rest = _without_trunk(plan, dialled[len(plan.code) :])
        if rest is None:
            return None
        if plan.refusals[len(dialled)] is PhoneCode.TOO_LONG or (
            plan.general.fullmatch(rest) and not plan.general.fullmatch(dialled)
        ):
            regions = _regions_of(plan.code)
            return _national(rest, regions[0], regions) if regions else None
    return _national(dialled, plan, _regions_of(plan.code))


def country_code(region: str) -> str:
    """The country code of a region; "0", which no country code begins with, when there is no such region."""
    plan = plan_of(region)
    return plan.code if plan else "0"


def _international(digits: str) -> Reading | None:
    if len(digits) < SHORTEST:
        return None
    for length in (1, 2, 3):
        if regions := _regions_of(digits[:length]):
            return _national(digits[length:], regions[0], regions)
    return None


def _national(number: str, plan: _Plan, regions: tuple[_Plan, ...]) -> Reading | None:
    """A number that may still have its trunk prefix, in a plan; `regions` are all that share the country code."""
    rest = _without_trunk(plan, number)
    if rest is None or not regions or len(number) < 2:
        return None
    if plan.refusals[len(rest)] is not PhoneCode.TOO_SHORT:
        number = rest
    if line := _line(number, regions):
        return Reading(f"+{plan.code}{number}", PhoneCode.OK, line)
    if number[0] == "0" and regions[0].metadata.national_prefix == "0":
        number = number.lstrip("0")  # though the library keeps it, it is no digit of the number (except in Italy)
    return _REFUSALS[regions[0].refusals[len(number)]]


def _without_trunk(plan: _Plan, number: str) -> str | None:
    """The number without its trunk prefix; None when the prefix stands for other digits."""
    found = plan.trunk.match(number)
    if not found or not number:
        return number
    if plan.metadata.national_prefix_transform_rule and found.groups()[-1] is not None:
        return None
    rest = number[found.end() :]
    return rest if plan.general.fullmatch(rest) or not plan.general.fullmatch(number) else number


def _line(number: str, regions: tuple[_Plan, ...]) -> str:
    """The line in the first region that claims the number, by its leading digits or else by having such numbers."""
    for plan in regions:
        if plan.leading is None or len(regions) == 1:
            if line := plan.line(number):
                return line
        elif plan.leading.match(number):
            return plan.line(number)
    return ""


@lru_cache(maxsize=1000)
def plan_of(region: str) -> _Plan | None:
    """The plan of a region (ISO, such as "IR"); None when there is no such region."""
    metadata = PhoneMetadata.metadata_for_region(region, None) if region in SUPPORTED_REGIONS else None
    if metadata is None or metadata.general_desc is None or not metadata.general_desc.national_number_pattern:
        return None
    lengths = metadata.general_desc.possible_length
    return _Plan(
        metadata=metadata,
        code=str(metadata.country_code),
        general=re.compile(metadata.general_desc.national_number_pattern),
        abroad=re.compile(metadata.international_prefix or _NEVER),
        trunk=re.compile(metadata.national_prefix_for_parsing or _NEVER),
        leading=re.compile(metadata.leading_digits) if metadata.leading_digits else None,
        refusals=tuple(
            PhoneCode.NOT_ASSIGNED if length in lengths
            else PhoneCode.TOO_LONG if length > max(lengths)
            else PhoneCode.TOO_SHORT
            for length in range(LONGEST + 1)
        ),
        is_simple=(
            metadata.international_prefix == "00"
            and metadata.national_prefix_for_parsing == "0"
            and metadata.leading_digits is None
            and COUNTRY_CODE_TO_REGION_CODE[metadata.country_code or 0][0] == region
        ),
    )  # fmt: skip


@lru_cache(maxsize=2000)
def _regions_of(code: str) -> tuple[_Plan, ...]:
    """The plans of a country code, the main one first; none for one that is not used, or by no country."""
    names = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if code[:1] != "0" else ()
    plans = tuple(map(plan_of, names))
    return tuple(filter(None, plans)) if all(plans) else ()


def _lines_pattern(metadata: PhoneMetadata, length: int) -> str:
    """A pattern for all national numbers of one length, with the groups of `_LINES`; it never matches where there are none."""

    def pattern(name: str) -> str:
        desc: PhoneNumberDesc | None = getattr(metadata, name)
        if desc is None or not desc.national_number_pattern:
            return _NEVER
        lengths = desc.possible_length
        return f"(?:{desc.national_number_pattern})" if not lengths or length in lengths else _NEVER

    fixed, mobile = pattern("fixed_line"), pattern("mobile")
    if metadata.same_mobile_and_fixed_line_pattern:
        mobile = fixed
    lines = (
        "|".join(each for each in map(pattern, _OTHERS) if each != _NEVER) or _NEVER,
        _NEVER if _NEVER in {fixed, mobile} else f"(?={mobile}\\Z){fixed}",
        fixed,
        mobile,
    )
    return f"(?={pattern('general_desc')}\\Z)(?:{'|'.join(f'({line})' for line in lines)})"
