"""How many SMS parts a text takes (GSM 03.38 and UCS-2 with concatenation headers)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
_EXTENDED = "\f^{}\\[~]|€"  # each is sent as an escape and a second character

_NOT_GSM = re.compile(f"[^{re.escape(_BASIC + _EXTENDED)}]")
_DOUBLE_IN_GSM = re.compile(f"[{re.escape(_EXTENDED)}]")
_DOUBLE_IN_UCS2 = re.compile("[\U00010000-\U0010ffff]")  # sent as a surrogate pair


@dataclass(frozen=True, slots=True)
class Parts:
    """`units` are septets (GSM-7) or 16-bit units (UCS-2); `remaining` fit into the last part."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    count: int
    per_part: int
    remaining: int


def count_parts(text: str) -> Parts:
    """Parts of the text as networks count them; an empty text has none. Source: 3GPP TS 23.038 and 23.040."""
    encoding: Literal["GSM-7", "UCS-2"]
    if _NOT_GSM.search(text):
        encoding, single, multi, double = "UCS-2", 70, 67, _DOUBLE_IN_UCS2
    else:
        encoding, single, multi, double = "GSM-7", 160, 153, _DOUBLE_IN_GSM
    doubles = [found.start() for found in double.finditer(text)]
    units = len(text) + len(doubles)
    if units <= single:
        return Parts(encoding, units, 1 if text else 0, single, single - units)
    filled = units + _padding(doubles, multi)
    count = -(-filled // multi)
    return Parts(encoding, units, count, multi, count * multi - filled)


def _padding(doubles: list[int], multi: int) -> int:
    """Units left empty at ends of parts because a two-unit character is never cut in two."""
    padding = 0
    for earlier, index in enumerate(doubles):
        if (index + earlier + padding) % multi == multi - 1:
            padding += 1
    return padding


def non_gsm_characters(text: str) -> list[tuple[int, str]]:
    """Place and character of everything that makes the text UCS-2."""
    return [(found.start(), found[0]) for found in _NOT_GSM.finditer(text)]
