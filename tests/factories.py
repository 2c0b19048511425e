"""Rows for tests: each function makes one valid row and lets the test say what matters."""

from __future__ import annotations

import itertools
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from contactsync.models import Campaign, Contact, CustomOption, Phonebook, PhonebookOption, ProviderAccount
from contactsync.models.fields import Credentials

numbers = itertools.count(1)

SANDBOX_KEY = "sandbox-key-for-tests-0123456789"


def make_account(**fields: Any) -> ProviderAccount:
    key = fields.pop("key", SANDBOX_KEY)
    defaults = {
        "name": f"account {next(numbers)}",
        "provider": "ippanel",
        "credentials": Credentials.seal({"api_key": key}) if key else Credentials(),
        "default_sender": "+983000505",
        "state": ProviderAccount.State.READY,
        "inbox_read_at": timezone.now(),  # so that no sweep reads it in between, unless a test wants that
    }
    return ProviderAccount.objects.create(**{**defaults, **fields})


def make_phonebook(
    account: ProviderAccount | None = None, *, options: tuple[CustomOption, ...] = (), **fields: Any
) -> Phonebook:
    book = Phonebook.objects.create(
        **{"account": account or make_account(), "title": f"phonebook {next(numbers)}", **fields}
    )
    for option in options:
        PhonebookOption.objects.create(phonebook=book, option=option)
    return book


def make_option(account: ProviderAccount, title: str = "", kind: str = "text", **fields: Any) -> CustomOption:
    return CustomOption.objects.create(account=account, title=title or f"option {next(numbers)}", kind=kind, **fields)


def make_contact(phonebook: Phonebook, phone: str = "", **fields: Any) -> Contact:
    return Contact.objects.create(phonebook=phonebook, phone=phone or f"+98912{next(numbers):07d}", **fields)


def make_campaign(account: ProviderAccount, **fields: Any) -> Campaign:
    return Campaign.objects.create(
        **{"account": account, "title": f"campaign {next(numbers)}", "message": "سلام", **fields}
    )


def make_user(*, group: str = "", **fields: Any) -> User:
    """A staff user; `group` is "Marketing" or "Marketing lead"."""
    user = User.objects.create_user(
        **{"username": f"user{next(numbers)}", "password": "a-long-password", "is_staff": True, **fields}
    )
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user
