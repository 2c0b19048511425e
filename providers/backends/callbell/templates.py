"""Templates of the WhatsApp Business API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from providers import values
from providers.backends.callbell import forms
from providers.backends.callbell.calls import Calls
from providers.types import RemoteTemplate

_VARIABLE = re.compile(r"\{\{\s*([0-9]{1,3})\s*\}\}")


class TemplateCalls(Calls):
    def list_templates(self) -> Iterator[RemoteTemplate]:
        """All of them; usable are approved ones of text only, as a picture or file has no documented place in a send."""
        yield from self.pages("/templates", "templates", _template)


def _template(row: Any) -> RemoteTemplate:
    text, kind, state = (values.text(row.get(name)) for name in ("text", "templateType", "status"))
    numbers = sorted({int(number) for number in _VARIABLE.findall(text)})
    return RemoteTemplate(
        remote_id=forms.remote_id(row["uuid"]),
        title=values.text(row.get("title")),
        text=text,
        variables=tuple(str(number) for number in numbers),
        is_usable=state == "approved" and kind in ("", "text"),
        raw_state=state if kind in ("", "text") else f"{state} ({kind})",
    )
