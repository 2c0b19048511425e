"""Reasons stored in rows: a constant sentence and what fills its places, translated when shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext

Param = str | int | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]


def reason(message: str, **params: Param) -> dict[str, Any]:
    """A reason to store. `message` is constant and marked with `gettext_noop` where it is written.

    A param may be a reason itself, or a list of texts and reasons.
    """
    return {"message": message, "params": params} if params else {"message": message}


def describe(stored: Mapping[str, Any] | None) -> str:
    """The reason in the active language; empty when there is none."""
    if not stored or not stored.get("message"):
        return ""
    params = stored.get("params")
    translated = gettext(stored["message"])
    if not params:
        return translated
    return translated % {name: _filled(value) for name, value in params.items()}


def _filled(value: Param) -> str | int:
    if isinstance(value, Mapping):
        return describe(value)
    if isinstance(value, list | tuple):
        return gettext(", ").join(str(_filled(each)) for each in value)
    return value  # type: ignore[return-value]
