"""Values in Callbell's own form, and back."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

from providers import values
from providers.types import OptionKind, OptionValue

_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?\s?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})"
)


def digits(phone: str) -> str:
    """What of a number Callbell's identifiers hold: the digits, without plus and international zeros."""
    return re.sub(r"[^0-9]", "", phone).removeprefix("00")


def e164(number: Any) -> str:
    """A number as Callbell wrote it, in E.164 where that can be told, else as it stands; empty for a contact without one."""
    given = values.text(number).strip()
    number = f"+{digits(given)}"
    return number if re.fullmatch(r"[0-9+() ./-]*", given) and values.is_e164(number) else given


def remote_id(value: Any) -> str:
    """An id as text. Raises `ValueError` when the answer has none."""
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def moment(value: Any) -> dt.datetime | None:
    """A time in any of the documented spellings, aware; None for anything else."""
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    zone = "+00:00" if zone in ("Z", "UTC") else zone
    try:
        return dt.datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{zone}")
    except ValueError:
        return None


def names(value: Any) -> tuple[str, ...]:
    """A list of names, which one table calls an array and another comma-separated text."""
    if isinstance(value, str):
        value = value.split(",")
    return tuple(name for name in (values.text(each).strip() for each in value or ()) if name)


def chosen(value: Any) -> list[str] | None:
    """The chosen options of a checkbox, which come as an array or as JSON text of one; None for any other value."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return [name for each in value if (name := values.text(each))] if isinstance(value, list) else None


def field_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """The custom fields of a contact that have a value: arrays for checkboxes, text for all others."""
    shown = {name: _shown(value) for name, value in (row.get("customFields") or {}).items()}
    for name, told in (row.get("customFieldsMetadata") or {}).items():
        value = told.get("value")
        shown[name] = _shown(value) if told.get("type") == "checkbox" else values.text(value)
    return {name: value for name, value in shown.items() if value}


def _shown(value: Any) -> str | list[str]:
    several = chosen(value)
    return values.text(value) if several is None else several


def wire_value(value: OptionValue) -> str | list[str]:
    """A canonical value as Callbell takes it. Raises `ValueError` when it is not canonical."""
    if value.kind is OptionKind.MULTIPLE:
        return list(value.values)
    if value.value and value.kind is OptionKind.INTEGER:
        return str(int(value.value))  # a text, whatever one sample shows
    if value.value and value.kind is OptionKind.DATE:
        return dt.date.fromisoformat(value.value).isoformat()
    return value.value


def given_name(name: Any, phone: str) -> str:
    """The name of a contact, unless it is the number that stands for a missing one."""
    name = values.text(name)
    is_number = bool(re.fullmatch(r"[0-9+() ./-]+", name)) and digits(name) == digits(phone)
    return "" if is_number else name


def joined(*groups: tuple[str, ...]) -> list[str]:
    """All names, each once whatever its capitals: Callbell's tags are compared without regard to case."""
    kept: dict[str, str] = {}
    for group in groups:
        for name in filter(None, group):
            kept.setdefault(name.casefold(), name)
    return list(kept.values())
