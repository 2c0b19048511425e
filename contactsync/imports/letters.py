"""The names spreadsheets give to columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def column_letters(index: int) -> str:
    """The name of a column: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """How many columns there are up to this one: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_titles(columns: Sequence[str]) -> list[str]:
    """A name for each column that no other has: its title, its letter where it has none, both where others share it."""
    shared = Counter(title.strip().casefold() for title in columns)
    titles = []
    for index, title in enumerate(map(str.strip, columns)):
        letters = column_letters(index)
        titles.append(f"{title} ({letters})" if title and shared[title.casefold()] > 1 else title or letters)
    return titles
