"""The tags in a cell, and what a cell can say of those that a contact has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contactsync.text import clean

_SEPARATORS = re.compile(r"[,،;؛|\n]")


def tags_in(cell: str) -> list[str]:
    """The tags of a cell, each once."""
    return list(dict.fromkeys(filter(None, map(clean, _SEPARATORS.split(cell)))))


def tags_after(there: Sequence[str], told: Sequence[str], *, adds: bool) -> list[str]:
    """What a contact has once a cell has told it tags: these instead of its own, or with `adds` besides them.

    Tags of a provider may hold a separator, which no cell can say: what the file of an export says of them changes nothing.
    """
    if adds:
        said = {part for tag in there if set(parts := tags_in(tag)) <= set(told) for part in parts}
        return list(dict.fromkeys([*there, *(tag for tag in told if tag not in said)]))
    return list(there if told and tags_in(", ".join(there)) == list(told) else told)
