"""A call as a text for the provider's support: everything they need to find it, and nobody's number, name or message."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection

from django.utils import translation

from contactsync.models import Call, Contact
from contactsync.sync.connect import provider_class

#: a string of JSON, also one that was cut short; with a colon behind it, it is a name
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)("|$)(\s*:)?')
#: in the digits of any script, with what people put between them
_LONG_NUMBER = re.compile(r"(?<![\w.\-])\+?\(?\d[\d ()\-]{5,}\d(?![\w.\-])")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?!\d)")
_ADDRESS = re.compile(r"[^\s\"'<>,;:()@]+@[\w\-]+(?:\.[\w\-]+)+")
#: an id, a code, a date: something with digits in it and no blanks, in a member that is called like one
_CODE = re.compile(r"(?=[^0-9]*[0-9_])[A-Za-z0-9_.:/\-]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_OF_CODES = {
    "at", "call", "callback", "channel", "code", "data", "date", "format", "from", "id", "ids", "ip", "key", "kind", "method",
    "reference", "references", "sender", "service", "source", "state", "status", "time", "type", "url", "uuid", "version",
}  # fmt: skip
_NUMBER = re.compile(r"(?:\+|%2B|00)?[\d ()\-]{7,}")
#: whose names are looked for in the provider's words: no batch of contacts, who have them, is larger
_MOST_PEOPLE = 1_000
#: where providers put their words
_WORDS = {"code", "detail", "details", "error", "error_code", "errors", "message", "reason", "status", "title", "type"}
_ERROR = 400
SHORTEST_NUMBER = 7  # digits


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
    """Values that identify no person: senders, and ids of the provider and of ours."""
    known = {call.run.account.default_sender, str(call.run.plan.get("sender", "")), str(call.uuid)}
    return {*known, *map(str, call.references), call.provider_request_id} - {""}


def _names(call: Call) -> Collection[str]:
    """Names of the people in the call, the longest first, where they are few; a provider may repeat them in its words."""
    if call.item_count > _MOST_PEOPLE:
        return ()
    items, recipients = (rows.order_by().values("contact") for rows in (call.items, call.recipients))
    # by key: joined with both, all contacts would be read
    people = Contact.objects.filter(pk__in=items.union(recipients, all=True))
    found = people.values_list("first_name", "last_name", "company")
    return sorted({name for names in found for name in names if len(name) > 1}, key=len, reverse=True)


def _masked_request(call: Call) -> str:
    return _masked(call.request_excerpt, _known(call), words=())


def _masked_answer(call: Call) -> str:
    """A refusal keeps the provider's words; an answer to what was carried out may repeat the message."""
    words = _WORDS if (call.status or 0) >= _ERROR or call.state == Call.State.REFUSED else ()
    text = _masked(call.response_excerpt, _known(call), words=words)
    names = "|".join(map(re.escape, _names(call)))
    return re.sub(rf"(?<!\w)(?:{names})(?!\w)", "(name)", text) if names else text


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
        if _UUID.fullmatch(value) or (_is_of_codes(name) and _CODE.fullmatch(value) and not _NUMBER.fullmatch(value)):
            return found[0]
        kind = "number" if _NUMBER.fullmatch(value) else "text"
        return f'"({kind}, {len(value)} characters){end}'

    if '"' not in text:  # not JSON: words of a server on the way
        return _without_numbers(text, known)
    return _without_numbers(_STRING.sub(mask, text), known)


def _is_of_codes(name: str) -> bool:
    """Whether the last word of a member's name says that it holds an id, a code or a time: `phonebook_id`, `createdAt`."""
    words = re.findall(r"[A-Z]?[a-z]+", name)
    return bool(words) and words[-1].lower() in _OF_CODES


def _without_numbers(text: str, known: Collection[str]) -> str:
    """Without phone numbers and e-mail addresses."""

    def mask(found: re.Match[str]) -> str:
        digits = found[0].strip()
        if digits in known or _DATE.match(digits) or sum(sign.isdecimal() for sign in digits) < SHORTEST_NUMBER:
            return found[0]
        return f"(number, {len(digits)} digits)"

    text = re.sub(r"(?:\+|%2B)[0-9]{7,}", lambda m: m[0] if m[0] in known else "(number)", text)
    return _LONG_NUMBER.sub(mask, _ADDRESS.sub("(e-mail address)", text))
