"""What a column looks like from its cells: the kind of option that would hold it, and the fields it may be."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

from contactsync.imports.looks import looks_like_phone
from contactsync.imports.read import has_content
from contactsync.options import KINDS, parse_option, several
from contactsync.text import ascii_digits, clean, fold

MOST = 0.9  # of the cells must fit: a value of another kind is refused, and text takes all
FEWEST_ROWS = 8  # below that, few different values mean nothing
MOST_CHOICES = 6
LONGEST_CHOICE = 40
_LEADING_ZERO = re.compile(r"0\d")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Inferred:
    """The kind of option that holds all these cells; `choices` for the kind `choice`."""

    kind: str
    choices: tuple[str, ...] = ()


def filled(rows: Sequence[Sequence[str]], index: int) -> list[str]:
    """The cells of a column that are not blank."""
    return [row[index] for row in rows if index < len(row) and has_content(row[index])]


def infer(cells: Sequence[str], *, kinds: Collection[str] = KINDS) -> Inferred:
    """The narrowest of `kinds` that the cells fit. In doubt text: nothing is refused there, and no zero lost."""
    for kind in ("email", "date"):
        if kind in kinds and _are_mostly(cells, kind):
            return Inferred(kind)
    if cells and "integer" in kinds and all(map(_is_amount, cells)):
        return Inferred("integer")
    if "choice" in kinds and (choices := _few_values(cells)):
        return Inferred("choice", choices)
    return Inferred("text")


def varied(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns, from 0, that hold more different values than there are choices: sorted by one of them, a file begins with few."""
    return [index for index in range(width) if len(set(map(fold, filled(rows, index)))) > MOST_CHOICES]


def share_of(cells: Sequence[str], kind: str, choices: Sequence[str] = ()) -> float:
    """Which part of the cells is a value of this kind, from 0 to 1. Bare digits are not taken for dates."""
    return sum(_fits(cell, kind, choices) for cell in cells) / len(cells) if cells else 0.0


def _are_mostly(cells: Sequence[str], kind: str) -> bool:
    """As the share tells, but without looking further once too many do not fit: a file may have hundreds of columns."""
    others = (1 for cell in cells if not _fits(cell, kind))
    most = int(len(cells) * (1 - MOST) + 1e-9)
    return bool(cells) and sum(islice(others, most + 1)) <= most


def _fits(cell: str, kind: str, choices: Sequence[str] = ()) -> bool:
    return (kind != "date" or not clean(cell).isdigit()) and parse_option(cell, kind, choices=choices).is_valid


def _is_amount(cell: str) -> bool:
    """A number one counts with: identity numbers and phone numbers are text that happens to be digits."""
    text = ascii_digits(clean(cell))
    return not _LEADING_ZERO.match(text) and not looks_like_phone(text) and parse_option(cell, "integer").is_valid


def _few_values(cells: Sequence[str]) -> tuple[str, ...]:
    values = {fold(cell): clean(cell) for cell in reversed(cells)}
    if len(cells) < FEWEST_ROWS or not 2 <= len(values) <= min(MOST_CHOICES, len(cells) // 3):
        return ()
    fits = all(len(value) <= LONGEST_CHOICE and _LETTER.search(value) for value in values.values())
    return tuple(sorted(values.values())) if fits and not any(len(several(cell)) > 1 for cell in cells) else ()
