"""Takes credentials out of everything that is kept, logged or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html.entities import html5

HIDDEN = "[hidden]"
SHORTEST_SECRET = 4  # below this a "secret" would blot out ordinary text
LONGEST_SIGN = 10  # characters that one of a secret may be spelled with


class Redactor:
    """Replaces the secrets, however an address, JSON or HTML spells them. `repr` tells nothing.

    `members` are names in JSON whose values, unknown beforehand, are taken out too, even cut short.
    """

    def __init__(self, secrets: Iterable[str], members: Iterable[str] = ()) -> None:
        spelled = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(_in_any_spelling, spelled))) if spelled else None
        self._longest = LONGEST_SIGN * len(spelled[0]) if spelled else 0
        names = "|".join(re.escape(name) for name in members)
        self._members = re.compile(rf'("(?:{names})"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^\s"{{}}\[\],]+)') if names else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __call__(self, text: str) -> str:
        if self._secrets is not None:
            text = self._secrets.sub(HIDDEN, text)
        return text if self._members is None else self._members.sub(rf'\1"{HIDDEN}"', text)

    def excerpt(self, content: bytes | str, limit: int) -> str:
        """The first `limit` characters, redacted before they are cut so that no half of a secret stays."""
        most = limit * 4 + 2 * self._longest + 4_000
        window = content[:most]
        text = window.decode("utf-8", "replace") if isinstance(window, bytes) else window
        # In UTF-16 each second sign of a key would be this one, and what is left the key.
        text = self(text.replace("\x00", ""))
        if len(content) > most and self._longest:
            text = text[: -self._longest]  # a secret that was cut through
        return text if len(text) <= limit else text[: limit - 1] + "…"


def _in_any_spelling(secret: str) -> str:
    return "".join(re.escape(sign) if sign.isalnum() else _spellings(sign) for sign in secret)


@cache
def _spellings(sign: str) -> str:
    """A pattern for what is not a letter or digit: plain, with a backslash, or by its number or name, and any of these once more."""
    code, hexadecimal = ord(sign), f"(?i:{ord(sign):x})"
    names = "".join(f"|{name}" for name, meaning in html5.items() if meaning == sign and name.endswith(";"))
    by_html = f"&(?:amp;)*(?:#0*{code};|#[xX]0*{hexadecimal};{names})"
    return rf"(?:\\*{re.escape(sign)}|%(?:25)*{hexadecimal}|\\+u0*{hexadecimal}|{by_html})"
