"""Reasons stored in rows: a constant sentence and what fills its places, translated when shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext


def reason(message: str, **params: str | int | Mapping[str, Any]) -> dict[str, Any]:
    """A reason to store. `message` is constant and marked with `gettext_noop` where it is written; a param may be a reason itself."""
    return {"message": message, "params": params} if params else {"message": message}


def describe(stored: Mapping[str, Any] | None) -> str:
    """The reason in the active language; empty when there is none."""
    if not stored or not stored.get("message"):
        return ""
    params = stored.get("params")
    translated = gettext(stored["message"])
    if not params:
        return translated
    return translated % {
        name: describe(value) if isinstance(value, Mapping) else value for name, value in params.items()
    }
