"""Values in Atom Telecom's own form, and back."""

from __future__ import annotations

import re
from typing import Any

from providers import values
from providers.backends.atomtelecom.facts import NATIONAL, SLOTS
from providers.exceptions import NotFound
from providers.text import gettext_noop
from providers.types import ContactRecord

_NO_SUCH_ID = gettext_noop("Atom Telecom cannot have anything with the id “%(id)s”: its ids are whole numbers.")
_AUSTRALIAN = re.compile(r"\+61([1-9][0-9]{8})")


def recipient(phone: str) -> str:
    """The form of messages: international, without the plus."""
    return phone.removeprefix("+")


def contact_number(phone: str, form: str) -> str:
    """The form of contacts, by setting. A number of another country has no national form here."""
    found = _AUSTRALIAN.fullmatch(phone) if form == NATIONAL else None
    return f"0{found[1]}" if found else phone.removeprefix("+")


def e164(number: Any) -> str:
    """A number as Atom Telecom wrote it, in E.164 where that can be told, else as it stands. A leading 0 stands for 61."""
    text = str(number or "").strip()
    digits = re.sub(r"[\s().-]", "", text)
    if found := re.fullmatch(r"0([1-9][0-9]{8})", digits):
        return f"+61{found[1]}"
    phone = f"+{digits.removeprefix('+')}"
    return phone if values.is_e164(phone) else text


def id_number(remote_id: str) -> int:
    """An id as the integer that edits and deletions take. Raises `NotFound` for what cannot be one."""
    if not re.fullmatch(r"[0-9]{1,18}", remote_id):
        raise NotFound(_NO_SUCH_ID, params={"id": remote_id})
    return int(remote_id)


def new_contact(record: ContactRecord, *, form: str) -> dict[str, str]:
    """The fields of a new contact: what is not known is left out."""
    return {name: value for name, value in changed_contact(record, form=form).items() if value}


def changed_contact(record: ContactRecord, *, form: str) -> dict[str, str]:
    """Every field that is known, empty ones too: an edit seems to keep what is left out."""
    options = {slot: record.options[slot].value for slot in SLOTS if slot in record.options}
    return {
        "phone_number": contact_number(record.phone, form),
        "first_name": record.first_name,
        "last_name": record.last_name,
        **options,
    }
