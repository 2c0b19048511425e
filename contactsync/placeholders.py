"""Placeholders in the text of a message: `{first_name}`, or `{first_name|dear friend}` with what stands in for a missing value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from contactsync.text import fold

#: names that need no custom option
BUILT_IN = ("first_name", "last_name", "name", "prefix", "company")

PLACEHOLDER = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One placeholder as written. `fallback` is None when there is none; an empty one is allowed and means nothing."""

    name: str
    fallback: str | None


def placeholders(text: str) -> list[Placeholder]:
    """Every placeholder of `text`, in its order, repetitions included."""
    return [Placeholder(match[1].strip(), match[2]) for match in PLACEHOLDER.finditer(text)]


def option_names(text: str) -> list[str]:
    """The names in `text` that only a custom option can fill, each once, as written."""
    names = {fold(found.name): found.name for found in placeholders(text) if fold(found.name) not in BUILT_IN}
    return list(names.values())
