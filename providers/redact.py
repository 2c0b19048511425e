"""Takes credentials out of everything that is kept, logged or shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
SHORTEST_SECRET = 4  # below this a "secret" would blot out ordinary text


class Redactor:
    """Replaces every known spelling of the secrets: plain, in a URL, in JSON. `repr` tells nothing.

    `members` are names in JSON whose values, unknown beforehand, are taken out too, even cut short.
    """

    def __init__(self, secrets: Iterable[str], members: Iterable[str] = ()) -> None:
        spellings = {
            spelling
            for secret in secrets
            if len(secret) >= SHORTEST_SECRET
            for spelling in (
                secret,
                quote(secret, safe=""),
                quote(secret),
                quote_plus(secret),
                json.dumps(secret)[1:-1],
                secret.replace("/", "\\/"),
            )
        }
        self._spellings = sorted(spellings, key=len, reverse=True)
        names = "|".join(re.escape(name) for name in members)
        self._members = re.compile(rf'("(?:{names})"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^\s"{{}}\[\],]+)') if names else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __call__(self, text: str) -> str:
        for spelling in self._spellings:
            text = text.replace(spelling, HIDDEN)
        return text if self._members is None else self._members.sub(rf'\1"{HIDDEN}"', text)

    def excerpt(self, content: bytes | str, limit: int) -> str:
        """The first `limit` characters, redacted before they are cut so that no half of a secret stays."""
        # Far more than `limit` is redacted: a cut through a secret then falls where nothing is kept.
        window = content[: limit * 4 + 4_000]
        text = window.decode("utf-8", "replace") if isinstance(window, bytes) else window
        text = self(text.replace("\x00", "�"))
        return text if len(text) <= limit else text[: limit - 1] + "…"
