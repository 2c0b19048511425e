"""Values that are the same for all rows: entered once, and read as a cell of a file is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.imports import issues
from contactsync.imports.check import judge
from contactsync.imports.errors import MappingError
from contactsync.imports.map import FIXABLE, NOT_FIXABLE
from contactsync.imports.plan import OptionField, Place, Plan
from contactsync.imports.read import Row
from contactsync.imports.rules import clears
from contactsync.models import Contact, CustomOption, ImportJob, Suppression

Kind = ImportJob.Kind
WRONG = gettext_noop("%(field)s, the same for all rows (“%(value)s”): %(reason)s")


class FixedRefused(MappingError):
    """One of the values cannot be used; `fixed` is its field."""

    def __init__(self, fixed: str, message: str, **params: str | int) -> None:
        super().__init__(message, **params)
        self.fixed = fixed


def read_fixed(
    texts: Mapping[str, str],
    *,
    options: Mapping[str, CustomOption],
    moment: dt.datetime,
    clear_token: str = "",
    kind: str = Kind.CONTACTS,
) -> dict[str, dict[str, Any]]:
    """Field -> `text` as entered, `value` as kept, and `bare` for a plain yes to consent. Blank texts are left out.

    Raises `FixedRefused`, also for the sign that empties a field: it would be kept as a value.
    """
    is_sign = clears(clear_token) if clear_token else None
    values = {}
    for name, text in texts.items():
        kept = _read(name, text, options=options, moment=moment, kind=kind)
        if kept and is_sign and is_sign(text):
            why = issues.sentence(issues.CLEARED_FOR_ALL)
            raise FixedRefused(name, WRONG, field=_label(name, options), value=text, reason=why)
        if kept:
            values[name] = kept
    return values


def _read(
    name: str, text: str, *, options: Mapping[str, CustomOption], moment: dt.datetime, kind: str
) -> dict[str, Any]:
    option = options.get(name.removeprefix("option:")) if name.startswith("option:") else None
    if option is None and name not in FIXABLE[kind]:
        raise FixedRefused(name, NOT_FIXABLE, field=name)
    filled = OptionField(str(option.pk), option.kind, tuple(map(str, option.choices))) if option else None
    plan = Plan(region="", places=(Place(0, "", name, filled),), width=1, moment=moment, kind=kind)
    judged = judge(Row(0, 0, [text]), plan)
    if judged.rejected:
        problem = next(found for found in judged.problems if found.severity == issues.REJECTED)
        why = issues.sentence(problem.code, problem.params)
        raise FixedRefused(name, WRONG, field=_label(name, options), value=text[:100], reason=why)
    if option:
        return {"text": text, "value": judged.options[str(option.pk)]} if judged.options else {}
    if name not in judged.fields:
        return {}
    value = judged.fields[name]
    kept = {"text": text, "value": value.isoformat() if isinstance(value, dt.datetime) else value}
    return {**kept, "bare": True} if judged.keeps_consent else kept


def _label(name: str, options: Mapping[str, CustomOption]) -> str:
    if name.startswith("option:"):
        option = options.get(name.removeprefix("option:"))
        return option.title if option else name
    models = (Contact, Suppression)
    names = {field.name: field.verbose_name for model in models for field in model._meta.concrete_fields}
    return str(names[name])
