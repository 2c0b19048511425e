"""Reads the settings of an account against what its backend declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from providers.exceptions import Misconfigured
from providers.text import gettext_noop
from providers.types import SettingField

_UNKNOWN = gettext_noop("This provider has no setting “%(name)s”. It has: %(known)s.")
_NO_NUMBER = gettext_noop("The setting “%(name)s” is “%(value)s”; it must be a whole number.")
_TOO_SMALL = gettext_noop("The setting “%(name)s” is %(value)s; it must be at least %(minimum)s.")
_TOO_LARGE = gettext_noop("The setting “%(name)s” is %(value)s; it must be at most %(maximum)s.")
_NO_CHOICE = gettext_noop("The setting “%(name)s” is “%(value)s”; it must be one of: %(choices)s.")


def read_settings(fields: Sequence[SettingField], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every declared setting, from `given` or its default. Raises `Misconfigured` that names the setting at fault."""
    known = {field.name for field in fields}
    for name in given:
        if name not in known:
            raise Misconfigured(_UNKNOWN, params={"name": name, "known": ", ".join(sorted(known))})
    return {field.name: _read(field, given.get(field.name)) for field in fields}


def _read(field: SettingField, value: Any) -> Any:
    if value is None or value == "":
        return field.default
    if field.kind == "integer":
        return _integer(field, value)
    if field.kind == "choice" and value not in field.choices:
        params = {"name": field.name, "value": str(value), "choices": ", ".join(field.choices)}
        raise Misconfigured(_NO_CHOICE, params=params)
    return str(value)


def _integer(field: SettingField, value: Any) -> int:
    try:
        # A form or a command line gives text; `True` is an int to Python and nobody's number.
        number = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None:
        raise Misconfigured(_NO_NUMBER, params={"name": field.name, "value": str(value)})
    if field.minimum is not None and number < field.minimum:
        raise Misconfigured(_TOO_SMALL, params={"name": field.name, "value": number, "minimum": field.minimum})
    if field.maximum is not None and number > field.maximum:
        raise Misconfigured(_TOO_LARGE, params={"name": field.name, "value": number, "maximum": field.maximum})
    return number
