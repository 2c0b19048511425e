"""The length of a text as mobile networks count it (3GPP TS 23.038)."""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")  # each takes two places


def needs_unicode(text: str) -> bool:
    """Whether a text has a sign outside the GSM alphabet."""
    return not _BASIC.union(_EXTENDED).issuperset(text)


def length(text: str) -> int:
    """Places a text takes: of the GSM alphabet, or UTF-16 units where it needs Unicode."""
    if needs_unicode(text):
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text) + sum(sign in _EXTENDED for sign in text)
