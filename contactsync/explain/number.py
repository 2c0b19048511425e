"""Which number a person means, and which contacts here have or had it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from contactsync.imports.issues import number_in
from contactsync.models import Contact, FormerContact, ImportUndoChange, ProviderAccount, Suppression
from contactsync.phone import parse_phone
from contactsync.text import clean

#: as far as anybody could type a number
LONGEST = 100
#: contacts of one number, which is in a phonebook once
MOST_CONTACTS = 1000


@dataclass(frozen=True)
class Number:
    """What was typed, and what it can mean: `numbers` in E.164, or none when it is not a whole number anywhere."""

    typed: str
    numbers: tuple[str, ...]

    @property
    def spellings(self) -> tuple[str, ...]:
        """As it may stand in rows that keep a number as it came."""
        return tuple(dict.fromkeys((*self.numbers, self.typed)))

    @cached_property
    def issue_keys(self) -> tuple[str, ...]:
        """As rows of files that were not imported keep it."""
        return tuple(key for key in dict.fromkeys((*self.numbers, number_in(self.typed))) if key)

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
    """A number in any form, read in the countries of all accounts; more than one is meant where these disagree."""
    typed = clean(typed)[:LONGEST]
    regions = sorted(set(ProviderAccount.objects.values_list("default_region", flat=True))) or ["IR"]
    verdicts = [parse_phone(typed, region) for region in regions]
    return Number(typed, tuple(dict.fromkeys(verdict.e164 for verdict in verdicts if verdict.is_valid)))
