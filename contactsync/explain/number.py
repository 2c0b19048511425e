"""Which number a person means, and which contacts here have or had it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contactsync.imports.issues import number_in
from contactsync.models import Contact, FormerContact, ImportUndoChange, ProviderAccount, Recipient, Suppression
from contactsync.phone import calling_code, country_of, is_region, parse_phone
from contactsync.text import clean

#: as far as anybody could type a number
LONGEST = 100
#: contacts of one number, which is in a phonebook once
MOST_CONTACTS = 1000
#: where numbers from other countries than those of the accounts are looked for
KNOWN_BY: tuple[Any, ...] = (Contact, FormerContact, Recipient, Suppression)
#: looked for in each
MOST_COUNTRIES = 50


@dataclass(frozen=True)
class Number:
    """What was typed, and what it can mean: `numbers` in E.164, or none when it is not a whole number anywhere.

    `at_home` are those read in the countries of the accounts.
    """

    typed: str
    numbers: tuple[str, ...]
    at_home: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """As it may stand in rows that keep a number as it came."""
        return tuple(dict.fromkeys((*self.numbers, self.typed)))

    @cached_property
    def issue_keys(self) -> tuple[str, ...]:
        """As rows of files that were not imported keep it."""
        return tuple(key for key in dict.fromkeys((*self.numbers, number_in(self.typed))) if key)

    @cached_property
    def known(self) -> tuple[str, ...]:
        """Those that a person chooses among: where one read at home is known here, only known ones; else all."""
        known = _known(self.numbers) if len(self.numbers) > 1 else []
        return tuple(known) if set(known) & set(self.at_home) else self.numbers

    @cached_property
    def contacts(self) -> list[Contact]:
        """Those that have it, deleted ones included."""
        found = Contact.objects.filter(phone__in=self.numbers).select_related("phonebook").defer("pushed_payload")
        return list(found.order_by("pk")[:MOST_CONTACTS])

    @cached_property
    def former(self) -> list[FormerContact]:
        """Those that had it and were removed."""
        found = FormerContact.objects.filter(phone__in=self.numbers).select_related("phonebook")
        return list(found.order_by("-pk")[:MOST_CONTACTS])

    @cached_property
    def contact_ids(self) -> set[int]:
        """The ids of all of them, by which imports and the log of edits know them."""
        undone = ImportUndoChange.objects.filter(phone__in=self.numbers, contact__isnull=False)
        return {
            *(contact.pk for contact in self.contacts),
            *(former.former_id for former in self.former),
            *undone.values_list("contact_id", flat=True)[:MOST_CONTACTS],
        }

    @cached_property
    def suppression_ids(self) -> set[int]:
        """The ids under which it is, or was, on the suppression list, as imports know them."""
        undone = ImportUndoChange.objects.filter(phone__in=self.numbers, suppression__isnull=False)
        listed = Suppression.objects.filter(phone__in=self.numbers)
        return {
            *listed.values_list("pk", flat=True),
            *undone.values_list("suppression_id", flat=True)[:MOST_CONTACTS],
        }


def read(typed: str) -> Number:
    """A number in any form, read in the countries of all accounts, and in those of other numbers here if it is one of them.

    More than one is meant where countries disagree.
    """
    typed = clean(typed)[:LONGEST]
    regions = set(ProviderAccount.objects.values_list("default_region", flat=True)) or {"IR"}
    meant = at_home = _readings(typed, regions)
    if "+" not in typed:
        elsewhere = _readings(typed, _countries_here() - regions)
        meant = [*meant, *_known([phone for phone in elsewhere if phone not in meant])]
    return Number(typed, tuple(meant), tuple(at_home))


def _readings(typed: str, regions: Iterable[str]) -> list[str]:
    verdicts = [parse_phone(typed, region) for region in sorted(regions)]
    return list(dict.fromkeys(verdict.e164 for verdict in verdicts if verdict.is_valid))


def _countries_here() -> set[str]:
    """Countries that some number here is from: from each to the next by the index."""
    countries = set()
    for model in KNOWN_BY:
        last = "+"
        for _ in range(MOST_COUNTRIES):
            found = model._default_manager.filter(phone__gt=last, phone__startswith="+").order_by("phone")
            phone = found.values_list("phone", flat=True).first()
            code = calling_code(phone or "")
            if not code:
                break
            countries.add(country_of(phone))
            last = f"+{code}{'9' * 15}"  # no number of this country comes after it, by whatever rule of order
    return {country for country in countries if is_region(country)}


def _known(phones: Sequence[str]) -> list[str]:
    found = {
        phone
        for model in KNOWN_BY
        for phone in model._default_manager.filter(phone__in=phones)
        .order_by()
        .values_list("phone", flat=True)[:MOST_CONTACTS]
    }
    return [phone for phone in phones if phone in found]
