"""Phonebooks and custom options made on the command line, by the rules of the screens."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from contactsync.management.base import listed
from contactsync.models import CustomOption, Phonebook, PhonebookOption, ProviderAccount
from contactsync.sync.option_rules import choices_problem, kind_problem
from contactsync.text import clean


def make_option(account: ProviderAccount, title: str, kind: str, choices: Sequence[str]) -> CustomOption:
    """A new custom option of the account. Raises `CommandError` with what is wrong about it."""
    if kind not in CustomOption.Kind.values:
        raise CommandError(f"There is no kind of option “{kind}”. Kinds: {', '.join(CustomOption.Kind.values)}.")
    values = list(dict.fromkeys(filter(None, map(clean, choices))))
    if problem := kind_problem(account, kind) or choices_problem(kind, values):
        raise CommandError(f"Option “{title}”: {problem}")
    option = CustomOption(account=account, title=clean(title), kind=kind, choices=values)
    _check(option)
    option.save()
    return option


def option_of(account: ProviderAccount, text: str) -> CustomOption:
    """The option that `TITLE[:KIND[:CHOICE|CHOICE]]` names: the account's own of this title, or a new one of this kind."""
    title, kind, choices = ([part.strip() for part in text.split(":", 2)] + ["", ""])[:3]
    found = CustomOption.objects.filter(account=account, title=clean(title)).first()
    if found is None and not kind:
        there = listed(account.options.order_by("title").values_list("title", flat=True))
        raise CommandError(
            f"The account has no option “{title}”. There are: {there}. To make it, write its kind too: “{title}:text”."
        )
    if found is None:
        return make_option(account, title, kind, choices.split("|"))
    if kind and kind != found.kind:
        raise CommandError(f"The account has an option “{title}” already, of the kind {found.kind} and not {kind}.")
    return found


def make_phonebook(
    account: ProviderAccount, title: str, *, description: str = "", remote_id: str = "", options: Sequence[CustomOption]
) -> Phonebook:
    """A new phonebook with these options. Raises `CommandError` with what is wrong about it."""
    book = Phonebook(account=account, title=clean(title), description=clean(description), remote_id=remote_id)
    _check(book)
    book.save()
    PhonebookOption.objects.bulk_create(
        PhonebookOption(phonebook=book, option=option) for option in dict.fromkeys(options)
    )
    return book


def _check(row: Phonebook | CustomOption) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise CommandError(f"“{row.title}”: {' '.join(error.messages)}") from error
