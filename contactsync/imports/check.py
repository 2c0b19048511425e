"""From a row to a verdict. `judge` looks at the row alone; `settle` compares it with what is in the phonebook.

The dry run and the real run both come through here, so they cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from contactsync.imports import issues
from contactsync.imports.consent import is_same, parse_consent
from contactsync.imports.issues import Problem
from contactsync.imports.plan import LIMITS, Place, Plan
from contactsync.imports.read import Row, has_content
from contactsync.imports.suggest import suggest_email, suggest_option, suggest_phone
from contactsync.models import Contact
from contactsync.options import OptionCode, parse_option
from contactsync.phone import PhoneCode, parse_phone
from contactsync.text import clean, is_formula

#: towns, points and dates come again and again; long texts do not, and would fill the memory
SHORT = 40
_parse_again = lru_cache(maxsize=10_000)(parse_option)
_TAG_SEPARATORS = re.compile(r"[,،;؛|\n]")


class Outcome(StrEnum):
    """What becomes of a row. Every row gets exactly one."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(slots=True)
class Judged:
    """A row as far as it can be judged alone. `fields` holds what the row says; blank cells say nothing."""

    row: Row
    phone: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    rejected: bool = False
    same_as_line: int = 0
    keeps_consent: bool = False  # a plain yes: an earlier date of consent stays

    def reject(self, code: str, place: Place | None = None, value: str = "", **more: Any) -> None:
        self.rejected = True
        self._add(issues.REJECTED, code, place, value, **more)

    def warn(self, code: str, place: Place | None = None, value: str = "", **more: Any) -> None:
        self._add(issues.WARNING, code, place, value, **more)

    def _add(self, severity: str, code: str, place: Place | None, value: str, **more: Any) -> None:
        column = place.title if place else ""
        self.problems.append(Problem(severity=severity, code=code, column=column, value=value, **more))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a row. `changes` are the fields to set: all given ones for a new contact, else the differing."""

    judged: Judged
    outcome: Outcome
    contact: Contact | None
    changes: dict[str, Any]
    problems: list[Problem]
    suppressed: bool


def judge(row: Row, plan: Plan) -> Judged:
    """The verdict on a row by itself, with all its problems."""
    judged = Judged(row)
    extra = row.cells[plan.width :]
    if any(map(has_content, extra)):
        judged.reject(issues.EXTRA_CELLS, params={"cells": len(row.cells), "columns": plan.width})
    for place in plan.places:
        raw = row.cells[place.index] if place.index < len(row.cells) else ""
        if has_content(raw):
            _READERS.get(place.field, _read_option)(judged, place, raw, plan)
        elif place.field == "phone":
            judged.reject(f"phone_{PhoneCode.EMPTY}", place, raw)
    return judged


def _read_phone(judged: Judged, place: Place, raw: str, plan: Plan) -> None:
    verdict = parse_phone(raw, plan.region)
    if not verdict.is_valid:
        suggestion = suggest_phone(raw, plan.region) if verdict.code is PhoneCode.SEVERAL_NUMBERS else ""
        judged.reject(f"phone_{verdict.code}", place, raw, suggestion=suggestion)
        return
    judged.phone = verdict.e164
    if verdict.line == "fixed":
        judged.warn(issues.FIXED_LINE, place, raw)


def _read_text(judged: Judged, place: Place, raw: str, plan: Plan) -> None:
    _set_text(judged, place, place.field, clean(raw))


def _read_full_name(judged: Judged, place: Place, raw: str, plan: Plan) -> None:
    first, _, last = clean(raw).partition(" ")
    _set_text(judged, place, "first_name", first)
    _set_text(judged, place, "last_name", last)


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
    judged.fields[name] = text


def _read_email(judged: Judged, place: Place, raw: str, plan: Plan) -> None:
    text = clean(raw)
    if not text:
        return
    limit = LIMITS[place.field]
    if len(text) > limit:
        judged.reject(issues.TEXT_TOO_LONG, place, raw, params={"length": len(text), "limit": limit})
        return
    try:
        validate_email(text)
    except ValidationError:
        judged.reject(issues.EMAIL_INVALID, place, raw, suggestion=suggest_email(raw))
        return
    judged.fields[place.field] = text


def _read_tags(judged: Judged, place: Place, raw: str, plan: Plan) -> None:
    tags = list(dict.fromkeys(filter(None, map(clean, _TAG_SEPARATORS.split(raw)))))
    for tag in tags:
        if is_formula(tag):
            judged.warn(issues.FORMULA, place, tag)
    if tags:
        judged.fields["tags"] = tags


def _read_consent(judged: Judged, place: Place, raw: str, plan: Plan) -> None:
    consent = parse_consent(raw, now=plan.moment)
    if consent.code:
        judged.reject(consent.code, place, raw)
        return
    judged.fields["consented_at"] = consent.at
    judged.keeps_consent = consent.is_bare


def _read_option(judged: Judged, place: Place, raw: str, plan: Plan) -> None:
    option = place.option
    if option is None:
        raise ValueError(f"No reader for the field {place.field!r}")
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
    if verdict.note_code == OptionCode.TIME_DROPPED:
        judged.warn(f"option_{verdict.note_code}", place, raw)
    judged.options[option.id] = verdict.value


_READERS: dict[str, Callable[[Judged, Place, str, Plan], None]] = {
    "phone": _read_phone,
    "prefix": _read_text,
    "first_name": _read_text,
    "last_name": _read_text,
    "full_name": _read_full_name,
    "company": _read_text,
    "email": _read_email,
    "assigned_user": _read_email,
    "tags": _read_tags,
    "note": _read_text,
    "consented_at": _read_consent,
    "consent_source": _read_text,
}


def settle(rows: Iterable[Judged], *, contacts: Mapping[str, Contact], suppressed: Collection[str]) -> list[Verdict]:
    """The final verdict on each row. `contacts` (by phone) and `suppressed` hold at least what concerns these rows."""
    return [_settle(judged, contacts.get(judged.phone), judged.phone in suppressed) for judged in rows]


def _settle(judged: Judged, contact: Contact | None, is_suppressed: bool) -> Verdict:
    if judged.rejected:
        refusals = [problem for problem in judged.problems if problem.severity == issues.REJECTED]
        return Verdict(judged, Outcome.REJECTED, None, {}, refusals, suppressed=False)
    if judged.same_as_line:
        again = Problem(
            severity=issues.DUPLICATE, code=issues.DUPLICATE_IN_FILE, value=judged.phone,
            params={"line": judged.same_as_line},
        )  # fmt: skip
        return Verdict(judged, Outcome.DUPLICATE, None, {}, [again], suppressed=False)
    problems = judged.problems
    if is_suppressed:
        problems = [*problems, Problem(severity=issues.WARNING, code=issues.SUPPRESSED, value=judged.phone)]
    changes = _changes(judged, contact)
    if contact is None:
        outcome = Outcome.CREATED
    else:
        outcome = Outcome.UPDATED if changes else Outcome.UNCHANGED
    return Verdict(judged, outcome, contact, changes, problems, suppressed=is_suppressed)


def _changes(judged: Judged, contact: Contact | None) -> dict[str, Any]:
    if contact is None:
        return {**judged.fields, "options": judged.options}
    changes = {name: value for name, value in judged.fields.items() if getattr(contact, name) != value}
    if "consented_at" in changes and (
        (judged.keeps_consent and contact.consented_at) or is_same(contact.consented_at, changes["consented_at"])
    ):
        del changes["consented_at"]
    options = {**contact.options, **judged.options}
    if options != contact.options:
        changes["options"] = options
    if contact.deleted_at is not None:
        changes["deleted_at"] = None
    return changes
