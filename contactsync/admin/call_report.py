"""A call as a text for the provider's support: everything they need to find it, and nobody's number, name or message."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection

from django.utils import translation

from contactsync.models import Call
from contactsync.sync.connect import provider_class

#: a string of JSON, also one that was cut short; with a colon behind it, it is a name
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)("|$)(\s*:)?')
_LONG_NUMBER = re.compile(r"(?<![\w.\-])\+?[0-9][0-9 ]{6,}(?![\w.\-])")
#: an id, a code, a date: something with digits in it and no blanks
_CODE = re.compile(r"(?=[^0-9]*[0-9_])[A-Za-z0-9_.:/\-]+")
_NUMBER = re.compile(r"(?:\+|%2B|00)?[0-9 ()\-]{7,}")
#: where providers put their words
_WORDS = {"code", "detail", "details", "error", "error_code", "errors", "message", "reason", "status", "title", "type"}
_ERROR = 400


def report(call: Call) -> str:
    """The text, in English; times in UTC."""
    account = call.run.account
    with translation.override("en"):
        facts = [
            ("Provider", str(provider_class(account.provider).label)),
            ("Call", call.operation),
            ("Request", _without_numbers(call.request_line, _known(call))),
            ("Started", _moment(call.started_at)),
            ("Finished", _moment(call.finished_at)),
            ("Seconds", f"{call.seconds:.3f}" if call.seconds is not None else ""),
            ("Attempts", str(call.attempts)),
            ("HTTP status", str(call.status or "none")),
            ("Your request id", call.provider_request_id),
            ("Your references", ", ".join(map(str, call.references))),
            ("Our reference", str(call.uuid)),
            ("People or contacts in it", str(call.item_count)),
            ("State with us", str(call.get_state_display())),
        ]
    lines = [f"{name}: {value}" for name, value in facts if value]
    for title, body in (("Request body", _masked_request(call)), ("Answer", _masked_answer(call))):
        if body:
            lines += ["", f"{title} (texts, names and numbers are taken out):", body]
    return "\n".join(lines)


def _moment(value: dt.datetime | None) -> str:
    return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f} UTC" if value else ""


def _known(call: Call) -> set[str]:
    """Values that are nobody's: senders, and ids of the provider and of ours."""
    known = {call.run.account.default_sender, str(call.run.plan.get("sender", "")), str(call.uuid)}
    return {*known, *map(str, call.references), call.provider_request_id} - {""}


def _masked_request(call: Call) -> str:
    return _masked(call.request_excerpt, _known(call), words=())


def _masked_answer(call: Call) -> str:
    """A refusal keeps the provider's words; an answer to what was carried out may repeat the message."""
    words = _WORDS if (call.status or 0) >= _ERROR or call.state == Call.State.REFUSED else ()
    return _masked(call.response_excerpt, _known(call), words=words)


def _masked(text: str, known: Collection[str], *, words: Collection[str]) -> str:
    name = ""

    def mask(found: re.Match[str]) -> str:
        nonlocal name
        value, end, is_name = found[1], found[2], found[3]
        if is_name:
            name = value
            return found[0]
        if value in known or not value:
            return found[0]
        if name in words:
            return f'"{_without_numbers(value, known)}{end}'
        if _CODE.fullmatch(value) and not _NUMBER.fullmatch(value):
            return found[0]
        kind = "number" if _NUMBER.fullmatch(value) else "text"
        return f'"({kind}, {len(value)} characters){end}'

    if '"' not in text:  # not JSON: words of a server on the way
        return _without_numbers(text, known)
    return _without_numbers(_STRING.sub(mask, text), known)


def _without_numbers(text: str, known: Collection[str]) -> str:
    def mask(found: re.Match[str]) -> str:
        digits = found[0].strip()
        return found[0] if digits in known else f"(number, {len(digits)} digits)"

    return _LONG_NUMBER.sub(mask, re.sub(r"(?:\+|%2B)[0-9]{7,}", lambda m: m[0] if m[0] in known else "(number)", text))
