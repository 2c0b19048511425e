"""The first steps, as the start page shows them to a new installation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from contactsync.admin.common import link, may
from contactsync.models import Phonebook, ProviderAccount


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps."""

    label: str
    hint: str
    done: bool
    url: str


def first_steps(
    user: Any, accounts: list[ProviderAccount], books: list[tuple[Phonebook, dict[str, int]]]
) -> list[Step]:
    """The way to the first campaign; empty once there are contacts in step, or for people who only read."""
    in_step = any(counts["synced"] for _book, counts in books)
    if in_step or not may(user, "add_phonebook"):
        return []
    return [_connect(user, accounts), *_fill(user, books), _write(user)]


def _connect(user: Any, accounts: list[ProviderAccount]) -> Step:
    """On the page of the first account, or a new one."""
    may_account = may(user, "add_provideraccount")
    url = link(accounts[0]) if accounts else reverse("admin:contactsync_provideraccount_add")
    return Step(
        _("Connect the provider"),
        _("Add an account with the provider's key, and test the connection.")
        if may_account
        else _("An administrator adds an account with the provider's key."),
        any(not account.is_stopped for account in accounts),
        url if may_account else "",
    )


def _fill(user: Any, books: list[tuple[Phonebook, dict[str, int]]]) -> Iterator[Step]:
    yield Step(
        _("Make a phonebook"),
        _("A phonebook is a list of contacts that is kept in step with a list at the provider."),
        bool(books),
        reverse("admin:contactsync_phonebook_add"),
    )
    yield Step(
        _("Import contacts"),
        _("Upload a CSV or Excel file. Nothing is imported before you have seen the check."),
        any(counts["total"] for _book, counts in books),
        reverse("admin:contactsync_importjob_add") if may(user, "add_importjob") else "",
    )
    yield Step(
        _("Push to the provider"),
        _("Open the phonebook and choose “Push to provider”. You see the plan first."),
        False,
        link(books[0][0]) if books else "",
    )


def _write(user: Any) -> Step:
    return Step(
        _("Write a campaign"),
        _("You see how many people get it, how many parts it has and what it costs before anything is sent."),
        False,
        reverse("admin:contactsync_campaign_add") if may(user, "add_campaign") else "",
    )
