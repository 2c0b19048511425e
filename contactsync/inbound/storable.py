"""Text from outside in a form that every database takes."""

from __future__ import annotations

LONGEST_TEXT = 10_000


def storable(text: str, *, most: int = LONGEST_TEXT) -> str:
    """The text without NUL characters, with “?” for lone surrogates, cut to this length."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:most]
