"""Finding people: by number in any form, by words of the name, by the value of an option."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce
from typing import Any

from django.db.models import Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Replace

from contactsync.models import Contact, CustomOption, ProviderAccount
from contactsync.models.bulk import among_ids
from contactsync.models.option_text import OptionText
from contactsync.options import parse_option
from contactsync.phone import parse_phone, search_digits
from contactsync.text import ascii_digits, clean

#: how many options are searched when the list is not narrowed to one phonebook
OPTIONS_SEARCHED = 20
#: a longer row of digits is a phone number, not the value of an option
LONGEST_OPTION_NUMBER = 8
#: contacts beyond which the values of options are not looked through
LARGE = 50_000
#: found rows that are kept by their keys
FEW = 10_000
ZWNJ = "\u200c"
NAME_FIELDS = ("first_name", "last_name", "company", "email")


def by_number(rows: QuerySet[Any], text: str) -> QuerySet[Any] | None:
    """Rows with this number, or with these digits in it; None when the text is not a number.

    A whole number is looked up by the index; only a piece of one is looked for inside the numbers.
    """
    digits = search_digits(text)
    if not digits:
        return None
    regions = set(ProviderAccount.objects.values_list("default_region", flat=True)) or {"IR"}
    whole = {verdict.e164 for verdict in (parse_phone(text, region) for region in regions) if verdict.is_valid}
    if whole:
        # by key: SQLite would look through everything the rows belong to
        exact = rows.filter(pk__in=rows.model._default_manager.filter(phone__in=whole).order_by().values("pk"))
        if rows.model is Contact or exact.exists():  # a contact's number is in this form, others may be as they came
            return exact
    return narrowed(rows, Q(phone__contains=digits)) if rows.model is Contact else rows.filter(phone__contains=digits)


def narrowed(rows: QuerySet[Any], condition: Q, *, by_index: Q | None = None, **plain: Any) -> QuerySet[Any]:
    """The rows that fulfil a condition on columns that stand in one index, `plain` being what it calls them.

    Few that do are looked for in the index alone, as to read all rows takes long; many are met soon on the way.
    `by_index` is the same condition in the words of the index, where those differ.
    """
    found = rows.model._default_manager.alias(**plain).filter(by_index or condition).order_by()
    keys = list(found.values_list("pk", flat=True)[: FEW + 1])
    return rows.filter(pk__in=among_ids(keys)) if len(keys) <= FEW else rows.alias(**plain).filter(condition)


def is_large(contacts: QuerySet[Contact]) -> bool:
    """Whether these are too many to look into the options of each."""
    return contacts.order_by()[: LARGE + 1].count() > LARGE


def contacts(rows: QuerySet[Any], text: str, options: Iterable[CustomOption]) -> QuerySet[Any]:
    """Contacts for what a person typed: a number in any form, words of the name, or the value of an option.

    Every word must stand somewhere. A whole phone number is looked for as such only.
    """
    options = list(options)[:OPTIONS_SEARCHED]
    numbers = by_number(rows, text)
    if numbers is not None and (not options or len(search_digits(text)) > LONGEST_OPTION_NUMBER):
        return numbers
    text = clean(text)
    words = [_word(word, options) for word in text.split()]
    if not words:
        return rows
    found = reduce(operator.and_, words)
    # One text of all names: to look into one is quicker than into four. A word has no blank, so it cannot reach over two.
    named = Func(*NAME_FIELDS, template="(%(expressions)s)", arg_joiner=" || ' ' || ", output_field=TextField())
    plain: dict[str, Any] = {
        "named": named,
        "plain_named": Replace(named, Value(ZWNJ), Value(""), output_field=TextField()),
    }
    if not options:
        return narrowed(rows, found, **plain)
    found |= _typed(text, options)
    if numbers is not None:
        found |= Q(phone__contains=search_digits(text))
    plain |= {f"option_{option.pk}": OptionText(option.pk) for option in options}
    matching: QuerySet[Any] = rows.alias(**plain).filter(found)
    return matching


def _word(word: str, options: list[CustomOption]) -> Q:
    """One word in a name or an option. SQLite knows upper and lower case of ASCII only, so others are tried in each."""
    word = word.replace(ZWNJ, "")
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize(), ascii_digits(word)}
    fields = ["named" if word.isascii() else "plain_named", *(f"option_{option.pk}" for option in options)]
    return reduce(operator.or_, (Q(**{f"{field}__icontains": word}) for field in fields for word in sorted(spellings)))


def _typed(text: str, options: list[CustomOption]) -> Q:
    """The text as the value of a date or number: 1371/07/16 finds 1992-10-08."""
    found = Q(pk__in=[])
    for option in options:
        if option.kind in {"date", "integer"}:
            verdict = parse_option(text, option.kind)
            if verdict.value:
                found |= Q(**{f"option_{option.pk}": verdict.value})
    return found
