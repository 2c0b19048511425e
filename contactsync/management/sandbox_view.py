"""What the demo's sandbox holds, in each provider's own shape, made comparable: read from its state, not through a backend."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

from contactsync.management.demo_accounts import DemoAccount
from contactsync.models import Contact, Phonebook
from contactsync.sync.mapping import places_of, record_of

State = dict[str, Any]
Seen = dict[str, tuple[Any, ...]]  # number -> what is comparable of the contact


class Sandbox:
    """The sandbox at an address, asked through its control API."""

    def __init__(self, address: str) -> None:
        self.address = address

    def state(self, provider: str) -> State:
        """Everything it holds of a provider."""
        with urllib.request.urlopen(f"{self.address}/_sandbox/state/{provider}", timeout=30) as answer:  # noqa: S310
            state: State = json.load(answer)
            return state

    def advance(self, seconds: float) -> None:
        """Move its clock forward, so that messages arrive."""
        self._post("clock", {"advance": seconds})

    def set_up(self, account: DemoAccount) -> None:
        """Do in the provider's portal what a person would have to do there."""
        if account.portal:
            self._post(f"portal/{account.provider}", dict(account.portal))

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310
            f"{self.address}/_sandbox/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310
            pass


def contacts_there(state: State, book: Phonebook) -> Seen:
    """Number and content of every contact in the provider's book; a number that is there twice counts as wrong."""
    rows = _CONTACTS[book.account.provider](state, book.remote_id)
    seen: Seen = {}
    for phone, content in rows:
        seen[f"{phone} (again)" if phone in seen else phone] = content
    return seen


def contacts_here(book: Phonebook) -> Seen:
    """The same of our own contacts, as that provider should have them."""
    places = places_of(book)
    return {
        contact.phone: _EXPECTED[book.account.provider](record_of(contact, places=places))
        for contact in Contact.objects.present().filter(phonebook=book)
    }


def messages_there(state: State, provider: str) -> list[str]:
    """The number of every message that was accepted."""
    return sorted(_MESSAGES[provider](state))


def _plus(digits: str) -> str:
    return f"+{digits.lstrip('+')}"


def _values(record: Any) -> dict[str, str]:
    return {key: option.value for key, option in record.options.items() if option.value}


def _ippanel(state: State, book: str) -> list[tuple[str, tuple[Any, ...]]]:
    return [
        (
            row["number"],
            (row["pre"], row["name"], row["email"], {key: v.replace("/", "-") for key, v in row["options"].items()}),
        )
        for row in state["contacts"]
        if str(row["phonebook_id"]) == book
    ]


def _atomtelecom(state: State, book: str) -> list[tuple[str, tuple[Any, ...]]]:
    slots = ("company", "custom_1", "custom_2", "custom_3", "custom_4")
    return [
        (
            _plus(row["phone_number"]),
            (row["first_name"], row["last_name"], {slot: row[slot] for slot in slots if row[slot]}),
        )
        for row in state["contacts"]
        if str(row["group_id"]) == book
    ]


def _lox24(state: State, book: str) -> list[tuple[str, tuple[Any, ...]]]:
    return [
        (row["phone"], ({column: value for column, value in row["columns"].items() if value},))
        for row in state["phones"]
        if str(row["group_id"]) == book
    ]


def _callbell(state: State, book: str) -> list[tuple[str, tuple[Any, ...]]]:
    return [
        (
            _plus(row["phone"]),
            (
                row["name"],
                row["assigned_user"] or "",
                {
                    name: "; ".join(value) if isinstance(value, list) else value
                    for name, value in row["custom_fields"].items()
                    if value
                },
            ),
        )
        for row in state["contacts"]
        if book in row["tags"]
    ]


_CONTACTS: dict[str, Callable[[State, str], list[tuple[str, tuple[Any, ...]]]]] = {
    "ippanel": _ippanel,
    "atomtelecom": _atomtelecom,
    "lox24": _lox24,
    "callbell": _callbell,
}
_EXPECTED: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "ippanel": lambda r: (r.prefix, f"{r.first_name} {r.last_name}".strip(), r.email, _values(r)),
    "atomtelecom": lambda r: (r.first_name, r.last_name, _values(r)),
    "lox24": lambda r: (_values(r),),
    "callbell": lambda r: (f"{r.first_name} {r.last_name}".strip() or r.phone, r.assigned_user, _values(r)),
}
_MESSAGES: dict[str, Callable[[State], list[str]]] = {
    "ippanel": lambda state: [message[0] for send in state["sends"] for message in send["messages"]],
    "atomtelecom": lambda state: [_plus(number) for message in state["messages"] for number in message["to"]],
    "lox24": lambda state: [row["phone"] for row in state["sms"]],
    "callbell": lambda state: [_plus(row["phone"]) for row in state["sends"]],
}
