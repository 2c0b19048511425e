"""From a cell to what it says of a contact. Each column gets its reader once, made for its field and the plan."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from contactsync.imports import issues
from contactsync.imports.consent import Consent, parse_consent
from contactsync.imports.headers import field_of, is_sum
from contactsync.imports.judged import Judged
from contactsync.imports.moments import is_to_come, read_moment
from contactsync.imports.plan import LIMITS, OptionField, Place, Plan, blank
from contactsync.imports.read import Row, has_content
from contactsync.imports.rules import clears
from contactsync.imports.suggest import suggest_email, suggest_option, suggest_phone
from contactsync.imports.tags import tags_in
from contactsync.models import ImportJob
from contactsync.options import LONGEST_TEXT, OptionCode, parse_option, plain_date, plain_integer
from contactsync.phone import PhoneCode, read_phone
from contactsync.text import ascii_digits, clean, fold, is_formula

#: what databases and spreadsheets write for nothing; a person may be called Null, so only as they write it
NO_VALUES = frozenset(
    {"NULL", "null", "(null)", "\\N", "None", "NaN", "nan", "N/A", "n/a", "undefined"}
    | {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"}
)
_WITH_A_NUMBER = frozenset({PhoneCode.SEVERAL_NUMBERS, PhoneCode.NOT_A_NUMBER})
_WITHOUT_A_NUMBER = frozenset({PhoneCode.EMPTY, PhoneCode.NOT_A_NUMBER})
#: towns, points and dates come again and again; long texts do not, and would fill the memory
SHORT = 40
_parse_again = lru_cache(maxsize=10_000)(parse_option)
#: what spreadsheets make of a long number, such as that of a card
_SHORTENED = re.compile(r"\d(?:[.,/]\d+)?E\+\d{2,3}")
# What most addresses look like. Only for speed; Django accepts every one of these.
_ORDINARY_EMAIL = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


Reader = Callable[[Judged, str], None]


@lru_cache(maxsize=2)
def readers(plan: Plan) -> list[tuple[int, Reader]]:
    """What reads each column, made once for all rows. A cell in which nobody sees anything says nothing."""
    made = [(place, _READERS.get(place.field, _option_reader)(place, plan)) for place in plan.places]
    if plan.clear_token:
        is_sign = clears(plan.clear_token)
        made = [(place, _reader_or_clear(place, read, is_sign)) for place, read in made]
    return [(place.index, read) for place, read in made]


def _reader_or_clear(place: Place, read: Reader, is_sign: Callable[[str], bool]) -> Reader:
    names = ("first_name", "last_name") if place.field == "full_name" else (place.field,)

    def read_or_clear(judged: Judged, raw: str) -> None:
        if not is_sign(raw):
            read(judged, raw)
        elif place.field == "phone":
            judged.reject(issues.PHONE_CLEARED, place, raw)
        elif place.option:
            judged.cleared += (place.option.id,)
        else:
            judged.fields.update({name: blank(name) for name in names})

    return read_or_clear


def _phone_reader(place: Place, plan: Plan) -> Reader:
    region = plan.region.upper()
    is_warned = plan.kind == ImportJob.Kind.CONTACTS  # that a number gets nothing is no news on the suppression list

    def read(judged: Judged, raw: str) -> None:
        judged.phone, code, line = read_phone(raw, region)
        if not judged.phone:
            code = code if has_content(raw) else PhoneCode.EMPTY
            if code in _WITHOUT_A_NUMBER and (other := _what_else(judged.row, place, raw)):
                judged.reject(other, place, raw)
                return
            suggestion = suggest_phone(raw, region) if code in _WITH_A_NUMBER else ""
            judged.reject(f"phone_{code}", place, raw, suggestion=suggestion)
        elif line == "fixed" and is_warned:
            judged.warn(issues.FIXED_LINE, place, raw)

    return read


def _what_else(row: Row, place: Place, raw: str) -> str:
    """What a row without digits is, when it is no contact: titles again, as in tables put together, or sums below one."""
    if issues.number_in(raw):
        return ""
    if has_content(raw) and (fold(raw) == fold(place.title) or field_of(raw)[0] == "phone"):
        return issues.PHONE_TITLE
    first = next((cell for cell in row.cells if has_content(cell)), "")
    return issues.PHONE_TOTAL if is_sum(first.rstrip(" :")) else ""


def _text_reader(place: Place, plan: Plan) -> Reader:
    name, limit = place.field, LIMITS[place.field]

    def read(judged: Judged, raw: str) -> None:
        text = clean(raw)
        if len(text) <= limit and text[:1].isalnum() and text not in NO_VALUES:  # so no formula
            judged.fields[name] = text
        else:
            _set_text(judged, place, name, text)

    return read


def _full_name_reader(place: Place, plan: Plan) -> Reader:
    def read(judged: Judged, raw: str) -> None:
        first, _, last = clean(raw).partition(" ")
        _set_text(judged, place, "first_name", first)
        _set_text(judged, place, "last_name", last)

    return read


def _set_text(judged: Judged, place: Place, name: str, text: str) -> None:
    if not text:
        return
    limit = LIMITS[name]
    if len(text) > limit:
        judged.reject(
            issues.TEXT_TOO_LONG,
            place,
            text,
            params={"length": len(text), "limit": limit},
            suggestion=text[:limit].strip(),
        )
        return
    if is_formula(text):
        judged.warn(issues.FORMULA, place, text)
    elif text in NO_VALUES:
        judged.warn(issues.NO_VALUE, place, text)
    judged.fields[name] = text


def _email_reader(place: Place, plan: Plan) -> Reader:
    name, limit = place.field, LIMITS[place.field]

    def read(judged: Judged, raw: str) -> None:
        if len(raw) <= limit and _ORDINARY_EMAIL.fullmatch(raw):
            judged.fields[name] = raw
        elif text := clean(raw):
            _set_email(judged, place, raw, text)

    return read


def _set_email(judged: Judged, place: Place, raw: str, text: str) -> None:
    """A wrong address of the contact itself is left out: the number is what matters. One that names a user is not."""
    limit = LIMITS[place.field]
    if len(text) > limit:
        judged.reject(issues.TEXT_TOO_LONG, place, raw, params={"length": len(text), "limit": limit})
        return
    try:
        validate_email(text)
    except ValidationError:
        if place.field == "email":
            judged.warn(issues.EMAIL_LEFT_OUT, place, raw, suggestion=suggest_email(raw))
        else:
            judged.reject(issues.EMAIL_INVALID, place, raw, suggestion=suggest_email(raw))
        return
    judged.fields[place.field] = text


def _tags_reader(place: Place, plan: Plan) -> Reader:
    def read(judged: Judged, raw: str) -> None:
        tags = tags_in(raw)
        for tag in tags:
            if is_formula(tag):
                judged.warn(issues.FORMULA, place, tag)
        if tags:
            judged.fields["tags"] = tags
            judged.adds_tags = plan.adds_tags

    return read


def _consent_reader(place: Place, plan: Plan) -> Reader:
    @lru_cache(maxsize=1000)
    def again(raw: str) -> Consent:
        return parse_consent(raw, now=plan.moment)

    def read(judged: Judged, raw: str) -> None:
        if not clean(raw):
            return
        consent = again(raw) if len(raw) <= SHORT else parse_consent(raw, now=plan.moment)
        if consent.code:
            judged.reject(consent.code, place, raw)
            return
        judged.fields["consented_at"] = consent.at
        judged.keeps_consent = consent.is_bare

    return read


def _since_reader(place: Place, plan: Plan) -> Reader:
    again = lru_cache(maxsize=10_000)(read_moment)

    def read(judged: Judged, raw: str) -> None:
        text = ascii_digits(clean(raw))
        if not text:
            return
        at, code = again(text) if len(text) <= SHORT else read_moment(text)
        if at is None:
            judged.reject(f"option_{code}", place, raw, suggestion=suggest_option(raw, "date", ()))
        elif is_to_come(at, plan.moment):
            judged.reject(issues.SINCE_IN_FUTURE, place, raw)
        else:
            judged.fields["since"] = at

    return read


def _option_reader(place: Place, plan: Plan) -> Reader:
    option = place.option
    if option is None:
        raise ValueError(f"No reader for the field {place.field!r}")
    plain, option_id = _PLAIN_VALUES.get(option.kind), option.id

    def read(judged: Judged, raw: str) -> None:
        if plain and (value := plain(raw)):
            judged.options[option_id] = value
        elif raw:
            _set_option(judged, place, option, raw)

    return read


def _set_option(judged: Judged, place: Place, option: OptionField, raw: str) -> None:
    parse = _parse_again if len(raw) <= SHORT else parse_option
    verdict = parse(raw, option.kind, choices=option.choices)
    if not verdict.is_valid:
        suggestion = suggest_option(raw, option.kind, option.choices)
        judged.reject(f"option_{verdict.code}", place, raw, suggestion=suggestion)
        return
    if not verdict.value:
        return
    if option.kind == "text" and is_formula(verdict.value):
        judged.warn(issues.FORMULA, place, raw)
    elif option.kind == "text" and _SHORTENED.fullmatch(verdict.value):
        judged.warn(f"option_{OptionCode.SCIENTIFIC}", place, raw)
    elif verdict.value in NO_VALUES:
        judged.warn(issues.NO_VALUE, place, raw)
    if verdict.note_code == OptionCode.TIME_DROPPED:
        judged.warn(f"option_{verdict.note_code}", place, raw)
    judged.options[option.id] = verdict.value


def _plain_text(raw: str) -> str:
    """The canonical value of a text of which there is nothing to say; empty for every other, valid or not."""
    text = clean(raw)
    if len(text) > LONGEST_TEXT or not text[:1].isalnum() or text in NO_VALUES or "E+" in text:
        return ""
    return text


_PLAIN_VALUES = {"text": _plain_text, "integer": plain_integer, "date": plain_date}
_READERS: dict[str, Callable[[Place, Plan], Reader]] = {
    "phone": _phone_reader,
    "prefix": _text_reader,
    "first_name": _text_reader,
    "last_name": _text_reader,
    "full_name": _full_name_reader,
    "company": _text_reader,
    "email": _email_reader,
    "assigned_user": _email_reader,
    "tags": _tags_reader,
    "note": _text_reader,
    "consented_at": _consent_reader,
    "consent_source": _text_reader,
    "reason": _text_reader,
    "since": _since_reader,
}
