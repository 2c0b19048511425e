"""Values in IPPanel's own form, and back."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from providers.backends.ippanel.facts import SLASHED
from providers.exceptions import NotFound
from providers.text import gettext_noop
from providers.types import ContactRecord, OptionKind, OptionValue

_NO_SUCH_ID = gettext_noop("IPPanel cannot have anything with the id “%(id)s”: its ids are whole numbers.")
_IRANIAN = re.compile(r"\+98[0-9]{10}")
_SENDER = re.compile(r"\+98[0-9]{3,15}")


def is_recipient(phone: str) -> bool:
    """`+98` and ten digits, 13 characters."""
    return _IRANIAN.fullmatch(phone) is not None


def is_sender(number: str) -> bool:
    """A sender's number is shorter or longer than a recipient's, but has the `+98` too."""
    return _SENDER.fullmatch(number) is not None


def e164(number: Any) -> str:
    """A number as IPPanel wrote it, in E.164 where that can be told, else as it stands."""
    text = str(number or "").strip()
    digits = re.sub(r"[\s()-]", "", text)
    for pattern in (r"\+(98[0-9]+)", r"00(98[0-9]{10})", r"(98[0-9]{10})"):
        if found := re.fullmatch(pattern, digits):
            return f"+{found[1]}"
    if found := re.fullmatch(r"0?(9[0-9]{9})", digits):
        return f"+98{found[1]}"
    return text


def same_number(one: str, other: str) -> bool:
    """Whether two spellings are the same number of any length; reports may leave out the `+98`."""
    return _national(one) == _national(other)


def _national(number: str) -> str:
    return re.sub(r"^(\+|00)?(98)?0*", "", re.sub(r"[\s()-]", "", number))


def id_number(remote_id: str) -> int:
    """An id as the integer some calls want. Raises `NotFound` for what cannot be one."""
    if not re.fullmatch(r"[0-9]{1,18}", remote_id):
        raise NotFound(_NO_SUCH_ID, params={"id": remote_id})
    return int(remote_id)


def whole(value: Any) -> int | None:
    """A count, which comes as a number, as digits in a string, or as null."""
    return None if value is None or value == "" else int(value)


def send_time(value: dt.datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS` in UTC. Raises `ValueError` for a time without a zone."""
    if value.tzinfo is None:
        raise ValueError("send_at must have a time zone")
    return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def option_text(value: OptionValue, date_form: str) -> str:
    """A canonical value as the string IPPanel takes. Raises `ValueError` when it is not canonical."""
    if not value.value:
        return ""
    if value.kind is OptionKind.DATE:
        date = dt.date.fromisoformat(value.value).isoformat()
        return date.replace("-", "/") if date_form == SLASHED else date
    return str(int(value.value)) if value.kind is OptionKind.INTEGER else value.value


def new_contact(record: ContactRecord, phonebook_id: str, *, date_form: str) -> dict[str, Any]:
    """An element of add-list-new: what is not known is left out."""
    options = {key: option_text(value, date_form) for key, value in record.options.items() if value.value}
    fields = {
        "number": record.phone,
        "pre": record.prefix,
        "name": record.full_name,
        "email": record.email,
        "options": options,
        "phonebook_id": phonebook_id,
    }
    return {name: value for name, value in fields.items() if value}


def changed_contact(record: ContactRecord, phonebook_id: str, *, date_form: str) -> dict[str, Any]:
    """The body of update-new: every field, since it is not documented whether one left out is kept."""
    fields: dict[str, Any] = {
        "number": record.phone,
        "phonebook_id": phonebook_id,
        "pre": record.prefix,
        "name": record.full_name,
        "email": record.email,
    }
    if record.options:
        fields["options"] = {key: option_text(value, date_form) for key, value in record.options.items()}
    return fields
