"""Values in LOX24's own form, and back."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from decimal import Decimal
from typing import Any

from providers import values
from providers.backends.lox24 import facts
from providers.exceptions import NotFound
from providers.text import gettext_noop
from providers.types import ContactRecord, RemoteContact

_NO_SUCH_ID = gettext_noop("LOX24 cannot have anything with the id “%(id)s”: its ids are whole numbers.")
_SENDER = re.compile(r"(\+?[1-9][0-9]{0,14}|[a-zA-Z0-9 ]{1,11})")


def is_recipient(phone: str) -> bool:
    """E.164: the form LOX24 prefers, and the only one it never converts."""
    return values.is_e164(phone)


def is_sender(sender: str) -> bool:
    """The documented pattern: a number of up to 15 digits, or up to 11 letters, digits and spaces."""
    return _SENDER.fullmatch(sender) is not None


def e164(number: Any) -> str:
    """A number as LOX24 wrote it, in E.164 where that can be told, else as it stands."""
    written = str(number or "").strip()
    digits = re.sub(r"[\s()/-]", "", written)
    if found := re.fullmatch(r"(?:\+|00)?([1-9][0-9]{6,14})", digits):
        return f"+{found[1]}"
    return written


def path_id(remote_id: str) -> str:
    """An id fit for a path. Ids are text in bodies and whole numbers in paths. Raises `NotFound` for anything else."""
    if not remote_id.isascii() or not remote_id.isdigit() or len(remote_id) > 18:
        raise NotFound(_NO_SUCH_ID, params={"id": remote_id})
    return remote_id


def whole(value: Any) -> int | None:
    """A count or a code, as a number or as digits; None when there is none."""
    return None if value is None or value == "" or isinstance(value, bool) else int(value)


def money(value: Any) -> Decimal | None:
    """An amount; None when there is none."""
    return None if value is None or isinstance(value, bool) else Decimal(str(value))


def unix(value: dt.datetime) -> int:
    """Unix seconds. Raises `ValueError` for a time without a zone."""
    if value.tzinfo is None:
        raise ValueError("send_at must have a time zone")
    return int(value.timestamp())


def marker(reference: str) -> int:
    """Our reference as the positive 31-bit number that `source` has room for."""
    return int.from_bytes(hashlib.sha256(reference.encode()).digest()[:4]) % (2**31 - 1) + 1


def new_phone(record: ContactRecord) -> dict[str, str]:
    """An element of the batch: what is not known is left out."""
    fields = {"phone": record.phone, **_columns(record), "callback_data": record.reference}
    return {name: value for name, value in fields.items() if value}


def changed_phone(record: ContactRecord) -> dict[str, str | None]:
    """The body of an update: every field, null where there is nothing."""
    fields = {**_columns(record), "callback_data": record.reference}
    return {"phone": record.phone, **{name: value or None for name, value in fields.items()}}


def _columns(record: ContactRecord) -> dict[str, str]:
    return {slot: record.options[slot].value if slot in record.options else "" for slot in facts.SLOTS}


def contact(data: Any) -> RemoteContact:
    """One phone of a group as LOX24 shows it."""
    columns = {slot: values.text(data.get(slot)) for slot in facts.SLOTS}
    return RemoteContact(
        remote_id=values.remote_id(data["id"]),
        phone=e164(data["phone"]),
        options={slot: value for slot, value in columns.items() if value},
        is_opted_out=data.get("unsubscribed_at") is not None,
        raw=data,
    )
